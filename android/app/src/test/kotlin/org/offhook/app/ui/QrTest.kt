package org.offhook.app.ui

import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.Color
import android.net.Uri
import java.io.ByteArrayInputStream
import java.nio.ByteBuffer
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.app.core.FakeProposal
import org.offhook.app.core.Luma
import org.offhook.app.share.QrPicture
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** QR codes in pictures, read by the core itself. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35])
class QrTest {
    private val screens = Screens(FakePhone())
    private val phone get() = screens.phone
    private val uri = Uri.parse("content://pictures/1")

    /** Another app has this file. */
    private fun hand(file: ByteArray) =
        shadowOf(screens.app.contentResolver).registerInputStreamSupplier(uri) { ByteArrayInputStream(file) }

    private fun open(intent: Intent = OfferActivity.intent(screens.app)) =
        Robolectric.buildActivity(OfferActivity::class.java, intent).setup().get()

    private fun OfferActivity.choose() {
        press(R.id.picture)
        val asked = shadowOf(this).nextStartedActivityForResult
        assertEquals(Intent.ACTION_GET_CONTENT to "image/*", asked.intent.action to asked.intent.type)
        shadowOf(this).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(uri))
        shadowOf(mainLooper).idle()
    }

    @Test
    fun the_code_in_a_picture_goes_where_a_link_goes_and_is_not_taken_by_itself() {
        hand(QrCode.png(QrCode.picture(6)))
        phone.proposal = FakeProposal()
        val activity = open()
        activity.choose()
        assertTrue("${phone.commands}", "preview ${QrCode.TEXT}" in phone.commands)
        assertEquals(QrCode.TEXT, activity.text(R.id.text))
        assertTrue(activity.sees(R.id.take))
        assertTrue(phone.commands.none { it.startsWith("take") })
    }

    @Test
    fun a_picture_without_a_code_and_a_file_that_is_none_are_told() {
        val activity = open()
        hand(QrCode.png(Bitmap.createBitmap(300, 200, Bitmap.Config.ARGB_8888)))
        activity.choose()
        assertEquals("No QR code can be read in this picture.", activity.text(R.id.text_mistake))
        hand("hello".toByteArray())
        activity.choose()
        assertEquals(screens.app.getString(R.string.file_fails), activity.text(R.id.text_mistake))
        assertTrue(phone.commands.none { it.startsWith("preview") })
    }

    @Test
    fun a_picture_that_is_shared_is_read_and_a_path_of_this_app_is_not() {
        hand(QrCode.png(QrCode.picture(6)))
        val shared = Intent(Intent.ACTION_SEND).setClass(screens.app, OfferActivity::class.java).setType("image/png")
        shadowOf(open(Intent(shared).putExtra(Intent.EXTRA_STREAM, uri)).mainLooper).idle()
        assertEquals(1, phone.commands.count { it == "preview ${QrCode.TEXT}" })
        val own = Uri.fromFile(screens.app.filesDir.resolve("own.png"))
        val activity = open(Intent(shared).putExtra(Intent.EXTRA_STREAM, own))
        assertTrue(activity.sees(R.id.look) && !activity.sees(R.id.text_mistake))
    }

    @Test
    fun what_a_picture_lets_through_is_white() {
        assertEquals(QrCode.TEXT, Luma.of(QrCode.picture(4, Color.TRANSPARENT)).read())
        assertEquals(QrCode.TEXT, Luma.of(QrCode.picture(4, Color.YELLOW)).read())
    }

    @Test
    fun half_a_picture_is_read_too_and_has_the_mean_of_its_pixels() {
        assertEquals(QrCode.TEXT, Luma.of(QrCode.picture(9)).half().read())
        val odd = Luma(3, 3, 4, byteArrayOf(0, -1, 7, 0, 10, 50, 7, 0, 9, 9, 9, 0)).half()
        assertEquals(listOf(1, 1, 1), listOf(odd.width, odd.height, odd.bytes.size))
        assertEquals((0 + 255 + 10 + 50) / 4, odd.bytes.single().toInt())
    }

    @Test
    fun a_frame_of_a_camera_is_copied_with_its_stride_and_without_what_is_behind_it() {
        val code = Luma.of(QrCode.picture(4))
        val stride = code.width + 28
        val plane = ByteBuffer.allocateDirect(stride * (code.height - 1) + code.width)
        for (y in 0 until code.height) {
            plane.position(y * stride)
            plane.put(code.bytes, y * code.stride, code.width)
        }
        plane.rewind()
        val frame = Luma.of(code.width, code.height, stride, plane)
        assertEquals(QrCode.TEXT, frame.read())
        assertEquals("the camera may read it again", 0, plane.position())
        assertEquals(6, Luma.of(3, 2, 3, ByteBuffer.allocate(100)).bytes.size)
        assertNull(Luma(30, 30, 30, ByteArray(10)).read())
    }

    @Test
    fun a_large_picture_is_made_smaller_before_it_is_in_memory() {
        val sides = listOf(1 to 1, 2048 to 2048, 2049 to 10, 4000 to 3000, 10 to 100_000, Int.MAX_VALUE to 1)
        assertEquals(listOf(1, 1, 2, 2, 64, 1 shl 20), sides.map { (width, height) -> QrPicture.shrink(width, height) })
    }
}
