package org.offhook.app.ui

import android.app.Activity
import android.telecom.CallAudioState
import android.view.View
import android.widget.EditText
import android.widget.TextView
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.AccountState
import org.offhook.core.CallState
import org.offhook.core.Side
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

/** Whatever can be pressed is large enough for a finger and has a name for who cannot see it: on a small screen. */
@RunWith(RobolectricTestRunner::class)
@Config(qualifiers = "w320dp-h569dp-mdpi")
class ControlsTest {
    private val screens by lazy { Screens() }
    private val phone get() = screens.phone

    private fun Activity.check(atLeast: Int) {
        val touch = 48 * resources.displayMetrics.density
        val controls = window.decorView.all().filter { it.isShown && (it.isClickable || it.isLongClickable) }
        val wrong = controls.filter { it.width < touch || it.height < touch || nameOf(it).isNullOrBlank() }
        assertTrue("${wrong.map { "${nameOf(it)}: ${it.width} x ${it.height}, $it" }}", wrong.isEmpty())
        assertTrue("only ${controls.size} controls", controls.size >= atLeast)
    }

    private fun Activity.nameOf(view: View): CharSequence? = view.contentDescription
        ?: (view as? TextView)?.text?.takeIf { it.isNotBlank() }
        ?: (view as? EditText)?.hint
        ?: window.decorView.all().filterIsInstance<TextView>().find { it.labelFor == view.id }?.text

    @Test
    fun on_the_dialpad() {
        phone.withAccount()
        val activity = screens.dial().get()
        phone.show(state = CallState.ACTIVE)
        phone.register(state = AccountState.FAILED, step = Step.REACH, why = Why.SERVER_SILENT)
        activity.key("1")
        activity.check(atLeast = 18)
    }

    @Test
    fun on_the_first_screen_of_all() = Screens(FakePhone()).dial().get().check(atLeast = 1)

    @Test
    fun on_the_account() {
        val activity = screens.account().get()
        activity.press(R.id.more)
        phone.register(state = AccountState.FAILED, step = Step.REACH, why = Why.SERVER_SILENT)
        activity.check(atLeast = 15)
    }

    @Test
    fun on_a_ringing_call() {
        screens.app.core
        phone.show(state = CallState.RINGING)
        screens.call().get().check(atLeast = 2)
    }

    @Test
    fun on_two_calls() = inTwoCalls().check(atLeast = 8)

    @Test
    fun on_the_keypad_of_a_call() = inTwoCalls().apply { press(R.id.keypad) }.check(atLeast = 15)

    @Test
    fun on_a_transfer() = inTwoCalls().apply { press(R.id.transfer) }.check(atLeast = 6)

    @Test
    fun on_the_list_of_routes() = inTwoCalls().apply { press(R.id.audio) }.check(atLeast = 6)

    @Test
    fun with_letters_of_twice_the_size() {
        RuntimeEnvironment.setFontScale(2f)
        inTwoCalls().check(atLeast = 8)
        screens.dial().get().check(atLeast = 14)
    }

    private fun inTwoCalls(): CallActivity {
        screens.app.core
        phone.show(1u, CallState.HELD, Side.OUT, "Bob")
        phone.show(2u, CallState.ACTIVE, Side.OUT, "Cem")
        screens.routes(CallAudioState.ROUTE_EARPIECE, CallAudioState.ROUTE_SPEAKER, CallAudioState.ROUTE_BLUETOOTH)
        return screens.call().get()
    }
}
