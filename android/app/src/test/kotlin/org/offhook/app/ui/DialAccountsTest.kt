package org.offhook.app.ui

import android.app.Activity
import android.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.AccountState
import org.offhook.core.Event
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** The dialpad where there are several accounts, or none that is in use. */
@RunWith(RobolectricTestRunner::class)
class DialAccountsTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun two() = screens.dial().also {
        phone.register(2u, number = "2001")
        phone.emit(Event.Accounts)
    }

    private fun opened(activity: Activity) = shadowOf(activity).nextStartedActivity.component?.className

    @Test
    fun the_head_shows_the_account_that_calls_go_by_and_leads_to_all() {
        val activity = two().get()
        assertEquals("1001@offhook.test\nRegistered as 1001", activity.text(R.id.registration).bare())
        phone.list = phone.list.map { it.copy(default = it.account == 2u, name = "Home") }
        phone.emit(Event.Accounts)
        assertEquals("Home\nRegistered as 2001", activity.text(R.id.registration).bare())
        assertEquals(
            "Home. Registered as 2001. Opens the accounts",
            activity.findViewById<View>(R.id.header).contentDescription.toString().bare()
        )
        phone.register(2u, AccountState.FAILED, Step.REGISTER, Why.BAD_CREDENTIALS, number = "2001")
        assertEquals("Home\nRegistered as 1001", activity.text(R.id.registration).bare())
        activity.press(R.id.header)
        assertEquals(AccountsActivity::class.java.name, opened(activity))
    }

    @Test
    fun with_none_in_use_that_is_said_and_the_accounts_can_be_looked_at() {
        phone.list = phone.list.map { it.copy(enabled = false) }
        val activity = screens.dial().get()
        assertFalse("it is not as if there were none", activity.sees(R.id.first))
        assertEquals("No account is in use", activity.text(R.id.registration))
        assertTrue(activity.text(R.id.notice_text).startsWith("Calls do not reach this phone."))
        activity.press(R.id.notice_button)
        assertEquals(AccountsActivity::class.java.name, opened(activity))
        phone.list = phone.list.map { it.copy(enabled = true) }
        phone.register()
        phone.emit(Event.Accounts)
        assertEquals("Registered as 1001", activity.text(R.id.registration).bare())
    }

    @Test
    fun the_last_account_that_is_taken_out_of_use_is_so_at_once() {
        val activity = screens.dial().get()
        phone.list = phone.list.map { it.copy(enabled = false) }
        phone.emit(Event.Accounts)
        assertEquals("No account is in use", activity.text(R.id.registration))
        phone.list = emptyList()
        phone.emit(Event.Accounts)
        assertTrue(activity.sees(R.id.first))
    }
}
