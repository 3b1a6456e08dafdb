package org.offhook.app.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Quality
import org.offhook.core.Side
import org.offhook.core.TransferState
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class CallScreenTest {
    private fun call(
        id: UInt = 1u,
        state: CallState,
        side: Side = Side.OUT,
        why: Why? = null,
        transfer: TransferState? = null
    ) = FakePhone().view(id, state, side, "Bob", why = why, transfer = transfer)

    private fun screen(view: CallView, vararg others: CallView) = CallScreen.of(view, listOf(view, *others))

    private fun foremost(vararg calls: CallView) = CallScreen.foremost(calls.toList())?.call

    @Test
    fun who_waits_for_an_answer_comes_first_then_who_hears_us() {
        val held = call(1u, CallState.HELD)
        val active = call(2u, CallState.ACTIVE)
        val ringing = call(3u, CallState.RINGING, Side.IN)
        assertEquals(3u, foremost(held, active, ringing))
        assertEquals(2u, foremost(held, active))
        assertEquals(1u, foremost(held))
        assertNull(foremost())
        assertNull(foremost(call(1u, CallState.ENDED)))
    }

    @Test
    fun of_two_alike_the_wanted_one_comes_first_else_the_younger() {
        val calls = listOf(call(1u, CallState.HELD), call(2u, CallState.HELD))
        assertEquals(1u, CallScreen.foremost(calls, 1u)?.call)
        assertEquals(2u, CallScreen.foremost(calls)?.call)
    }

    @Test
    fun every_state_has_its_words_and_its_buttons() {
        val expected = mapOf(
            (Side.IN to CallState.ANNOUNCED) to (R.string.call_incoming to CallScreen.Buttons.ANSWER_OR_DECLINE),
            (Side.IN to CallState.RINGING) to (R.string.call_incoming to CallScreen.Buttons.ANSWER_OR_DECLINE),
            (Side.OUT to CallState.CALLING) to (R.string.call_calling to CallScreen.Buttons.END),
            (Side.OUT to CallState.RINGING) to (R.string.call_ringing to CallScreen.Buttons.END),
            (Side.OUT to CallState.EARLY) to (R.string.call_early to CallScreen.Buttons.END),
            (Side.OUT to CallState.ACTIVE) to (null to CallScreen.Buttons.END),
            (Side.OUT to CallState.HELD) to (R.string.call_held to CallScreen.Buttons.END),
            (Side.OUT to CallState.REMOTE_HELD) to (R.string.call_remote_held to CallScreen.Buttons.END),
            (Side.OUT to CallState.ENDED) to (R.string.call_ended to CallScreen.Buttons.NONE)
        )
        expected.forEach { (of, shown) ->
            val screen = screen(call(state = of.second, side = of.first))
            assertEquals("$of", shown, screen.state?.id to screen.buttons)
        }
    }

    @Test
    fun the_timer_runs_from_the_answer_while_the_call_is_up() {
        assertEquals(2_000L, screen(call(state = CallState.ACTIVE)).answeredMillis)
        assertEquals(2_000L, screen(call(state = CallState.HELD)).answeredMillis)
        assertNull(screen(call(state = CallState.RINGING)).answeredMillis)
    }

    @Test
    fun only_a_call_that_is_over_says_why() {
        assertEquals(Words(R.string.why_busy), screen(call(state = CallState.ENDED, why = Why.BUSY)).why)
        assertNull(screen(call(state = CallState.ACTIVE)).why)
    }

    @Test
    fun digits_can_be_sent_to_an_announcement_before_the_answer() {
        assertTrue(screen(call(state = CallState.EARLY)).keypad)
        assertFalse(screen(call(state = CallState.EARLY)).up)
        assertFalse(screen(call(state = CallState.RINGING)).keypad)
    }

    @Test
    fun two_calls_that_are_up_can_be_swapped_and_joined() {
        val other = screen(call(2u, CallState.ACTIVE), call(1u, CallState.HELD)).other!!
        assertEquals(1u to Words(R.string.call_held), other.call to other.line)
        assertTrue(other.swap && other.join)
        val calling = screen(call(2u, CallState.CALLING), call(1u, CallState.HELD)).other!!
        assertFalse(calling.swap || calling.join)
    }

    @Test
    fun a_second_caller_is_shown_with_what_an_answer_does_to_the_first_call() {
        val ringing = call(2u, CallState.RINGING, Side.IN)
        val other = screen(ringing, call(1u, CallState.ACTIVE)).other!!
        assertEquals(R.string.call_will_hold, other.line.id)
        assertEquals(R.string.call_held, screen(ringing, call(1u, CallState.HELD)).other!!.line.id)
    }

    @Test
    fun an_answer_that_is_on_its_way_leaves_nothing_to_press_twice() {
        val ringing = call(1u, CallState.RINGING, Side.IN)
        val screen = CallScreen.of(ringing, listOf(ringing), answering = true)
        assertEquals(CallScreen.Buttons.END, screen.buttons)
        assertEquals(R.string.call_answering, screen.state?.id)
    }

    @Test
    fun a_good_connection_needs_no_words() {
        fun words(mos: Float) = CallScreen.wordsFor(Quality(mos, 0f, 0f, null))?.id
        assertEquals(listOf(null, R.string.quality_weak, R.string.quality_bad), listOf(4.4f, 3.2f, 1.5f).map(::words))
    }

    @Test
    fun every_turn_of_a_transfer_has_words() {
        val said = TransferState.entries.map { screen(call(state = CallState.HELD, transfer = it)).transfer }
        assertEquals(TransferState.entries.size, said.filterNotNull().toSet().size)
    }
}
