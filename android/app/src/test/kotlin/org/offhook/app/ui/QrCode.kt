package org.offhook.app.ui

import android.graphics.Bitmap
import android.graphics.Color
import java.io.ByteArrayOutputStream

/** A QR code that says [TEXT] (ISO/IEC 18004, version 2). */
object QrCode {
    const val TEXT = "sip:1001@example.com"

    private val MODULES = """
        #######.#.#..##...#######
        #.....#.#.##.#....#.....#
        #.###.#..##...#.#.#.###.#
        #.###.#..#.###.##.#.###.#
        #.###.#..#.###....#.###.#
        #.....#.....###.#.#.....#
        #######.#.#.#.#.#.#######
        .........###..#.#........
        .#....###..#.###.#.....##
        ...#......#.####...##.##.
        .##.#.#..#....##.##..#.##
        .#.#....#.##..#.###....##
        ....#.###..####.#.###..#.
        ##.##...#..###.###.#..#..
        #.#..####.#....#...#.####
        #....#.#.##.###.#.#.#.##.
        #...#####.#.#.#######.#.#
        ........###...###...#..#.
        #######.#..###..#.#.#.#.#
        #.....#..#.##.###...#...#
        #.###.#...##.#.######.###
        #.###.#...#.#..#####..###
        #.###.#..#.##.#.#....#..#
        #.....#.#...###.#.#.....#
        #######..##...#.#.###...#
    """.trim().lines().map(String::trim)

    /** Black on what is around it, [scale] pixels a module. */
    fun picture(scale: Int, around: Int = Color.WHITE): Bitmap {
        val side = (MODULES.size + 2 * QUIET) * scale
        val bitmap = Bitmap.createBitmap(side, side, Bitmap.Config.ARGB_8888)
        for (y in 0 until side) {
            for (x in 0 until side) {
                val black = MODULES.getOrNull(y / scale - QUIET)?.getOrNull(x / scale - QUIET) == '#'
                bitmap.setPixel(x, y, if (black) Color.BLACK else around)
            }
        }
        return bitmap
    }

    fun png(bitmap: Bitmap): ByteArray =
        ByteArrayOutputStream().also { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }.toByteArray()

    /** Modules of nothing around it. */
    private const val QUIET = 4
}
