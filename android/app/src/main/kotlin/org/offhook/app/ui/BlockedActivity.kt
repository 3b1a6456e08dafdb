package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.Event

/** The numbers that do not ring, and whose they are: more can be typed in, and each can ring again. */
class BlockedActivity : ListScreen(R.string.blocked_title) {
    private data class Item(val number: String, val name: String?)

    private lateinit var rows: Rows<Item>

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = Rows(layoutInflater, Kind())
        list.adapter = rows
        list.setOnItemClickListener { _, _, at, _ -> askToUnblock(rows.getItem(at)) }
        // They are few, and the core finds none by words.
        search.visibility = View.GONE
        aside(R.drawable.ic_add, R.string.blocked_add) {
            prompt.ask(
                Prompt.Question(
                    NEW,
                    getString(R.string.blocked_add),
                    getString(R.string.messages_to),
                    number = true
                )
            )
        }
    }

    override fun concerns(event: Event) = event is Event.Contacts

    override fun answered(what: String, text: String) {
        if (text.isNotEmpty()) change({ block(text, true) }) { show() }
    }

    override fun show() = read({ blocked().asReversed().map { Item(it, contactOf(it, it)?.names?.firstOrNull()) } }) {
        rows.items = it
        shown(rows, R.string.blocked_nothing)
    }

    private fun title(item: Item) = Numbers.title(item.name, item.number)

    private fun askToUnblock(item: Item) =
        Choices.ask(this, getString(R.string.unblock_ask, title(item)), R.string.contact_unblock) {
            change({ block(item.number, false) }) { show() }
        }

    private inner class Kind : Rows.Kind<Item> {
        override fun day(item: Item): String? = null

        override fun id(item: Item) = item.number.hashCode().toLong()

        override fun draw(row: View, item: Item) {
            val title = title(item)
            val below = if (item.name.isNullOrBlank()) "" else Numbers.shown(item.number)
            row.contentDescription = listOf(title, below).filter(String::isNotEmpty).joinToString(", ")
            row.findViewById<TextView>(R.id.row_title).text = title
            row.findViewById<TextView>(R.id.row_below).apply {
                text = below
                visibility = if (below.isEmpty()) View.GONE else View.VISIBLE
            }
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(R.drawable.ic_block)
                setColorFilter(getColor(R.color.text_soft))
            }
            row.findViewById<ImageView>(R.id.row_more).apply {
                setImageResource(R.drawable.ic_remove)
                contentDescription = getString(R.string.unblock, title)
                setOnClickListener { askToUnblock(item) }
            }
        }
    }

    companion object {
        private const val NEW = "new"

        fun intent(context: Context) = Intent(context, BlockedActivity::class.java)
    }
}
