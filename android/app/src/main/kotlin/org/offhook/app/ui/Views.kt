package org.offhook.app.ui

import android.app.Activity
import android.view.View
import android.widget.EditText
import android.widget.RadioGroup
import android.widget.Switch

// A screen's views by their ids, as forms ask for them.

internal fun Activity.visible(id: Int, yes: Boolean) {
    findViewById<View>(id).visibility = if (yes) View.VISIBLE else View.GONE
}

internal fun Activity.edit(id: Int): EditText = findViewById(id)

/** What stands in a field. */
internal fun Activity.textIn(id: Int) = edit(id).text.toString()

internal fun Activity.switch(id: Int): Switch = findViewById(id)

internal fun Activity.radios(id: Int): RadioGroup = findViewById(id)

/** Which of these is chosen, each by its button's id. */
internal fun <T> Activity.chosen(id: Int, of: Map<T, Int>): T =
    of.entries.first { it.value == radios(id).checkedRadioButtonId }.key
