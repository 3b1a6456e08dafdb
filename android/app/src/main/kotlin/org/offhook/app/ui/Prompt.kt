package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.os.Bundle
import android.text.InputFilter
import android.text.InputType
import android.view.View
import android.widget.EditText
import android.widget.FrameLayout
import org.offhook.app.R

/**
 * Asks for a line of text. What was typed outlives a rotation, and so does what it was asked for, which is why that is
 * a word ([Question.what]) and not something to run.
 */
class Prompt(private val activity: Activity, private val answered: (what: String, text: String) -> Unit) {
    /** [what] comes back with the answer. [number]: it is one, or an address. */
    data class Question(
        val what: String,
        val title: String,
        val hint: String,
        val text: String = "",
        val number: Boolean = false
    )

    private var open: Question? = null
    private var dialog: AlertDialog? = null
    private var field: EditText? = null

    fun ask(question: Question) {
        val field = EditText(activity).apply {
            hint = question.hint
            inputType = if (question.number) NUMBER else NAME
            filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH))
            setText(question.text)
            setSelection(length())
        }
        val around = activity.resources.getDimensionPixelSize(R.dimen.dialog_margin)
        val frame = FrameLayout(activity).apply {
            setPadding(around, 0, around, 0)
            addView(field)
        }
        open = question
        this.field = field
        dialog = AlertDialog.Builder(activity)
            .setTitle(question.title)
            .setView(frame)
            .setPositiveButton(R.string.prompt_done) { _, _ -> answered(question.what, field.text.toString().trim()) }
            .setNegativeButton(R.string.cancel, null)
            .setOnDismissListener { if (open == question) open = null }
            .show()
    }

    fun save(to: Bundle) {
        val question = open ?: return
        val texts = arrayOf(question.what, question.title, question.hint, field?.text.toString())
        to.putStringArray(OPEN, texts)
        to.putBoolean(NUMERIC, question.number)
    }

    fun restore(from: Bundle?) {
        val (what, title, hint, text) = from?.getStringArray(OPEN) ?: return
        ask(Question(what, title, hint, text, from.getBoolean(NUMERIC)))
    }

    /** The screen goes. */
    fun close() {
        val closing = dialog
        dialog = null
        closing?.dismiss()
    }

    private companion object {
        const val OPEN = "prompt"
        const val NUMERIC = "prompt_number"

        /** As the core: no number, name or address that works is longer. */
        const val LONGEST_LENGTH = 255
        const val NAME = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_CAP_WORDS
        const val NUMBER = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_VARIATION_URI
    }
}
