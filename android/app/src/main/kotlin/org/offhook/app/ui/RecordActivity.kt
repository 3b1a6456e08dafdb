package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import java.io.File
import org.offhook.app.R
import org.offhook.app.core.PlatformRefusal
import org.offhook.app.share.Handout
import org.offhook.core.CallFilter
import org.offhook.core.CallRecord
import org.offhook.core.Contact
import org.offhook.core.Event
import org.offhook.core.ForgetCalls

/** One call that was: all that is known of it, what can be done about who it was with, and the others with the number. */
class RecordActivity : Screen() {
    /** What is read for it. */
    private class Shown(
        val call: CallRecord,
        val contact: Contact?,
        /** What keeps the number from ringing. */
        val blocking: List<String>,
        val others: List<CallRecord>
    )

    private val words = LogWords(this)
    private val facts = CallFacts(this, words)
    private val handout = Handout(this, ::wrong)
    private val id get() = intent.getLongExtra(ID, 0)
    private lateinit var details: Details

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.details)
        details = Details(this)
    }

    override fun concerns(event: Event) = event is Event.CallLog || event is Event.Contacts

    override fun show() {
        val wanted = id
        read({
            callRecord(wanted)?.let { call ->
                val contact = contactOf(call.number, call.remote)
                val others = callLog(CallFilter(number = call.number), null, MOST_OTHERS).filter { it.id != wanted }
                Shown(call, contact, blocking(listOf(call.number, call.remote)), others)
            }
        }) { shown -> if (shown == null) finish() else take(shown) }
    }

    private fun take(shown: Shown) {
        right()
        val call = shown.call
        details.begin(words.who(call), Numbers.below(call), actions(shown))
        findViewById<View>(R.id.forged).visibility = if (Trust.of(call) == Trust.FORGED) View.VISIBLE else View.GONE
        val account = app.core.accounts.find { it.uri == call.account }?.number ?: call.account
        facts.of(call, account).forEach { (label, value) -> details.fact(label, value) }
        facts.recording(call)?.let { file ->
            details.fact(getString(R.string.fact_recording), Numbers.leftToRight(Numbers.clean(file.name))) {
                play(file)
            }
        }
        if (shown.others.isNotEmpty()) details.heading(R.string.record_others)
        shown.others.forEach { other ->
            details.row({ draw(it, other) }) { startActivity(intent(this, other.id)) }
        }
        aside(R.drawable.ic_delete, R.string.log_forget_one) { askToForget(call) }
    }

    private fun actions(shown: Shown): List<Details.Action> {
        val call = shown.call
        val toCall = Details.Action(R.drawable.ic_call, R.string.dial_call) {
            caller.call(accountOf(call), call.remote)
        }
        // Nobody knows who that was.
        if (call.number.isEmpty()) return if (call.remote.isEmpty()) emptyList() else listOf(toCall)
        return listOf(
            toCall,
            Details.Action(R.drawable.ic_message, R.string.messages_text) {
                startActivity(ThreadActivity.intent(this, call.number, call.remote, words.who(call)))
            },
            toContact(call, shown.contact),
            Details.Action(
                R.drawable.ic_block,
                if (shown.blocking.isEmpty()) R.string.contact_block else R.string.contact_unblock
            ) { if (shown.blocking.isEmpty()) askToBlock(call) else unblock(shown.blocking) }
        )
    }

    private fun toContact(call: CallRecord, contact: Contact?) = if (contact == null) {
        Details.Action(R.drawable.ic_add_person, R.string.contact_add) {
            startActivity(ContactEditActivity.adding(this, call.name.orEmpty(), call.number))
        }
    } else {
        Details.Action(R.drawable.ic_person, R.string.contact_show) {
            startActivity(ContactActivity.intent(this, contact.id))
        }
    }

    private fun askToBlock(call: CallRecord) =
        Choices.ask(this, getString(R.string.block_ask, words.who(call)), R.string.contact_block) {
            change({ block(call.number, true) }) { show() }
        }

    private fun unblock(blocking: List<String>) = change({ blocking.forEach { block(it, false) } }) { show() }

    private fun accountOf(call: CallRecord) = app.core.accounts.find { it.uri == call.account }?.account

    private fun play(file: File) {
        if (file.isFile) handout.open(file) else wrong(PlatformRefusal(getString(R.string.recording_gone)))
    }

    private fun askToForget(call: CallRecord) = Choices.ask(
        this,
        resources.getQuantityString(R.plurals.log_forget_ask, 1, 1, words.who(call)),
        R.string.log_forget
    ) { change({ forgetCalls(ForgetCalls.One(call.id)) }) { finish() } }

    private fun draw(row: View, call: CallRecord) {
        val line = words.line(call)
        val trust = Trust.of(call)
        row.contentDescription = listOfNotNull(line, trust?.let { getString(it.words) }).joinToString(", ")
        row.findViewById<TextView>(R.id.row_title).text = line
        row.findViewById<View>(R.id.row_more).visibility = View.GONE
        row.findViewById<ImageView>(R.id.row_mark).apply {
            setImageResource(LogWords.mark(call))
            setColorFilter(getColor(if (call.missed) R.color.error else R.color.text_soft))
        }
        Trust.show(row, trust, null)
    }

    companion object {
        private const val ID = "id"
        private const val MOST_OTHERS = 30u

        fun intent(context: Context, id: Long): Intent = Intent(context, RecordActivity::class.java).putExtra(ID, id)
    }
}
