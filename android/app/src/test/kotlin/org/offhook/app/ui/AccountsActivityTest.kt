package org.offhook.app.ui

import android.app.AlertDialog
import android.view.View
import android.widget.ListView
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.AccountState
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.Field
import org.offhook.core.PhoneException
import org.offhook.core.SettingFault
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

@RunWith(RobolectricTestRunner::class)
class AccountsActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    /** Work, which calls go by; home, which fails; one out of use; one that is damaged. */
    private fun open(): ActivityController<AccountsActivity> {
        phone.list = fourAccounts
        val controller = screens.accounts()
        phone.register(2u, AccountState.FAILED, Step.REGISTER, Why.BAD_CREDENTIALS, number = "2001")
        return controller
    }

    private fun AccountsActivity.row(at: Int): View {
        shadowOf(mainLooper).idle()
        return findViewById<ListView>(R.id.rows).getChildAt(at)
    }

    private fun AccountsActivity.below(at: Int) = row(at).findViewById<TextView>(R.id.row_below).text.toString().bare()

    private fun AccountsActivity.touch(at: Int) =
        findViewById<ListView>(R.id.rows).let { it.performItemClick(row(at), at, 0L) }

    private fun AccountsActivity.more(at: Int) = row(at).findViewById<View>(R.id.row_more).performClick()

    private fun commands() = phone.commands.filter { "ccount" in it }

    @Test
    fun all_are_listed_in_the_users_order_with_how_they_fare_and_which_one_calls_go_by() {
        val activity = open().get()
        assertEquals("Calls go by it\nRegistered as 1001", activity.below(0))
        assertEquals("2001 is not registered\nThe user name or the password is wrong.", activity.below(1))
        assertEquals("Not in use", activity.below(2))
        assertTrue(activity.below(3), activity.below(3).startsWith("Cannot be used: "))
        assertEquals("Work, Calls go by it, Registered as 1001", activity.row(0).contentDescription.toString().bare())
        assertEquals(
            "What can be done with Home",
            activity.row(1).findViewById<View>(R.id.row_more).contentDescription.toString().bare()
        )
    }

    @Test
    fun calls_go_by_another_while_the_one_that_they_should_go_by_does_not_register() {
        val activity = open().get()
        phone.register(state = AccountState.FAILED, step = Step.REGISTER, why = Why.BAD_CREDENTIALS)
        phone.register(2u, number = "2001")
        assertTrue(activity.below(0), activity.below(0).startsWith("Calls should go by it\n1001 is not registered"))
        assertEquals("Calls go by it for now\nRegistered as 2001", activity.below(1))
    }

    @Test
    fun a_touch_opens_an_account_and_a_damaged_one_can_only_be_removed() {
        val activity = open().get()
        activity.touch(1)
        val opened = shadowOf(activity).nextStartedActivity
        assertEquals(AccountActivity::class.java.name, opened.component?.className)
        assertEquals(2, opened.getIntExtra("account", 0))
        activity.touch(3)
        assertNull(shadowOf(activity).nextStartedActivity)
        assertEquals(listOf("Move up", "Remove the account"), offered())
    }

    @Test
    fun what_can_be_done_with_an_account_depends_on_how_it_stands_and_where() {
        val activity = open().get()
        activity.more(0)
        assertEquals(listOf("Take it out of use", "Rename", "Move down", "Remove the account"), offered())
        activity.more(1)
        assertEquals(
            listOf("Use it for calls", "Take it out of use", "Rename", "Move up", "Move down", "Remove the account"),
            offered()
        )
        activity.more(2)
        assertEquals(listOf("Take it into use", "Rename", "Move up", "Move down", "Remove the account"), offered())
    }

    @Test
    fun the_core_does_what_is_chosen() {
        val activity = open().get()
        listOf("Use it for calls", "Take it out of use", "Move up", "Move down").forEach {
            activity.more(1)
            take(it)
        }
        activity.more(2)
        take("Take it into use")
        assertEquals(
            listOf("setDefaultAccount 2", "enableAccount 2 false", "moveAccount 2 0", "moveAccount 2 2") +
                "enableAccount 3 true",
            commands()
        )
    }

    @Test
    fun an_account_that_a_call_goes_by_is_taken_out_of_use_only_after_a_question() {
        val activity = open().get()
        phone.show(state = CallState.ACTIVE)
        activity.more(0)
        take("Take it out of use")
        assertEquals(emptyList<String>(), commands())
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(listOf("enableAccount 1 false"), commands())
    }

    @Test
    fun one_that_cannot_be_used_as_it_is_set_is_opened_and_said() {
        val activity = open().get()
        phone.refusal = PhoneException.BadSetting(Field.SERVER, SettingFault.UNUSABLE, "no")
        activity.more(2)
        take("Take it into use")
        assertEquals("The server cannot be used.", activity.text(R.id.mistake))
        assertEquals(3, shadowOf(activity).nextStartedActivity.getIntExtra("account", 0))
    }

    @Test
    fun a_name_that_is_typed_outlives_a_rotation_and_is_given() {
        val controller = open()
        controller.get().more(1)
        take("Rename")
        typeThere(" Family ")
        controller.recreate()
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(listOf("renameAccount 2 Family"), commands())
    }

    @Test
    fun an_account_is_removed_only_after_a_question_and_is_gone_then() {
        val activity = open().get()
        activity.more(3)
        take("Remove the account")
        answer(AlertDialog.BUTTON_NEGATIVE)
        assertEquals(emptyList<String>(), commands())
        activity.more(3)
        take("Remove the account")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(listOf("removeAccount 4"), commands())
        phone.emit(Event.Accounts)
        assertEquals(3, activity.findViewById<ListView>(R.id.rows).count)
    }

    @Test
    fun what_cannot_be_kept_is_said() {
        val activity = open().get()
        phone.refusal = PhoneException.Store("no")
        activity.more(1)
        take("Move up")
        assertEquals("This phone cannot read or keep that now. Please try again.", activity.text(R.id.mistake))
    }

    @Test
    fun a_lost_password_is_told_in_the_row() {
        val activity = open().get()
        phone.emit(Event.PasswordLost(2u))
        assertTrue(activity.below(1), activity.below(1).startsWith("The password can no longer be read"))
    }

    @Test
    fun one_account_alone_needs_no_word_on_calls_and_without_any_that_is_said() {
        val activity = screens.accounts().get()
        assertEquals("Registered as 1001", activity.below(0))
        phone.list = emptyList()
        phone.emit(Event.Accounts)
        assertEquals("No account yet.", activity.text(R.id.nothing))
        assertFalse(activity.sees(R.id.rows))
    }

    @Test
    fun from_here_one_comes_to_another_account_to_one_by_a_link_and_to_backups() {
        val activity = open().get()
        activity.press(R.id.aside)
        val another = shadowOf(activity).nextStartedActivity
        assertEquals(AccountActivity.another(activity).action, another.action)
        activity.press(R.id.menu)
        take("Account by link or QR code")
        assertEquals(OfferActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        activity.press(R.id.menu)
        take("Backup")
        assertEquals(BackupActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }
}
