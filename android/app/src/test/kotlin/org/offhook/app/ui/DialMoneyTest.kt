package org.offhook.app.ui

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
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class DialMoneyTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun left(amount: String, currency: String?, minutes: Long = 0) =
        Balance(amount, currency, null, null, NOW_MS - minutes * 60_000)

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
}
