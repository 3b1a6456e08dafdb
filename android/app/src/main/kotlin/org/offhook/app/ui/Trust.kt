package org.offhook.app.ui

import android.text.SpannableString
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.CallRecord
import org.offhook.core.CallView
import org.offhook.core.CallerSignature
import org.offhook.core.Verdict
import org.offhook.core.callerVerdict

/**
 * What has to be seen of a caller at once: somebody vouches for their number, or it is false.
 *
 * Which of it is so is the core's to say. What vouches for less than the number stands in a call's facts alone
 * ([CallFacts]).
 */
enum class Trust(val words: Int, val icon: Int) {
    VOUCHED(R.string.trust_vouched, R.drawable.ic_vouched),
    FORGED(R.string.trust_forged, R.drawable.ic_warn);

    companion object {
        /** Null: nobody has said anything that has to be seen at once. */
        fun of(view: CallView): Trust? = view.identity?.let { of(it.verified, it.signature) }

        /** The same of a call that was. */
        fun of(call: CallRecord): Trust? = of(call.verified, call.signature)

        private fun of(verified: Boolean?, signature: CallerSignature?) = when (callerVerdict(verified, signature)) {
            Verdict.VOUCHED -> VOUCHED
            Verdict.FORGED -> FORGED
            null -> null
        }

        /**
         * Shows it in a row of calls that is drawn already, with [line] below its title; null: with nothing. The row has
         * to say it in words.
         */
        fun show(row: View, trust: Trust?, line: String?) {
            val forged = trust == FORGED
            val error = row.context.getColor(R.color.error)
            row.findViewById<ImageView>(R.id.row_lamp).apply {
                setImageResource(R.drawable.lamp_vouched)
                visibility = if (trust == VOUCHED) View.VISIBLE else View.GONE
            }
            row.findViewById<TextView>(R.id.row_below).apply {
                val warning = if (forged) context.getString(FORGED.words) else ""
                text = SpannableString(listOfNotNull(warning.ifEmpty { null }, line).joinToString("\n")).apply {
                    setSpan(ForegroundColorSpan(error), 0, warning.length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
                }
                maxLines = if (forged) LINES_WITH_WARNING else LINES
                visibility = if (text.isEmpty()) View.GONE else View.VISIBLE
            }
            if (!forged) return
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(FORGED.icon)
                setColorFilter(error)
            }
        }

        private const val LINES = 2
        private const val LINES_WITH_WARNING = 4
    }
}
