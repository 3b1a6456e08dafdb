package org.offhook.app.core

import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.net.Uri
import android.view.View
import android.widget.ListView
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.ui.AccountsActivity
import org.offhook.app.ui.BackupActivity
import org.offhook.app.ui.answer
import org.offhook.app.ui.choose
import org.offhook.app.ui.press
import org.offhook.app.ui.sees
import org.offhook.app.ui.shownTexts
import org.offhook.app.ui.take
import org.offhook.app.ui.text
import org.offhook.app.ui.type
import org.offhook.app.ui.typeThere
import org.offhook.core.AccountSettings
import org.offhook.core.Transport
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** The list of accounts, and backups, on the core itself. */
@RunWith(RobolectricTestRunner::class)
class AccountsCoreTest : AppOnCore() {
    /** Two accounts at a server that nobody answers at. */
    private fun begin() {
        for (number in listOf("1001", "2001")) {
            val settings = AccountSettings(number, "127.0.0.1:9", "", "", "", Transport.UDP, true)
            app.core.ask { addAccount(settings, "secret-$number") }.getOrThrow()
        }
        until("kept") { app.core.kept.size == 2 && app.core.accounts.size == 2 }
    }

    private fun AccountsActivity.doWith(at: Int, words: String) {
        findViewById<ListView>(R.id.rows).getChildAt(at).findViewById<View>(R.id.row_more).performClick()
        take(words)
    }

    private fun kept() = app.core.kept.map { it.name }

    @Test
    fun an_account_is_renamed_moved_used_for_calls_and_taken_out_of_use_and_into_it_again() {
        begin()
        val list = screen<AccountsActivity>()
        list.doWith(1, "Rename")
        typeThere("Home")
        answer(AlertDialog.BUTTON_POSITIVE)
        until("renamed") { kept().last() == "Home" }
        list.doWith(1, "Move up")
        until("moved") { kept().first() == "Home" && "Home" in list.shownTexts() }
        list.doWith(0, "Use it for calls")
        until("the default") { app.core.kept.first().default }
        val id = app.core.kept.first().account
        list.doWith(0, "Take it out of use")
        until("out of use") { "Not in use" in list.shownTexts() }
        assertTrue(app.core.accounts.none { it.account == id })
        list.doWith(0, "Take it into use")
        until("in use") { app.core.accounts.any { it.account == id } && "Not in use" !in list.shownTexts() }
        list.doWith(0, "Remove the account")
        answer(AlertDialog.BUTTON_POSITIVE)
        until("removed") { app.core.kept.size == 1 && app.core.accounts.size == 1 }
    }

    @Test
    fun an_account_that_was_backed_up_with_its_password_and_removed_comes_back_with_it() {
        begin()
        val screen = screen<BackupActivity>()
        screen.choose(R.id.with_passwords)
        screen.type(R.id.passphrase, "horse")
        screen.type(R.id.passphrase_again, "horse")
        screen.press(R.id.share)
        until("written") { shadowOf(screen).peekNextStartedActivity() != null }
        val file = File(app.cacheDir, "shared").listFiles()!!.single()
        val written = file.readText()
        assertTrue("2001" in written && "secret-2001" !in written)

        app.core.removeAccount(app.core.kept.last().account).getOrThrow()
        until("removed") { app.core.kept.size == 1 }
        screen.press(R.id.choose)
        val asked = shadowOf(screen).nextStartedActivityForResult
        val from = Uri.parse("content://documents/1")
        shadowOf(app.contentResolver).registerInputStream(from, written.byteInputStream())
        shadowOf(screen).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(from))
        until("looked at") { screen.sees(R.id.unlock) }
        assertTrue("New: 1\nHere already: 1" in screen.shownTexts())
        screen.type(R.id.unlock_passphrase, "house")
        screen.press(R.id.unlock)
        until("refused") { screen.text(R.id.found_mistake).startsWith("The passphrase is wrong") }
        screen.type(R.id.unlock_passphrase, "horse")
        screen.press(R.id.unlock)
        until("unlocked") { !screen.sees(R.id.unlock) }
        screen.press(R.id.take)
        until("restored") { screen.text(R.id.found_title) == "Restored" && app.core.accounts.size == 2 }
        assertEquals(emptySet<UInt>(), app.core.passwordsLost)
    }
}
