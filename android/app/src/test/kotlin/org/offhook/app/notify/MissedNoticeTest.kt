package org.offhook.app.notify

import android.app.Notification
import android.app.NotificationManager
import java.util.TimeZone
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.ui.DialActivity
import org.offhook.app.ui.LogActivity
import org.offhook.app.ui.Screens
import org.offhook.app.ui.ThreadActivity
import org.offhook.app.ui.bare
import org.offhook.app.ui.record
import org.offhook.core.CallRecord
import org.offhook.core.Event
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class MissedNoticeTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val notices = screens.app.getSystemService(NotificationManager::class.java)

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        screens.app.core
    }

    private fun missed(vararg newestFirst: CallRecord) {
        phone.rows = newestFirst.toList() + phone.rows
        phone.emit(Event.CallLog(phone.rows.count { it.missed && !it.seen }.toUInt()))
    }

    private fun call(id: Long, number: String = "1002", name: String? = "Ann") =
        record(id, number, name, missed = true, seen = false, minutes = 10 - id)

    private fun shown(): Notification? = notices.activeNotifications.find { it.id == MissedNotice.ID }?.notification

    private fun Notification.title() = extras.getCharSequence(Notification.EXTRA_TITLE).toString()

    private fun Notification.text() = extras.getCharSequence(Notification.EXTRA_TEXT).toString().bare()

    private fun Notification.screen(at: Int? = null) =
        shadowOf(if (at == null) contentIntent else actions[at].actionIntent).savedIntents.last()

    @Test
    fun a_missed_call_says_who_and_leads_to_the_log_to_a_call_back_and_to_a_message() {
        missed(call(1))
        val notice = checkNotNull(shown())
        assertEquals("Missed call" to "Ann", notice.title() to notice.text())
        assertEquals(LogActivity::class.java.name, notice.screen().component?.className)
        assertEquals(ThreadActivity::class.java.name, notice.screen(1).component?.className)
        Robolectric.buildActivity(LogActivity::class.java, notice.screen(0)).setup()
        assertTrue("${phone.commands}", "call 1 sip:1002@offhook.test" in phone.commands)
    }

    @Test
    fun several_are_counted_and_of_several_people_none_is_called_back() {
        missed(call(1))
        missed(call(2))
        assertEquals(2, checkNotNull(shown()).actions.size)
        missed(call(3, "1003", null))
        val notice = checkNotNull(shown())
        assertEquals("3 missed calls" to "1003, Ann", notice.title() to notice.text())
        assertEquals(3, notice.number)
        assertNull(notice.actions)
        val lines = notice.extras.getCharSequenceArray(Notification.EXTRA_TEXT_LINES).orEmpty()
        assertEquals(3, lines.size)
    }

    @Test
    fun each_is_told_of_once_and_seen_ones_are_told_of_no_more() {
        missed(call(1))
        notices.cancel(MissedNotice.ID)
        phone.emit(Event.CallLog(1u))
        assertNull("it was swept off", shown())
        missed(call(2))
        assertNotNull(shown())
        phone.emit(Event.CallLog(0u))
        assertNull(shown())
    }

    @Test
    fun voice_messages_are_told_where_there_are_more_until_they_are_heard() {
        fun notice() = notices.activeNotifications.find { it.id == VoicemailNotice.ID }?.notification
        phone.emit(Event.Voicemail(1u, true, 1u, 0u, null))
        val first = checkNotNull(notice())
        assertEquals("1 new voice message", first.title())
        assertEquals(DialActivity::class.java.name, shadowOf(first.contentIntent).savedIntent.component?.className)
        notices.cancel("voicemail-1", VoicemailNotice.ID)
        phone.emit(Event.Voicemail(1u, true, 1u, 4u, null))
        assertNull("it is the same one", notice())
        phone.emit(Event.Voicemail(1u, true, 2u, 4u, null))
        assertEquals("2 new voice messages", notice()?.title())
        phone.emit(Event.Voicemail(1u, false, 0u, 6u, null))
        assertNull(notice())
        phone.emit(Event.Voicemail(1u, true, 0u, 0u, null))
        assertEquals("Voice messages wait for you", notice()?.title())
    }
}
