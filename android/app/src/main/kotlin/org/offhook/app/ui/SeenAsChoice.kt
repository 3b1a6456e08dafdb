package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.os.Bundle
import android.view.View
import android.widget.ImageButton
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.SeenAs
import org.offhook.core.OwnNumber

/** Beside the call button: what the next call says of who calls. It is for one call, then all is as usual. */
class SeenAsChoice(private val activity: Activity) {
    private val app get() = OffhookApp.of(activity)
    private val button: ImageButton = activity.findViewById(R.id.seen_as)
    private val note: TextView = activity.findViewById(R.id.seen_note)

    /** Null: as usual. */
    var chosen: SeenAs? = null
        private set(value) {
            field = value
            show()
        }

    init {
        button.setOnClickListener { ask() }
        show()
    }

    fun asUsual() {
        chosen = null
    }

    fun save(state: Bundle) {
        val chosen = chosen ?: return
        state.putString(NUMBER, chosen.number)
        state.putBoolean(HIDE, chosen.hide == true)
        state.putBoolean(CHOSEN, true)
    }

    fun restore(state: Bundle) {
        if (state.getBoolean(CHOSEN)) chosen = SeenAs(state.getString(NUMBER), state.getBoolean(HIDE).takeIf { it })
    }

    private fun ask() = app.core.later({ ownNumbers() }) { result ->
        if (!activity.isDestroyed) ask(result.getOrDefault(emptyList()))
    }

    private fun ask(own: List<OwnNumber>) {
        val entries = listOf(activity.getString(R.string.seen_usual) to null) +
            own.map { Numbers.leftToRight(it.shown) to SeenAs(it.number, null) } +
            listOf(activity.getString(R.string.seen_hidden) to SeenAs(null, true))
        val now = entries.indexOfFirst { it.second == chosen }
        AlertDialog.Builder(activity)
            .setTitle(R.string.seen_as)
            .setSingleChoiceItems(entries.map { it.first }.toTypedArray(), now) { dialog, at ->
                chosen = entries[at].second
                dialog.dismiss()
            }
            .setNeutralButton(R.string.numbers_title) { _, _ ->
                activity.startActivity(NumbersActivity.intent(activity))
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private fun show() {
        val chosen = chosen
        note.visibility = if (chosen == null) View.GONE else View.VISIBLE
        note.text = when {
            chosen == null -> null
            chosen.number == null -> activity.getString(R.string.seen_note_hidden)
            else -> activity.getString(R.string.seen_note_number, Numbers.shown(chosen.number))
        }
        button.setColorFilter(activity.getColor(if (chosen == null) R.color.text_soft else R.color.accent))
        button.contentDescription = activity.getString(
            R.string.seen_as_is,
            note.text.takeIf { chosen != null }
                ?: activity.getString(R.string.seen_usual)
        )
    }

    private companion object {
        const val CHOSEN = "seen_as"
        const val NUMBER = "seen_as_number"
        const val HIDE = "seen_as_hidden"
    }
}
