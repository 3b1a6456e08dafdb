package org.offhook.app.ui

import android.os.Bundle
import android.text.InputFilter
import android.view.View
import org.offhook.app.R
import org.offhook.core.AccountSettings
import org.offhook.core.Carry
import org.offhook.core.Field
import org.offhook.core.OwnNumber

/** The number that those see who are called by an account, and how its provider is told. */
class CallerIdActivity : PartScreen(R.string.caller_title, R.layout.caller_id) {
    override val places = mapOf(
        Field.CALLER_ID to Place(R.id.caller_number, R.id.caller_number_mistake, R.string.caller_number_bad)
    )

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        edit(R.id.caller_number).filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH))
        radios(R.id.caller_ways).setOnCheckedChangeListener { _, _ -> showCarries() }
        findViewById<View>(R.id.caller_own).setOnClickListener { pick() }
    }

    override fun fill(settings: AccountSettings) {
        val form = CallerIdForm.of(settings.callerId)
        edit(R.id.caller_number).setText(form.number)
        button(R.id.caller_hide).isChecked = form.hide
        radios(R.id.caller_ways).check(if (form.chosen) R.id.caller_chosen else R.id.caller_usual)
        CARRIES.forEach { (carry, id) -> button(id).isChecked = carry in form.carry }
    }

    override fun typed(): ((AccountSettings) -> AccountSettings)? {
        val form = form()
        say(R.id.carries_mistake, null)
        if (form.nowhere) return null.also { refuse(R.id.carries_mistake, R.string.caller_nowhere) }
        val callerId = form.settings()
        return { it.copy(callerId = callerId) }
    }

    private fun form() = CallerIdForm(
        textIn(R.id.caller_number),
        button(R.id.caller_hide).isChecked,
        radios(R.id.caller_ways).checkedRadioButtonId == R.id.caller_chosen,
        CARRIES.filterValues { button(it).isChecked }.keys
    )

    private fun showCarries() = visible(R.id.carries, form().chosen)

    private fun pick() = app.core.later({ ownNumbers() }) { result ->
        if (!isDestroyed) pick(result.getOrDefault(emptyList()))
    }

    private fun pick(own: List<OwnNumber>) {
        // There they are read, once that is allowed.
        val all = { startActivity(NumbersActivity.intent(this)) }
        if (own.isEmpty()) return all()
        val entries = own.map {
            Choices.Entry("${Numbers.leftToRight(it.shown)}\n${it.source(this)}") {
                edit(R.id.caller_number).setText(it.number)
            }
        }
        Choices.show(
            this,
            getString(R.string.caller_own),
            entries + Choices.Entry(getString(R.string.numbers_title), all)
        )
    }

    private companion object {
        /** As the core: no number that works is longer. */
        const val LONGEST_LENGTH = 255

        val CARRIES = mapOf(
            Carry.FROM_DISPLAY to R.id.carry_from_display,
            Carry.PREFERRED to R.id.carry_preferred,
            Carry.ASSERTED to R.id.carry_asserted,
            Carry.REMOTE_PARTY to R.id.carry_remote_party,
            Carry.FROM_USER to R.id.carry_from_user
        )
    }
}
