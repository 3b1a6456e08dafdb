package org.offhook.app.ui

import android.content.Context
import android.text.SpannableString
import android.text.Spanned
import android.text.style.ForegroundColorSpan
import android.text.style.RelativeSizeSpan
import android.util.AttributeSet
import android.view.HapticFeedbackConstants
import android.view.LayoutInflater
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import org.offhook.app.R

/**
 * The twelve keys of a telephone, left to right in every language. ITU-T E.161.
 *
 * Feels and sounds like one; knows nothing of what the keys are for.
 */
class Keypad(context: Context, attrs: AttributeSet?) : LinearLayout(context, attrs) {
    /** A key was pressed, or zero was held down: `0`-`9`, `*`, `#`, `+`. */
    var onKey: (Char) -> Unit = {}

    /** A digit from 1 to 9 was held down; false: that means nothing, and is a press. */
    var onHold: (Int) -> Boolean = { false }

    /** Whether a long press of zero is a plus. */
    var plus = true

    private val tones = KeyTones(context)

    init {
        orientation = VERTICAL
        layoutDirection = View.LAYOUT_DIRECTION_LTR
        for (row in KEYS.chunked(COLUMNS)) {
            val line = LinearLayout(context)
            row.forEach { line.addView(key(it, line)) }
            addView(line, LayoutParams(LayoutParams.MATCH_PARENT, LayoutParams.WRAP_CONTENT, 1f))
        }
    }

    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val widest = resources.getDimensionPixelSize(R.dimen.keypad_width)
        val width = minOf(MeasureSpec.getSize(widthMeasureSpec), widest)
        super.onMeasure(MeasureSpec.makeMeasureSpec(width, MeasureSpec.EXACTLY), heightMeasureSpec)
    }

    override fun onDetachedFromWindow() {
        super.onDetachedFromWindow()
        tones.release()
    }

    private fun key(key: Key, line: LinearLayout): View {
        val button = LayoutInflater.from(context).inflate(R.layout.key, line, false) as Button
        button.text = face(key)
        button.tag = key.digit.toString()
        button.contentDescription = when (key.digit) {
            '*' -> context.getString(R.string.dial_star)
            '#' -> context.getString(R.string.dial_hash)
            '0' -> context.getString(R.string.dial_zero)
            else -> key.digit.toString()
        }
        button.setOnClickListener { press(it, key.digit) }
        when (key.digit) {
            '0' -> button.setOnLongClickListener {
                if (plus) press(it, '+')
                plus
            }
            in '1'..'9' -> button.setOnLongClickListener { onHold(key.digit.digitToInt()) }
        }
        return button
    }

    private fun press(view: View, key: Char) {
        view.performHapticFeedback(HapticFeedbackConstants.KEYBOARD_TAP)
        tones.play(key)
        onKey(key)
    }

    private fun face(key: Key): CharSequence {
        val text = SpannableString(if (key.letters.isEmpty()) "${key.digit}" else "${key.digit}\n${key.letters}")
        text.setSpan(RelativeSizeSpan(LETTERS_SIZE), 1, text.length, Spanned.SPAN_EXCLUSIVE_EXCLUSIVE)
        text.setSpan(
            ForegroundColorSpan(context.getColor(R.color.text_soft)),
            1,
            text.length,
            Spanned.SPAN_EXCLUSIVE_EXCLUSIVE
        )
        return text
    }

    private data class Key(val digit: Char, val letters: String)

    private companion object {
        const val COLUMNS = 3

        /** A blank of their size: its digit stands as high as the others. */
        const val NO_LETTERS = "\u00A0"
        const val LETTERS_SIZE = 0.42f
        val KEYS = listOf(
            Key('1', NO_LETTERS), Key('2', "ABC"), Key('3', "DEF"),
            Key('4', "GHI"), Key('5', "JKL"), Key('6', "MNO"),
            Key('7', "PQRS"), Key('8', "TUV"), Key('9', "WXYZ"),
            Key('*', ""), Key('0', "+"), Key('#', "")
        )
    }
}
