package org.offhook.app.telecom

import android.media.AudioManager
import android.os.Looper
import android.telecom.Connection
import android.telecom.DisconnectCause
import android.telecom.TelecomManager
import java.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.app.core.FakePhone
import org.offhook.app.core.PlatformRefusal
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.Side
import org.offhook.core.TargetFault
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class OutgoingCallTest {
    private val app = RuntimeEnvironment.getApplication() as OffhookApp
    private val telecom = shadowOf(app.getSystemService(TelecomManager::class.java))
    private val fake = FakePhone().withAccount()

    @Before
    fun start() {
        app.startCore = { fake }
        app.core
        telecom.setIsOutgoingCallPermitted(true)
        telecom.setCallPhonePermission(true)
    }

    @Test
    fun a_call_is_made_and_telecom_shows_how_it_goes() {
        assertEquals(1u, app.calls.place(null, "1002").getOrThrow())
        fake.show(state = CallState.CALLING, side = Side.OUT)
        val connection = telecom.allowOutgoingCall(telecom.onlyOutgoingCall)!!
        assertEquals(Connection.STATE_DIALING, connection.state)
        fake.show(state = CallState.RINGING, side = Side.OUT)
        assertEquals(Connection.STATE_DIALING, connection.state)
        fake.show(state = CallState.ACTIVE, side = Side.OUT)
        assertEquals(Connection.STATE_ACTIVE, connection.state)
        fake.show(state = CallState.ENDED, side = Side.OUT, why = Why.YOU_ENDED)
        assertEquals(DisconnectCause.LOCAL, connection.disconnectCause.code)
        assertEquals(listOf("call - 1002"), calls())
    }

    @Test
    fun what_looks_like_an_emergency_number_stays_ours() {
        app.calls.place(1u, "112").getOrThrow()
        val address = telecom.onlyOutgoingCall.address
        assertTrue("$address", address.scheme == "sip" && '@' in address.schemeSpecificPart)
    }

    @Test
    fun what_cannot_be_dialled_does_not_reach_telecom() {
        fake.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        assertTrue(app.calls.place(null, "?").exceptionOrNull() is PhoneException.BadTarget)
        assertTrue(calls().isEmpty() && telecom.allOutgoingCalls.isEmpty())
    }

    @Test
    fun while_telecom_allows_no_call_none_is_made_and_it_is_said_why() {
        telecom.setIsOutgoingCallPermitted(false)
        val refused = app.calls.place(null, "1002").exceptionOrNull()
        assertTrue("$refused", refused is PlatformRefusal && refused.message.isNotEmpty())
        assertTrue(calls().isEmpty())
    }

    @Test
    fun without_the_permission_the_call_is_taken_back_and_it_is_said_why() {
        telecom.setCallPhonePermission(false)
        assertTrue(app.calls.place(null, "1002").exceptionOrNull() is PlatformRefusal)
        assertEquals(listOf("call - 1002", "hangUp 1"), calls())
    }

    @Test
    fun a_refusal_that_comes_late_ends_the_call_and_is_told() {
        app.calls.place(null, "1002").getOrThrow()
        fake.show(state = CallState.CALLING, side = Side.OUT)
        telecom.denyOutgoingCall(telecom.onlyOutgoingCall)
        assertEquals("hangUp 1", calls().last())
        assertTrue(app.calls.trouble != null)
        fake.show(state = CallState.ENDED, side = Side.OUT, why = Why.YOU_GAVE_UP)
        assertEquals("it goes with the call", null, app.calls.trouble)
    }

    @Test
    fun a_telecom_that_says_nothing_leaves_the_call_alone() {
        app.calls.place(null, "1002").getOrThrow()
        fake.show(state = CallState.ACTIVE, side = Side.OUT)
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(3))
        assertEquals(listOf("call - 1002"), calls())
        val sound = app.getSystemService(AudioManager::class.java)
        assertEquals("sound is ours to see to then", AudioManager.MODE_IN_COMMUNICATION, sound.mode)
        fake.show(state = CallState.ENDED, side = Side.OUT, why = Why.YOU_ENDED)
        assertEquals(AudioManager.MODE_NORMAL, sound.mode)
    }

    @Test
    fun a_microphone_that_is_taken_is_told_and_the_call_goes_on() {
        app.calls.place(null, "1002").getOrThrow()
        fake.show(state = CallState.ACTIVE, side = Side.OUT)
        val told = mutableListOf<String?>()
        app.calls.listen { told += it }
        fake.emit(Event.AudioFailed("the microphone is in use"))
        assertEquals(1, told.size)
        assertEquals(told.single(), app.calls.trouble)
        assertEquals(listOf("call - 1002"), calls())
    }

    @Test
    fun a_restarted_core_leaves_no_connection_behind() {
        app.calls.place(null, "1002").getOrThrow()
        fake.show(state = CallState.ACTIVE, side = Side.OUT)
        val connection = telecom.allowOutgoingCall(telecom.onlyOutgoingCall)!!
        fake.show(state = CallState.ENDED, side = Side.OUT, why = Why.PHONE_RESTARTED)
        fake.emit(Event.Restarted("signalling", "somewhere"))
        assertEquals(Connection.STATE_DISCONNECTED, connection.state)
    }

    @Test
    fun every_action_is_the_cores_command() {
        fake.show(state = CallState.ACTIVE, side = Side.OUT)
        with(app.calls) {
            answer(1u)
            decline(1u)
            hold(1u)
            resume(1u)
            mute(1u, true)
            swap()
            transfer(1u, "1003")
            join(1u, 2u)
            digits(1u, "5#")
            hangUp(1u)
        }
        assertEquals(
            listOf(
                "answer 1", "reject 1 HERE", "hold 1", "resume 1", "mute 1 true", "swap", "transfer 1 1003",
                "transferTo 1 2", "dtmf 1 5#", "hangUp 1"
            ),
            calls()
        )
    }

    private fun calls() = fake.commands.filter { "network" !in it }
}
