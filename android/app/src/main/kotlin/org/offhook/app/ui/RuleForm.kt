package org.offhook.app.ui

import org.offhook.core.DialRule

/**
 * What is typed on the screen of a dial plan's rule, and the rule it stands for. The core judges it, not this.
 *
 * [anew]: by the expression, where the beginning of the number does not matter.
 */
data class RuleForm(
    val begins: String = "",
    val least: String = "",
    val most: String = "",
    val fits: String = "",
    val anew: Boolean = false,
    val strip: String = "",
    val prefix: String = "",
    val replace: String = "",
    val goOn: Boolean = false
) {
    /** It would fit all numbers, and do nothing. */
    val isNothing get() = rule().copy(goOn = false) == DialRule()

    /** There is no such number. */
    val isNone get() = (least.toUIntOrNull() ?: 0u) > (most.toUIntOrNull() ?: UInt.MAX_VALUE)

    fun rule() = DialRule(
        begins = begins.trim(),
        fits = fits.trim(),
        least = least.toUIntOrNull()?.takeIf { it > 0u },
        most = most.toUIntOrNull(),
        strip = strip.takeUnless { anew }?.toUIntOrNull() ?: 0u,
        prefix = prefix.takeUnless { anew }?.trim().orEmpty(),
        replace = replace.takeIf { anew }?.trim(),
        goOn = goOn
    )

    companion object {
        fun of(rule: DialRule) = RuleForm(
            rule.begins,
            rule.least?.toString().orEmpty(),
            rule.most?.toString().orEmpty(),
            rule.fits,
            rule.replace != null,
            rule.strip.takeIf { it > 0u }?.toString().orEmpty(),
            rule.prefix,
            rule.replace.orEmpty(),
            rule.goOn
        )
    }
}
