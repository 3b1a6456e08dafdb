package org.offhook.app.ui

import android.app.Activity
import android.view.View
import android.view.ViewGroup
import android.widget.LinearLayout
import android.widget.TextView
import org.offhook.app.R

/** A screen about one thing, top to bottom: what it is called, what can be done with it, what is known of it. */
class Details(private val activity: Activity) {
    /** [heard]: what it does, where its words say how it stands. */
    class Action(val icon: Int, val words: Int, val heard: Int = words, val press: () -> Unit)

    private val inflater get() = activity.layoutInflater
    private val actions: LinearLayout = activity.findViewById(R.id.actions)
    private val facts: LinearLayout = activity.findViewById(R.id.facts)

    /** Begins anew: all that was known is gone. */
    fun begin(title: CharSequence, below: CharSequence?, actions: List<Action>) {
        activity.findViewById<TextView>(R.id.title).text = title
        activity.findViewById<TextView>(R.id.below).apply {
            text = below
            visibility = if (below.isNullOrEmpty()) View.GONE else View.VISIBLE
        }
        this.actions.removeAllViews()
        // Large words have no room beside three others.
        val columns = if (activity.resources.configuration.fontScale > LARGE_FONT) FEW_COLUMNS else COLUMNS
        actions.chunked(columns).forEach { some ->
            val row = LinearLayout(activity).apply { isBaselineAligned = false }
            some.forEach { row.addView(button(it, row)) }
            this.actions.addView(row)
        }
        facts.removeAllViews()
    }

    fun heading(words: Int) {
        val view = inflater.inflate(R.layout.list_day, facts, false) as TextView
        view.setText(words)
        facts.addView(view)
    }

    /** Something that is known; [press]: it can be touched, and leads somewhere. */
    fun fact(label: String, value: CharSequence, press: (() -> Unit)? = null) {
        val view = inflater.inflate(R.layout.fact, facts, false)
        view.findViewById<TextView>(R.id.fact_label).text = label
        view.findViewById<TextView>(R.id.fact_value).apply {
            text = value
            if (press != null) setTextColor(activity.getColor(R.color.accent))
        }
        view.contentDescription = "$label: $value"
        press?.let { view.touch(it) }
        facts.addView(view)
    }

    /** A row as lists have them. */
    fun row(draw: (View) -> Unit, press: () -> Unit) {
        val view = inflater.inflate(R.layout.list_row, facts, false) as ViewGroup
        draw(view)
        // In a list the list has the focus, here the row.
        view.descendantFocusability = ViewGroup.FOCUS_AFTER_DESCENDANTS
        view.touch(press)
        facts.addView(view)
    }

    private fun button(action: Action, row: LinearLayout) =
        (inflater.inflate(R.layout.action, row, false) as TextView).apply {
            setText(action.words)
            contentDescription = activity.getString(action.heard)
            setCompoundDrawablesRelativeWithIntrinsicBounds(0, action.icon, 0, 0)
            setOnClickListener { action.press() }
        }

    private companion object {
        const val COLUMNS = 4
        const val FEW_COLUMNS = 2
        const val LARGE_FONT = 1.3f
    }
}

/** It can be touched from now on, and shows that it is. */
fun View.touch(press: () -> Unit) {
    val touched = context.obtainStyledAttributes(intArrayOf(android.R.attr.selectableItemBackground))
    background = touched.getDrawable(0)
    touched.recycle()
    isFocusable = true
    setOnClickListener { press() }
}
