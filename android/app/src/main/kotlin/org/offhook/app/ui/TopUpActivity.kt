package org.offhook.app.ui

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.text.InputFilter
import android.view.View
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R

/**
 * A card for an account: typed in, and paid in once after a question. What comes of it is shown where this was opened.
 *
 * A card is money: what stands on it is not kept with the screen's state, and outlives a rotation in memory only.
 */
class TopUpActivity : Activity() {
    private val core get() = OffhookApp.of(this).core
    private val account get() = intent.getIntExtra(ACCOUNT, 0).toUInt()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.top_up)
        edgeToEdge(findViewById(R.id.root))
        FIELDS.forEach { edit(it).filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH)) }
        @Suppress("DEPRECATION")
        val typed = lastNonConfigurationInstance as? List<*>
        if (typed != null) FIELDS.zip(typed) { id, text -> edit(id).setText(text as? String) }
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<View>(R.id.pay).setOnClickListener { ask() }
        // Whoever comes back for another try should know.
        findViewById<View>(R.id.doubt).visibility =
            if (core.around.money.isInDoubt(account)) View.VISIBLE else View.GONE
    }

    @Deprecated("The platform has nothing else that stays in memory")
    override fun onRetainNonConfigurationInstance(): Any = FIELDS.map { edit(it).text.toString() }

    private fun ask() {
        val card = text(R.id.card)
        if (card.isEmpty()) return mistake(getString(R.string.top_up_no_number))
        val number = core.accounts.find { it.account == account }?.number.orEmpty()
        val question = getString(R.string.top_up_ask, Numbers.shown(card), Numbers.shown(number))
        Choices.ask(this, question, R.string.top_up_yes) {
            core.topUp(account, card, text(R.id.pin)).onSuccess { finish() }.onFailure { mistake(it.sentence(this)) }
        }
    }

    private fun mistake(sentence: String) = findViewById<TextView>(R.id.mistake).let {
        it.text = sentence
        it.visibility = View.VISIBLE
    }

    private fun text(id: Int) = textIn(id).trim()

    companion object {
        private const val ACCOUNT = "account"

        /** As the core has it. */
        private const val LONGEST_LENGTH = 255
        private val FIELDS = listOf(R.id.card, R.id.pin)

        fun intent(context: Context, account: UInt) =
            Intent(context, TopUpActivity::class.java).putExtra(ACCOUNT, account.toInt())
    }
}
