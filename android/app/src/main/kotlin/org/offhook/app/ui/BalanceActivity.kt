package org.offhook.app.ui

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.graphics.Typeface
import android.os.Bundle
import android.text.InputFilter
import android.view.View
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.core.Balance
import org.offhook.core.BalanceFormat
import org.offhook.core.BalanceSign
import org.offhook.core.Event
import org.offhook.core.PhoneException

/**
 * How an account's balance is asked for: typed in, saved, and tried while the user looks on.
 *
 * The password or token is never shown again, and not kept with the screen's state: it outlives a rotation in memory only.
 */
class BalanceActivity :
    Activity(),
    Core.Listener {
    private val core get() = OffhookApp.of(this).core
    private val account get() = intent.getIntExtra(ACCOUNT, 0).toUInt()

    /** It was saved from here, and no answer came yet. */
    private var asking = false
    private var answer: Event.Balance? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.balance)
        edgeToEdge(findViewById(R.id.root))
        EDITS.forEach { edit(it).filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH)) }
        // The platform writes passwords like a typewriter.
        edit(R.id.secret).typeface = Typeface.DEFAULT
        val kept = core.ask { balanceSettings(account) }.getOrNull()
        if (savedInstanceState == null) kept?.let { fill(BalanceForm.of(it)) } else restore(savedInstanceState)
        if (kept != null) edit(R.id.secret).hint = getString(R.string.account_password_kept)
        visible(R.id.forget, kept != null)
        GROUPS.forEach { radios(it).setOnCheckedChangeListener { _, _ -> show() } }
        switch(R.id.allow_clear).setOnCheckedChangeListener { _, _ -> show() }
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<View>(R.id.save).setOnClickListener { save() }
        findViewById<View>(R.id.forget).setOnClickListener { forget() }
        show()
    }

    override fun onStart() {
        super.onStart()
        core.listen(this)
        // It may have come while the screen was turned.
        if (asking) core.around.balance(account)?.takeIf { it.trouble != null || it.isFresh() }?.let(::answered)
    }

    override fun onStop() {
        super.onStop()
        core.ignore(this)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(ASKING, asking)
    }

    @Deprecated("The platform has nothing else that stays in memory")
    override fun onRetainNonConfigurationInstance(): Any = edit(R.id.secret).text.toString() to answer

    override fun moment(event: Event) {
        if (event is Event.Balance && event.account == account) answered(event)
    }

    private fun answered(event: Event.Balance) {
        asking = false
        answer = event
        show()
    }

    private fun Event.Balance.isFresh() = balance?.let { MoneyWords.isFresh(this@BalanceActivity, it) } == true

    private fun restore(state: Bundle) {
        asking = state.getBoolean(ASKING)
        @Suppress("DEPRECATION")
        val kept = lastNonConfigurationInstance as? Pair<*, *> ?: return
        edit(R.id.secret).setText(kept.first as? String)
        answer = kept.second as? Event.Balance
    }

    private fun fill(form: BalanceForm) {
        radios(R.id.balance_by).check(BY.getValue(form.by))
        edit(R.id.vos).setText(form.vos)
        edit(R.id.url).setText(form.url)
        radios(R.id.body).check(BODIES.getValue(form.body))
        edit(R.id.body_text).setText(form.bodyText)
        radios(R.id.reader).check(READERS.getValue(form.format))
        edit(R.id.amount).setText(form.amount)
        edit(R.id.currency).setText(form.currency)
        edit(R.id.headers).setText(form.headers)
        radios(R.id.sign).check(SIGNS.getValue(form.sign))
        edit(R.id.user).setText(form.user)
        switch(R.id.allow_clear).isChecked = form.allowClear
    }

    private fun form() = BalanceForm(
        by = chosen(R.id.balance_by, BY),
        vos = textIn(R.id.vos),
        url = textIn(R.id.url),
        body = chosen(R.id.body, BODIES),
        bodyText = textIn(R.id.body_text),
        format = chosen(R.id.reader, READERS),
        amount = textIn(R.id.amount),
        currency = textIn(R.id.currency),
        headers = textIn(R.id.headers),
        sign = chosen(R.id.sign, SIGNS),
        user = textIn(R.id.user),
        allowClear = switch(R.id.allow_clear).isChecked
    )

    private fun save() {
        val settings = form().settings()
        // Left empty it stays as it was.
        val secret = textIn(R.id.secret).ifEmpty { null }
        answer = null
        asking = true
        mistake(null)
        show()
        core.later({ setBalance(account, settings, secret) }) { result ->
            if (isDestroyed) return@later
            result.onSuccess {
                edit(R.id.secret).setText("")
                edit(R.id.secret).hint = getString(R.string.account_password_kept)
                visible(R.id.forget, true)
            }.onFailure {
                asking = false
                mistake(it)
                show()
            }
        }
    }

    private fun forget() = core.later({ setBalance(account, null, null) }) { result ->
        result.onSuccess {
            core.around.forgetBalance(account)
            finish()
        }.onFailure { if (!isDestroyed) mistake(it) }
    }

    private fun mistake(failure: Throwable?) = findViewById<TextView>(R.id.mistake).let {
        it.visibility = if (failure == null) View.GONE else View.VISIBLE
        // What exactly is wrong with a template, the core says in English alone.
        val more = (failure as? PhoneException.BadSetting)?.let { bad -> "(${bad.sentence})" }
        it.text = listOfNotNull(failure?.sentence(this), more).joinToString(" ")
    }

    private fun show() {
        val form = form()
        visible(R.id.vos_fields, form.by == BalanceForm.By.VOS)
        visible(R.id.web_fields, form.by == BalanceForm.By.WEB)
        visible(R.id.body_text, form.body != BalanceForm.Body.NONE)
        visible(R.id.reader_fields, form.reads)
        visible(R.id.sign_fields, form.sign != null)
        visible(R.id.clear_warning, form.allowClear)
        val answer = answer
        findViewById<TextView>(R.id.answer).apply {
            visibility = if (asking || answer != null) View.VISIBLE else View.GONE
            text = if (answer == null) getString(R.string.balance_asking) else words(answer)
            val failed = answer?.trouble != null
            val icon = when {
                asking -> R.drawable.ic_clock
                failed -> R.drawable.ic_warn
                else -> R.drawable.ic_done
            }
            setCompoundDrawablesRelativeWithIntrinsicBounds(icon, 0, 0, 0)
            compoundDrawableTintList = getColorStateList(if (failed) R.color.error else R.color.accent)
        }
    }

    private fun words(answer: Event.Balance): String {
        val last = answer.balance?.let(::amount)
        val trouble = answer.trouble?.let { getString(R.string.balance_reason, Numbers.isolated(Numbers.clean(it))) }
        return when {
            trouble == null -> getString(R.string.balance_answer, last.orEmpty())
            last == null -> trouble
            else -> getString(R.string.balance_older, trouble, last)
        }
    }

    private fun amount(balance: Balance) = MoneyWords.amount(balance)

    companion object {
        private const val ACCOUNT = "account"
        private const val ASKING = "asking"

        /** As the core has it. */
        private const val LONGEST_LENGTH = 4_096
        private val EDITS = listOf(
            R.id.vos,
            R.id.url,
            R.id.body_text,
            R.id.amount,
            R.id.currency,
            R.id.headers,
            R.id.user,
            R.id.secret
        )
        private val GROUPS = listOf(R.id.balance_by, R.id.body, R.id.reader, R.id.sign)
        private val BY = mapOf(BalanceForm.By.VOS to R.id.by_vos, BalanceForm.By.WEB to R.id.by_web)
        private val BODIES = mapOf(
            BalanceForm.Body.NONE to R.id.body_none,
            BalanceForm.Body.JSON to R.id.body_json,
            BalanceForm.Body.FORM to R.id.body_form
        )
        private val READERS = mapOf(
            null to R.id.reader_any,
            BalanceFormat.VOS_JSON to R.id.reader_vos_json,
            BalanceFormat.VOS_FORM to R.id.reader_vos_form,
            BalanceFormat.JSON to R.id.reader_json,
            BalanceFormat.XML to R.id.reader_xml,
            BalanceFormat.TEXT to R.id.reader_text
        )
        private val SIGNS = mapOf(
            null to R.id.sign_none,
            BalanceSign.BASIC to R.id.sign_basic,
            BalanceSign.DIGEST to R.id.sign_digest,
            BalanceSign.BEARER to R.id.sign_bearer
        )

        fun intent(context: Context, account: UInt) =
            Intent(context, BalanceActivity::class.java).putExtra(ACCOUNT, account.toInt())
    }
}
