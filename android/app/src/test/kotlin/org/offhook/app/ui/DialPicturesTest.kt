package org.offhook.app.ui

import java.time.Duration
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.Balance
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.Step
import org.offhook.core.TargetFault
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class DialPicturesTest {
    private val screens by lazy { Screens() }
    private val phone get() = screens.phone

    private fun typed() = screens.dial().get().apply {
        phone.apart["+4930123456"] = "+49 30 123456"
        type(R.id.number, "+4930123456")
    }

    private fun failing() = screens.dial().get().also {
        phone.emit(failed(Step.REACH, Why.SERVER_SILENT, Duration.ofSeconds(95)))
    }

    @Test
    fun empty() = Pictures.check("dial-empty", screens.dial().get())

    @Test
    fun first_run() = Pictures.check("dial-first-run", Screens(FakePhone()).dial().get())

    @Test
    fun with_a_number() = Pictures.check("dial-typed", typed())

    @Test
    fun with_a_mistake() {
        val activity = screens.dial().get().apply { key("1*#") }
        phone.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        activity.press(R.id.call)
        Pictures.check("dial-mistake", activity)
    }

    @Test
    fun not_registered() = Pictures.check("dial-failed", failing())

    @Test
    fun dark_screen() {
        screens.deny(FULL_SCREEN)
        Pictures.check("dial-dark-screen", screens.dial().get())
    }

    @Test
    fun in_a_call() {
        val activity = screens.dial().get()
        phone.show(state = CallState.ACTIVE, name = "Bob Builder")
        Pictures.check("dial-in-call", activity)
    }

    @Test
    fun with_what_stands_around_calls() {
        val activity = screens.dial().get()
        phone.emit(Event.CallLog(2u))
        phone.emit(Event.Voicemail(1u, true, 1u, 0u, null))
        phone.emit(Event.Balance(1u, Balance("12.5", "USD", null, null, NOW_MS), null))
        Pictures.check("dial-around", activity)
    }

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("dial-dark", typed())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("dial-zh", failing())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese_first_run() = Pictures.check("dial-first-run-zh", Screens(FakePhone()).dial().get())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("dial-rtl", typed())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("dial-large", typed())
    }

    @Test
    @Config(qualifiers = "w731dp-h411dp-land-hdpi")
    fun landscape() = Pictures.check("dial-landscape", typed())

    @Test
    @Config(qualifiers = "w320dp-h533dp-hdpi")
    fun small() = Pictures.check("dial-small", failing())
}
