package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.ClipboardManager
import android.view.View
import android.widget.ListView
import android.widget.TextView
import java.util.TimeZone
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Delivered
import org.offhook.core.Event
import org.offhook.core.MessageThread
import org.offhook.core.PhoneException
import org.offhook.core.Side
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
class MessagesTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        phone.kept = listOf(
            written(4, "Again?", Delivered.FAILED),
            written(3, "Yes", Delivered.SENT),
            written(2, "Lunch?", Delivered.CAME)
        )
        phone.threads = listOf(MessageThread(phone.kept[2], 3u, 1u))
    }

    private fun messages() = Robolectric.buildActivity(MessagesActivity::class.java).setup().get()

    private fun thread() = Robolectric.buildActivity(
        ThreadActivity::class.java,
        ThreadActivity.intent(screens.app, "1002", "sip:1002@offhook.test", "Ann")
    ).setup().get()

    private fun Activity.rows(): ListView {
        shadowOf(mainLooper).idle()
        return findViewById(R.id.rows)
    }

    private fun Activity.touch(at: Int) = rows().let { it.performItemClick(it.getChildAt(at), at, 0L) }

    private fun states(thread: ThreadActivity) = thread.rows().let { rows ->
        (0 until rows.childCount).map {
            val state = rows.getChildAt(it).findViewById<TextView>(R.id.message_state).text
            state.toString().bare().substringAfter(" · ", "")
        }
    }

    @Test
    fun threads_say_who_what_and_that_it_is_new_and_lead_to_the_thread() {
        val activity = messages()
        val row = activity.rows().getChildAt(0)
        val heard = row.contentDescription.toString().bare()
        assertTrue(heard, heard.startsWith("Ann, New, ") && heard.endsWith("Lunch?"))
        activity.touch(0)
        assertEquals(ThreadActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun a_thread_is_deleted_only_after_a_question() {
        val activity = messages()
        activity.rows().getChildAt(0).findViewById<View>(R.id.row_more).performClick()
        assertTrue(phone.commands.none { it.startsWith("forget") })
        (ShadowAlertDialog.getLatestDialog() as AlertDialog).getButton(AlertDialog.BUTTON_POSITIVE).performClick()
        shadowOf(activity.mainLooper).idle()
        assertTrue("forgetMessages 1002" in phone.commands)
    }

    @Test
    fun a_new_message_goes_to_what_was_typed_also_where_the_phone_was_turned_meanwhile() {
        val controller = Robolectric.buildActivity(MessagesActivity::class.java).setup()
        controller.get().press(R.id.aside)
        typeThere(" 1005 ")
        controller.recreate()
        val activity = controller.get()
        shadowOf(activity.mainLooper).idle()
        answer(AlertDialog.BUTTON_POSITIVE)
        val started = shadowOf(activity).nextStartedActivity
        assertEquals(ThreadActivity::class.java.name, started.component?.className)
        assertEquals("1005", started.getStringExtra("number"))
    }

    @Test
    fun messages_stand_in_their_order_and_ours_say_in_words_what_became_of_them() {
        assertEquals(listOf("", "Sent", "Not delivered. Tap to send again"), states(thread()))
    }

    @Test
    fun what_came_is_seen_once_it_is_shown() {
        thread()
        assertTrue("messagesSeen 1002" in phone.commands)
    }

    @Test
    fun a_message_is_sent_once_and_the_field_is_empty_again() {
        val activity = thread()
        activity.type(R.id.text, "Hello")
        activity.press(R.id.send)
        activity.press(R.id.send)
        assertEquals(listOf("message sip:1002@offhook.test"), phone.commands.filter { it.startsWith("message ") })
        assertEquals("", activity.text(R.id.text))
    }

    @Test
    fun what_cannot_be_sent_stays_in_the_field_with_the_reason() {
        val activity = thread()
        activity.type(R.id.text, "Hello")
        phone.refusal = PhoneException.TooLong()
        activity.press(R.id.send)
        assertEquals("Hello", activity.text(R.id.text))
        assertEquals("That is too long.", activity.text(R.id.mistake))
    }

    @Test
    fun one_that_did_not_arrive_is_sent_again_in_place_of_the_old_one() {
        val activity = thread()
        activity.touch(1)
        assertTrue(phone.commands.none { it.startsWith("message ") })
        activity.touch(2)
        shadowOf(activity.mainLooper).idle()
        assertTrue(phone.commands.containsAll(listOf("message sip:1002@offhook.test", "forgetMessage 4")))
    }

    @Test
    fun older_messages_are_read_as_one_comes_near_them_and_stay_when_another_comes() {
        phone.kept = (1L..150L).reversed().map { written(it, "$it", Delivered.SENT) }
        val activity = thread()
        val rows = activity.rows()
        assertEquals(60, rows.count)
        rows.setSelection(0)
        assertEquals(120, activity.rows().count)
        assertEquals(61L, rows.getItemIdAtPosition(30))
        phone.kept = listOf(written(151, "Hi", Delivered.ON_ITS_WAY, Side.OUT)) + phone.kept
        phone.emit(Event.Messages(0u))
        assertEquals(120, activity.rows().count)
        repeat(3) {
            rows.setSelection(0)
            activity.rows()
        }
        assertEquals("all of them, each once", (1L..151L).toList(), (0 until rows.count).map(rows::getItemIdAtPosition))
    }

    @Test
    fun a_failed_one_says_why_and_is_sent_again_copied_or_deleted_from_a_menu() {
        phone.kept = listOf(written(4, "Again?", Delivered.FAILED).copy(sentence = "nobody is there"))
        val activity = thread()
        fun menu(): AlertDialog {
            activity.rows().let { it.getChildAt(0).performLongClick() }
            return ShadowAlertDialog.getLatestDialog() as AlertDialog
        }
        val shown = menu()
        assertEquals("Not delivered: nobody is there", shadowOf(shown).title)
        assertEquals(listOf("Send again", "Copy", "Delete"), shadowOf(shown).items.toList())
        shadowOf(shown).clickOnItem(1)
        val clip = activity.getSystemService(ClipboardManager::class.java).primaryClip
        assertEquals("Again?", clip?.getItemAt(0)?.text.toString())
        shadowOf(menu()).clickOnItem(2)
        shadowOf(activity.mainLooper).idle()
        assertTrue("forgetMessage 4" in phone.commands)
        assertTrue(phone.commands.none { it.startsWith("message ") })
        shadowOf(menu()).clickOnItem(0)
        assertTrue("message sip:1002@offhook.test" in phone.commands)
    }

    @Test
    fun another_message_is_shown_at_once() {
        val activity = thread()
        phone.kept = listOf(written(5, "Hi", Delivered.ON_ITS_WAY, Side.OUT)) + phone.kept
        phone.emit(Event.Messages(0u))
        assertEquals("On its way", states(activity).last())
    }
}
