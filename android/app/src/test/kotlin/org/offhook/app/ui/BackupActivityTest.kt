package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.os.Looper
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.InputStream
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.BackupContents
import org.offhook.core.BackupCount
import org.offhook.core.BackupException
import org.offhook.core.BackupPart
import org.offhook.core.BackupPasswords
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

@RunWith(RobolectricTestRunner::class)
class BackupActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val document = Uri.parse("content://documents/1")
    private val copy get() = File(screens.app.cacheDir, "restore/backup.json")

    private fun open(): ActivityController<BackupActivity> =
        Robolectric.buildActivity(BackupActivity::class.java).setup()

    private fun idle() = shadowOf(Looper.getMainLooper()).idle()

    /** The platform's picker answers with [document]. */
    private fun answer(activity: BackupActivity, action: String) {
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(action, asked.intent.action)
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(document))
        idle()
    }

    /** A file with [text] in it is chosen. */
    private fun chosen(activity: BackupActivity, text: String = "a backup") =
        chosen(activity) { text.byteInputStream() }

    private fun chosen(activity: BackupActivity, from: () -> InputStream) {
        shadowOf(screens.app.contentResolver).registerInputStreamSupplier(document) { from() }
        activity.press(R.id.choose)
        answer(activity, Intent.ACTION_OPEN_DOCUMENT)
    }

    private fun withPasswords(activity: BackupActivity, passphrase: String, again: String = passphrase) {
        activity.choose(R.id.with_passwords)
        activity.type(R.id.passphrase, passphrase)
        activity.type(R.id.passphrase_again, again)
    }

    private fun commands() = phone.commands.filter { it.startsWith("backUp") || it.startsWith("restore") }

    @Test
    fun a_backup_is_saved_where_the_user_says_with_what_is_in_it_and_no_copy_stays() {
        phone.contents = BackupContents(
            listOf(BackupCount(BackupPart.ACCOUNTS, 2u), BackupCount(BackupPart.CALLS, 41u)) +
                BackupCount(BackupPart.DRAFTS, 0u),
            0u
        )
        val written = ByteArrayOutputStream()
        shadowOf(screens.app.contentResolver).registerOutputStream(document, written)
        val activity = open().get()
        activity.press(R.id.save)
        val name = shadowOf(activity).peekNextStartedActivityForResult().intent.getStringExtra(Intent.EXTRA_TITLE)
        assertEquals("offhook-backup-2026-11-27.json", name)
        answer(activity, Intent.ACTION_CREATE_DOCUMENT)
        assertEquals("a backup", written.toString())
        assertEquals(listOf("backUp -"), commands())
        assertEquals("Saved. \nAccounts: 2\nCalls: 41", activity.text(R.id.notice_text))
        assertEquals(emptyList<File>(), File(screens.app.cacheDir, "shared").listFiles()?.toList())
        assertFalse(activity.sees(R.id.busy))
    }

    @Test
    fun passwords_go_with_it_only_under_a_passphrase_that_was_typed_twice() {
        shadowOf(screens.app.contentResolver).registerOutputStream(document, ByteArrayOutputStream())
        val activity = open().get()
        assertFalse(activity.sees(R.id.passphrase))
        withPasswords(activity, "")
        activity.press(R.id.save)
        assertEquals("Enter a passphrase.", activity.text(R.id.passphrase_mistake))
        activity.type(R.id.passphrase, "horse")
        activity.type(R.id.passphrase_again, "house")
        activity.press(R.id.share)
        assertEquals("This is not the same passphrase.", activity.text(R.id.passphrase_mistake))
        assertNull(shadowOf(activity).nextStartedActivity)
        activity.type(R.id.passphrase_again, "horse")
        activity.press(R.id.save)
        assertFalse(activity.sees(R.id.passphrase_mistake))
        answer(activity, Intent.ACTION_CREATE_DOCUMENT)
        assertEquals(listOf("backUp horse"), commands())
        assertEquals("it is not needed any more", "", activity.text(R.id.passphrase))
    }

    @Test
    fun a_passphrase_outlives_a_rotation_and_no_more() {
        val controller = open()
        withPasswords(controller.get(), "horse")
        assertEquals("horse", controller.recreate().get().text(R.id.passphrase_again))
        val state = Bundle()
        controller.saveInstanceState(state)
        val other = Robolectric.buildActivity(BackupActivity::class.java).setup(state).get()
        assertTrue(other.sees(R.id.passphrase))
        assertEquals("", other.text(R.id.passphrase))
    }

    @Test
    fun an_answer_of_the_picker_that_comes_when_the_passphrase_is_gone_backs_up_nothing() {
        val activity = open().get()
        withPasswords(activity, "horse")
        activity.press(R.id.save)
        activity.type(R.id.passphrase, "")
        answer(activity, Intent.ACTION_CREATE_DOCUMENT)
        assertEquals("Enter a passphrase.", activity.text(R.id.passphrase_mistake))
        assertEquals(emptyList<String>(), commands())
    }

    @Test
    fun a_backup_is_shared_as_a_file() {
        val activity = open().get()
        activity.press(R.id.share)
        val chooser = shadowOf(activity).nextStartedActivity

        @Suppress("DEPRECATION")
        val sent = chooser.getParcelableExtra<Intent>(Intent.EXTRA_INTENT)!!

        @Suppress("DEPRECATION")
        val uri = sent.getParcelableExtra<Uri>(Intent.EXTRA_STREAM)!!
        assertEquals("application/json", sent.type)
        assertEquals("a backup", File(screens.app.cacheDir, "shared/${uri.lastPathSegment}").readText())
        assertFalse(activity.sees(R.id.busy))
    }

    @Test
    fun what_cannot_be_backed_up_is_said() {
        val activity = open().get()
        phone.backupTrouble = BackupException.NoMemory()
        activity.press(R.id.share)
        assertTrue(activity.text(R.id.mistake).startsWith("There is not enough memory"))
        assertTrue(activity.sees(R.id.save))
    }

    @Test
    fun a_backup_is_shown_before_it_is_restored_and_then_what_came_of_it() {
        phone.backup = backup(BackupPasswords.None)
        val activity = open().get()
        chosen(activity)
        assertEquals("a backup", copy.readText())
        assertEquals(emptyList<String>(), commands())
        assertTrue(activity.text(R.id.found_title).startsWith("Backup of Thursday, November 26, 2026"))
        val shown = activity.shownTexts()
        assertTrue("$shown", shown.containsAll(listOf("Accounts", "New: 1\nHere already: 1", "Contacts", "New: 40")))
        assertFalse("$shown", "Messages" in shown)
        assertFalse(activity.sees(R.id.locked))
        activity.press(R.id.take)
        assertEquals(listOf("restore -"), commands())
        assertEquals("Restored", activity.text(R.id.found_title))
        assertTrue("Added: 1\nHere already: 1" in activity.shownTexts())
        assertFalse("nothing of it is left", copy.exists())
        activity.press(R.id.done)
        assertTrue(activity.isFinishing)
    }

    @Test
    fun locked_passwords_are_opened_by_the_passphrase_and_a_wrong_one_is_said() {
        phone.backup = backup(BackupPasswords.Locked)
        val activity = open().get()
        chosen(activity)
        phone.backupTrouble = BackupException.WrongPassphrase()
        activity.press(R.id.unlock)
        assertEquals("Enter a passphrase.", activity.text(R.id.found_mistake))
        activity.type(R.id.unlock_passphrase, "house")
        activity.press(R.id.unlock)
        assertTrue(activity.text(R.id.found_mistake).startsWith("The passphrase is wrong"))
        phone.backup = backup(BackupPasswords.Unlocked(1u, 1u))
        activity.type(R.id.unlock_passphrase, "horse")
        activity.press(R.id.unlock)
        assertFalse(activity.sees(R.id.locked))
        assertEquals(
            "Accounts whose passwords come with it: 1\n" +
                "Accounts whose passwords stay out, for they are set differently here: 1",
            activity.text(R.id.found_passwords)
        )
        activity.press(R.id.take)
        assertEquals(listOf("restore horse"), commands())
    }

    @Test
    fun without_the_passphrase_the_rest_is_restored_after_a_question() {
        phone.backup = backup(BackupPasswords.Locked)
        val activity = open().get()
        chosen(activity)
        activity.press(R.id.take)
        answer(AlertDialog.BUTTON_NEGATIVE)
        assertEquals(emptyList<String>(), commands())
        activity.press(R.id.take)
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(listOf("restore -"), commands())
    }

    @Test
    fun what_is_looked_at_outlives_a_rotation_and_is_gone_with_the_screen() {
        phone.backup = backup(BackupPasswords.Locked)
        val controller = open()
        chosen(controller.get())
        controller.get().type(R.id.unlock_passphrase, "ho")
        val turned = controller.recreate().get()
        assertTrue(turned.sees(R.id.found_title))
        assertEquals("ho", turned.text(R.id.unlock_passphrase))
        assertTrue(copy.exists())
        controller.pause().stop().destroy()
        assertFalse(copy.exists())
    }

    @Test
    fun one_that_is_not_wanted_is_gone_and_another_can_be_chosen() {
        phone.backup = backup(BackupPasswords.None)
        val activity = open().get()
        chosen(activity)
        activity.press(R.id.refuse)
        assertFalse(copy.exists())
        assertTrue(activity.sees(R.id.choose))
    }

    @Test
    fun a_file_that_is_none_or_cannot_be_read_is_said_and_not_kept() {
        val activity = open().get()
        chosen(activity, "BEGIN:VCARD")
        assertEquals("This is not a backup of Offhook.", activity.text(R.id.mistake))
        assertFalse(copy.exists())
        chosen(activity) { throw SecurityException() }
        assertEquals("The file cannot be read or written. Please try again.", activity.text(R.id.mistake))
        activity.press(R.id.share)
        assertFalse("it is no matter any more", activity.sees(R.id.mistake))
        chosen(activity, "BEGIN:VCARD")
        phone.backup = backup(BackupPasswords.None)
        chosen(activity)
        assertFalse(activity.sees(R.id.mistake))
    }

    @Test
    fun a_file_without_an_end_is_read_no_further_than_a_backup_may_be_long() {
        val activity = open().get()
        var read = 0L
        chosen(activity) {
            object : InputStream() {
                override fun read() = 1

                override fun read(into: ByteArray, from: Int, length: Int): Int = length.also { read += it }
            }
        }
        assertEquals("This file is too long to be a backup.", activity.text(R.id.mistake))
        assertTrue("$read", read < 129L * 1024 * 1024)
        assertFalse(copy.exists())
    }

    @Test
    fun a_restore_that_fails_is_said_and_can_be_tried_again() {
        phone.backup = backup(BackupPasswords.None)
        val activity = open().get()
        chosen(activity)
        phone.backupTrouble = BackupException.Store("no")
        activity.press(R.id.take)
        assertEquals(
            "This phone cannot read or keep that now. Please try again.",
            activity.text(R.id.found_mistake)
        )
        activity.press(R.id.take)
        assertEquals("Restored", activity.text(R.id.found_title))
    }

    @Test
    fun a_day_that_nobody_believes_is_not_told() {
        phone.backup = backup(BackupPasswords.None).copy(madeMs = Long.MAX_VALUE)
        val activity = open().get()
        chosen(activity)
        assertEquals("Backup", activity.text(R.id.found_title))
    }
}
