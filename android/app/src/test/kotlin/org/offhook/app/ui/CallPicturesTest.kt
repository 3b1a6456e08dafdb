package org.offhook.app.ui

import android.telecom.CallAudioState
import java.time.Duration
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.core.CallState
import org.offhook.core.Encrypted
import org.offhook.core.Event
import org.offhook.core.Quality
import org.offhook.core.Side
import org.offhook.core.TransferState
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowSystemClock

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class CallPicturesTest {
    private val screens by lazy { Screens() }
    private val phone get() = screens.phone

    @Before
    fun a_call_has_lasted_for_a_while() = ShadowSystemClock.advanceBy(Duration.ofSeconds(85))

    private fun screen(state: CallState, side: Side = Side.OUT, muted: Boolean = false): CallActivity {
        screens.app.core
        screens.routes(CallAudioState.ROUTE_EARPIECE, CallAudioState.ROUTE_SPEAKER)
        phone.show(1u, state, side, "Bob Builder", "+4930123456", muted)
        return screens.call().get()
    }

    private fun two(): CallActivity {
        screens.app.core
        screens.routes(CallAudioState.ROUTE_EARPIECE, CallAudioState.ROUTE_SPEAKER, CallAudioState.ROUTE_BLUETOOTH)
        phone.show(1u, CallState.HELD, Side.OUT, "Bob Builder")
        phone.show(2u, CallState.ACTIVE, Side.OUT, "Cem Yılmaz", "1003")
        return screens.call().get()
    }

    private fun keypad() = screen(CallState.ACTIVE).apply {
        press(R.id.keypad)
        key("1234#")
    }

    @Test
    fun ringing() = Pictures.check("call-incoming", screen(CallState.RINGING, Side.IN))

    @Test
    fun calling() = Pictures.check("call-calling", screen(CallState.CALLING))

    @Test
    fun ringing_there() = Pictures.check("call-ringing", screen(CallState.RINGING))

    @Test
    fun active() = Pictures.check("call-active", screen(CallState.ACTIVE))

    @Test
    fun bad_connection() {
        val activity = screen(CallState.ACTIVE)
        phone.emit(Event.Quality(1u, Quality(2.0f, 0.2f, 30f, null)))
        Pictures.check("call-bad-connection", activity)
    }

    private fun encrypted(how: Encrypted) = screen(CallState.ACTIVE).also {
        phone.show(1u, CallState.ACTIVE, Side.OUT, "Bob Builder", "+4930123456", encrypted = how)
    }

    @Test
    fun encrypted_between_the_two() = Pictures.check("call-encrypted", encrypted(Encrypted.DTLS))

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun encrypted_in_chinese() = Pictures.check("call-encrypted-zh", encrypted(Encrypted.SDES))

    @Test
    fun disguised() = Pictures.check("call-disguised", encrypted(Encrypted.VOS_XOR))

    @Test
    fun encryption_lost() = Pictures.check(
        "call-encryption-lost",
        encrypted(Encrypted.SDES).also {
            phone.emit(Event.EncryptionLost(1u))
            phone.show(1u, CallState.ACTIVE, Side.OUT, "Bob Builder", "+4930123456")
        }
    )

    @Test
    fun held() = Pictures.check("call-held", screen(CallState.HELD))

    @Test
    fun held_there() = Pictures.check("call-held-there", screen(CallState.REMOTE_HELD))

    @Test
    fun muted() = Pictures.check("call-muted", screen(CallState.ACTIVE, muted = true))

    @Test
    fun with_its_keypad() = Pictures.check("call-keypad", keypad())

    @Test
    fun two_calls() = Pictures.check("call-two", two())

    @Test
    fun second_caller() {
        val activity = screen(CallState.ACTIVE)
        phone.show(2u, CallState.RINGING, Side.IN, number = "1003")
        Pictures.check("call-second-caller", activity)
    }

    @Test
    fun transfer() = Pictures.check("call-transfer", two().apply { press(R.id.transfer) })

    @Test
    fun transferring() {
        val activity = screen(CallState.HELD)
        phone.show(1u, CallState.HELD, Side.OUT, "Bob Builder", "+4930123456", transfer = TransferState.RINGING)
        Pictures.check("call-transferring", activity)
    }

    @Test
    fun routes() = Pictures.check("call-routes", two().apply { press(R.id.audio) })

    @Test
    fun no_sound() {
        val activity = screen(CallState.ACTIVE)
        phone.emit(Event.AudioFailed("no microphone"))
        Pictures.check("call-no-sound", activity)
    }

    @Test
    fun ended() {
        val activity = screen(CallState.RINGING)
        phone.show(1u, CallState.ENDED, Side.OUT, "Bob Builder", "+4930123456", why = Why.BUSY)
        Pictures.check("call-ended", activity)
    }

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("call-dark", two())

    @Test
    @Config(qualifiers = "+night")
    fun dark_ringing() = Pictures.check("call-incoming-dark", screen(CallState.RINGING, Side.IN))

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("call-zh", two())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("call-rtl", two())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("call-large", two())
    }

    @Test
    fun large_text_ringing() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("call-incoming-large", screen(CallState.RINGING, Side.IN))
    }

    @Test
    @Config(qualifiers = "w731dp-h411dp-land-hdpi")
    fun landscape() = Pictures.check("call-landscape", two())

    @Test
    @Config(qualifiers = "w731dp-h411dp-land-hdpi")
    fun landscape_keypad() = Pictures.check("call-keypad-landscape", keypad())

    @Test
    @Config(qualifiers = "w731dp-h411dp-land-hdpi")
    fun landscape_ringing() = Pictures.check("call-incoming-landscape", screen(CallState.RINGING, Side.IN))
}
