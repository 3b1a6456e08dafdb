package org.offhook.app.ui

import android.view.View
import android.widget.EditText
import java.util.Locale
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Balance
import org.offhook.core.Event
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class DialAroundTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun left(amount: String, currency: String?, minutes: Long = 0) =
        Balance(amount, currency, null, null, NOW_MS - minutes * 60_000)

    @Test
    fun missed_calls_are_counted_where_the_way_to_them_is() {
        val activity = screens.dial().get()
        phone.emit(Event.CallLog(2u))
        assertEquals("Calls (2)", activity.text(R.id.to_log))
        assertEquals("Calls. Missed: 2", activity.findViewById<View>(R.id.to_log).contentDescription)
        activity.press(R.id.to_log)
        assertEquals(LogActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        activity.press(R.id.to_contacts)
        assertEquals(ContactsActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun a_balance_is_exact_and_in_its_currency_and_a_touch_asks_again() {
        val activity = screens.dial().get()
        assertFalse(activity.sees(R.id.balance))
        phone.emit(Event.Balance(1u, left("12.5", "USD"), null))
        assertEquals("Balance: \$12.50", activity.text(R.id.balance).bare())
        activity.press(R.id.balance)
        assertTrue("refreshBalance 1" in phone.commands)
        assertEquals("Asking for the balance…", activity.text(R.id.balance))
        phone.emit(Event.Balance(1u, left("-0.0125", null), null))
        assertEquals("Balance: -0.0125", activity.text(R.id.balance).bare())
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
    fun voice_messages_are_told_until_they_are_heard() {
        val activity = screens.dial().get()
        phone.emit(Event.Voicemail(1u, true, 1u, 0u, null))
        assertEquals("1 new voice message", activity.text(R.id.voicemail))
        phone.emit(Event.Voicemail(1u, true, 0u, 0u, null))
        assertEquals("Voice messages wait for you", activity.text(R.id.voicemail))
        phone.emit(Event.Voicemail(1u, false, 0u, 0u, null))
        assertFalse(activity.sees(R.id.voicemail))
    }

    @Test
    fun a_number_moves_apart_while_it_is_typed_and_is_deleted_digit_by_digit() {
        phone.apart["030123"] = "030 123"
        phone.apart["0301"] = "030 1"
        val activity = screens.dial().get()
        activity.key("030123")
        assertEquals("030 123", activity.text(R.id.number))
        activity.press(R.id.backspace)
        activity.press(R.id.backspace)
        assertEquals("030 1", activity.text(R.id.number))
        activity.findViewById<EditText>(R.id.number).setSelection(4)
        activity.press(R.id.backspace)
        assertEquals("031", activity.text(R.id.number))
    }

    @Test
    fun the_core_knows_where_the_phone_is() {
        screens.dial()
        assertEquals(listOf("${Locale.getDefault().country},,"), phone.regions)
    }
}
