package org.offhook.app.ui

import android.Manifest
import android.app.NotificationManager
import android.content.Intent
import android.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.Event
import org.offhook.core.SpeedDial
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** Messages that wait are heard by one touch. */
@RunWith(RobolectricTestRunner::class)
class MailboxTest {
    private val screens = Screens(FakePhone().withAccount())
    private val phone get() = screens.phone

    private fun waits(mailbox: String?, account: UInt = 1u) =
        phone.emit(Event.Voicemail(account, true, 1u, 0u, mailbox))

    private fun called() = phone.commands.filter { it.startsWith("call ") }

    private fun DialActivity.hold(digit: Char) {
        findViewById<View>(R.id.keys).findViewWithTag<View>("$digit").performLongClick()
        shadowOf(mainLooper).idle()
    }

    @Test
    fun a_touch_on_what_waits_calls_the_mailbox() {
        phone.speed = listOf(SpeedDial(1u, "*86"))
        val activity = screens.dial().get()
        waits("sip:mailbox@offhook.test")
        val heard = activity.findViewById<View>(R.id.voicemail).contentDescription
        assertEquals("1 new voice message. Calls the mailbox", heard)
        activity.press(R.id.voicemail)
        assertEquals(listOf("call 1 sip:mailbox@offhook.test"), called())
    }

    @Test
    fun it_is_called_once_the_microphone_is_allowed() {
        screens.deny(Manifest.permission.RECORD_AUDIO)
        val activity = screens.dial().get()
        waits("*97")
        activity.press(R.id.voicemail)
        assertEquals(emptyList<String>(), called())
        screens.allow(Manifest.permission.RECORD_AUDIO)
        activity.onRequestPermissionsResult(Permission.MICROPHONE.code, arrayOf(), intArrayOf(0))
        assertEquals(listOf("call 1 *97"), called())
    }

    @Test
    fun where_nobody_has_said_a_mailbox_the_first_digit_says_it_or_is_asked_for() {
        val activity = screens.dial().get()
        waits(null)
        activity.press(R.id.voicemail)
        assertEquals(SpeedDialActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        phone.speed = listOf(SpeedDial(1u, "*86"))
        activity.press(R.id.voicemail)
        assertEquals(listOf("call - *86"), called())
    }

    @Test
    fun the_first_digit_held_down_calls_what_it_is_set_to_else_the_mailbox_and_no_other_does() {
        val activity = screens.dial().get()
        phone.speed = listOf(SpeedDial(1u, "*86"))
        waits("*97")
        activity.hold('1')
        phone.speed = emptyList()
        activity.hold('1')
        activity.hold('2')
        assertEquals(listOf("call - *86", "call 1 *97"), called())
    }

    @Test
    fun the_mailbox_of_the_settings_is_called_where_nothing_was_told_of_messages() {
        phone.settings[1u] = phone.settings.getValue(1u).copy(mailbox = "*98")
        screens.dial().get().hold('1')
        assertEquals(listOf("call 1 *98"), called())
    }

    @Test
    fun the_notification_types_the_mailbox_of_its_account_and_calls_nobody() {
        screens.app.core
        phone.register(1u)
        phone.register(2u, number = "2001")
        waits("*97")
        waits("*98", 2u)
        val notices = screens.app.getSystemService(NotificationManager::class.java).activeNotifications
        val typed = notices.associate {
            val intent: Intent = shadowOf(it.notification.contentIntent).savedIntent
            it.tag to Robolectric.buildActivity(DialActivity::class.java, intent).setup().get().text(R.id.number)
        }
        assertEquals(mapOf("voicemail-1" to "*97", "voicemail-2" to "*98"), typed)
        assertTrue("${phone.commands}", called().isEmpty())
    }
}
