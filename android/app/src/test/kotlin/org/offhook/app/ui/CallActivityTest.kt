package org.offhook.app.ui

import android.Manifest
import android.telecom.CallAudioState
import android.view.View
import android.view.ViewGroup
import java.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.CallState
import org.offhook.core.Encrypted
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.Quality
import org.offhook.core.Refused
import org.offhook.core.Side
import org.offhook.core.Subject
import org.offhook.core.TargetFault
import org.offhook.core.TransferState
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class CallActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    init {
        // The core begins to be listened to.
        screens.app.core
    }

    private fun commands(vararg of: String) = phone.commands.filter { it.substringBefore(' ') in of }

    private fun active(id: UInt = 1u) = phone.show(id, CallState.ACTIVE, Side.OUT, "Bob")

    private fun View.on() = if (android.os.Build.VERSION.SDK_INT >= 30) {
        stateDescription == "on"
    } else {
        contentDescription.endsWith(", on")
    }

    @Test
    @Config(sdk = [28, 31, 35])
    fun an_incoming_call_is_answered_talked_in_and_ended() {
        phone.show(state = CallState.RINGING, name = "Bob")
        val activity = screens.call().get()
        assertEquals("Bob", activity.text(R.id.name).bare())
        assertEquals("Incoming call", activity.text(R.id.state))
        assertFalse(activity.sees(R.id.end))
        activity.press(R.id.answer)
        assertEquals("Connecting…", activity.text(R.id.state))
        phone.show(state = CallState.ACTIVE, name = "Bob")
        assertTrue(activity.sees(R.id.timer))
        activity.press(R.id.end)
        assertEquals(listOf("answer 1", "hangUp 1"), commands("answer", "hangUp"))
    }

    @Test
    fun a_caller_can_be_declined() {
        phone.show(state = CallState.RINGING, name = "Bob")
        screens.call().get().press(R.id.decline)
        assertEquals(1, commands("reject", "hangUp").size)
    }

    @Test
    fun a_call_that_is_over_says_why_for_a_moment_and_goes() {
        phone.show(state = CallState.RINGING, side = Side.OUT, name = "Bob")
        val activity = screens.call().get()
        phone.show(state = CallState.ENDED, side = Side.OUT, name = "Bob", why = Why.BUSY)
        assertEquals("The line is busy.", activity.text(R.id.why))
        pass(Duration.ofMillis(CallActivity.ENDED_MILLIS - 100))
        assertFalse(activity.isFinishing)
        pass(Duration.ofMillis(200))
        assertTrue(activity.isFinishing)
    }

    @Test
    fun a_rotation_keeps_the_call_the_open_keypad_and_its_digits() {
        active()
        val controller = screens.call()
        controller.get().press(R.id.keypad)
        controller.get().key("1#")
        assertEquals(listOf("dtmf 1 1", "dtmf 1 #"), commands("dtmf"))
        controller.recreate()
        assertTrue(controller.get().sees(R.id.keypad_panel))
        assertEquals("1#", controller.get().text(R.id.digits))
        assertEquals("Bob", controller.get().text(R.id.name).bare())
    }

    @Test
    fun a_rotation_keeps_the_reason_of_a_call_that_is_over() {
        active()
        val controller = screens.call()
        phone.show(state = CallState.ENDED, name = "Bob", why = Why.THEY_ENDED)
        controller.recreate()
        assertEquals("The other side ended the call.", controller.get().text(R.id.why))
        pass(Duration.ofSeconds(3))
        assertTrue(controller.get().isFinishing)
    }

    @Test
    fun a_screen_for_a_call_that_is_long_over_goes_away() {
        val activity = screens.call(7u).get()
        assertFalse(activity.isFinishing)
        pass(Duration.ofSeconds(2))
        assertTrue(activity.isFinishing)
    }

    @Test
    fun buttons_do_what_they_say() {
        active()
        val activity = screens.call().get()
        activity.press(R.id.mute)
        activity.press(R.id.hold)
        assertEquals(listOf("mute 1 true", "hold 1"), commands("mute", "hold"))
        phone.show(1u, CallState.HELD, Side.OUT, "Bob", muted = true)
        assertTrue(activity.findViewById<View>(R.id.mute).on() && activity.findViewById<View>(R.id.hold).on())
        assertEquals("On hold", activity.text(R.id.state))
        activity.press(R.id.mute)
        activity.press(R.id.hold)
        assertEquals(listOf("mute 1 false", "resume 1"), commands("mute", "resume").takeLast(2))
    }

    @Test
    fun what_a_ringing_call_cannot_do_cannot_be_pressed() {
        phone.show(state = CallState.RINGING, side = Side.OUT)
        val activity = screens.call().get()
        listOf(R.id.mute, R.id.keypad, R.id.hold, R.id.add, R.id.transfer).forEach {
            assertFalse(activity.findViewById<View>(it).isEnabled)
        }
    }

    @Test
    fun a_second_call_is_shown_beside_the_first_and_swapped_with_it() {
        phone.show(1u, CallState.HELD, Side.OUT, "Bob")
        phone.show(2u, CallState.ACTIVE, Side.OUT, "Cem")
        val activity = screens.call().get()
        assertEquals("Cem", activity.text(R.id.name).bare())
        assertEquals("Bob", activity.text(R.id.other_name).bare())
        activity.press(R.id.swap)
        assertEquals(listOf("swap"), commands("swap"))
        phone.show(2u, CallState.HELD, Side.OUT, "Cem")
        phone.show(1u, CallState.ACTIVE, Side.OUT, "Bob")
        assertEquals("Bob", activity.text(R.id.name).bare())
    }

    @Test
    fun a_second_caller_takes_the_screen_and_the_first_call_comes_back_after() {
        active()
        val activity = screens.call().get()
        phone.show(2u, CallState.RINGING, Side.IN, "Cem")
        assertEquals("Cem", activity.text(R.id.name).bare())
        assertEquals("Answering puts Bob on hold", activity.text(R.id.other_line).bare())
        phone.show(2u, CallState.ENDED, Side.IN, "Cem", why = Why.CALLER_GAVE_UP)
        assertEquals("Bob", activity.text(R.id.name).bare())
        assertEquals("Cem: The caller gave up.", activity.text(R.id.notice_text).bare())
        assertFalse(activity.isFinishing)
    }

    @Test
    fun a_call_is_transferred_to_what_is_typed_and_a_bad_number_stays_to_be_mended() {
        active()
        val activity = screens.call().get()
        activity.press(R.id.transfer)
        activity.type(R.id.transfer_to, "1003")
        phone.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        activity.press(R.id.transfer_go)
        assertEquals("That is neither a number nor an address.", activity.text(R.id.transfer_mistake))
        activity.press(R.id.transfer_go)
        assertEquals(listOf("transfer 1 1003"), commands("transfer"))
        assertFalse(activity.sees(R.id.transfer_panel))
        phone.show(1u, CallState.HELD, Side.OUT, "Bob", transfer = TransferState.FAILED)
        assertEquals("The transfer failed. The call is still here.", activity.text(R.id.transfer_state))
    }

    @Test
    fun two_calls_are_joined_from_the_transfer() {
        phone.show(1u, CallState.HELD, Side.OUT, "Bob")
        phone.show(2u, CallState.ACTIVE, Side.OUT, "Cem")
        val activity = screens.call().get()
        activity.press(R.id.transfer)
        assertEquals("Connect with Bob", activity.text(R.id.join).bare())
        activity.press(R.id.join)
        assertEquals(listOf("transferTo 2 1"), commands("transferTo"))
    }

    @Test
    fun a_transfer_that_is_being_typed_outlives_a_rotation() {
        active()
        val controller = screens.call()
        controller.get().press(R.id.transfer)
        controller.get().type(R.id.transfer_to, "1003")
        controller.recreate()
        assertTrue(controller.get().sees(R.id.transfer_panel))
        assertEquals("1003", controller.get().text(R.id.transfer_to))
    }

    @Test
    fun two_ways_to_hear_are_a_switch() {
        active()
        screens.routes(CallAudioState.ROUTE_EARPIECE, CallAudioState.ROUTE_SPEAKER)
        val speaker = screens.call().get().findViewById<View>(R.id.audio)
        assertFalse(speaker.on())
        screens.routes(CallAudioState.ROUTE_SPEAKER, CallAudioState.ROUTE_EARPIECE)
        assertTrue(speaker.on())
    }

    @Test
    fun three_ways_to_hear_are_a_list_and_bluetooth_is_asked_for_when_it_is_first_chosen() {
        active()
        screens.routes(CallAudioState.ROUTE_EARPIECE, CallAudioState.ROUTE_SPEAKER, CallAudioState.ROUTE_BLUETOOTH)
        val activity = screens.call().get()
        activity.press(R.id.audio)
        val rows = activity.findViewById<ViewGroup>(R.id.routes)
        val names = (0 until rows.childCount).map { rows.getChildAt(it).contentDescription }
        assertEquals(listOf("Earpiece, in use", "Speaker", "Bluetooth"), names)
        rows.getChildAt(2).performClick()
        assertEquals(
            listOf("android.permission.BLUETOOTH_CONNECT"),
            shadowOf(activity).lastRequestedPermission.requestedPermissions.toList()
        )
    }

    @Test
    fun back_closes_what_is_open_before_it_leaves() {
        active()
        val activity = screens.call().get()
        activity.press(R.id.keypad)
        @Suppress("DEPRECATION")
        activity.onBackPressed()
        assertFalse(activity.sees(R.id.keypad_panel))
        assertFalse(activity.isFinishing)
    }

    @Test
    fun without_the_microphone_a_call_is_answered_all_the_same_and_says_that_nobody_hears() {
        screens.deny(Manifest.permission.RECORD_AUDIO)
        phone.show(state = CallState.RINGING, name = "Bob")
        val activity = screens.call().get()
        activity.press(R.id.answer)
        assertEquals(emptyList<String>(), commands("answer"))
        val asked = shadowOf(activity).lastRequestedPermission
        activity.onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, intArrayOf(-1))
        assertEquals(listOf("answer 1"), commands("answer"))
        assertTrue(activity.text(R.id.notice_text).startsWith("The other side cannot hear you"))
    }

    @Test
    fun a_microphone_that_is_allowed_later_is_opened() {
        screens.deny(Manifest.permission.RECORD_AUDIO)
        phone.show(state = CallState.RINGING, name = "Bob")
        val controller = screens.call()
        controller.get().press(R.id.answer)
        val asked = shadowOf(controller.get()).lastRequestedPermission
        controller.get().onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, intArrayOf(-1))
        controller.pause().stop()
        screens.allow(Manifest.permission.RECORD_AUDIO)
        controller.start().resume()
        assertEquals(listOf("restartAudio"), commands("restartAudio"))
        assertFalse(controller.get().sees(R.id.notice))
    }

    @Test
    fun a_refusal_of_the_core_is_told() {
        active()
        val activity = screens.call().get()
        phone.emit(Event.Refused(Subject.Call(1u), Refused.BUSY))
        assertEquals(
            "The last change is not settled yet. Try again in a moment.",
            activity.text(R.id.notice_text)
        )
    }

    @Test
    fun digits_that_may_be_lost_are_told() {
        active()
        val activity = screens.call().get()
        phone.emit(Event.DigitsLost(1u, 2u))
        assertEquals(
            "Some of the digits may not have arrived. Press them again if need be.",
            activity.text(R.id.notice_text)
        )
    }

    @Test
    fun silence_of_the_other_side_is_told_while_it_lasts() {
        active()
        val activity = screens.call().get()
        phone.emit(Event.SilenceBegan(1u, sinceMs = 4000u, heardBefore = true, hearsUs = null))
        assertEquals(
            "Nothing comes from the other side any more. It may be the network.",
            activity.text(R.id.notice_text)
        )
        phone.emit(Event.SilenceEnded(1u, lastedMs = 6000u))
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    fun a_bad_connection_is_told_while_it_lasts() {
        active()
        val activity = screens.call().get()
        phone.emit(Event.Quality(1u, Quality(1.8f, 0.3f, 40f, null)))
        assertEquals("The connection is bad", activity.text(R.id.quality))
        phone.emit(Event.Quality(1u, Quality(4.3f, 0f, 2f, null)))
        assertFalse(activity.sees(R.id.quality))
    }

    @Test
    fun no_sound_is_told() {
        active()
        val activity = screens.call().get()
        phone.emit(Event.AudioFailed("no microphone"))
        assertTrue(activity.sees(R.id.notice))
    }

    @Test
    fun the_screen_comes_back_after_the_process_s_end_with_what_the_core_still_has() {
        active()
        val controller = screens.call()
        val state = android.os.Bundle()
        controller.saveInstanceState(state).pause().stop().destroy()
        val again = org.robolectric.Robolectric.buildActivity(CallActivity::class.java).setup(state).get()
        assertEquals("Bob", again.text(R.id.name).bare())
        assertFalse(again.isFinishing)
    }

    @Test
    fun who_can_hear_a_call_is_said_with_a_lock_where_there_is_one() {
        active()
        val activity = screens.call().get()
        assertFalse(activity.sees(R.id.encrypted))
        val shown = mapOf(
            Encrypted.DTLS to ("Encrypted between the two ends" to true),
            Encrypted.SDES to ("Encrypted, except from the servers" to true),
            Encrypted.VOS_XOR to ("Disguised, not encrypted" to false)
        )
        shown.forEach { (encrypted, expected) ->
            phone.show(1u, CallState.ACTIVE, Side.OUT, "Bob", encrypted = encrypted)
            val view = activity.findViewById<android.widget.TextView>(R.id.encrypted)
            assertEquals(expected, view.text.toString() to (view.compoundDrawablesRelative[0] != null))
            assertTrue(activity.sees(R.id.encrypted))
        }
    }

    @Test
    fun the_end_of_encryption_is_told_until_it_is_there_again_or_the_call_is_over() {
        active()
        phone.emit(Event.EncryptionLost(1u))
        phone.show(1u, CallState.ACTIVE, Side.OUT, "Bob")
        val activity = screens.call().get()
        assertEquals(
            "The other side has ended the encryption: this call can be listened to.",
            activity.text(R.id.notice_text)
        )
        phone.show(1u, CallState.ACTIVE, Side.OUT, "Bob", encrypted = Encrypted.SDES)
        assertFalse(activity.sees(R.id.notice))
    }
}
