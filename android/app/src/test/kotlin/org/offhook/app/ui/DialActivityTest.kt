package org.offhook.app.ui

import android.Manifest
import android.content.Intent
import android.net.Uri
import android.telecom.TelecomManager
import android.view.View
import android.widget.EditText
import java.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.AccountState
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.Step
import org.offhook.core.TargetFault
import org.offhook.core.Why
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowTelecomManager

@RunWith(RobolectricTestRunner::class)
class DialActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun open(link: String) = Robolectric.buildActivity(
        DialActivity::class.java,
        Intent(Intent.ACTION_DIAL, Uri.parse(link))
    ).setup().get()

    private val DialActivity.number get() = text(R.id.number)

    @Test
    @Config(sdk = [28, 31, 35])
    fun keys_type_a_number_and_the_call_button_calls_it() {
        val activity = screens.dial().get()
        activity.key("*31#1002")
        activity.press(R.id.call)
        assertEquals(listOf("call - *31#1002"), phone.commands.filter { it.startsWith("call") })
        val started = shadowOf(activity).nextStartedActivity
        assertEquals(CallActivity::class.java.name, started.component?.className)
        assertEquals("", activity.number)
    }

    @Test
    fun zero_held_down_is_a_plus() {
        val activity = screens.dial().get()
        activity.findViewById<View>(R.id.keys).findViewWithTag<View>("0").performLongClick()
        activity.key("49")
        assertEquals("+49", activity.number)
    }

    @Test
    fun backspace_takes_a_whole_character_and_held_down_all() {
        val activity = screens.dial().get()
        activity.type(R.id.number, "10😀")
        activity.findViewById<EditText>(R.id.number).setSelection(4)
        activity.press(R.id.backspace)
        assertEquals("10", activity.number)
        activity.findViewById<View>(R.id.backspace).performLongClick()
        assertEquals("", activity.number)
        assertFalse(activity.sees(R.id.backspace))
    }

    @Test
    fun keys_type_where_the_cursor_is_and_over_what_is_marked() {
        val activity = screens.dial().get()
        activity.key("1234")
        activity.findViewById<EditText>(R.id.number).setSelection(1, 3)
        activity.key("9")
        assertEquals("194", activity.number)
    }

    @Test
    fun the_call_button_without_a_number_brings_back_the_last_one() {
        val activity = screens.dial().get()
        activity.press(R.id.call)
        assertEquals("Enter a number.", activity.text(R.id.mistake))
        activity.key("1002")
        activity.press(R.id.call)
        activity.press(R.id.call)
        assertEquals("1002", activity.number)
        assertEquals(1, phone.commands.count { it.startsWith("call") })
    }

    @Test
    @Config(sdk = [28, 31, 35])
    fun a_number_that_calls_for_help_is_given_to_the_phones_own_dialer() {
        val activity = screens.dial().get()
        val telecom = shadowOf(activity.getSystemService(TelecomManager::class.java))
        activity.key("112")
        // Without such a dialer, or where that is this app, it is said.
        for (dialer in listOf(null, activity.packageName)) {
            telecom.setDialer(dialer)
            phone.refusal = PhoneException.BadTarget(TargetFault.EMERGENCY, "no")
            activity.press(R.id.call)
            assertNull(shadowOf(activity).nextStartedActivity)
            assertTrue(activity.sees(R.id.mistake))
        }
        telecom.setDialer("com.example.dialer")
        phone.refusal = PhoneException.BadTarget(TargetFault.EMERGENCY, "no")
        activity.press(R.id.call)
        val started = shadowOf(activity).nextStartedActivity
        assertEquals(Intent.ACTION_DIAL to "tel:112", started.action to started.dataString)
        assertEquals("com.example.dialer", started.`package`)
    }

    private fun ShadowTelecomManager.setDialer(name: String?) {
        setDefaultDialerPackage(name)
        setSystemDialerPackage(name)
    }

    @Test
    fun what_cannot_be_called_is_said_beside_the_field_until_it_is_changed() {
        val activity = screens.dial().get()
        activity.key("1")
        phone.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        activity.press(R.id.call)
        assertEquals("That is neither a number nor an address.", activity.text(R.id.mistake))
        assertTrue(activity.sees(R.id.mistake))
        activity.key("2")
        assertFalse(activity.sees(R.id.mistake))
    }

    @Test
    fun a_megabyte_that_is_pasted_is_refused_in_words_and_changes_nothing() {
        val activity = screens.dial().get()
        activity.key("12")
        activity.findViewById<EditText>(R.id.number).text.insert(2, "3".repeat(1_000_000))
        assertEquals("12", activity.number)
        assertTrue(activity.sees(R.id.mistake))
        assertEquals("That is too long to be a number or an address.", activity.text(R.id.mistake))
    }

    @Test
    fun half_an_emoji_is_an_error_in_words() {
        val activity = screens.dial().get()
        activity.type(R.id.number, "12\uD83D")
        phone.refusal = PhoneException.BadArgument("that is no text")
        activity.press(R.id.call)
        assertEquals("That did not work.", activity.text(R.id.mistake))
        activity.press(R.id.backspace)
        activity.press(R.id.backspace)
    }

    @Test
    fun links_fill_in_their_number_and_call_nobody() {
        assertEquals("+4930123456", open("tel:%2B4930123456").number)
        assertEquals("bob@example.com", open("sip:bob@example.com").number)
        assertEquals("", open("https://example.com").number)
        assertEquals(emptyList<String>(), phone.commands.filter { it.startsWith("call") })
    }

    @Test
    fun a_link_of_a_megabyte_leaves_an_empty_field_with_an_error() {
        val activity = open("tel:" + "1".repeat(1_000_000))
        assertEquals("", activity.number)
        assertTrue(activity.sees(R.id.mistake))
    }

    @Test
    fun the_number_outlives_a_rotation() {
        val controller = screens.dial()
        controller.get().key("1002")
        controller.recreate()
        assertEquals("1002", controller.get().number)
    }

    @Test
    fun the_head_says_how_the_account_stands_and_leads_to_it() {
        val activity = screens.dial().get()
        assertEquals("Registered as 1001", activity.text(R.id.registration).bare())
        phone.register(state = AccountState.REGISTERING, step = Step.FIND)
        assertEquals("Registering 1001…", activity.text(R.id.registration).bare())
        activity.press(R.id.header)
        assertEquals(
            AccountActivity::class.java.name,
            shadowOf(activity).nextStartedActivity.component?.className
        )
    }

    @Test
    fun a_failed_registration_says_why_when_it_is_tried_again_and_can_be_tried_now() {
        val activity = screens.dial().get()
        phone.emit(failed(Step.REACH, Why.SERVER_SILENT, Duration.ofSeconds(90)))
        assertEquals("The server does not answer.", activity.text(R.id.notice_text))
        assertTrue(activity.text(R.id.notice_retry).startsWith("Tries again in 01:"))
        activity.press(R.id.notice_button)
        assertEquals(listOf("register 1"), phone.commands.filter { it.startsWith("register") })
        phone.register()
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    fun a_registration_that_failed_for_good_says_so() {
        val activity = screens.dial().get()
        phone.register(state = AccountState.FAILED, step = Step.REGISTER, why = Why.BAD_CREDENTIALS)
        assertTrue(activity.text(R.id.notice_text).endsWith("It is not tried again by itself."))
        assertFalse(activity.sees(R.id.notice_retry))
    }

    @Test
    fun an_account_that_is_not_even_tried_is_to_be_looked_at() {
        val activity = screens.dial().get()
        phone.register(state = AccountState.UNREGISTERED, step = Step.FIND)
        activity.press(R.id.notice_button)
        assertEquals(AccountActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun without_the_microphone_no_call_is_made_and_the_way_to_the_settings_is_shown() {
        screens.deny(Manifest.permission.RECORD_AUDIO)
        val activity = screens.dial().get()
        activity.key("1002")
        activity.press(R.id.call)
        val asked = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.RECORD_AUDIO), asked.requestedPermissions.toList())
        activity.onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, intArrayOf(-1))
        assertEquals(emptyList<String>(), phone.commands.filter { it.startsWith("call") })
        assertTrue(activity.text(R.id.notice_text).startsWith("Without the microphone nobody can hear you."))
        activity.press(R.id.notice_button)
        assertEquals(
            android.provider.Settings.ACTION_APPLICATION_DETAILS_SETTINGS,
            shadowOf(activity).nextStartedActivity.action
        )
    }

    @Test
    fun a_microphone_that_is_allowed_calls_what_was_typed() {
        screens.deny(Manifest.permission.RECORD_AUDIO)
        val activity = screens.dial().get()
        activity.key("1002")
        activity.press(R.id.call)
        screens.allow(Manifest.permission.RECORD_AUDIO)
        activity.onRequestPermissionsResult(1, arrayOf(Manifest.permission.RECORD_AUDIO), intArrayOf(0))
        assertEquals(listOf("call - 1002"), phone.commands.filter { it.startsWith("call") })
    }

    @Test
    fun a_call_that_is_up_can_be_returned_to() {
        val activity = screens.dial().get()
        assertFalse(activity.sees(R.id.to_call))
        phone.show(state = CallState.ACTIVE, name = "Bob")
        assertEquals("In a call with Bob. Return to it", activity.text(R.id.to_call).bare())
        activity.press(R.id.to_call)
        assertEquals(CallActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        phone.show(state = CallState.ENDED, why = Why.THEY_ENDED)
        assertFalse(activity.sees(R.id.to_call))
    }

    @Test
    fun a_lost_password_is_told_and_leads_to_the_account() {
        val activity = screens.dial().get()
        phone.emit(Event.PasswordLost(1u))
        assertTrue(activity.text(R.id.notice_text).startsWith("The password can no longer be read"))
        activity.press(R.id.notice_button)
        assertEquals(AccountActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun a_password_that_was_lost_while_no_screen_was_open_is_told_until_the_account_registers() {
        screens.app.core
        phone.emit(Event.PasswordLost(1u))
        val activity = screens.dial().get()
        assertTrue(activity.text(R.id.notice_text).startsWith("The password can no longer be read"))
        phone.register()
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    fun a_screen_in_the_background_listens_no_more() {
        val controller = screens.dial()
        controller.pause().stop()
        phone.emit(failed(Step.REACH, Why.SERVER_SILENT, null))
        assertFalse(controller.get().sees(R.id.notice))
    }

    @Test
    fun calls_that_cannot_light_up_the_screen_are_told_with_a_way_to_the_settings() {
        screens.deny(FULL_SCREEN)
        val activity = screens.dial().get()
        assertEquals("Incoming calls cannot light up the screen.", activity.text(R.id.notice_text))
        activity.press(R.id.notice_button)
        val settings = shadowOf(activity).nextStartedActivity
        assertEquals(android.provider.Settings.ACTION_MANAGE_APP_USE_FULL_SCREEN_INTENT, settings.action)
        assertEquals("package:${activity.packageName}", settings.dataString)
    }

    @Test
    fun a_screen_that_is_to_stay_dark_is_told_of_again_only_when_it_was_allowed_in_between() {
        screens.deny(FULL_SCREEN)
        screens.dial().get().run {
            press(R.id.notice_dismiss)
            assertFalse(sees(R.id.notice))
        }
        assertFalse(screens.dial().get().sees(R.id.notice))
        screens.allow(FULL_SCREEN)
        assertFalse(screens.dial().get().sees(R.id.notice))
        screens.deny(FULL_SCREEN)
        assertTrue(screens.dial().get().sees(R.id.notice))
    }

    @Test
    fun at_the_first_start_nothing_is_said_of_the_dark_screen() {
        val first = Screens(FakePhone()).apply { deny(FULL_SCREEN) }
        assertFalse(first.dial().get().sees(R.id.notice))
    }

    @Test
    @Config(sdk = [31])
    fun before_android_14_nobody_can_forbid_it_and_nothing_is_said() {
        screens.deny(FULL_SCREEN)
        assertFalse(screens.dial().get().sees(R.id.notice))
    }
}
