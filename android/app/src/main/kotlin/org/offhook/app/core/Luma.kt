package org.offhook.app.core

import android.graphics.Bitmap
import android.graphics.Color
import java.nio.ByteBuffer
import org.offhook.core.readQr

/** A picture as brightness alone, a byte a pixel, rows [stride] bytes apart: what QR codes are read from. */
class Luma(val width: Int, val height: Int, val stride: Int, val bytes: ByteArray) {
    /** The text of a QR code in it; null: none can be read. Some ten milliseconds: not for the main thread. */
    fun read(): String? = readQr(width.toUInt(), height.toUInt(), stride.toUInt(), bytes)

    /** Half as wide and as high, of four pixels their mean: a code that is too noisy to be read may be read so. */
    fun half(): Luma {
        val wide = width / 2
        val high = height / 2
        val halved = ByteArray(wide * high)
        for (y in 0 until high) {
            for (x in 0 until wide) {
                val at = 2 * y * stride + 2 * x
                val below = at + stride
                halved[y * wide + x] = ((level(at) + level(at + 1) + level(below) + level(below + 1)) / 4).toByte()
            }
        }
        return Luma(wide, high, wide, halved)
    }

    private fun level(index: Int) = bytes[index].toInt() and 0xff

    companion object {
        /** Of any picture, as it is seen on white paper. */
        fun of(bitmap: Bitmap): Luma {
            val (width, height) = bitmap.width to bitmap.height
            val bytes = ByteArray(width * height)
            val row = IntArray(width)
            for (y in 0 until height) {
                bitmap.getPixels(row, 0, width, 0, y, width, 1)
                for (x in 0 until width) bytes[y * width + x] = brightness(row[x]).toByte()
            }
            return Luma(width, height, width, bytes)
        }

        /** Of the first plane of a camera's frame (YUV_420_888). A copy: the camera fills it again. */
        fun of(width: Int, height: Int, stride: Int, plane: ByteBuffer): Luma {
            // The last row may end with its last pixel, and what comes after it is nobody's.
            val bytes = ByteArray(minOf(plane.remaining(), stride * height))
            plane.duplicate().get(bytes)
            return Luma(width, height, stride, bytes)
        }

        /** ITU-R BT.601, in 256ths. */
        private fun brightness(colour: Int): Int {
            val opaque = (77 * Color.red(colour) + 150 * Color.green(colour) + 29 * Color.blue(colour)) / 256
            val alpha = Color.alpha(colour)
            return (opaque * alpha + 255 * (255 - alpha)) / 255
        }
    }
}
