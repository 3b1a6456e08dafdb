package org.offhook.app.ui

import android.view.View
import android.view.ViewGroup
import android.widget.Button
import android.widget.Chronometer
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R

/** Shows a [SelfTest] in its card: a row a step, then when it is tried again and a button not to wait. */
class SelfTestView(private val card: View, again: () -> Unit) {
    private val rows: ViewGroup = card.findViewById(R.id.test_rows)
    private val retry: Chronometer = card.findViewById(R.id.test_retry)
    private val now: Button = card.findViewById(R.id.test_now)
    private val verdict: TextView = card.findViewById(R.id.test_verdict)

    init {
        now.setOnClickListener { again() }
    }

    fun show(test: SelfTest) {
        test.rows.forEachIndexed { at, row -> show(row, rows.getChildAt(at)) }
        val trouble = test.trouble
        retry.countDownTo(trouble?.retryMillis)
        now.visibility = if (trouble == null) View.GONE else View.VISIBLE
        val words = when {
            test.passed -> R.string.test_ok
            trouble != null && trouble.retryMillis == null -> R.string.retry_never
            else -> null
        }
        verdict.visibility = if (words == null) View.GONE else View.VISIBLE
        words?.let(verdict::setText)
    }

    private fun show(row: SelfTest.Row, view: View) {
        val context = view.context
        val label = context.getString(row.label)
        val state = context.getString(row.state.words)
        view.findViewById<TextView>(R.id.row_label).text = label
        view.findViewById<TextView>(R.id.row_why).apply {
            text = row.why?.said(context).orEmpty()
            visibility = if (row.why == null) View.GONE else View.VISIBLE
        }
        view.contentDescription = listOfNotNull("$label: $state", row.why?.said(context)).joinToString(". ")
        view.findViewById<View>(R.id.row_running).visibility =
            if (row.state == SelfTest.State.RUNNING) View.VISIBLE else View.GONE
        view.findViewById<ImageView>(R.id.row_icon).apply {
            setImageResource(iconOf(row.state))
            setColorFilter(context.getColor(colourOf(row.state)))
        }
    }

    private fun iconOf(state: SelfTest.State): Int = when (state) {
        SelfTest.State.WAITING, SelfTest.State.RUNNING -> R.drawable.ic_waiting
        SelfTest.State.DONE -> R.drawable.ic_done
        SelfTest.State.FAILED -> R.drawable.ic_failed
    }

    private fun colourOf(state: SelfTest.State): Int = when (state) {
        SelfTest.State.WAITING -> R.color.idle
        SelfTest.State.RUNNING, SelfTest.State.DONE -> R.color.accent
        SelfTest.State.FAILED -> R.color.error
    }
}
