package org.offhook.app.scan

import android.graphics.Matrix
import android.graphics.RectF
import android.os.Handler
import android.os.Looper
import android.util.Size
import android.view.Surface
import kotlin.math.abs
import org.offhook.app.core.Luma

/**
 * Frames of a camera on their way to the text of a QR code: the first one that is found ends it, and is told on the main
 * thread.
 *
 * Knows no camera: [Camera] does.
 */
class Scan(private val read: (Luma) -> String? = Luma::read, private val found: (String) -> Unit) {
    private val main = Handler(Looper.getMainLooper())

    @Volatile private var over = false

    /** One frame; on the camera's thread, which brings the newest one once this is done with the one before. */
    fun frame(luma: Luma) {
        if (over) return
        val text = read(luma) ?: return
        if (over) return
        over = true
        main.post { found(text) }
    }

    companion object {
        /** Enough for a code, and quickly read. */
        private const val PIXELS = 1280L * 720L

        /** Of the sizes that a camera has, the one nearest to what is wanted; null: it has none. */
        fun sizeOf(sizes: List<Size>): Size? = sizes.minByOrNull { abs(it.width.toLong() * it.height - PIXELS) }

        /**
         * Shows a camera's picture in its own shape, filling a view of that size. What is seen is [wide] and [high] while
         * the device stands as it is made to, which is 90 degrees from the buffer on most phones; [rotation]: how it is
         * turned, as a display has it.
         */
        fun shown(view: Size, wide: Int, high: Int, rotation: Int): Matrix {
            val all = RectF(0f, 0f, view.width.toFloat(), view.height.toFloat())
            val picture = RectF(0f, 0f, wide.toFloat(), high.toFloat())
            picture.offset(all.centerX() - picture.centerX(), all.centerY() - picture.centerY())
            val lies = rotation == Surface.ROTATION_90 || rotation == Surface.ROTATION_270
            val scale = if (lies) {
                maxOf(all.width() / high, all.height() / wide)
            } else {
                maxOf(all.width() / wide, all.height() / high)
            }
            return Matrix().apply {
                setRectToRect(all, picture, Matrix.ScaleToFit.FILL)
                postScale(scale, scale, all.centerX(), all.centerY())
                postRotate(-QUARTER_DEGREES * rotation, all.centerX(), all.centerY())
            }
        }

        private const val QUARTER_DEGREES = 90f
    }
}
