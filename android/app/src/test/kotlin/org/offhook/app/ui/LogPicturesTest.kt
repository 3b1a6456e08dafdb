package org.offhook.app.ui

import java.util.TimeZone
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.core.CallGroups
import org.offhook.core.Side
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class LogPicturesTest {
    private val screens by lazy { Screens() }

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        screens.phone.groups = CallGroups(
            listOf(
                group(record(9, "+4930123456", missed = true, seen = false), 3u),
                group(record(8, "1003", "Ann Archer", side = Side.OUT, minutes = 30)),
                group(record(7, "1004", "אורי", minutes = 60)),
                group(record(6, "1004", "Bob Builder", missed = true, minutes = 1_500), day = TODAY - 1),
                group(record(5, "", minutes = 4_500), day = TODAY - 3)
            ),
            null
        )
    }

    @Test
    fun calls() = Pictures.check("log", screens.log().get())

    @Test
    fun empty() {
        screens.phone.groups = CallGroups(listOf(), null)
        Pictures.check("log-empty", screens.log().get())
    }

    /** A part of the log, where there are several accounts. */
    @Test
    fun part() {
        screens.dial()
        screens.phone.register(2u, number = "2001")
        val activity = screens.log().get()
        activity.pressWords("Missed")
        Pictures.check("log-missed", activity)
    }

    @Test
    fun menu() {
        screens.log().get().press(R.id.menu)
        Pictures.check("log-menu", ShadowAlertDialog.getLatestAlertDialog().window!!)
    }

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("log-dark", screens.log().get())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("log-zh", screens.log().get())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("log-rtl", screens.log().get())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("log-large", screens.log().get())
    }
}
