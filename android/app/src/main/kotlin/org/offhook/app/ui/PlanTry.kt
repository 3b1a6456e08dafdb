package org.offhook.app.ui

import android.app.Activity
import android.text.Editable
import android.text.InputFilter
import android.text.TextWatcher
import android.view.View
import android.widget.EditText
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.DialRule
import org.offhook.core.TypedNumber

/**
 * The box in which a dial plan is tried: what would be dialed for a number, and why, while it is typed.
 *
 * [rules]: those to be tried. [judged]: whether they can be used at all; null: they can.
 */
class PlanTry(
    private val activity: Activity,
    private val rules: () -> List<DialRule>,
    private val judged: (Throwable?) -> Unit
) {
    private val core get() = OffhookApp.of(activity).core
    private val field: EditText = activity.findViewById(R.id.try_number)
    private var asked = 0

    init {
        field.filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH))
        field.onChange(::run)
    }

    /** Tries the rules as they are now. */
    fun run() {
        val mine = ++asked
        val typed = field.text.toString().trim()
        val rules = rules()
        // The plans of the world's numbers are read when the first is tried.
        core.later({ tryPlan(rules, typed) }) { result ->
            if (mine != asked || activity.isDestroyed) return@later
            show(result.getOrNull()?.takeIf { typed.isNotEmpty() })
            judged(result.exceptionOrNull())
        }
    }

    private fun show(told: TypedNumber?) {
        say(R.id.try_result, told?.let { RuleWords.dialed(activity, it) }.orEmpty())
        say(R.id.try_steps, told?.let { RuleWords.why(activity, it) }.orEmpty())
    }

    private fun say(id: Int, words: String) = activity.findViewById<TextView>(id).let {
        it.text = words
        it.visibility = if (words.isEmpty()) View.GONE else View.VISIBLE
    }

    private companion object {
        /** As the core: no number is longer. */
        const val LONGEST_LENGTH = 255
    }
}

/** [then], each time that another text stands in it. */
fun EditText.onChange(then: () -> Unit) = addTextChangedListener(object : TextWatcher {
    override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit

    override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit

    override fun afterTextChanged(text: Editable) = then()
})
