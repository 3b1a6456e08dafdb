package org.offhook.app.core

import java.io.File
import java.nio.ByteBuffer
import java.nio.ByteOrder
import kotlin.math.PI
import kotlin.math.sin

/** Files of sound: mono, 16 bits, 8,000 samples a second. */
object Sound {
    private const val RATE_HZ = 8_000
    private const val HEADER_BYTES = 44

    /** A second of a loud note. */
    fun tone(): ByteArray {
        val samples = ByteBuffer.allocate(HEADER_BYTES + 2 * RATE_HZ).order(ByteOrder.LITTLE_ENDIAN)
        samples.put("RIFF".toByteArray()).putInt(HEADER_BYTES - 8 + 2 * RATE_HZ).put("WAVEfmt ".toByteArray())
        samples.putInt(16).putShort(1).putShort(1).putInt(RATE_HZ).putInt(2 * RATE_HZ).putShort(2).putShort(16)
        samples.put("data".toByteArray()).putInt(2 * RATE_HZ)
        repeat(RATE_HZ) { samples.putShort((8_000 * sin(2 * PI * 440 * it / RATE_HZ)).toInt().toShort()) }
        return samples.array()
    }

    /** The loudest sample that was written so far. */
    fun loudest(file: File): Int {
        val bytes = if (file.exists()) file.readBytes() else return 0
        if (bytes.size <= HEADER_BYTES) return 0
        val samples = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN)
        return (HEADER_BYTES..bytes.size - 2 step 2).maxOf { kotlin.math.abs(samples.getShort(it).toInt()) }
    }
}
