package org.offhook.app.ui

import android.text.Editable
import android.text.Selection

/**
 * Moves the digits of a number apart while it is typed, as the core says it is written; the cursor stays behind its digit.
 *
 * Only what is nothing but digits, a plus and what stood between them is touched: an address is not.
 */
object Grouping {
    private const val BETWEEN = " -/().\u00A0\u2011\u202F"

    fun apply(text: Editable, grouped: (String) -> String) {
        if (text.isEmpty() || text.any { !it.isKey() && it !in BETWEEN }) return
        val plain = text.filter { it.isKey() }.toString()
        val wanted = grouped(plain)
        if (wanted == text.toString() || wanted.filter { it.isKey() } != plain) return
        val cursor = Selection.getSelectionEnd(text)
        val before = text.take(maxOf(cursor, 0)).count { it.isKey() }
        // Its own change comes back here, and is right by then.
        text.replace(0, text.length, wanted)
        if (cursor >= 0) Selection.setSelection(text, behind(wanted, before))
    }

    /** Where a key that deletes back from [at] finds a digit: what stands between digits goes by itself. */
    fun before(text: CharSequence, at: Int): Int {
        var from = at
        while (from > 1 && text[from - 1] in BETWEEN) from--
        return from
    }

    private fun behind(text: String, keys: Int): Int {
        var left = keys
        var at = 0
        while (at < text.length && left > 0) if (text[at++].isKey()) left--
        return at
    }

    private fun Char.isKey() = this in '0'..'9' || this == '+'
}
