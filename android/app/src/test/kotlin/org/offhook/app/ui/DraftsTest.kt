package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
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
import org.offhook.core.MessageDraft
import org.offhook.core.MessageThread
import org.offhook.core.PhoneException
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowAlertDialog

/** What is begun and not sent. */
@RunWith(RobolectricTestRunner::class)
class DraftsTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        phone.begun = listOf(MessageDraft("1002", "See you at", NOW_MS))
    }

    private fun thread(): ActivityController<ThreadActivity> = Robolectric.buildActivity(
        ThreadActivity::class.java,
        ThreadActivity.intent(screens.app, "1002", "sip:1002@offhook.test", "Ann")
    ).setup().also { shadowOf(it.get().mainLooper).idle() }

    private fun kept() = phone.commands.filter { it.startsWith("keepDraft") }

    private fun Activity.rows(): List<View> {
        shadowOf(mainLooper).idle()
        return findViewById<ListView>(R.id.rows).let { rows -> (0 until rows.childCount).map(rows::getChildAt) }
    }

    private fun View.text(id: Int) = findViewById<TextView>(id).text.toString().bare().replace('\u202f', ' ')

    @Test
    fun what_was_begun_is_in_the_field_again_and_is_kept_once_it_is_another() {
        val screen = thread()
        assertEquals("See you at", screen.get().text(R.id.text))
        screen.pause()
        assertEquals(emptyList<String>(), kept())
        screen.resume()
        screen.get().type(R.id.text, "See you at eight")
        screen.pause().stop()
        assertEquals(listOf("keepDraft 1002 See you at eight"), kept())
    }

    @Test
    fun what_was_sent_or_taken_out_again_is_forgotten() {
        val sent = thread()
        sent.get().press(R.id.send)
        assertEquals(listOf("keepDraft 1002 "), kept())
        sent.pause().stop()
        assertEquals("once", 1, kept().size)
        val emptied = thread()
        emptied.get().type(R.id.text, " ")
        emptied.pause().stop()
        assertEquals(2, kept().size)
    }

    @Test
    fun what_could_not_be_sent_is_kept() {
        val screen = thread()
        screen.get().type(R.id.text, "Hello")
        phone.refusal = PhoneException.TooLong()
        screen.get().press(R.id.send)
        screen.pause().stop()
        assertEquals(listOf("keepDraft 1002 Hello"), kept())
    }

    @Test
    fun a_rotation_keeps_what_was_typed_in_place_of_what_was_begun() {
        val screen = thread()
        screen.get().type(R.id.text, "Other")
        screen.recreate()
        shadowOf(screen.get().mainLooper).idle()
        assertEquals("Other", screen.get().text(R.id.text))
    }

    @Test
    fun an_empty_field_where_nothing_was_begun_is_nothing_to_keep() {
        phone.begun = emptyList()
        thread().pause().stop()
        assertEquals(emptyList<String>(), kept())
    }

    @Test
    fun threads_say_what_was_begun_in_them_and_others_have_a_row_of_their_own() {
        phone.kept = listOf(written(2, "Lunch?", Delivered.CAME))
        phone.threads = listOf(MessageThread(phone.kept.single(), 1u, 1u))
        phone.book = listOf(contact(4u, "Bob", "1005"))
        phone.begun += MessageDraft("1005", "Hi Bob", NOW_MS - 60_000)
        val activity = Robolectric.buildActivity(MessagesActivity::class.java).setup().get()
        val said = activity.rows().map { it.text(R.id.row_title) to it.text(R.id.row_below) }
        assertEquals(listOf("Bob" to "2:04 PM · Draft: Hi Bob", "Ann" to "2:05 PM · Draft: See you at"), said)
        assertTrue(activity.rows()[1].contentDescription.startsWith("\u2068Ann\u2069, New, "))
        activity.rows()[0].let { activity.findViewById<ListView>(R.id.rows).performItemClick(it, 0, 0L) }
        val opened = shadowOf(activity).nextStartedActivity
        assertEquals("1005" to "1005", opened.getStringExtra("number") to opened.getStringExtra("remote"))
    }

    @Test
    fun what_was_begun_to_somebody_new_is_deleted_after_a_question() {
        val activity = Robolectric.buildActivity(MessagesActivity::class.java).setup().get()
        activity.rows()[0].findViewById<View>(R.id.row_more).performClick()
        val question = shadowOf(ShadowAlertDialog.getLatestAlertDialog()).message.toString().bare()
        assertEquals("Delete the draft to 1002?", question)
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("forgetMessages 1002" in phone.commands)
    }
}
