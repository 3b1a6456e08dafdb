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
import org.offhook.core.PhoneInterface
import org.offhook.core.Reach

/** How the user is reached: who gets through, where callers are sent on to, and what others see of the user. */
class ReachedActivity : Screen() {
    /** As it was read last. */
    private var reach: Reach? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.reached)
        findViewById<TextView>(R.id.title).setText(R.string.reached_title)
    }

    override fun answered(what: String, text: String) {
        if (what != NOTE) return set { forwardTo(text.ifEmpty { null }) }
        val own = reach?.presence ?: OwnPresence.AUTOMATIC
        set { setPresence(own, text) }
    }

    override fun show(): Unit = read(
        { reach() to accounts().any { accountSettings(it.account).publishPresence } }
    ) { (reach, publishes) ->
        this.reach = reach
        switch(R.id.quiet, reach.doNotDisturb) { on -> set { doNotDisturb(on) } }
        switch(R.id.waiting, reach.callWaiting) { on -> set { callWaiting(on) } }
        switch(R.id.anonymous, reach.refuseAnonymous) { on -> set { refuseAnonymous(on) } }
        val elsewhere = reach.forwardTo
        val shown = elsewhere?.let(Numbers::shown) ?: getString(R.string.reached_nowhere)
        fact(R.id.elsewhere, R.string.reached_elsewhere, shown) {
            ask(ELSEWHERE, R.string.reached_elsewhere_ask, R.string.messages_to, elsewhere.orEmpty())
        }
        showSeen(reach)
        findViewById<View>(R.id.seen).visibility = if (publishes) View.VISIBLE else View.GONE
        findViewById<View>(R.id.unseen).visibility = if (publishes) View.GONE else View.VISIBLE
    }

    private fun showSeen(reach: Reach) {
        findViewById<RadioGroup>(R.id.own).apply {
            setOnCheckedChangeListener(null)
            check(OWN.getValue(reach.presence))
            setOnCheckedChangeListener { _, id ->
                val own = OWN.entries.first { it.value == id }.key
                set { setPresence(own, reach.note) }
            }
        }
        val note = Numbers.clean(reach.note).ifEmpty { getString(R.string.reached_note_none) }
        fact(R.id.note, R.string.reached_note, Numbers.isolated(note)) {
            ask(NOTE, R.string.reached_note_ask, R.string.reached_note_hint, reach.note)
        }
    }

    private fun ask(what: String, title: Int, hint: Int, text: String) =
        prompt.ask(Prompt.Question(what, getString(title), getString(hint), text, number = what == ELSEWHERE))

    /** Where it was refused, all is shown as it was. */
    private fun set(command: PhoneInterface.() -> Unit): Unit = app.core.later(command) {
        if (isDestroyed) return@later
        right()
        show()
        it.onFailure(::wrong)
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
