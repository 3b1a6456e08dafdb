package org.offhook.app.ui

import android.content.DialogInterface
import android.view.View
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.unchanged
import org.offhook.core.DialRule
import org.offhook.core.Field
import org.offhook.core.PhoneException
import org.offhook.core.SettingFault
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

@RunWith(RobolectricTestRunner::class)
class RuleActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val kept get() = phone.settings.getValue(1u).dialPlan
    private val first = DialRule(begins = "1")
    private val second = DialRule("00", "00(\\d+)", 4u, 9u, 0u, "", "+$1", true)

    private fun open(at: Int, vararg rules: DialRule): ActivityController<RuleActivity> {
        phone.settings[1u] = phone.settings.getValue(1u).copy(voicemail = true, dialPlan = rules.toList())
        return Robolectric.buildActivity(RuleActivity::class.java, RuleActivity.intent(screens.app, 1u, at)).setup()
            .also { idle(it.get()) }
    }

    private fun idle(activity: RuleActivity) = shadowOf(activity.mainLooper).idle()

    private fun bad() = PhoneException.BadSetting(Field.DIAL_PLAN, SettingFault.UNUSABLE, "in English")

    @Test
    fun a_new_rule_is_kept_behind_the_others_and_all_else_stays() {
        val activity = open(1, first).get()
        assertEquals("New rule", activity.text(R.id.title))
        assertFalse(activity.sees(R.id.aside))
        activity.type(R.id.rule_begins, " 00")
        activity.type(R.id.rule_strip, "2")
        activity.type(R.id.rule_prefix, "+")
        activity.choose(R.id.rule_go_on)
        activity.press(R.id.save)
        assertEquals(listOf(first, DialRule(begins = "00", strip = 2u, prefix = "+", goOn = true)), kept)
        assertTrue(activity.isFinishing && phone.settings.getValue(1u).voicemail)
    }

    @Test
    fun what_is_kept_comes_back_as_it_was_and_is_changed_at_its_place() {
        val activity = open(1, first, second, first).get()
        assertEquals("Rule 2", activity.text(R.id.title))
        assertTrue(activity.sees(R.id.rule_replace) && !activity.sees(R.id.rule_strip))
        activity.type(R.id.rule_most, "12")
        activity.press(R.id.save)
        assertEquals(listOf(first, second.copy(most = 12u), first), kept)
    }

    @Test
    fun a_bad_expression_is_told_beside_it_while_it_is_typed() {
        phone.tried = { rules, typed -> if (rules.any { it.fits == "(" }) throw bad() else unchanged(typed) }
        val activity = open(0, first).get()
        activity.type(R.id.rule_fits, "(")
        idle(activity)
        assertEquals("That is no expression that can be used.", activity.text(R.id.rule_fits_mistake))
        assertTrue(activity.findViewById<View>(R.id.rule_fits).isActivated)
        assertFalse(activity.sees(R.id.mistake))
        activity.type(R.id.rule_fits, "(1)")
        idle(activity)
        assertFalse(activity.sees(R.id.rule_fits_mistake))
        assertFalse(activity.findViewById<View>(R.id.rule_fits).isActivated)
    }

    @Test
    fun a_rule_that_cannot_be_kept_is_told_beside_what_is_wrong() {
        phone.tried = { _, typed -> unchanged(typed) }
        val activity = open(0, first).get()
        activity.type(R.id.rule_fits, "[")
        phone.tried = { _, _ -> throw bad() }
        phone.refusal = bad()
        activity.press(R.id.save)
        idle(activity)
        assertTrue(activity.sees(R.id.rule_fits_mistake) && activity.findViewById<View>(R.id.rule_fits).isFocused)
        assertEquals(listOf(first), kept)
    }

    @Test
    fun to_write_anew_needs_an_expression_and_says_so_there() {
        phone.tried = { rules, typed -> if (rules.any { it.replace != null }) throw bad() else unchanged(typed) }
        val activity = open(0).get()
        activity.choose(R.id.rule_anew)
        activity.type(R.id.rule_replace, "$1")
        idle(activity)
        assertEquals("For that it needs an expression above.", activity.text(R.id.rule_replace_mistake))
        assertFalse(activity.sees(R.id.rule_fits_mistake))
    }

    @Test
    fun what_is_wrong_with_the_whole_plan_is_not_said_of_this_rule() {
        phone.tried = { rules, typed -> if (rules.size > 1) throw bad() else unchanged(typed) }
        val activity = open(1, first).get()
        activity.type(R.id.rule_begins, "2")
        idle(activity)
        assertFalse(activity.sees(R.id.rule_fits_mistake))
        assertEquals("The dial plan cannot be used.", activity.text(R.id.mistake))
    }

    @Test
    fun the_others_are_tried_with_this_one_as_it_stands() {
        val activity = open(1, first, second).get()
        var tried = emptyList<DialRule>()
        phone.tried = { rules, typed -> unchanged(typed).also { tried = rules } }
        activity.type(R.id.rule_begins, "011")
        activity.type(R.id.try_number, "01144")
        idle(activity)
        assertEquals(listOf(first, second.copy(begins = "011")), tried)
        assertEquals("Dials 01144", activity.text(R.id.try_result).bare())
    }

    @Test
    fun a_rule_that_does_nothing_or_fits_nothing_is_not_kept() {
        val activity = open(0).get()
        activity.choose(R.id.rule_go_on)
        activity.press(R.id.save)
        assertTrue(activity.text(R.id.mistake).startsWith("This rule changes nothing yet."))
        activity.type(R.id.rule_least, "9")
        activity.type(R.id.rule_most, "8")
        activity.press(R.id.save)
        assertEquals("No number has at least more digits than at most.", activity.text(R.id.rule_most_mistake))
        activity.type(R.id.rule_most, "")
        assertFalse(activity.sees(R.id.rule_most_mistake))
        assertTrue(kept.isEmpty() && !activity.isFinishing)
    }

    @Test
    fun a_rule_is_removed_after_a_question() {
        val activity = open(1, first, second).get()
        activity.press(R.id.aside)
        assertEquals(listOf(first, second), kept)
        answer(DialogInterface.BUTTON_POSITIVE)
        assertEquals(listOf(first), kept)
        assertTrue(activity.isFinishing)
    }

    @Test
    fun a_rotation_keeps_what_was_typed_and_tries_it_among_the_others() {
        val controller = open(1, first, second)
        controller.get().type(R.id.rule_replace, "9$1")
        controller.get().type(R.id.try_number, "0044")
        var tried = emptyList<DialRule>()
        phone.tried = { rules, typed -> unchanged(typed).also { tried = rules } }
        controller.recreate()
        idle(controller.get())
        assertEquals(listOf(first, second.copy(replace = "9$1")), tried)
        assertEquals("Dials 0044", controller.get().text(R.id.try_result).bare())
    }
}
