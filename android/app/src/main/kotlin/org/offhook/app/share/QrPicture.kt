package org.offhook.app.share

import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import java.io.IOException
import java.io.InputStream
import org.offhook.app.core.Luma

/** The QR code in a picture that was chosen or shared, whoever it is from. */
object QrPicture {
    /** Pixels of a side, at most: a code is found well in less, and a photo of a phone has four times as many. */
    private const val LARGEST_SIDE = 2048

    /**
     * The text of the code in it; null: none can be read. Waits for whoever has the picture: not for the main thread.
     *
     * @throws IOException it is no picture, or cannot be had
     */
    fun read(context: Context, from: Uri): String? {
        val bitmap = try {
            decode(context, from)
        } catch (wrong: RuntimeException) {
            // What the app that has it does wrong comes here as its own exception.
            throw IOException(wrong)
        }
        val luma = Luma.of(bitmap)
        bitmap.recycle()
        return luma.read() ?: luma.half().read()
    }

    /** By how much the picture is made smaller, on each side. */
    fun shrink(width: Int, height: Int): Int =
        generateSequence(1) { it * 2 }.first { maxOf(width, height).toLong() <= LARGEST_SIDE.toLong() * it }

    private fun decode(context: Context, from: Uri): Bitmap {
        val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        open(context, from).use { BitmapFactory.decodeStream(it, null, size) }
        if (size.outWidth <= 0 || size.outHeight <= 0) throw IOException("no picture")
        val smaller = BitmapFactory.Options().apply { inSampleSize = shrink(size.outWidth, size.outHeight) }
        return open(context, from).use { BitmapFactory.decodeStream(it, null, smaller) }
            ?: throw IOException("no whole picture")
    }

    private fun open(context: Context, from: Uri): InputStream =
        context.contentResolver.openInputStream(from) ?: throw IOException("nobody has it")
}
