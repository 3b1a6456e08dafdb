package org.offhook.app.ui

import android.app.AlertDialog
import android.content.Intent
import java.io.File
import java.util.TimeZone
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Event
import org.offhook.core.Side
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class RecordActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        phone.rows = listOf(
            record(9, "1002", "Ann").copy(status = 200u, loss = 0.013f),
            record(8, "1002", "Ann", missed = true, minutes = 1_500)
        )
    }

    /** What stands below each name of a fact. */
    private fun RecordActivity.facts(): Map<String, String> = shownTexts().let { it.zip(it.drop(1)).toMap() }

    @Test
    @Config(sdk = [28, 35])
    fun every_fact_that_the_core_has_of_a_call_is_told() {
        val facts = screens.record(9).get().facts()
        val wanted = mapOf(
            "Kind" to "Incoming",
            "Answered after" to "00:05",
            "Talked for" to "01:35",
            "Why it ended" to "The other side ended the call.",
            "Code" to "SIP 200",
            "Name" to "Ann\nFrom your contacts",
            "Address" to "sip:1002@offhook.test",
            "Account" to "1001",
            "Codec" to "G722/16000",
            "Encryption" to "Encrypted between the two ends",
            "Way of the sound" to "Direct",
            "Network" to "Wi-Fi → Mobile network",
            "Sound quality" to "4.2 of 4.5",
            "Lost sound" to "1.3%"
        )
        wanted.forEach { (label, value) -> assertEquals(label, value, facts[label]) }
        assertTrue(facts["When"], facts["When"]!!.contains("November 27, 2026"))
    }

    @Test
    fun what_is_not_known_is_not_there_and_a_name_is_not_believed() {
        phone.rows = listOf(
            record(9, "1002", "Bank", missed = true, why = Why.CALLER_GAVE_UP).copy(
                known = false,
                mos = null,
                loss = null,
                codec = null,
                encrypted = null,
                path = null,
                networks = emptyList()
            )
        )
        val facts = screens.record(9).get().facts()
        assertEquals("Bank\nAs the caller says. Nobody has checked it.", facts["Name"])
        listOf("Codec", "Talked for", "Sound quality", "Lost sound", "Network", "Recording").forEach {
            assertFalse(it, it in facts)
        }
    }

    @Test
    fun it_is_called_back_by_its_account_and_written_to() {
        val activity = screens.record(9).get()
        activity.pressWords("Call")
        assertEquals(listOf("call 1 sip:1002@offhook.test"), phone.commands.filter { it.startsWith("call ") })
        shadowOf(activity).nextStartedActivity
        activity.pressWords("Message")
        val thread = shadowOf(activity).nextStartedActivity
        assertEquals(ThreadActivity::class.java.name, thread.component?.className)
        assertEquals("sip:1002@offhook.test", thread.getStringExtra("remote"))
    }

    @Test
    fun who_is_not_in_the_phone_book_is_added_and_who_is_is_shown() {
        val activity = screens.record(9).get()
        activity.pressWords("Add contact")
        val adding = shadowOf(activity).nextStartedActivity
        assertEquals("Ann" to "1002", adding.getStringExtra("name") to adding.getStringExtra("number"))
        phone.book = listOf(contact(4u, "Ann", "1002"))
        phone.emit(Event.Contacts)
        activity.pressWords("Contact")
        assertEquals(4L, shadowOf(activity).nextStartedActivity.getLongExtra("id", 0))
    }

    @Test
    fun a_caller_is_blocked_after_a_question_and_rings_again_by_what_blocks_it() {
        val activity = screens.record(9).get()
        activity.pressWords("Block")
        assertTrue(phone.commands.none { it.startsWith("block") })
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("block 1002 true" in phone.commands)
        phone.noRing = listOf("sip:1002@offhook.test")
        phone.emit(Event.CallLog(0u))
        activity.pressWords("No longer block")
        assertTrue("block sip:1002@offhook.test false" in phone.commands)
    }

    @Test
    fun other_calls_with_the_number_are_below_and_open() {
        val activity = screens.record(9).get()
        val texts = activity.shownTexts()
        assertEquals("Other calls with this number", texts[texts.size - 2])
        assertEquals("Yesterday · 1:05 PM · Missed", texts.last())
        activity.pressWords("Yesterday · 1:05 PM · Missed")
        assertEquals(8L, shadowOf(activity).nextStartedActivity.getLongExtra("id", 0))
    }

    @Test
    fun it_is_deleted_after_a_question_and_the_screen_goes() {
        val activity = screens.record(9).get()
        activity.press(R.id.aside)
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("forgetCalls One(id=9)" in phone.commands)
        assertTrue(activity.isFinishing)
    }

    @Test
    fun a_call_that_is_gone_has_no_screen() = assertTrue(screens.record(77).get().isFinishing)

    @Test
    fun a_caller_who_says_nothing_can_be_neither_blocked_nor_added() {
        phone.rows = listOf(record(9, "", side = Side.IN).copy(remote = ""))
        val texts = screens.record(9).get().shownTexts()
        assertEquals("Unknown caller", texts.first())
        listOf("Call", "Message", "Add contact", "Block").forEach { assertFalse(it, it in texts) }
    }

    @Test
    fun a_recording_is_played_by_another_app_and_one_that_is_gone_is_said() {
        val file = File(screens.app.filesDir, "call.wav").apply { writeText("sound") }
        phone.rows = listOf(record(9, "1002").copy(recording = file.path), record(8, "1").copy(recording = "/gone.wav"))
        val activity = screens.record(9).get()
        activity.pressWords("call.wav")
        val opened = shadowOf(activity).nextStartedActivity
        assertEquals(Intent.ACTION_VIEW to "audio/x-wav", opened.action to opened.type)
        assertEquals("content://org.offhook.app.shared/call.wav", opened.dataString)
        val gone = screens.record(8).get()
        gone.pressWords("gone.wav")
        assertEquals("The recording is no longer there.", gone.text(R.id.mistake))
    }
}
