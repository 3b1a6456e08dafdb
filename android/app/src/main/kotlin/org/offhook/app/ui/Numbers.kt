package org.offhook.app.ui

import android.telephony.PhoneNumberUtils
import org.offhook.core.CallRecord
import org.offhook.core.CallView

/**
 * Numbers and names for the eye.
 *
 * Names come from strangers, so what could turn the text around them or break its line is taken out of them. Numbers run
 * from left to right in every language (Unicode's annex 9, isolates).
 */
object Numbers {
    /** More than any screen shows of a name or number. */
    private const val SHOWN_LENGTH = 80

    private const val LEFT_TO_RIGHT = '\u2066'
    private const val FIRST_STRONG = '\u2068'
    private const val ISOLATE_END = '\u2069'

    private val international = Regex("""\+\d{7,15}""")

    /** A number or an address, grouped where the world agrees how, and isolated. */
    fun shown(number: String): String = leftToRight(grouped(clean(number)))

    /** Part of a number, or all of it, isolated. */
    fun leftToRight(number: String): String = LEFT_TO_RIGHT + number + ISOLATE_END

    /** The name of the other side, isolated; its number where it has none; empty where it has neither. */
    fun title(view: CallView): String = title(view.name, view.number)

    /** The same of whoever has that name and that number. */
    fun title(name: String?, number: String): String {
        val shownName = clean(name.orEmpty())
        return when {
            shownName.isNotEmpty() -> isolated(shownName)
            clean(number).isNotEmpty() -> shown(number)
            else -> ""
        }
    }

    /** Text of either direction, kept apart from what stands around it. */
    fun isolated(text: String): String = FIRST_STRONG + text + ISOLATE_END

    /** The number below a name; null where the title is the number already. */
    fun below(view: CallView): String? = below(view.name, view.number)

    /** The same of a call that was. */
    fun below(call: CallRecord): String? = below(call.name, call.number)

    private fun below(name: String?, number: String): String? {
        val shownName = clean(name.orEmpty())
        val shownNumber = clean(number)
        return if (shownName.isEmpty() || shownNumber.isEmpty() || shownName == shownNumber) null else shown(number)
    }

    /** The letter for a face; null where the name does not begin with one. */
    fun initial(view: CallView): String? {
        val name = clean(view.name.orEmpty())
        if (name.isEmpty()) return null
        val first = name.codePointAt(0)
        return if (Character.isLetter(first)) String(Character.toChars(first)).uppercase() else null
    }

    /** As for one line of text: no control characters, no marks that turn direction, no half characters, not endless. */
    fun clean(text: String): String {
        val out = StringBuilder()
        var at = 0
        while (at < text.length && out.length < SHOWN_LENGTH) {
            val point = text.codePointAt(at)
            at += Character.charCount(point)
            when (Character.getType(point).toByte()) {
                Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> out.append(' ')
                Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED, Character.PRIVATE_USE -> Unit
                else -> out.appendCodePoint(point)
            }
        }
        val clean = out.trim().toString()
        return if (at < text.length) "$clean…" else clean
    }

    private fun grouped(number: String): String =
        if (international.matches(number)) PhoneNumberUtils.formatNumber(number, NOWHERE) ?: number else number

    /** No country's code: a number with its `+` needs none. */
    private const val NOWHERE = "ZZ"
}
