package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.os.Bundle
import java.util.TimeZone
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Balance
import org.offhook.core.Came
import org.offhook.core.Event
import org.offhook.core.MoneyOffers
import org.offhook.core.PhoneException
import org.offhook.core.TargetFault
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
class MoneyActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    @Before
    fun all_is_offered() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        phone.offers = MoneyOffers(balance = true, minutes = true, topUp = true, callBack = true)
        phone.balances[1u] = Balance("12.5", "USD", "5.25", NOW_MS + DAY_MS, NOW_MS - 3 * 60_000)
    }

    private fun ActivityController<TopUpActivity>.fill(card: String, pin: String) = apply {
        get().type(R.id.card, card)
        get().type(R.id.pin, pin)
    }

    private fun topUp(): ActivityController<TopUpActivity> =
        Robolectric.buildActivity(TopUpActivity::class.java, TopUpActivity.intent(screens.app, 1u)).setup()

    private fun paid() {
        topUp().fill(" 1234 5678 ", "0000").get().press(R.id.pay)
        answer(AlertDialog.BUTTON_POSITIVE)
    }

    private fun Activity.notice() = if (sees(R.id.notice)) text(R.id.notice_text).bare() else null

    @Test
    @Config(sdk = [28, 35])
    fun all_that_is_known_of_a_balance_is_shown() {
        val shown = screens.money().get().shownTexts()
        val facts = listOf("Left", "\$12.50", "Told", "3 minutes ago", "Can be used until", "November 28, 2026") +
            listOf("May go below zero by", "\$5.25")
        assertEquals(facts, shown.takeLast(facts.size))
    }

    @Test
    fun one_that_is_over_says_so_and_no_overdraft_is_none() {
        phone.balances[1u] = Balance("1", null, "0.00", NOW_MS - 2 * DAY_MS, NOW_MS)
        val shown = screens.money().get().shownTexts()
        assertTrue("$shown", "November 25, 2026. That is over." in shown && "Just now" in shown)
        assertFalse("May go below zero by" in shown)
    }

    @Test
    fun there_are_buttons_only_for_what_the_provider_offers() {
        val buttons = listOf("Ask again", "How long", "Top up", "Call me back")
        assertEquals(buttons, screens.money().get().shownTexts().filter { it in buttons })
        phone.offers = MoneyOffers(balance = true, minutes = false, topUp = false, callBack = true)
        assertEquals(listOf("Ask again", "Call me back"), screens.money().get().shownTexts().filter { it in buttons })
        phone.offers = MoneyOffers(balance = false, minutes = false, topUp = false, callBack = false)
        phone.balances.clear()
        val activity = screens.money().get()
        assertTrue(activity.shownTexts().none { it in buttons })
        activity.pressWords("Nobody is asked yet. Set it up")
        assertTrue(shadowOf(activity).nextStartedActivity.filterEquals(BalanceActivity.intent(activity, 1u)))
    }

    @Test
    fun it_is_asked_again_and_what_went_wrong_stands_beside_what_was_told() {
        val activity = screens.money().get()
        activity.pressWords("Ask again")
        assertTrue("refreshBalance 1" in phone.commands && "Asking…" in activity.shownTexts())
        phone.emit(Event.Balance(1u, phone.balances[1u], "no answer"))
        val shown = activity.shownTexts()
        assertTrue("$shown", "The balance could not be asked for. (no answer)" in shown && "\$12.50" in shown)
        assertFalse("Asking…" in shown)
    }

    @Test
    fun for_how_long_a_call_could_last_is_asked_for_a_number_and_outlives_a_rotation() {
        val controller = screens.money()
        controller.get().pressWords("How long")
        typeThere("0301")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("minutesTo 1 0301" in phone.commands)
        controller.recreate()
        assertEquals(listOf("A call to 0301", "Asking…"), controller.get().shownTexts().takeLast(2))
        phone.emit(Event.Minutes(1u, "0301", null, "the provider refuses: no rate"))
        val untold = "Time for a call there: not known (the provider refuses: no rate)"
        assertEquals(untold, controller.get().shownTexts().last())
        phone.emit(Event.Minutes(1u, "0301", 60uL, null))
        assertEquals("Enough for 1 minute", controller.get().shownTexts().last())
        phone.commands.clear()
        phone.emit(Event.Balance(1u, Balance("3", "USD", null, null, NOW_MS), null))
        phone.emit(Event.Balance(1u, Balance("2", "USD", null, null, NOW_MS), null))
        assertEquals("what is left has moved", listOf("minutesTo 1 0301"), phone.commands.toList())
        assertTrue("Asking…" in controller.get().shownTexts())
    }

    @Test
    fun what_cannot_be_called_is_said() {
        val activity = screens.money().get()
        activity.pressWords("Call me back")
        typeThere("x")
        phone.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue(activity.sees(R.id.mistake))
        assertEquals(null, activity.notice())
    }

    @Test
    fun a_card_is_paid_in_after_a_question_and_once() {
        val form = topUp().fill(" 1234 5678 ", "0000").get()
        form.press(R.id.pay)
        assertTrue("asked first", phone.commands.none { it.startsWith("topUp") })
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue(form.isFinishing)
        val activity = screens.money().get()
        assertEquals("The card is being paid in…", activity.notice())
        assertFalse("none while one is on its way", "Top up" in activity.shownTexts())
        assertTrue(screens.app.core.topUp(1u, "1234 5678", "").isFailure)
        phone.emit(Event.ToppedUp(1u, Came.DONE, "5.00 added"))
        assertEquals("The card is paid in. (5.00 added)", activity.notice())
        assertTrue("Top up" in activity.shownTexts())
        assertEquals(listOf("topUp 1 1234 5678 0000"), phone.commands.filter { it.startsWith("topUp") })
    }

    @Test
    fun a_card_without_a_number_is_asked_for_nothing() {
        val form = topUp().fill("  ", "0000").get()
        form.press(R.id.pay)
        assertEquals("Please enter the card's number.", form.text(R.id.mistake))
        assertEquals(null, ShadowAlertDialog.getLatestAlertDialog())
    }

    @Test
    fun a_card_in_doubt_is_told_plainly_until_the_balance_was_looked_at() {
        paid()
        phone.emit(Event.ToppedUp(1u, Came.IN_DOUBT, "no answer; whether it was done is not known"))
        // That comes by itself, and nobody has looked.
        phone.emit(Event.Balance(1u, phone.balances[1u], null))
        screens.money().pause().stop().destroy()
        assertTrue(topUp().get().sees(R.id.doubt))
        val activity = screens.money().get()
        assertTrue(activity.notice().orEmpty().startsWith("Nobody knows whether the card was paid in."))
        assertEquals("Look at the balance", activity.text(R.id.notice_button))
        activity.press(R.id.notice_button)
        assertEquals("refreshBalance 1", phone.commands.last())
        assertEquals("nothing is paid in by itself", 1, phone.commands.count { it.startsWith("topUp") })
        phone.emit(Event.Balance(1u, phone.balances[1u], "no answer"))
        assertTrue(activity.sees(R.id.notice))
        activity.press(R.id.notice_button)
        phone.emit(Event.Balance(1u, phone.balances[1u], null))
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    fun an_outcome_that_comes_while_nobody_looks_is_there_once() {
        paid()
        phone.emit(Event.ToppedUp(1u, Came.REFUSED, null))
        phone.emit(Event.CallBack(1u, "0301", Came.DONE, null))
        val controller = screens.money()
        assertEquals("The card was not paid in.\nYour provider is calling you.", controller.get().notice())
        controller.get().finish()
        controller.pause().stop().destroy()
        assertEquals(null, screens.money().get().notice())
    }

    @Test
    fun what_stands_on_a_card_outlives_a_rotation_and_is_in_no_saved_state() {
        val controller = topUp().fill("1234", "0000")
        controller.recreate()
        assertEquals("1234" to "0000", controller.get().text(R.id.card) to controller.get().text(R.id.pin))
        val state = Bundle()
        controller.saveInstanceState(state)
        val later = Robolectric.buildActivity(TopUpActivity::class.java, TopUpActivity.intent(screens.app, 1u))
        assertEquals("" to "", later.setup(state).get().let { it.text(R.id.card) to it.text(R.id.pin) })
    }

    @Test
    fun a_call_back_is_asked_for_and_told() {
        val activity = screens.money().get()
        activity.pressWords("Call me back")
        typeThere("0301")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals("Your provider is asked to call you…", activity.notice())
        phone.emit(Event.CallBack(1u, "0301", Came.IN_DOUBT, null))
        assertTrue(activity.notice().orEmpty().startsWith("Nobody knows whether your provider will call you."))
        assertEquals(listOf("callBack 1 0301"), phone.commands.filter { it.startsWith("callBack") })
    }

    private companion object {
        const val DAY_MS = 86_400_000L
    }
}
