package org.offhook.app.ui

import android.app.AlertDialog
import android.widget.CompoundButton
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.Reached
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
    private val reached get() = screens.app.reached

    private fun ReachedActivity.isOn(id: Int) = findViewById<CompoundButton>(id).isChecked

    private fun publishing() {
        phone.settings[1u] = phone.settings.getValue(1u).copy(publishPresence = true)
    }

    @Test
    @Config(sdk = [28, 35])
    fun who_gets_through_is_set_at_once() {
        val activity = screens.reached().get()
        assertTrue(activity.isOn(R.id.waiting) && !activity.isOn(R.id.quiet) && !activity.isOn(R.id.anonymous))
        listOf(R.id.quiet, R.id.waiting, R.id.anonymous).forEach(activity::choose)
        assertEquals(listOf("doNotDisturb true", "callWaiting false", "refuseAnonymous true"), phone.commands.toList())
    }

    @Test
    fun what_the_core_refuses_is_shown_as_it_was() {
        val activity = screens.reached().get()
        phone.refusal = PhoneException.ShutDown()
        activity.choose(R.id.quiet)
        assertTrue(activity.sees(R.id.mistake))
        assertFalse(activity.isOn(R.id.quiet) || reached.quiet)
        phone.refusal = PhoneException.Store("full")
        activity.choose(R.id.anonymous)
        shadowOf(activity.mainLooper).idle()
        assertFalse(activity.isOn(R.id.anonymous))
        assertTrue(activity.sees(R.id.mistake))
    }

    @Test
    fun callers_are_sent_on_to_a_number_until_it_is_emptied() {
        val activity = screens.reached().get()
        activity.press(R.id.elsewhere)
        typeThere("0301")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("0301" in activity.shownTexts())
        activity.press(R.id.elsewhere)
        phone.refusal = PhoneException.BadTarget(TargetFault.NOT_DIALABLE, "no")
        typeThere("x")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals("what holds is shown", "0301", reached.elsewhere)
        activity.press(R.id.elsewhere)
        typeThere("")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertEquals(listOf("forwardTo 0301", "forwardTo null"), phone.commands.filter { it.startsWith("forward") })
        assertTrue("Nobody" in activity.shownTexts())
    }

    @Test
    fun what_others_see_is_set_where_an_account_tells_them() {
        assertFalse(screens.reached().get().sees(R.id.own))
        publishing()
        val activity = screens.reached().get()
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
    fun each_core_that_begins_is_told() {
        reached.beQuiet(true)
        reached.letWait(false)
        reached.sendOn("0301")
        reached.beSeen(OwnPresence.BUSY, "")
        phone.commands.clear()
        Reached(screens.app, screens.app.core).begin()
        assertEquals(
            listOf("doNotDisturb true", "callWaiting false", "setPresence BUSY ", "forwardTo 0301"),
            phone.commands.toList()
        )
    }

    @Test
    fun a_number_that_cannot_be_called_any_more_is_not_shown_as_if_it_were() {
        reached.sendOn("0301")
        phone.refusal = PhoneException.NoAccount()
        val again = Reached(screens.app, screens.app.core).apply { begin() }
        assertEquals(null, again.elsewhere)
    }

    @Test
    fun the_dialpad_says_that_one_is_not_reached_as_usual_and_leads_there() {
        publishing()
        assertFalse(screens.dial().get().sees(R.id.reached))
        reached.sendOn("0301")
        reached.beSeen(OwnPresence.AWAY, "")
        val activity = screens.dial().get()
        assertEquals("Callers are sent on to 0301.\nOthers see you as away.", activity.text(R.id.reached).bare())
        reached.beQuiet(true)
        phone.settings[1u] = phone.settings.getValue(1u).copy(publishPresence = false)
        val later = screens.dial().get()
        assertEquals("Do not disturb: the phone does not ring.", later.text(R.id.reached))
        later.press(R.id.reached)
        assertEquals(ReachedActivity::class.java.name, shadowOf(later).nextStartedActivity.component?.className)
    }
}
