package org.offhook.app.ui

import android.app.AlertDialog
import android.view.View
import android.widget.ListView
import android.widget.TextView
import java.util.TimeZone
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.CallGroups
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.Side
import org.offhook.core.TargetFault
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
class LogActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        val ann = record(9, "1002", "Ann", missed = true, seen = false)
        phone.rows = listOf(ann, record(8, "1003", side = Side.OUT, minutes = 30))
        val yesterday = record(7, "1004", "Bob", minutes = 1_500)
        phone.groups = CallGroups(
            listOf(group(ann, 3u), group(phone.rows[1]), group(yesterday, day = TODAY - 1)),
            null
        )
    }

    private fun LogActivity.rows(): ListView {
        shadowOf(mainLooper).idle()
        return findViewById(R.id.rows)
    }

    private fun LogActivity.row(at: Int): View = rows().getChildAt(at)

    private fun LogActivity.touch(at: Int) = rows().let { it.performItemClick(it.getChildAt(at), at, 0L) }

    private fun LogActivity.told(at: Int): AlertDialog {
        row(at).findViewById<View>(R.id.row_more).performClick()
        shadowOf(mainLooper).idle()
        return ShadowAlertDialog.getLatestDialog() as AlertDialog
    }

    private fun AlertDialog.press(button: Int) {
        getButton(button).performClick()
        shadowOf(context.mainLooper).idle()
    }

    @Test
    @Config(sdk = [28, 35])
    fun calls_stand_by_day_and_number_with_the_way_the_time_and_how_often() {
        val activity = screens.log().get()
        assertEquals("Today", (activity.row(0) as TextView).text)
        assertEquals("Ann", activity.row(1).findViewById<TextView>(R.id.row_title).text.toString().bare())
        val below = activity.row(1).findViewById<TextView>(R.id.row_below).text.toString()
        assertEquals("Missed · 1:55 PM · 3 calls", below.replace('\u202f', ' ').bare())
        val second = activity.row(2).findViewById<TextView>(R.id.row_below).text.toString().bare()
        assertTrue(second, second.startsWith("Outgoing · "))
        assertEquals("Yesterday", (activity.row(3) as TextView).text)
    }

    @Test
    fun a_row_is_heard_whole_and_says_that_it_is_new() {
        val heard = screens.log().get().row(1).contentDescription.toString().bare()
        assertTrue(heard, heard.startsWith("Ann, New, Missed, ") && heard.endsWith(", 3 calls"))
    }

    @Test
    fun a_touch_calls_back_by_the_account_that_the_call_went_over() {
        val activity = screens.log().get()
        activity.touch(1)
        assertEquals(listOf("call 1 sip:1002@offhook.test"), phone.commands.filter { it.startsWith("call ") })
        assertEquals(CallActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun what_cannot_be_called_back_is_said() {
        val activity = screens.log().get()
        phone.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        activity.touch(1)
        assertEquals("That is neither a number nor an address.", activity.text(R.id.mistake))
    }

    @Test
    fun facts_say_when_how_long_why_and_how_it_was_carried() {
        phone.rows = phone.rows.drop(1)
        val said = shadowOf(screens.log().get().told(2)).message.toString().bare().replace('\u202f', ' ')
        assertEquals(
            "1:35 PM · Outgoing\nTalked for 01:35\nThe other side ended the call.\n" +
                "G722/16000 · Encrypted between the two ends\nDirect · Wi-Fi → Mobile network",
            said
        )
    }

    @Test
    fun one_row_is_deleted_with_all_its_calls_and_all_only_after_a_question() {
        val activity = screens.log().get()
        activity.told(1).press(AlertDialog.BUTTON_NEUTRAL)
        assertEquals(
            listOf("forgetCalls One(id=9)", "forgetCalls One(id=8)"),
            phone.commands.filter { it.startsWith("forget") }
        )
        activity.press(R.id.aside)
        (ShadowAlertDialog.getLatestDialog() as AlertDialog).press(AlertDialog.BUTTON_POSITIVE)
        assertTrue(phone.commands.last { it.startsWith("forget") }.contains("All"))
    }

    @Test
    fun what_is_typed_is_searched_by_the_core_and_nothing_found_is_said() {
        val activity = screens.log().get()
        phone.groups = CallGroups(listOf(), null)
        activity.type(R.id.search, " ann ")
        shadowOf(activity.mainLooper).idle()
        assertEquals("ann", phone.filter.text)
        assertEquals("Nothing found.", activity.text(R.id.nothing))
        assertFalse(activity.sees(R.id.rows))
    }

    @Test
    fun missed_calls_are_seen_once_the_screen_is_left() {
        val controller = screens.log()
        assertFalse("callsSeen" in phone.commands)
        controller.pause().stop()
        assertTrue("callsSeen" in phone.commands)
    }

    @Test
    fun another_call_is_shown_at_once() {
        val activity = screens.log().get()
        phone.groups = CallGroups(listOf(group(record(10, "1009", "Eve"))), null)
        phone.emit(Event.CallLog(1u))
        assertEquals("Eve", activity.row(1).findViewById<TextView>(R.id.row_title).text.toString().bare())
    }
}
