package org.offhook.app.ui

import android.content.DialogInterface
import android.telephony.TelephonyManager
import android.widget.Switch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.AccountState
import org.offhook.core.Field
import org.offhook.core.NetworkLimit
import org.offhook.core.PhoneException
import org.offhook.core.SettingFault
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
class NetworksActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val kept get() = phone.settings.getValue(1u)

    private fun open(telephone: Boolean = false): ActivityController<NetworksActivity> {
        shadowOf(screens.app.getSystemService(TelephonyManager::class.java)).setVoiceCapable(telephone)
        val intent = PartScreen.intent<NetworksActivity>(screens.app, 1u)
        return Robolectric.buildActivity(NetworksActivity::class.java, intent).setup().also {
            shadowOf(it.get().mainLooper).idle()
        }
    }

    private fun NetworksActivity.helps() = findViewById<Switch>(R.id.emergency).isChecked

    /** As a finger that slides it: without a click. */
    private fun NetworksActivity.slideHelp() {
        findViewById<Switch>(R.id.emergency).toggle()
        shadowOf(mainLooper).idle()
    }

    @Test
    fun networks_voicemail_and_registration_are_kept_and_come_back() {
        val activity = open().get()
        activity.choose(R.id.networks_wifi)
        activity.choose(R.id.voicemail)
        activity.type(R.id.mailbox, " *98 ")
        activity.type(R.id.expires, "600")
        activity.press(R.id.save)
        assertEquals(
            Triple(NetworkLimit.WIFI_ONLY, true, 600u as UInt?),
            Triple(kept.networks, kept.voicemail, kept.expiresS)
        )
        assertEquals("*98", kept.mailbox)
        val before = kept
        open().get().press(R.id.save)
        assertEquals(before, kept)
        open().get().apply {
            choose(R.id.networks_any)
            type(R.id.expires, "")
        }.press(R.id.save)
        assertEquals(null to null, kept.networks to kept.expiresS)
    }

    @Test
    fun a_registration_that_lasts_too_long_is_told_beside_its_field() {
        val activity = open().get()
        activity.type(R.id.expires, "9999999")
        phone.refusal = PhoneException.BadSetting(Field.EXPIRES, SettingFault.UNUSABLE, "in English")
        activity.press(R.id.save)
        assertEquals("It lasts from one second to a week, which is 604800.", activity.text(R.id.expires_mistake))
        assertFalse(activity.isFinishing)
    }

    @Test
    fun help_is_called_by_it_only_once_its_dangers_were_told() {
        val activity = open().get()
        activity.slideHelp()
        val told = shadowOf(ShadowAlertDialog.getLatestAlertDialog()).message.toString()
        assertTrue(told, "may not learn where you are" in told)
        assertFalse(activity.helps())
        answer(DialogInterface.BUTTON_NEGATIVE)
        assertFalse(activity.helps())
        activity.slideHelp()
        answer(DialogInterface.BUTTON_POSITIVE)
        assertTrue(activity.helps())
        activity.press(R.id.save)
        assertTrue(kept.emergency)
    }

    @Test
    fun a_question_that_a_rotation_took_away_was_not_answered() {
        val controller = open()
        controller.get().slideHelp()
        controller.recreate()
        shadowOf(controller.get().mainLooper).idle()
        assertFalse(controller.get().helps())
        controller.get().slideHelp()
        answer(DialogInterface.BUTTON_POSITIVE)
        ShadowAlertDialog.reset()
        controller.recreate()
        shadowOf(controller.get().mainLooper).idle()
        assertTrue(controller.get().helps() && ShadowAlertDialog.getLatestAlertDialog() == null)
    }

    @Test
    fun to_take_it_back_needs_no_question() {
        phone.settings[1u] = kept.copy(emergency = true)
        val activity = open().get()
        activity.slideHelp()
        assertEquals(null, ShadowAlertDialog.getLatestAlertDialog())
        activity.press(R.id.save)
        assertFalse(kept.emergency)
    }

    @Test
    fun a_telephone_calls_for_help_by_itself() {
        val activity = open(telephone = true).get()
        assertTrue(activity.sees(R.id.help_by_itself) && !activity.sees(R.id.emergency))
        activity.press(R.id.save)
        assertFalse(kept.emergency)
    }

    @Test
    fun on_a_telephone_that_was_set_to_it_can_only_be_switched_off() {
        phone.settings[1u] = kept.copy(emergency = true)
        val activity = open(telephone = true).get()
        assertTrue(activity.sees(R.id.help_is_telephone) && !activity.sees(R.id.help_by_itself))
        activity.slideHelp()
        assertFalse(activity.findViewById<Switch>(R.id.emergency).isEnabled)
        activity.press(R.id.save)
        assertFalse(kept.emergency)
    }

    @Test
    fun an_account_that_waits_for_it_is_allowed_the_network_there_is() {
        val activity = open().get()
        assertFalse(activity.sees(R.id.notice))
        phone.register(state = AccountState.FAILED, step = Step.REACH, why = Why.ROAMING_NOT_ALLOWED)
        assertEquals("This account waits until you allow roaming.", activity.text(R.id.notice_text))
        activity.press(R.id.notice_button)
        assertEquals("allowRoaming true", phone.commands.last())
        phone.register()
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    fun the_dialpad_lets_the_user_allow_that_network_too() {
        val dialpad = screens.dial().get()
        phone.register(state = AccountState.FAILED, step = Step.REACH, why = Why.ROAMING_NOT_ALLOWED)
        assertEquals("Use this network", dialpad.text(R.id.notice_button))
        dialpad.press(R.id.notice_button)
        assertEquals("allowRoaming true", phone.commands.last())
    }
}
