package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.graphics.Typeface
import android.os.Bundle
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.Event
import org.offhook.core.MessageThread
import org.offhook.core.Side

/** Everybody whom messages were exchanged with, the newest first. */
class MessagesActivity : ListScreen(R.string.messages_title) {
    private val words = LogWords(this)
    private lateinit var rows: Rows<MessageThread>

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = Rows(layoutInflater, Kind())
        list.adapter = rows
        list.setOnItemClickListener { _, _, at, _ -> open(rows.getItem(at)) }
        list.setOnItemLongClickListener { _, _, at, _ ->
            forget(rows.getItem(at))
            true
        }
        // Threads are few, and the core finds none by words.
        search.visibility = View.GONE
        aside(R.drawable.ic_add, R.string.messages_new) {
            val hint = getString(R.string.messages_to)
            prompt.ask(Prompt.Question(NEW, getString(R.string.messages_new), hint, number = true))
        }
    }

    override fun concerns(event: Event) = event is Event.Messages

    override fun answered(what: String, text: String) {
        app.core.ask { check(null, text) }
            .onSuccess { startActivity(ThreadActivity.intent(this, text, text, Numbers.shown(text))) }
            .onFailure(::wrong)
    }

    override fun show() = read({ messageThreads(MOST) }) {
        rows.items = it
        shown(rows, R.string.messages_nothing)
    }

    private fun who(thread: MessageThread) =
        Numbers.title(thread.newest.name, thread.newest.number).ifEmpty { getString(R.string.call_unknown) }

    private fun open(thread: MessageThread) =
        startActivity(ThreadActivity.intent(this, thread.newest.number, thread.newest.remote, who(thread)))

    private fun forget(thread: MessageThread) =
        Choices.ask(this, getString(R.string.messages_delete_ask, who(thread)), R.string.log_forget) {
            change { forgetMessages(thread.newest.number) }
        }

    private inner class Kind : Rows.Kind<MessageThread> {
        override fun day(item: MessageThread): String? = null

        override fun id(item: MessageThread) = item.newest.id

        override fun draw(row: View, item: MessageThread) {
            val said = Numbers.clean(item.newest.text)
            val text = if (item.newest.side == Side.OUT) getString(R.string.messages_you, said) else said
            val below = "${Numbers.isolated(words.whenOf(item.newest.atMs))} · ${Numbers.isolated(text)}"
            val new = getString(R.string.log_new).takeIf { item.unseen > 0u }
            row.contentDescription = listOfNotNull(who(item), new, below).joinToString(", ")
            row.findViewById<TextView>(R.id.row_title).apply {
                this.text = who(item)
                typeface = if (new == null) Typeface.DEFAULT else Typeface.DEFAULT_BOLD
            }
            row.findViewById<TextView>(R.id.row_below).text = below
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(R.drawable.ic_message)
                setColorFilter(getColor(if (new == null) R.color.text_soft else R.color.accent))
            }
            row.findViewById<ImageView>(R.id.row_more).apply {
                setImageResource(R.drawable.ic_delete)
                contentDescription = getString(R.string.messages_delete, who(item))
                setOnClickListener { forget(item) }
            }
        }
    }

    companion object {
        private const val MOST = 250u
        private const val NEW = "new"

        fun intent(context: Context) = Intent(context, MessagesActivity::class.java)
    }
}
