package org.offhook.app.core

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.widget.EditText
import android.widget.ListView
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.ui.ContactActivity
import org.offhook.app.ui.ContactEditActivity
import org.offhook.app.ui.ContactsActivity
import org.offhook.app.ui.LogActivity
import org.offhook.app.ui.MessagesActivity
import org.offhook.app.ui.RecordActivity
import org.offhook.app.ui.ThreadActivity
import org.offhook.app.ui.answer
import org.offhook.app.ui.press
import org.offhook.app.ui.pressWords
import org.offhook.app.ui.shownTexts
import org.offhook.app.ui.take
import org.offhook.app.ui.text
import org.offhook.app.ui.type
import org.offhook.app.ui.typeThere
import org.offhook.core.AccountSettings
import org.offhook.core.AccountState
import org.offhook.core.CallFilter
import org.offhook.core.CallState
import org.offhook.core.Transport
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** The screens of people and of the calls with them, on the core itself. */
@RunWith(RobolectricTestRunner::class)
class PeopleCoreTest : AppOnCore() {
    private fun begin() {
        app.core
    }

    private fun ContactsActivity.listed() = findViewById<ListView>(R.id.rows).adapter.count

    @Test
    fun a_contact_is_typed_in_grouped_shared_deleted_and_imported_again() {
        begin()
        screen<ContactEditActivity>().apply {
            type(R.id.name, "Zoë Müller")
            findViewById<EditText>(R.id.number).setText("+49 30 123456")
            press(R.id.save)
            until("saved") { isFinishing }
        }
        val list = screen<ContactsActivity>()
        until("listed") { list.listed() == 1 }
        val id = app.core.ask { searchContacts("mull", 1u) }.getOrThrow().single().contact.id
        val person = screen<ContactActivity>(ContactActivity.intent(app, id))
        until("shown") { "None yet" in person.shownTexts() }
        person.pressWords("None yet")
        typeThere("Choir")
        answer(AlertDialog.BUTTON_POSITIVE)
        until("in the group") { "Choir" in person.shownTexts() }

        until("a part of the list") { "Choir" in list.shownTexts() }
        list.pressWords("Choir")
        list.press(R.id.menu)
        take("Share these contacts")
        val file = File(app.cacheDir, "shared/offhook-contacts.vcf")
        until("shared") { file.exists() && file.readText().endsWith("END:VCARD\r\n") }
        val card = file.readBytes()

        person.press(R.id.menu)
        take("Delete contact")
        answer(AlertDialog.BUTTON_POSITIVE)
        until("gone") { list.listed() == 0 && person.isFinishing }
        list.press(R.id.menu)
        take("Import a file (vCard)")
        val asked = shadowOf(list).nextStartedActivityForResult
        val from = Uri.parse("content://documents/1")
        shadowOf(app.contentResolver).registerInputStream(from, card.inputStream())
        shadowOf(list).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(from))
        until("imported") { list.text(R.id.notice_text) == "1 contact was imported." && list.listed() == 1 }
        assertTrue("Zoë Müller" in list.shownTexts())
    }

    @Test
    fun a_call_that_was_is_in_the_log_with_its_facts_and_can_be_deleted() {
        Exchange().use { exchange ->
            Peer("1002", exchange, folders.newFolder()).use { peer ->
                begin()
                app.core.ask { addAccount(TestPhone.settings("1001", exchange), "secret-1001") }.getOrThrow()
                until("registered") { app.core.accounts.any { it.state == AccountState.REGISTERED } }
                val call = app.core.ask { call(null, "1002") }.getOrThrow()
                peer.say("""{"cmd":"answer","call":${peer.ringing()}}""")
                until("active") { app.core.call(call)?.state == CallState.ACTIVE }
                app.core.ask { hangUp(call) }.getOrThrow()
                until("ended") { app.core.call(call) == null }
            }
        }
        var id: Long? = null
        until("closed in the log") {
            val newest = app.core.ask { callLog(CallFilter(), null, 1u) }.getOrThrow().firstOrNull()
            id = newest?.takeIf { it.endedMs != null }?.id
            id != null
        }
        val log = screen<LogActivity>()
        until("listed") { "1002" in log.shownTexts() }
        val record = screen<RecordActivity>(RecordActivity.intent(app, id!!))
        until("shown") { "Kind" in record.shownTexts() }
        val texts = record.shownTexts()
        val facts = texts.zip(texts.drop(1)).toMap()
        assertEquals("Outgoing", facts["Kind"])
        assertEquals("You ended the call.", facts["Why it ended"])
        assertEquals("1001", facts["Account"])
        assertTrue("Codec" in facts && "Encryption" in facts && "Talked for" in facts)
        record.press(R.id.aside)
        answer(AlertDialog.BUTTON_POSITIVE)
        until("gone") { record.isFinishing && "No calls yet." in log.shownTexts() }
    }

    @Test
    fun what_is_begun_is_in_the_list_below_at_once_and_gone_when_it_is_taken_out() {
        begin()
        val nowhere = AccountSettings("1001", "offhook.test", "", "", "", Transport.AUTOMATIC, true)
        app.core.ask { addAccount(nowhere, "secret-1001") }.getOrThrow()
        val list = Robolectric.buildActivity(MessagesActivity::class.java).setup()

        fun thread() = Robolectric.buildActivity(
            ThreadActivity::class.java,
            ThreadActivity.intent(app, "1005", "1005", "1005")
        ).also {
            list.pause()
            it.setup()
            list.stop()
        }

        // As the platform has it: the list comes back before what lay over it has stopped.
        fun ActivityController<ThreadActivity>.leave() {
            pause()
            list.restart().start().resume()
            stop()
        }
        val first = thread()
        first.get().type(R.id.text, "See you")
        first.leave()
        until("listed") { list.get().shownTexts().any { it.endsWith("Draft: See you") } }
        val again = thread()
        until("in the field again") { again.get().text(R.id.text) == "See you" }
        again.get().type(R.id.text, "")
        again.leave()
        until("gone") { "No messages yet." in list.get().shownTexts() }
    }
}
