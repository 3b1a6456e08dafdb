package org.offhook.app.ui

import android.Manifest
import android.app.Activity
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
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
import org.robolectric.shadows.ShadowAlertDialog

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

    private fun called() = phone.commands.filter { it.startsWith("call") }

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

    private fun DialActivity.hold() = findViewById<View>(R.id.call).performLongClick()

    private fun DialActivity.canBeHeld() = findViewById<View>(R.id.call).createAccessibilityNodeInfo().actionList
        .any { it.id == AccessibilityNodeInfo.ACTION_LONG_CLICK }

    @Test
    fun the_call_button_held_down_calls_by_another_account_for_once() {
        val activity = two().get()
        assertTrue(activity.canBeHeld())
        activity.key("1002")
        activity.hold()
        assertEquals(listOf("1001@offhook.test", "2001@offhook.test"), offered())
        take("2001@offhook.test")
        activity.key("1002")
        activity.press(R.id.call)
        assertEquals(listOf("call 2 1002", "call - 1002"), called())
    }

    @Test
    fun a_call_by_another_account_waits_for_the_microphone_also_when_the_screen_is_turned() {
        screens.deny(Manifest.permission.RECORD_AUDIO)
        val controller = two()
        controller.get().key("1002")
        controller.get().hold()
        take("2001@offhook.test")
        val activity = controller.recreate().get()
        screens.allow(Manifest.permission.RECORD_AUDIO)
        activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.RECORD_AUDIO), intArrayOf(0))
        assertEquals(listOf("call 2 1002"), called())
    }

    @Test
    fun an_account_that_is_not_in_use_is_not_offered_and_with_one_alone_there_is_nothing_to_choose() {
        val activity = two().get()
        phone.list = phone.list.map { it.copy(enabled = it.account == 1u) }
        phone.emit(Event.Accounts)
        assertFalse(activity.canBeHeld())
        activity.key("1002")
        activity.hold()
        assertNull(ShadowAlertDialog.getLatestAlertDialog())
    }
}
