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
import org.offhook.core.MessageDraft
import org.offhook.core.MessageThread
import org.offhook.core.Side

/** Everybody whom messages were exchanged with or begun to, the newest first. */
class MessagesActivity : ListScreen(R.string.messages_title) {
    /** A thread, and what was begun to its number; or that alone, with the name of whoever has the number. */
    private class Item(val thread: MessageThread?, val draft: MessageDraft?, val name: String?) {
        val number = thread?.newest?.number ?: draft?.number.orEmpty()
        val remote = thread?.newest?.remote ?: number
        val atMs = thread?.newest?.atMs ?: draft?.atMs ?: 0
    }

    private val words = LogWords(this)
    private lateinit var rows: Rows<Item>

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

    override fun show() = read({
        val begun = drafts().associateBy(MessageDraft::number)
        val threads = messageThreads(MOST).map { Item(it, begun[it.newest.number], it.newest.name) }
        val alone = begun - threads.map(Item::number).toSet()
        threads + alone.values.map { Item(null, it, contactOf(it.number, it.number)?.names?.firstOrNull()) }
    }) { items ->
        rows.items = items.sortedByDescending(Item::atMs)
        shown(rows, R.string.messages_nothing)
    }

    private fun who(item: Item) = Numbers.title(item.name, item.number).ifEmpty { getString(R.string.call_unknown) }

    private fun open(item: Item) = startActivity(ThreadActivity.intent(this, item.number, item.remote, who(item)))

    private fun forget(item: Item) {
        val question = if (item.thread == null) R.string.messages_draft_delete_ask else R.string.messages_delete_ask
        Choices.ask(this, getString(question, who(item)), R.string.log_forget) {
            change { forgetMessages(item.number) }
        }
    }

    /** What was begun; else what was written last. */
    private fun text(item: Item): String {
        item.draft?.let { return getString(R.string.messages_draft, Numbers.clean(it.text)) }
        val newest = item.thread?.newest ?: return ""
        val said = Numbers.clean(newest.text)
        return if (newest.side == Side.OUT) getString(R.string.messages_you, said) else said
    }

    private inner class Kind : Rows.Kind<Item> {
        override fun day(item: Item): String? = null

        /** What is begun alone has none of its own. */
        override fun id(item: Item) = item.thread?.newest?.id ?: (Int.MIN_VALUE.toLong() + item.number.hashCode() - 1)

        override fun draw(row: View, item: Item) {
            val at = words.whenOf(item.draft?.atMs ?: item.atMs)
            val below = "${Numbers.isolated(at)} · ${Numbers.isolated(text(item))}"
            val new = getString(R.string.log_new).takeIf { item.thread != null && item.thread.unseen > 0u }
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
                val what = if (item.thread == null) R.string.messages_draft_delete else R.string.messages_delete
                contentDescription = getString(what, who(item))
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
