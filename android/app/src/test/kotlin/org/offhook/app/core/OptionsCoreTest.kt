package org.offhook.app.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Rule
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.ui.CallerIdActivity
import org.offhook.app.ui.PartScreen
import org.offhook.app.ui.RuleActivity
import org.offhook.app.ui.VoiceActivity
import org.offhook.app.ui.bare
import org.offhook.app.ui.choose
import org.offhook.app.ui.press
import org.offhook.app.ui.sees
import org.offhook.app.ui.text
import org.offhook.app.ui.type
import org.offhook.core.AccountSettings
import org.offhook.core.CallerIdSettings
import org.offhook.core.Carry
import org.offhook.core.DialRule
import org.offhook.core.KeypadBy
import org.offhook.core.Transport
import org.robolectric.RobolectricTestRunner

/** The screens of an account's parts, on the core itself. */
@RunWith(RobolectricTestRunner::class)
class OptionsCoreTest : AppOnCore() {
    private val account by lazy {
        val settings = AccountSettings("1001", "offhook.invalid", transport = Transport.AUTOMATIC, register = false)
        ours.phone.addAccount(settings, "secret")
    }
    private val kept get() = ours.phone.accountSettings(account)

    private inline fun <reified T : PartScreen> part(): T = screen(PartScreen.intent<T>(app, account))

    /** Beside the main thread all goes one after the other: what was asked for before is done then. */
    private fun settle() {
        var done = false
        app.core.later({ accounts() }) { done = true }
        until("settled") { done }
    }

    @Test
    fun a_number_is_refused_beside_its_field_or_kept_as_it_was_chosen() {
        val screen = part<CallerIdActivity>()
        settle()
        screen.type(R.id.caller_number, "ann")
        screen.press(R.id.save)
        until("refused") { screen.sees(R.id.caller_number_mistake) }
        screen.type(R.id.caller_number, "030 123456")
        screen.choose(R.id.caller_chosen)
        screen.choose(R.id.carry_asserted)
        screen.press(R.id.save)
        until("kept") { screen.isFinishing }
        assertEquals(CallerIdSettings("030123456", listOf(Carry.ASSERTED), false), kept.callerId)
    }

    @Test
    fun an_expression_is_judged_while_it_is_typed_and_the_rule_says_what_it_does() {
        val screen = screen<RuleActivity>(RuleActivity.intent(app, account, 0))
        settle()
        screen.type(R.id.rule_fits, "0([1-9]\\d+")
        until("refused") { screen.sees(R.id.rule_fits_mistake) }
        screen.choose(R.id.rule_anew)
        screen.type(R.id.rule_replace, "+49$1")
        screen.type(R.id.rule_fits, "0([1-9]\\d+)")
        until("taken") { !screen.sees(R.id.rule_fits_mistake) }
        screen.type(R.id.try_number, "030123456")
        until("tried") { screen.sees(R.id.try_steps) }
        assertEquals("Dials +4930123456", screen.text(R.id.try_result).bare())
        assertEquals("Rule 1: 030123456 becomes +4930123456.", screen.text(R.id.try_steps).bare())
        screen.press(R.id.save)
        until("kept") { screen.isFinishing }
        assertEquals(listOf(DialRule(fits = "0([1-9]\\d+)", replace = "+49$1")), kept.dialPlan)
    }

    @Test
    fun a_rule_without_an_expression_writes_nothing_anew() {
        val screen = screen<RuleActivity>(RuleActivity.intent(app, account, 0))
        settle()
        screen.choose(R.id.rule_anew)
        screen.type(R.id.rule_begins, "0")
        screen.press(R.id.save)
        until("refused") { screen.sees(R.id.rule_replace_mistake) }
        assertFalse(screen.sees(R.id.rule_fits_mistake))
    }

    @Test
    fun keypad_and_codecs_are_kept_and_as_usual_not_named() {
        val screen = part<VoiceActivity>()
        settle()
        screen.choose(R.id.keypad_tones)
        screen.press(R.id.save)
        until("kept") { screen.isFinishing }
        assertEquals(KeypadBy.TONES to emptyList<String>(), kept.keypad to kept.codecs)
    }
}
