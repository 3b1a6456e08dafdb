package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.view.View
import android.widget.ListView
import android.widget.RadioGroup
import android.widget.TextView
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.FileNotFoundException
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
import org.offhook.core.WhichCalls
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

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

    private fun LogActivity.chips(): List<String> {
        val group = findViewById<RadioGroup>(R.id.chips_group)
        return (0 until group.childCount).map { (group.getChildAt(it) as TextView).text.toString() }
    }

    private fun LogActivity.row(at: Int): View = rows().getChildAt(at)

    private fun LogActivity.touch(at: Int) = rows().let { it.performItemClick(it.getChildAt(at), at, 0L) }

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
    fun the_button_beside_a_row_tells_of_its_newest_call() {
        val activity = screens.log().get()
        activity.row(1).findViewById<View>(R.id.row_more).performClick()
        val opened = shadowOf(activity).nextStartedActivity
        assertEquals(RecordActivity::class.java.name, opened.component?.className)
        assertEquals(9L, opened.getLongExtra("id", 0))
    }

    @Test
    fun a_part_of_the_log_is_chosen_and_stays_chosen_when_the_screen_is_turned() {
        val controller = screens.log()
        assertEquals(listOf("All", "Missed", "Incoming", "Outgoing"), controller.get().chips())
        controller.get().pressWords("Outgoing")
        assertEquals(WhichCalls.OUTGOING, phone.filter.which)
        val turned = controller.recreate().get()
        assertEquals(WhichCalls.OUTGOING, phone.filter.which)
        assertEquals(3, turned.findViewById<RadioGroup>(R.id.chips_group).checkedRadioButtonId)
        phone.groups = CallGroups(listOf(), null)
        turned.pressWords("Missed")
        assertEquals(WhichCalls.MISSED, phone.filter.which)
        assertEquals("Nothing found.", turned.text(R.id.nothing))
    }

    @Test
    fun the_calls_of_one_account_are_shown_where_there_are_several() {
        assertFalse(screens.log().get().sees(R.id.chips_aside))
        phone.register(2u, number = "2001")
        val activity = screens.log().get()
        assertEquals("Any account", activity.text(R.id.chips_aside))
        activity.press(R.id.chips_aside)
        assertEquals(listOf("Any account", "1001@offhook.test", "2001@offhook.test"), offered())
        take("2001@offhook.test")
        assertEquals("sip:2001@offhook.test", phone.filter.account)
        assertEquals("2001", activity.text(R.id.chips_aside).bare())
    }

    @Test
    fun a_row_is_deleted_with_all_its_calls_after_a_question() {
        phone.rows = phone.rows.drop(1)
        val activity = screens.log().get()
        activity.rows().let { it.onItemLongClickListener!!.onItemLongClick(it, it.getChildAt(1), 1, 0L) }
        answer(AlertDialog.BUTTON_NEGATIVE)
        assertTrue(phone.commands.none { it.startsWith("forget") })
        activity.rows().let { it.onItemLongClickListener!!.onItemLongClick(it, it.getChildAt(1), 1, 0L) }
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(listOf("forgetCalls One(id=8)"), phone.commands.filter { it.startsWith("forget") })
    }

    @Test
    fun all_calls_or_the_old_ones_are_deleted_after_a_question() {
        val activity = screens.log().get()
        activity.press(R.id.menu)
        take("Delete old calls")
        take("Older than 30 days")
        answer(AlertDialog.BUTTON_POSITIVE)
        activity.press(R.id.menu)
        take("Delete all calls")
        answer(AlertDialog.BUTTON_POSITIVE)
        val before = NOW_MS - 30L * 24 * 3_600_000
        val forgotten = phone.commands.filter { it.startsWith("forget") }
        assertEquals("forgetCalls Before(atMs=$before)", forgotten[0])
        assertTrue(forgotten[1], forgotten[1].startsWith("forgetCalls org.offhook.core.ForgetCalls\$All"))
    }

    @Test
    fun what_is_shown_is_shared_as_a_file_that_the_other_app_may_read() {
        val activity = screens.log().get()
        activity.pressWords("Missed")
        activity.press(R.id.menu)
        take("Share as a table (CSV)")
        assertEquals(WhichCalls.MISSED, phone.filter.which)
        val chooser = shadowOf(activity).nextStartedActivity

        @Suppress("DEPRECATION")
        val sent = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!

        @Suppress("DEPRECATION")
        val uri = sent.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)!!
        assertEquals("text/csv", sent.type)
        assertEquals("content://org.offhook.app.shared/offhook-calls-2026-11-27.csv", uri.toString())
        assertTrue(sent.flags and Intent.FLAG_GRANT_READ_URI_PERMISSION != 0)
        assertEquals("calls as CSV", File(screens.app.cacheDir, "shared/${uri.lastPathSegment}").readText())
    }

    @Test
    fun what_is_shown_is_saved_where_the_user_says_and_what_fails_is_said() {
        val activity = screens.log().get()
        activity.press(R.id.menu)
        take("Save as JSON")
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_CREATE_DOCUMENT, asked.intent.action)
        assertEquals("offhook-calls-2026-11-27.json", asked.intent.getStringExtra(Intent.EXTRA_TITLE))
        val to = Uri.parse("content://documents/1")
        val written = ByteArrayOutputStream()
        shadowOf(screens.app.contentResolver).registerOutputStream(to, written)
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(to))
        shadowOf(activity.mainLooper).idle()
        assertEquals("calls as JSON", written.toString())
        assertEquals("Saved.", activity.text(R.id.notice_text))
        shadowOf(screens.app.contentResolver).registerOutputStreamSupplier(to) { throw FileNotFoundException() }
        activity.press(R.id.menu)
        take("Save as JSON")
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(to))
        shadowOf(activity.mainLooper).idle()
        assertEquals("The file cannot be read or written. Please try again.", activity.text(R.id.mistake))
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
