package org.offhook.app.ui

import android.view.View
import android.widget.EditText
import java.util.Locale
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Event
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class DialAroundTest {
    private val screens = Screens()
    private val phone get() = screens.phone

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
