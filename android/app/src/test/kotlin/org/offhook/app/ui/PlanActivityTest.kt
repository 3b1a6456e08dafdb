package org.offhook.app.ui

import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.unchanged
import org.offhook.core.DialRule
import org.offhook.core.PhoneException
import org.offhook.core.PlanStep
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class PlanActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val kept get() = phone.settings.getValue(1u).dialPlan
    private val abroad = DialRule(begins = "00", strip = 2u, prefix = "+", goOn = true)
    private val home = DialRule(fits = "0([1-9]\\d+)", replace = "+49$1")
    private val city = DialRule(least = 7u, most = 8u, prefix = "+4930")

    private fun open(vararg rules: DialRule): PlanActivity {
        phone.settings[1u] = phone.settings.getValue(1u).copy(voicemail = true, dialPlan = rules.toList())
        return Robolectric.buildActivity(PlanActivity::class.java, PlanActivity.intent(screens.app, 1u)).setup().get()
            .also { shadowOf(it.mainLooper).idle() }
    }

    private fun PlanActivity.row(at: Int): View = findViewById<ViewGroup>(R.id.rules).getChildAt(at)

    private fun PlanActivity.rows() = findViewById<ViewGroup>(R.id.rules).let { rows ->
        (0 until rows.childCount).map { at ->
            listOf(R.id.row_title, R.id.row_below).joinToString(": ") {
                row(at).findViewById<TextView>(it).text.toString().bare()
            }
        }
    }

    private fun PlanActivity.result() = text(R.id.try_result).bare() to text(R.id.try_steps).bare()

    @Test
    fun rules_are_told_in_plain_words() {
        val activity = open(abroad, home, city, DialRule(most = 3u), DialRule(begins = "1", least = 4u))
        assertEquals(
            listOf(
                "1. begins with 00: takes 2 from the beginning, puts + in front, and goes on",
                "2. fits 0([1-9]\\d+): makes +49$1 of it",
                "3. 7–8 digits: puts +4930 in front",
                "4. at most 3 digits: stays as it is",
                "5. begins with 1, at least 4 digits: stays as it is"
            ),
            activity.rows()
        )
    }

    @Test
    fun a_rule_is_moved_where_it_is_kept_and_all_else_stays() {
        val activity = open(abroad, home, city)
        val down = activity.row(0).findViewById<View>(R.id.move_down)
        assertEquals("Move Rule 1 down", down.contentDescription)
        assertFalse(activity.row(2).findViewById<View>(R.id.move_down).isEnabled)
        down.performClick()
        shadowOf(activity.mainLooper).idle()
        assertEquals(listOf(home, abroad, city), kept)
        assertTrue(phone.settings.getValue(1u).voicemail)
        assertTrue(activity.rows()[1].startsWith("2. begins with 00"))
    }

    @Test
    fun a_move_that_is_not_kept_is_said_and_the_order_stays() {
        val activity = open(abroad, home)
        phone.refusal = PhoneException.Store("the disk is full")
        activity.row(0).findViewById<View>(R.id.move_down).performClick()
        shadowOf(activity.mainLooper).idle()
        assertEquals(listOf(abroad, home), kept)
        assertTrue(activity.sees(R.id.mistake) && activity.rows()[0].startsWith("1. begins with 00"))
    }

    @Test
    fun a_number_is_tried_while_it_is_typed_and_each_step_is_told() {
        phone.tried = { rules, typed ->
            assertEquals(listOf(abroad, city), rules)
            val steps = listOf(PlanStep(1u, typed, "+44"), PlanStep(2u, "+44", "+44"))
            unchanged(typed, steps = steps).copy(dialed = "+44", keys = ",12#", callerShown = false)
        }
        val activity = open(abroad, city)
        assertFalse(activity.sees(R.id.try_result))
        activity.type(R.id.try_number, "#31#0044")
        shadowOf(activity.mainLooper).idle()
        assertEquals(
            "Dials +44" to "Rule 1: #31#0044 becomes +44.\nRule 2 fits and leaves +44 as it is.\n" +
                "Then presses ,12# once it is answered.\nYour number is hidden.",
            activity.result()
        )
        activity.type(R.id.try_number, "")
        shadowOf(activity.mainLooper).idle()
        assertFalse(activity.sees(R.id.try_result) || activity.sees(R.id.try_steps))
    }

    @Test
    fun what_calls_for_help_is_told_before_any_rule() {
        phone.tried = { _, typed -> unchanged(typed, emergency = true) }
        val activity = open(abroad)
        activity.type(R.id.try_number, "112")
        shadowOf(activity.mainLooper).idle()
        assertEquals(
            "Calls for help. The rules do not change it.",
            activity.result().first
        )
    }

    @Test
    fun a_new_rule_comes_behind_the_others_and_each_is_opened_at_its_place() {
        val activity = open(abroad, home)
        val opened = { shadowOf(activity).nextStartedActivity.getIntExtra("at", -1) }
        activity.press(R.id.add_rule)
        assertEquals(2, opened())
        activity.row(1).findViewById<View>(R.id.rule).performClick()
        assertEquals(1, opened())
    }
}
