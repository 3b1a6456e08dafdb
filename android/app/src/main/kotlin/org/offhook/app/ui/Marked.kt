package org.offhook.app.ui

import android.graphics.Typeface
import android.text.SpannableString
import android.text.Spanned
import android.text.style.StyleSpan
import org.offhook.core.TextRange

/** A name or a number with what was found in it in bold, kept apart from the text around it. */
fun marked(text: String, ranges: List<TextRange>, number: Boolean = false): CharSequence {
    // Taken out of a stranger's text, its letters have moved: then nothing is marked.
    val clean = Numbers.clean(text)
    val shown = SpannableString(if (number) Numbers.leftToRight(clean) else Numbers.isolated(clean))
    if (clean != text) return shown
    for (range in ranges) {
        val start = range.start.toInt() + ISOLATE
        val end = range.end.toInt() + ISOLATE
        if (start < end && end < shown.length) {
            shown.setSpan(StyleSpan(Typeface.BOLD), start, end, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        }
    }
    return shown
}

/** The mark before the text. */
private const val ISOLATE = 1
