package org.offhook.app.ui

import android.app.Activity
import android.view.View
import android.widget.EditText
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.AccountInfo
import org.offhook.core.AccountState
import org.offhook.core.Balance
import org.offhook.core.Event
import org.offhook.core.MoneyOffers
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
class DialMoneyTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun left(amount: String, currency: String?, minutes: Long = 0) =
        Balance(amount, currency, null, null, NOW_MS - minutes * 60_000)

    private fun offering(minutes: Boolean = false, callBack: Boolean = false): ActivityController<DialActivity> {
        phone.offers = MoneyOffers(balance = true, minutes = minutes, topUp = false, callBack = callBack)
        return screens.dial()
    }

    private fun Activity.heights() = shadowOf(mainLooper).idle().let {
        listOf(R.id.keys, R.id.number).map { id -> findViewById<View>(id).let { it.top + (it.parent as View).top } }
    }

    private fun account(id: UInt, default: Boolean) =
        AccountInfo(id, "Work", "sip:100$id@offhook.test", "100$id", default, true, null)

    @Test
    fun a_balance_is_exact_and_in_its_currency_and_a_touch_opens_the_accounts_money() {
        val activity = screens.dial().get()
        assertFalse(activity.sees(R.id.balance))
        phone.emit(Event.Balance(1u, left("12.5", "USD"), null))
        assertEquals("Balance: \$12.50", activity.text(R.id.balance).bare())
        phone.emit(Event.Balance(1u, left("-0.0125", null), null))
        assertEquals("Balance: -0.0125", activity.text(R.id.balance).bare())
        activity.press(R.id.balance)
        val opened = shadowOf(activity).nextStartedActivity
        assertTrue(opened.filterEquals(MoneyActivity.intent(activity, 1u)))
    }

    @Test
    fun an_old_balance_is_shown_with_its_age_beside_the_trouble() {
        val activity = screens.dial().get()
        phone.emit(Event.Balance(1u, left("7", "credits", 180), "no answer"))
        assertEquals(
            "Balance: 7 credits (3 hours ago)\nThe balance could not be asked for.",
            activity.text(R.id.balance).bare()
        )
    }

    @Test
    fun the_balance_of_last_time_is_there_when_the_screen_opens() {
        phone.balances[1u] = left("3.20", "USD")
        assertEquals("Balance: \$3.20", screens.dial().get().text(R.id.balance).bare())
        assertTrue("cameToFront" in phone.commands)
    }

    @Test
    fun with_several_accounts_it_is_of_the_one_that_calls_go_by() {
        phone.withAccount(2u)
        phone.balances[1u] = left("1", "USD")
        phone.balances[2u] = left("2", "USD")
        phone.list = listOf(account(1u, default = false), account(2u, default = true))
        val activity = screens.dial().get()
        assertEquals("Balance: \$2.00", activity.text(R.id.balance).bare())
        phone.register(2u, AccountState.FAILED)
        assertEquals("a call goes by the other then", "Balance: \$1.00", activity.text(R.id.balance).bare())
    }

    @Test
    fun for_how_long_it_is_enough_is_shown_until_the_number_is_another_and_nothing_moves() {
        val activity = offering(minutes = true).get()
        activity.key("0301")
        assertEquals(listOf("1 0", "1 03", "1 030", "1 0301"), phone.typedNumbers)
        val heights = activity.heights()
        phone.emit(Event.Minutes(1u, "0301", 5_430uL, null))
        assertEquals("Enough for 1 hour, 30 minutes", activity.text(R.id.minutes))
        activity.key("2")
        assertFalse(activity.sees(R.id.minutes))
        activity.press(R.id.backspace)
        assertTrue("it is told once, and kept", activity.sees(R.id.minutes))
        activity.findViewById<EditText>(R.id.number).setText("")
        assertFalse(activity.sees(R.id.minutes))
        assertEquals("1 ", phone.typedNumbers.last())
        assertEquals(heights, activity.heights())
    }

    @Test
    fun what_is_too_little_or_not_told_is_said_too() {
        val activity = offering(minutes = true).get()
        activity.key("1")
        phone.emit(Event.Minutes(1u, "1", 59uL, null))
        assertEquals("Enough for 59 seconds", activity.text(R.id.minutes))
        phone.emit(Event.Minutes(1u, "1", 0uL, null))
        assertEquals("Not enough for a call there", activity.text(R.id.minutes))
        phone.emit(Event.Minutes(1u, "1", null, "the provider refuses: no such rate"))
        assertEquals("Time for a call there: not known", activity.text(R.id.minutes))
    }

    @Test
    fun it_outlives_a_rotation_and_is_asked_anew_when_the_balance_has_moved() {
        val controller = offering(minutes = true)
        phone.emit(Event.Balance(1u, left("2", "USD"), null))
        controller.get().key("12")
        phone.emit(Event.Minutes(1u, "12", 120uL, null))
        controller.recreate()
        assertEquals("Enough for 2 minutes", controller.get().text(R.id.minutes))
        phone.typedNumbers.clear()
        phone.emit(Event.Balance(1u, left("2", "USD"), null))
        assertTrue(controller.get().sees(R.id.minutes) && phone.typedNumbers.isEmpty())
        phone.emit(Event.Balance(1u, left("1", "USD"), null))
        assertFalse(controller.get().sees(R.id.minutes))
        assertEquals(listOf("1 12"), phone.typedNumbers)
    }

    @Test
    fun nothing_takes_room_that_the_provider_does_not_offer() {
        val activity = offering().get()
        activity.key("1")
        phone.emit(Event.Minutes(1u, "1", 59uL, null))
        assertEquals(View.GONE, activity.findViewById<View>(R.id.minutes).visibility)
        assertFalse(activity.sees(R.id.call_back))
    }

    @Test
    fun a_call_back_asks_first_with_the_number_that_is_typed() {
        val activity = offering(callBack = true).get()
        activity.key("0301")
        activity.press(R.id.call_back)
        screens.money(shadowOf(activity).nextStartedActivity)
        assertTrue(phone.commands.none { it.startsWith("callBack") })
        ShadowAlertDialog.getLatestAlertDialog().getButton(-1).performClick()
        shadowOf(activity.mainLooper).idle()
        assertTrue("callBack 1 0301" in phone.commands)
    }
}
