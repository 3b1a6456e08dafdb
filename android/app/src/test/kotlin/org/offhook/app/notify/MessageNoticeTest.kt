package org.offhook.app.notify

import android.app.Notification
import android.app.NotificationManager
import android.app.RemoteInput
import android.content.Intent
import android.os.Bundle
import android.os.Looper
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.ui.Screens
import org.offhook.app.ui.ThreadActivity
import org.offhook.app.ui.bare
import org.offhook.app.ui.written
import org.offhook.core.Delivered
import org.offhook.core.Event
import org.offhook.core.MessageRecord
import org.offhook.core.PhoneException
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class MessageNoticeTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val notices = screens.app.getSystemService(NotificationManager::class.java)

    private fun came(vararg newestFirst: MessageRecord) {
        screens.app.core
        phone.kept = newestFirst.toList() + phone.kept
        newestFirst.forEach {
            phone.emit(Event.Message(1u, it.remote, it.number, it.name, it.text))
        }
        phone.emit(Event.Messages(newestFirst.size.toUInt()))
    }

    private fun seen() {
        phone.kept = phone.kept.map { it.copy(seen = true) }
        phone.emit(Event.Messages(0u))
    }

    private fun shown(number: String): Notification? =
        notices.activeNotifications.find { it.id == MessageNotice.ID && it.tag == number }?.notification

    private fun Notification.texts() = extras.getParcelableArray(Notification.EXTRA_MESSAGES, Bundle::class.java)
        .orEmpty().map { it.getCharSequence("text").toString() }

    private fun Notification.press(at: Int, answer: String? = null) {
        val action = actions[at]
        val filled = Intent()
        answer?.let {
            val results = Bundle().apply { putCharSequence(MessageActions.TEXT, it) }
            RemoteInput.addResultsToIntent(action.remoteInputs, filled, results)
        }
        val sent = shadowOf(action.actionIntent).savedIntent
        val intent = Intent(sent).apply { fillIn(filled, Intent.FILL_IN_CLIP_DATA) }
        filled.clipData?.let { intent.clipData = it }
        MessageActions().onReceive(screens.app, intent)
        shadowOf(Looper.getMainLooper()).idle()
    }

    @Test
    fun each_thread_has_one_with_all_that_was_not_seen_and_leads_to_it() {
        came(written(2, "Lunch?", Delivered.CAME), written(1, "Ann here", Delivered.CAME))
        came(written(3, "Hi", Delivered.CAME).copy(number = "1003", name = null))
        val ann = checkNotNull(shown("1002"))
        assertEquals(listOf("Ann here", "Lunch?"), ann.texts())
        assertNotNull(shown("1003"))
        assertEquals("messages", ann.group)
        assertEquals(Channels.MESSAGES, ann.channelId)
        val screens = shadowOf(ann.contentIntent).savedIntents
        assertEquals(ThreadActivity::class.java.name, screens.last().component?.className)
        val hidden = ann.publicVersion.extras.getCharSequence(Notification.EXTRA_TITLE).toString()
        assertEquals("what a locked screen says", "New message", hidden)
    }

    @Test
    @Config(sdk = [28, 35])
    fun old_platforms_show_it_too() {
        came(written(1, "Lunch?", Delivered.CAME))
        assertNotNull(shown("1002"))
    }

    @Test
    fun what_was_seen_is_taken_away_and_with_the_last_the_group() {
        came(written(1, "Lunch?", Delivered.CAME))
        seen()
        assertEquals(0, notices.activeNotifications.size)
    }

    @Test
    fun one_that_was_swept_off_comes_back_with_the_next_message_only() {
        came(written(1, "Lunch?", Delivered.CAME))
        notices.cancel("1002", MessageNotice.ID)
        phone.emit(Event.Messages(1u))
        assertNull(shown("1002"))
        came(written(2, "Well?", Delivered.CAME))
        assertEquals(listOf("Lunch?", "Well?"), shown("1002")?.texts())
    }

    @Test
    fun a_thread_on_the_screen_has_none_and_opening_one_takes_it_away() {
        came(written(1, "Lunch?", Delivered.CAME))
        val intent = ThreadActivity.intent(screens.app, "1002", "sip:1002@offhook.test", "Ann")
        val activity = Robolectric.buildActivity(ThreadActivity::class.java, intent).setup()
        assertNull(shown("1002"))
        came(written(2, "Well?", Delivered.CAME))
        assertNull(shown("1002"))
        activity.pause().stop()
        came(written(3, "?", Delivered.CAME))
        assertNotNull(shown("1002"))
    }

    @Test
    fun an_answer_is_sent_by_the_account_that_it_came_to_and_the_message_is_seen() {
        came(written(1, "Lunch?", Delivered.CAME))
        checkNotNull(shown("1002")).press(0, "Yes")
        assertTrue("${phone.commands}", "message sip:1002@offhook.test" in phone.commands)
        assertTrue("messagesSeen 1002" in phone.commands)
    }

    @Test
    fun an_answer_that_cannot_be_sent_is_told_and_the_message_stays() {
        came(written(1, "Lunch?", Delivered.CAME))
        phone.refusal = PhoneException.TooLong()
        checkNotNull(shown("1002")).press(0, "Yes")
        val told = checkNotNull(shown("1002")).extras.getCharSequence(Notification.EXTRA_SUB_TEXT).toString()
        assertEquals("That is too long.", told.bare())
        assertTrue("messagesSeen 1002" !in phone.commands)
    }

    @Test
    fun marking_it_read_is_seeing_it() {
        came(written(1, "Lunch?", Delivered.CAME))
        checkNotNull(shown("1002")).press(1)
        assertTrue("messagesSeen 1002" in phone.commands)
    }
}
