package org.offhook.app.ui

import android.content.Context
import org.offhook.app.R
import org.offhook.core.DialRule
import org.offhook.core.PlanStep
import org.offhook.core.TypedNumber

/** A dial plan's rules, and what they do, in words. */
object RuleWords {
    /** Which numbers a rule fits. */
    fun which(context: Context, rule: DialRule): String {
        val digits = when {
            rule.least != null && rule.least == rule.most -> context.getString(R.string.rule_digits, "${rule.least}")
            rule.least != null && rule.most != null ->
                context.getString(R.string.rule_digits, "${rule.least}–${rule.most}")
            rule.least != null -> context.getString(R.string.rule_digits_least, "${rule.least}")
            rule.most != null -> context.getString(R.string.rule_digits_most, "${rule.most}")
            else -> null
        }
        val words = listOfNotNull(
            rule.begins.said(context, R.string.rule_begins_with),
            digits,
            rule.fits.said(context, R.string.rule_fits_like)
        )
        return words.joinToString(", ").ifEmpty { context.getString(R.string.rule_any) }
    }

    /** What it makes of them. */
    fun what(context: Context, rule: DialRule): String {
        val replace = rule.replace
        val words = if (replace != null) {
            listOf(context.getString(R.string.rule_makes, shown(replace)))
        } else {
            listOfNotNull(
                rule.strip.takeIf { it > 0u }?.let { context.getString(R.string.rule_takes, "$it") },
                rule.prefix.said(context, R.string.rule_puts)
            )
        }
        val done = words.ifEmpty { listOf(context.getString(R.string.rule_stays)) }
        val onward = context.getString(R.string.rule_goes_on).takeIf { rule.goOn }
        return (done + listOfNotNull(onward)).joinToString(", ")
    }

    /** What is dialed in the end. */
    fun dialed(context: Context, typed: TypedNumber): String = if (typed.emergency) {
        context.getString(R.string.try_emergency)
    } else {
        context.getString(R.string.try_dials, shown(typed.dialed))
    }

    /** How it comes to that, a line each. */
    fun why(context: Context, typed: TypedNumber): String {
        if (typed.emergency) return ""
        val steps = typed.steps.map { step(context, it) }.ifEmpty { listOf(context.getString(R.string.try_none)) }
        val seen = typed.callerShown?.let {
            if (it) R.string.try_shown else R.string.try_hidden
        }?.let(context::getString)
        return (steps + listOfNotNull(typed.keys?.said(context, R.string.try_keys), seen)).joinToString("\n")
    }

    private fun step(context: Context, step: PlanStep): String {
        val (rule, before, after) = step
        if (before == after) return context.getString(R.string.try_same, "$rule", shown(before))
        return context.getString(R.string.try_step, "$rule", shown(before), shown(after))
    }

    private fun String.said(context: Context, words: Int) =
        takeIf(String::isNotEmpty)?.let { context.getString(words, shown(it)) }

    private fun shown(text: String) = Numbers.leftToRight(Numbers.clean(text))
}
