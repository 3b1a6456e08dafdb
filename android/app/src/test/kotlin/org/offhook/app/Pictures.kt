package org.offhook.app

import android.app.Activity
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Canvas
import android.graphics.Color
import android.os.Handler
import android.os.Looper
import android.view.PixelCopy
import android.view.View
import android.view.Window
import java.io.File
import kotlin.math.abs
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import org.robolectric.Shadows.shadowOf

/**
 * Pictures of what a person sees, compared with those kept in `android/screenshots`.
 *
 * They are drawn by the platform's own renderer. A class that takes some is named `...PicturesTest` and carries
 * `@GraphicsMode(NATIVE)` and `@Config(sdk = [35], qualifiers = Pictures.PHONE)`: other levels draw a little differently.
 * What is taken goes to the folder `offhook.pictures.taken`, with a second picture of where it differs: red on what was
 * expected. Does not see the system's bars and insets, which the JVM's platform does not have.
 */
object Pictures {
    /** An ordinary phone, at two pixels a dp. */
    const val PHONE = "w411dp-h731dp-xhdpi"

    /** Of 255: what another processor's arithmetic may change in a colour. */
    private const val SAME_COLOUR = 6

    /** Pixels that may differ by more, one in so many. */
    private const val ONE_IN = 20_000

    private val references = File(property("offhook.pictures"))
    private val taken = File(property("offhook.pictures.taken"))
    private val accept = System.getProperty("offhook.pictures.accept") == "true"

    fun check(name: String, activity: Activity) = check(name, activity.window)

    /** A window with all that lies in it and its shadows: an activity's, or a dialog's. */
    fun check(name: String, window: Window) {
        shadowOf(Looper.getMainLooper()).idle()
        val picture = blank(window.decorView.width, window.decorView.height)
        var result = -1
        PixelCopy.request(window, picture, { result = it }, Handler(Looper.getMainLooper()))
        shadowOf(Looper.getMainLooper()).idle()
        assertEquals("the window could be copied", PixelCopy.SUCCESS, result)
        check(name, picture)
    }

    /** A view that stands in no window, such as a notification's; [width] in pixels, as high as it wants to be. */
    fun check(name: String, view: View, width: Int) {
        view.measure(
            View.MeasureSpec.makeMeasureSpec(width, View.MeasureSpec.EXACTLY),
            View.MeasureSpec.makeMeasureSpec(0, View.MeasureSpec.UNSPECIFIED)
        )
        view.layout(0, 0, view.measuredWidth, view.measuredHeight)
        val picture = blank(view.width, view.height)
        view.draw(Canvas(picture))
        check(name, picture)
    }

    private fun check(name: String, picture: Bitmap) {
        assertTrue("$name: was anything drawn?", pixels(picture).toSet().size > 2)
        write(picture, File(taken, "$name.png"))
        val kept = File(references, "$name.png")
        val wrong = if (kept.exists()) difference(name, picture, BitmapFactory.decodeFile(kept.path)) else "it is new"
        when {
            wrong == null -> Unit
            accept -> write(picture, kept)
            else -> fail("$name.png: $wrong. If it is right: scripts/android --accept-pictures")
        }
    }

    /** In words, or null when one would not see any. */
    private fun difference(name: String, picture: Bitmap, kept: Bitmap): String? {
        if (picture.width != kept.width || picture.height != kept.height) {
            return "it is ${picture.width} x ${picture.height} and was ${kept.width} x ${kept.height}"
        }
        val now = pixels(picture)
        val then = pixels(kept)
        val others = now.indices.filter { !same(now[it], then[it]) }
        if (others.size <= now.size / ONE_IN) return null
        val shown = IntArray(then.size) { faint(then[it]) }
        others.forEach { shown[it] = Color.RED }
        val marked = blank(kept.width, kept.height)
        marked.setPixels(shown, 0, kept.width, 0, 0, kept.width, kept.height)
        write(marked, File(taken, "$name.difference.png"))
        val first = others.first()
        return "${others.size} pixels differ, the first at ${first % kept.width}, ${first / kept.width}"
    }

    private fun same(one: Int, other: Int) = abs(Color.red(one) - Color.red(other)) <= SAME_COLOUR &&
        abs(Color.green(one) - Color.green(other)) <= SAME_COLOUR &&
        abs(Color.blue(one) - Color.blue(other)) <= SAME_COLOUR &&
        abs(Color.alpha(one) - Color.alpha(other)) <= SAME_COLOUR

    private fun faint(colour: Int): Int {
        val grey = 170 + (Color.red(colour) + Color.green(colour) + Color.blue(colour)) / 9
        return Color.rgb(grey, grey, grey)
    }

    private fun blank(width: Int, height: Int) = Bitmap.createBitmap(width, height, Bitmap.Config.ARGB_8888)

    private fun pixels(of: Bitmap) = IntArray(of.width * of.height).also {
        of.getPixels(it, 0, of.width, 0, 0, of.width, of.height)
    }

    private fun write(picture: Bitmap, to: File) {
        to.parentFile!!.mkdirs()
        to.outputStream().use { picture.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private fun property(name: String) = checkNotNull(System.getProperty(name)) { "no property $name" }
}
