package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.RadioGroup
import android.widget.Switch
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.OwnPresence

/** How the user is reached: who gets through, where callers are sent on to, and what others see of the user. */
class ReachedActivity : Screen() {
    private val reached get() = app.reached

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.reached)
        findViewById<TextView>(R.id.title).setText(R.string.reached_title)
    }

    override fun answered(what: String, text: String) =
        done(if (what == NOTE) reached.beSeen(reached.own, text) else reached.sendOn(text.ifEmpty { null }))

    override fun show() {
        switch(R.id.quiet, reached.quiet) { done(reached.beQuiet(it)) }
        switch(R.id.waiting, reached.waiting) { done(reached.letWait(it)) }
        val elsewhere = reached.elsewhere
        val shown = elsewhere?.let(Numbers::shown) ?: getString(R.string.reached_nowhere)
        fact(R.id.elsewhere, R.string.reached_elsewhere, shown) {
            ask(ELSEWHERE, R.string.reached_elsewhere_ask, R.string.messages_to, elsewhere.orEmpty())
        }
        showSeen()
        read(
            { refusesAnonymous() to accounts().any { accountSettings(it.account).publishPresence } }
        ) { (refuses, publishes) ->
            switch(R.id.anonymous, refuses, ::refuse)
            findViewById<View>(R.id.seen).visibility = if (publishes) View.VISIBLE else View.GONE
            findViewById<View>(R.id.unseen).visibility = if (publishes) View.GONE else View.VISIBLE
        }
    }

    private fun showSeen() {
        findViewById<RadioGroup>(R.id.own).apply {
            setOnCheckedChangeListener(null)
            check(OWN.getValue(reached.own))
            setOnCheckedChangeListener { _, id ->
                done(reached.beSeen(OWN.entries.first { it.value == id }.key, reached.note))
            }
        }
        val note = Numbers.clean(reached.note).ifEmpty { getString(R.string.reached_note_none) }
        fact(R.id.note, R.string.reached_note, Numbers.isolated(note)) {
            ask(NOTE, R.string.reached_note_ask, R.string.reached_note_hint, reached.note)
        }
    }

    private fun ask(what: String, title: Int, hint: Int, text: String) =
        prompt.ask(Prompt.Question(what, getString(title), getString(hint), text, number = what == ELSEWHERE))

    /** The core remembers that one itself, and waits for a disk. */
    private fun refuse(on: Boolean) = app.core.later({ refuseAnonymous(on) }) { if (!isDestroyed) done(it) }

    /** Where it was refused, all is shown as it was. */
    private fun done(result: Result<Unit>) {
        right()
        show()
        result.onFailure(::wrong)
    }

    private fun switch(id: Int, on: Boolean, press: (Boolean) -> Unit) = findViewById<Switch>(id).apply {
        setOnCheckedChangeListener(null)
        isChecked = on
        setOnCheckedChangeListener { _, now -> press(now) }
    }

    private fun fact(id: Int, label: Int, value: String, press: () -> Unit) = findViewById<View>(id).apply {
        findViewById<TextView>(R.id.fact_label).setText(label)
        findViewById<TextView>(R.id.fact_value).apply {
            text = value
            setTextColor(getColor(R.color.accent))
        }
        contentDescription = "${getString(label)}: $value"
        touch(press)
    }

    companion object {
        private const val NOTE = "note"
        private const val ELSEWHERE = "elsewhere"
        private val OWN = mapOf(
            OwnPresence.AUTOMATIC to R.id.own_automatic,
            OwnPresence.BUSY to R.id.own_busy,
            OwnPresence.AWAY to R.id.own_away,
            OwnPresence.OFFLINE to R.id.own_offline
        )

        fun intent(context: Context) = Intent(context, ReachedActivity::class.java)
    }
}
