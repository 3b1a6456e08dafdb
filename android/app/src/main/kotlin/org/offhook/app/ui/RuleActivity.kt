package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.text.InputFilter
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.AccountSettings
import org.offhook.core.DialRule
import org.offhook.core.Field
import org.offhook.core.PhoneException

/** One rule of a dial plan: typed in, and tried among the others before it is kept. */
class RuleActivity : PartScreen(R.string.rule_new, R.layout.rule) {
    private val at get() = intent.getIntExtra(AT, 0)
    private var rules = emptyList<DialRule>()
    private lateinit var tried: PlanTry

    /** An expression is what is wrong with a rule, as a rule. */
    private val fits = Place(R.id.rule_fits, R.id.rule_fits_mistake, R.string.rule_fits_bad)
    private val replace = Place(R.id.rule_replace, R.id.rule_replace_mistake, R.string.rule_replace_bad)
    private val most = Place(R.id.rule_most, R.id.rule_most_mistake, R.string.rule_least_most)

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        tried = PlanTry(this, { among(rules, form().rule()) }) { judged(it) }
        TEXTS.forEach { (id, longest) ->
            edit(id).filters = arrayOf(InputFilter.LengthFilter(longest))
            edit(id).onChange(::changed)
        }
        radios(R.id.rule_how).setOnCheckedChangeListener { _, _ -> showHow() }
        button(R.id.rule_go_on).setOnCheckedChangeListener { _, _ -> changed() }
    }

    override fun known(settings: AccountSettings) {
        rules = settings.dialPlan
        if (at < rules.size) {
            findViewById<TextView>(R.id.title).text = getString(R.string.plan_rule, "${at + 1}")
            aside(R.drawable.ic_delete, R.string.rule_remove) { askToRemove() }
        }
        tried.run()
    }

    override fun fill(settings: AccountSettings) {
        val form = settings.dialPlan.getOrNull(at)?.let(RuleForm::of) ?: return
        edit(R.id.rule_begins).setText(form.begins)
        edit(R.id.rule_least).setText(form.least)
        edit(R.id.rule_most).setText(form.most)
        edit(R.id.rule_fits).setText(form.fits)
        edit(R.id.rule_strip).setText(form.strip)
        edit(R.id.rule_prefix).setText(form.prefix)
        edit(R.id.rule_replace).setText(form.replace)
        radios(R.id.rule_how).check(if (form.anew) R.id.rule_anew else R.id.rule_ends)
        button(R.id.rule_go_on).isChecked = form.goOn
    }

    override fun typed(): ((AccountSettings) -> AccountSettings)? {
        val form = form()
        when {
            form.isNothing -> refuse(R.id.mistake, R.string.rule_nothing)

            form.isNone -> mark(most, true)

            else -> return { it.copy(dialPlan = among(it.dialPlan, form.rule())) }
        }
        return null
    }

    override fun notSaved(failure: Throwable) = judged(failure, true)

    /** The others with this one, at its place. */
    private fun among(rules: List<DialRule>, rule: DialRule) = rules.take(at) + rule + rules.drop(at + 1)

    /** What is wrong is with this rule, as a rule; but there may be too many of them. [seek]: the user is led there. */
    private fun judged(failure: Throwable?, seek: Boolean = false) {
        listOf(fits, replace).forEach(::unmark)
        if (failure == null) return
        val form = form()
        if ((failure as? PhoneException.BadSetting)?.field != Field.DIAL_PLAN) return wrong(failure)
        if (form.anew && form.fits.isBlank()) return mark(replace, seek)
        app.core.later({ tryPlan(listOf(form.rule()), "") }) { alone ->
            if (isDestroyed || form != form()) return@later
            if (alone.isFailure) mark(fits, seek) else wrong(failure)
        }
    }

    private fun mark(place: Place, seek: Boolean) {
        mark(place)
        if (seek) edit(place.edit).requestFocus()
    }

    private fun form() = RuleForm(
        textIn(R.id.rule_begins),
        textIn(R.id.rule_least),
        textIn(R.id.rule_most),
        textIn(R.id.rule_fits),
        radios(R.id.rule_how).checkedRadioButtonId == R.id.rule_anew,
        textIn(R.id.rule_strip),
        textIn(R.id.rule_prefix),
        textIn(R.id.rule_replace),
        button(R.id.rule_go_on).isChecked
    )

    private fun showHow() {
        val anew = form().anew
        visible(R.id.ends_fields, !anew)
        visible(R.id.anew_fields, anew)
        changed()
    }

    /** What was said when it was to be kept is of another rule; what is said of this one comes with the trial. */
    private fun changed() {
        right()
        unmark(most)
        tried.run()
    }

    private fun askToRemove() = Choices.ask(this, getString(R.string.rule_remove_ask), R.string.account_remove_yes) {
        app.core.changePart(account, { it.copy(dialPlan = it.dialPlan.filterIndexed { each, _ -> each != at }) }) {
            if (!isDestroyed) it.onSuccess { finish() }.onFailure(::wrong)
        }
    }

    companion object {
        private const val AT = "at"
        private const val LONGEST_LENGTH = 255
        private const val LONGEST_COUNT_LENGTH = 3
        private val TEXTS = mapOf(
            R.id.rule_begins to LONGEST_LENGTH,
            R.id.rule_fits to LONGEST_LENGTH,
            R.id.rule_prefix to LONGEST_LENGTH,
            R.id.rule_replace to LONGEST_LENGTH,
            R.id.rule_least to LONGEST_COUNT_LENGTH,
            R.id.rule_most to LONGEST_COUNT_LENGTH,
            R.id.rule_strip to LONGEST_COUNT_LENGTH
        )

        /** The rule at a place; behind the last one, a new one. */
        fun intent(context: Context, account: UInt, at: Int): Intent =
            PartScreen.intent<RuleActivity>(context, account).putExtra(AT, at)
    }
}
