package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import org.offhook.app.R

/** Several things to do, of which a person picks one; and one thing that is done only after a question. */
object Choices {
    class Entry(val words: String, val press: () -> Unit)

    fun show(activity: Activity, title: String?, entries: List<Entry>) {
        AlertDialog.Builder(activity)
            .setTitle(title)
            .setItems(entries.map(Entry::words).toTypedArray()) { _, at -> entries[at].press() }
            .show()
    }

    fun ask(activity: Activity, question: String, yes: Int, press: () -> Unit) {
        AlertDialog.Builder(activity)
            .setMessage(question)
            .setPositiveButton(yes) { _, _ -> press() }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }
}
