package org.offhook.app.ui

import android.view.View
import android.widget.CheckBox
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.CallerIdSettings
import org.offhook.core.Carry
import org.offhook.core.Field
import org.offhook.core.NumberFrom
import org.offhook.core.OwnNumber
import org.offhook.core.PhoneException
import org.offhook.core.SettingFault
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

@RunWith(RobolectricTestRunner::class)
class CallerIdActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val callerId get() = phone.settings.getValue(1u).callerId

    private fun open(): ActivityController<CallerIdActivity> {
        val intent = PartScreen.intent<CallerIdActivity>(screens.app, 1u)
        return Robolectric.buildActivity(CallerIdActivity::class.java, intent).setup().also {
            shadowOf(it.get().mainLooper).idle()
        }
    }

    private fun keep(settings: CallerIdSettings?) {
        phone.settings[1u] = phone.settings.getValue(1u).copy(callerId = settings)
    }

    @Test
    fun a_number_is_kept_as_it_is_said_and_all_else_stays() {
        val before = phone.settings.getValue(1u).copy(voicemail = true, codecs = listOf("one"))
        phone.settings[1u] = before
        val activity = open().get()
        activity.type(R.id.caller_number, "+49 30-123 456\u202c")
        activity.press(R.id.save)
        assertEquals(before.copy(callerId = CallerIdSettings("+4930123456")), phone.settings[1u])
        assertTrue(activity.isFinishing)
    }

    @Test
    fun what_is_kept_comes_back_as_it_was() {
        val kept = CallerIdSettings("030123456", listOf(Carry.FROM_USER, Carry.ASSERTED), true)
        keep(kept)
        val activity = open().get()
        assertEquals("030123456", activity.text(R.id.caller_number))
        assertTrue(activity.findViewById<CheckBox>(R.id.carry_asserted).isChecked)
        assertFalse(activity.findViewById<CheckBox>(R.id.carry_preferred).isChecked)
        activity.press(R.id.save)
        assertEquals(kept, callerId)
    }

    @Test
    fun an_account_as_it_is_has_no_settings_for_it() {
        keep(CallerIdSettings("030123456", listOf(Carry.PREFERRED), true))
        val activity = open().get()
        activity.type(R.id.caller_number, " ")
        activity.choose(R.id.caller_hide)
        activity.choose(R.id.caller_usual)
        assertFalse(activity.sees(R.id.carry_preferred))
        activity.press(R.id.save)
        assertEquals(null, callerId)
    }

    @Test
    fun to_choose_no_way_at_all_is_said_plainly_and_nothing_is_kept() {
        val activity = open().get()
        activity.choose(R.id.caller_chosen)
        activity.press(R.id.save)
        assertEquals("Choose at least one way.", activity.text(R.id.carries_mistake))
        assertTrue(phone.commands.isEmpty() && !activity.isFinishing)
        activity.choose(R.id.carry_remote_party)
        activity.press(R.id.save)
        assertEquals(listOf(Carry.REMOTE_PARTY), callerId?.carry)
    }

    @Test
    fun a_number_that_is_none_is_told_beside_it() {
        val activity = open().get()
        activity.type(R.id.caller_number, "ann")
        phone.refusal = PhoneException.BadSetting(Field.CALLER_ID, SettingFault.UNUSABLE, "in English")
        activity.press(R.id.save)
        assertEquals(
            "A number is digits, with a + before them or not.",
            activity.text(R.id.caller_number_mistake)
        )
        assertTrue(activity.findViewById<View>(R.id.caller_number).isActivated)
        activity.type(R.id.caller_number, "030123")
        activity.press(R.id.save)
        assertEquals("030123", callerId?.number)
    }

    @Test
    fun one_of_the_users_own_numbers_is_picked_by_where_it_comes_from() {
        phone.own = listOf(
            OwnNumber("+491701234567", "0170 1234567", listOf(NumberFrom.NETWORK), "Work"),
            OwnNumber("+4930123", "030 123", listOf(NumberFrom.CARD), "")
        )
        val activity = open().get()
        activity.press(R.id.caller_own)
        assertEquals(
            listOf("0170 1234567\nWork · the network says so", "030 123\nstands on the card", "My numbers"),
            offered()
        )
        take("030 123\nstands on the card")
        activity.press(R.id.save)
        assertEquals("+4930123", callerId?.number)
    }

    @Test
    fun without_any_of_the_users_own_numbers_their_screen_says_why() {
        val activity = open().get()
        activity.press(R.id.caller_own)
        assertEquals(NumbersActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun a_rotation_keeps_what_was_typed_and_not_what_was_kept() {
        keep(CallerIdSettings("030123456"))
        val controller = open()
        controller.get().type(R.id.caller_number, "030999")
        controller.get().choose(R.id.caller_chosen)
        controller.get().choose(R.id.carry_from_user)
        controller.recreate()
        shadowOf(controller.get().mainLooper).idle()
        assertTrue(controller.get().sees(R.id.carry_from_user))
        controller.get().press(R.id.save)
        assertEquals(CallerIdSettings("030999", listOf(Carry.FROM_USER)), callerId)
    }

    @Test
    fun an_account_that_is_gone_is_told_and_nothing_is_kept_in_its_place() {
        phone.settings.clear()
        val activity = open().get()
        assertEquals("There is no such account. Set one up first.", activity.text(R.id.mistake))
        activity.press(R.id.save)
        assertTrue(phone.commands.isEmpty() && phone.settings.isEmpty())
    }
}
