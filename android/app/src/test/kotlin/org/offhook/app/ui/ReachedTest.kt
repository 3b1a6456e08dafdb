package org.offhook.app.ui

import android.app.AlertDialog
import android.widget.CompoundButton
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.OwnPresence
import org.offhook.core.PhoneException
import org.offhook.core.TargetFault
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class ReachedTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun ReachedActivity.isOn(id: Int) = findViewById<CompoundButton>(id).isChecked

    private fun open(): ReachedActivity = screens.reached().get().also { shadowOf(it.mainLooper).idle() }

    private fun publishing() {
        phone.settings[1u] = phone.settings.getValue(1u).copy(publishPresence = true)
    }

    @Test
    @Config(sdk = [28, 35])
    fun who_gets_through_is_set_at_once() {
        val activity = open()
        assertTrue(activity.isOn(R.id.waiting) && !activity.isOn(R.id.quiet) && !activity.isOn(R.id.anonymous))
        listOf(R.id.quiet, R.id.waiting, R.id.anonymous).forEach {
            activity.choose(it)
            shadowOf(activity.mainLooper).idle()
        }
        assertEquals(listOf("doNotDisturb true", "callWaiting false", "refuseAnonymous true"), phone.commands.toList())
    }

    @Test
    fun what_the_core_refuses_is_shown_as_it_was() {
        val activity = open()
        phone.refusal = PhoneException.ShutDown()
        activity.choose(R.id.quiet)
        shadowOf(activity.mainLooper).idle()
        assertTrue(activity.sees(R.id.mistake))
        assertFalse(activity.isOn(R.id.quiet))
        phone.refusal = PhoneException.Store("full")
        activity.choose(R.id.anonymous)
        shadowOf(activity.mainLooper).idle()
        assertFalse(activity.isOn(R.id.anonymous))
        assertTrue(activity.sees(R.id.mistake))
    }

    @Test
    fun callers_are_sent_on_to_a_number_until_it_is_emptied() {
        val activity = open()
        activity.press(R.id.elsewhere)
        typeThere("0301")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("0301" in activity.shownTexts())
        activity.press(R.id.elsewhere)
        phone.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        typeThere("x")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("what holds is shown", "0301" in activity.shownTexts())
        activity.press(R.id.elsewhere)
        typeThere("")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(listOf("forwardTo 0301", "forwardTo null"), phone.commands.filter { it.startsWith("forward") })
        assertTrue("Nobody" in activity.shownTexts())
    }

    @Test
    fun what_others_see_is_set_where_an_account_tells_them() {
        assertFalse(open().sees(R.id.own))
        publishing()
        val activity = open()
        activity.shownTexts()
        activity.choose(R.id.own_away)
        activity.press(R.id.note)
        typeThere(" Back at two ")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(
            listOf("setPresence AWAY ", "setPresence AWAY Back at two"),
            phone.commands.filter { it.startsWith("setPresence") }
        )
        assertTrue("Back at two" in activity.shownTexts())
    }

    @Test
    fun the_dialpad_says_that_one_is_not_reached_as_usual_and_leads_there() {
        publishing()
        assertFalse(screens.dial().get().sees(R.id.reached))
        phone.reach = phone.reach.copy(forwardTo = "0301", presence = OwnPresence.AWAY)
        val activity = screens.dial().get()
        assertEquals("Callers are sent on to 0301.\nOthers see you as away.", activity.text(R.id.reached).bare())
        phone.reach = phone.reach.copy(doNotDisturb = true)
        phone.settings[1u] = phone.settings.getValue(1u).copy(publishPresence = false)
        val later = screens.dial().get()
        assertEquals("Do not disturb: the phone does not ring.", later.text(R.id.reached))
        later.press(R.id.reached)
        assertEquals(ReachedActivity::class.java.name, shadowOf(later).nextStartedActivity.component?.className)
    }
}
