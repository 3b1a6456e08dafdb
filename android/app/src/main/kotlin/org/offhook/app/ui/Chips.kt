package org.offhook.app.ui

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.RadioButton
import android.widget.RadioGroup
import org.offhook.app.R

/** A row of choices over a list, one of which is chosen; and a button at its end. To a screen reader, radio buttons. */
class Chips(private val activity: Activity) {
    private val row: View = activity.findViewById(R.id.chips)
    private val group: RadioGroup = activity.findViewById(R.id.chips_group)
    private val aside: Button = activity.findViewById(R.id.chips_aside)
    private var shown = listOf<String>()

    fun show(words: List<String>, chosen: Int, choose: (Int) -> Unit) {
        row.visibility = View.VISIBLE
        group.setOnCheckedChangeListener(null)
        if (words != shown) {
            shown = words
            // Else the group takes the new one for the old, which was checked.
            group.clearCheck()
            group.removeAllViews()
            words.forEachIndexed { at, word -> group.addView(chip(at, word)) }
        }
        group.check(chosen)
        group.setOnCheckedChangeListener { _, id -> if (id >= 0) choose(id) }
    }

    fun hide() {
        row.visibility = View.GONE
    }

    /** [heard]: what the button is for, and what is chosen behind it. */
    fun aside(words: String, heard: String, press: () -> Unit) {
        aside.visibility = View.VISIBLE
        aside.text = words
        aside.contentDescription = heard
        aside.setOnClickListener { press() }
    }

    /** What is chosen is the screen's to remember, so the platform does not. */
    private fun chip(at: Int, word: String) =
        (activity.layoutInflater.inflate(R.layout.chip, group, false) as RadioButton).apply {
            id = at
            text = word
            isSaveEnabled = false
        }
}
