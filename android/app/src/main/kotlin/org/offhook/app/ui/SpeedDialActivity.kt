package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.Event

/** What the digits 1 to 9 call when they are held down on the dialpad. The first is for voicemail, as on telephones. */
class SpeedDialActivity : ListScreen(R.string.speed_title) {
    private data class Item(val digit: Int, val number: String?, val name: String?)

    private lateinit var rows: Rows<Item>

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = Rows(layoutInflater, Kind())
        list.adapter = rows
        list.setOnItemClickListener { _, _, at, _ -> press(rows.getItem(at)) }
        search.visibility = View.GONE
        val digit = intent.getIntExtra(DIGIT, 0)
        if (savedInstanceState == null && digit in DIGITS) ask(digit, "")
    }

    override fun concerns(event: Event) = event is Event.Contacts

    override fun answered(what: String, text: String) = set(what.toInt(), text.ifEmpty { null })

    override fun show() = read({
        val set = speedDials().associate { it.digit.toInt() to it.number }
        DIGITS.map { digit -> Item(digit, set[digit], set[digit]?.let { contactOf(it, it)?.names?.firstOrNull() }) }
    }) {
        rows.items = it
        shown(rows, R.string.list_not_found)
    }

    private fun press(item: Item) {
        val number = item.number ?: return ask(item.digit, "")
        Choices.show(
            this,
            title(item),
            listOf(
                Choices.Entry(getString(R.string.contact_call, Numbers.shown(number))) { caller.call(null, number) },
                Choices.Entry(getString(R.string.speed_change)) { ask(item.digit, number) },
                Choices.Entry(getString(R.string.speed_clear)) { set(item.digit, null) }
            )
        )
    }

    private fun ask(digit: Int, number: String) {
        val title =
            if (digit == VOICEMAIL) getString(R.string.speed_voicemail) else getString(R.string.speed_set, digit)
        prompt.ask(Prompt.Question("$digit", title, getString(R.string.messages_to), number, number = true))
    }

    private fun set(digit: Int, number: String?) = change({ setSpeedDial(digit.toUByte(), number) }) { show() }

    private fun title(item: Item) = item.number?.let { Numbers.title(item.name, it) }
        ?: getString(if (item.digit == VOICEMAIL) R.string.speed_voicemail_none else R.string.speed_none)

    private inner class Kind : Rows.Kind<Item> {
        override fun day(item: Item): String? = null

        override fun id(item: Item) = item.digit.toLong()

        override fun draw(row: View, item: Item) {
            val below = item.number?.takeUnless { item.name.isNullOrBlank() }?.let(Numbers::shown).orEmpty()
            val words = listOf("${item.digit}", title(item), below).filter(String::isNotEmpty)
            row.contentDescription = words.joinToString(", ")
            row.findViewById<TextView>(R.id.row_title).apply {
                text = getString(R.string.speed_row, item.digit, title(item))
                setTextColor(getColor(if (item.number == null) R.color.text_soft else R.color.text))
            }
            row.findViewById<TextView>(R.id.row_below).apply {
                text = below
                visibility = if (below.isEmpty()) View.GONE else View.VISIBLE
            }
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(if (item.digit == VOICEMAIL) R.drawable.ic_message else R.drawable.ic_call)
                setColorFilter(getColor(if (item.number == null) R.color.idle else R.color.accent))
            }
            row.findViewById<View>(R.id.row_more).visibility = View.GONE
        }
    }

    companion object {
        private const val DIGIT = "digit"
        private const val VOICEMAIL = 1
        private val DIGITS = 1..9

        fun intent(context: Context) = Intent(context, SpeedDialActivity::class.java)

        /** That digit was held down, and calls nothing yet. */
        fun setting(context: Context, digit: Int): Intent = intent(context).putExtra(DIGIT, digit)
    }
}
