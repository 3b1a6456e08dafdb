package org.offhook.app.ui

import java.util.TimeZone
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.core.Side
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = TALL)
class RecordPicturesTest {
    private val screens by lazy { Screens() }

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        screens.phone.book = listOf(contact(1u, "Ann Archer", "+4930123456"))
        screens.phone.rows = listOf(
            record(9, "+4930123456", "Ann Archer").copy(status = 200u, loss = 0.013f, recording = "/r/call-9.wav"),
            record(8, "+4930123456", "Ann Archer", side = Side.OUT, minutes = 90),
            record(7, "+4930123456", "Ann Archer", missed = true, minutes = 1_500)
        )
    }

    private fun picture(name: String) = Pictures.check(name, screens.record(9).get())

    @Test
    fun record() = picture("record")

    /** A stranger who gave up; nothing was ever heard. */
    @Test
    fun missed() {
        val record = record(9, "0900123", "Your Bank", missed = true, why = Why.CALLER_GAVE_UP)
        screens.phone.rows = listOf(
            record.copy(known = false, mos = null, loss = null, codec = null, encrypted = null, path = null)
        )
        screens.phone.noRing = listOf("0900123")
        picture("record-missed")
    }

    @Test
    @Config(qualifiers = "+night")
    fun dark() = picture("record-dark")

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = picture("record-zh")

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = picture("record-rtl")

    @Test
    @Config(qualifiers = PHONE)
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        picture("record-large")
    }
}
