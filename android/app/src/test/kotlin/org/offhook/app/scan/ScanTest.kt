package org.offhook.app.scan

import android.Manifest
import android.app.Activity
import android.content.pm.PackageManager
import android.graphics.RectF
import android.graphics.SurfaceTexture
import android.os.Looper
import android.provider.Settings
import android.util.Size
import android.view.Surface
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Assert.fail
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.app.core.Luma
import org.offhook.app.ui.OfferActivity
import org.offhook.app.ui.QrCode
import org.offhook.app.ui.Screens
import org.offhook.app.ui.press
import org.offhook.app.ui.sees
import org.offhook.app.ui.shownTexts
import org.offhook.app.ui.text
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** From a camera's frames to a text. The camera itself needs a device. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35])
class ScanTest {
    private val screens = Screens(FakePhone())
    private val empty = Luma(40, 40, 40, ByteArray(1_600))

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    /** The camera has a thread of its own. */
    private fun until(what: String, reached: () -> Boolean) {
        repeat(200) {
            idle()
            if (reached()) return
            Thread.sleep(20)
        }
        fail(what)
    }

    private fun scanning() = Robolectric.buildActivity(ScanActivity::class.java).setup()

    private fun camera(there: Boolean) =
        shadowOf(screens.app.packageManager).setSystemFeature(PackageManager.FEATURE_CAMERA_ANY, there)

    private fun offer() = Robolectric.buildActivity(OfferActivity::class.java).setup().get()

    @Test
    fun the_first_text_ends_it_and_no_frame_is_read_after_it() {
        val texts = ArrayDeque(listOf(null, "one", "two"))
        val found = mutableListOf<String>()
        val scan = Scan({ texts.removeFirst() }, found::add)
        repeat(4) { scan.frame(empty) }
        assertEquals("it is told on the main thread", emptyList<String>(), found)
        idle()
        assertEquals(listOf("one"), found)
        assertEquals(listOf("two"), texts.toList())
    }

    @Test
    fun a_frame_with_a_code_is_the_answer_of_the_screen() {
        screens.allow(Manifest.permission.CAMERA)
        val activity = scanning().get()
        activity.frame(empty)
        idle()
        assertFalse(activity.isFinishing)
        activity.frame(Luma.of(QrCode.picture(4)))
        idle()
        assertTrue(activity.isFinishing)
        val answer = shadowOf(activity)
        assertEquals(Activity.RESULT_OK to QrCode.TEXT, answer.resultCode to ScanActivity.textOf(answer.resultIntent))
    }

    @Test
    fun what_was_scanned_is_looked_at_as_a_link_is() {
        camera(true)
        val activity = offer()
        activity.press(R.id.scan)
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(ScanActivity::class.java.name, asked.intent.component?.className)
        screens.allow(Manifest.permission.CAMERA)
        val scan = scanning().get()
        scan.frame(Luma.of(QrCode.picture(4)))
        idle()
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, shadowOf(scan).resultIntent)
        assertEquals(QrCode.TEXT, activity.text(R.id.text))
        assertTrue("preview ${QrCode.TEXT}" in screens.phone.commands)
    }

    @Test
    fun without_a_camera_nothing_can_be_scanned_and_pictures_can_be_read() {
        camera(false)
        val activity = offer()
        assertFalse(activity.sees(R.id.scan))
        assertTrue(activity.sees(R.id.picture))
    }

    @Test
    fun the_camera_is_asked_for_once_and_a_refusal_leads_to_the_settings() {
        screens.deny(Manifest.permission.CAMERA)
        val screen = scanning()
        val asked = shadowOf(screen.get()).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.CAMERA), asked.requestedPermissions.toList())
        screen.pause().resume()
        val refusal = "Without the camera no QR code can be scanned."
        assertTrue("${screen.get().shownTexts()}", screen.get().shownTexts().any { it.startsWith(refusal) })
        screen.get().press(R.id.notice_button)
        val settings = shadowOf(screen.get()).nextStartedActivity
        while (true) shadowOf(screen.get()).nextStartedActivity ?: break
        assertEquals(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, settings.action)
        screens.allow(Manifest.permission.CAMERA)
        screen.pause().resume()
        assertFalse(screen.get().sees(R.id.notice))
    }

    @Test
    fun a_camera_that_cannot_be_used_is_said() {
        screens.allow(Manifest.permission.CAMERA)
        val activity = scanning().get()
        // There is none on this machine.
        activity.onSurfaceTextureAvailable(SurfaceTexture(0), 100, 100)
        until("it is said") { activity.sees(R.id.notice) }
        val words = "The camera cannot be used now. Another app may have it."
        assertEquals(words, activity.text(R.id.notice_text))
        assertFalse(activity.sees(R.id.hint))
    }

    @Test
    fun of_the_cameras_sizes_the_one_nearest_to_720_lines_is_taken() {
        val sizes = listOf(Size(4000, 3000), Size(1920, 1080), Size(1280, 960), Size(1280, 720), Size(640, 480))
        assertEquals(Size(1280, 720), Scan.sizeOf(sizes))
        assertEquals(Size(640, 480), Scan.sizeOf(sizes.takeLast(1)))
        assertNull(Scan.sizeOf(emptyList()))
    }

    /** Where a view's own frame comes to be. */
    private fun shown(view: Size, rotation: Int) = RectF(0f, 0f, view.width.toFloat(), view.height.toFloat())
        .also { Scan.shown(view, 720, 1280, rotation).mapRect(it) }

    @Test
    fun what_the_camera_sees_fills_the_view_in_its_own_shape_however_the_device_is_turned() {
        val stands = shown(Size(1000, 1000), Surface.ROTATION_0)
        assertEquals(listOf(1000, 1778), listOf(stands.width(), stands.height()).map { Math.round(it) })
        for (rotation in listOf(Surface.ROTATION_90, Surface.ROTATION_270)) {
            val lies = shown(Size(2000, 1000), rotation)
            assertEquals(listOf(2000, 1125), listOf(lies.width(), lies.height()).map { Math.round(it) })
            assertEquals(listOf(1000, 500), listOf(lies.centerX(), lies.centerY()).map { Math.round(it) })
        }
    }
}
