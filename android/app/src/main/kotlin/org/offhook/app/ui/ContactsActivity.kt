package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.text.InputType
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.Contact
import org.offhook.core.ContactHit
import org.offhook.core.Event
import org.offhook.core.FoundIn
import org.offhook.core.TextRange

/**
 * The phone book, searched as one types: by letters, by part of a number, or by the keys of a keypad.
 *
 * The device's contacts are in it once the user has allowed that; until then, and without it, the app's own.
 */
class ContactsActivity : ListScreen(R.string.contacts_title) {
    /** A contact, and what of it was found. */
    private data class Item(val contact: Contact, val found: FoundIn?, val ranges: List<TextRange>)

    private val menu by lazy { ContactMenu(this, ::call) { change(it) } }
    private lateinit var rows: Rows<Item>

    /** There is no more to read. */
    private var all = true
    private var keys = false

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = Rows(layoutInflater, Kind())
        list.adapter = rows
        list.setOnItemClickListener { _, _, at, _ -> press(rows.getItem(at)) }
        list.setOnItemLongClickListener { _, _, at, _ ->
            open(rows.getItem(at).contact)
            true
        }
        search.setHint(R.string.contacts_search)
        keys(savedInstanceState?.getBoolean(KEYS) ?: false)
        app.core.ask { prepareContacts() }
        app.contacts.watch()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(KEYS, keys)
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        super.onRequestPermissionsResult(code, permissions, results)
        if (Permission.of(code) != Permission.CONTACTS || results.isEmpty()) return
        app.contacts.watch()
        showNotice()
    }

    override fun moment(event: Event) {
        if (event is Event.Contacts) show()
        if (event is Event.Presence) rows.notifyDataSetChanged()
    }

    override fun show() {
        showNotice()
        val words = typed
        if (words.isBlank()) {
            val many = maxOf(rows.count, PAGE)
            read({ contactList(0u, many.toUInt()) }) { page ->
                all = page.size < many
                take(page.map { Item(it, null, emptyList()) })
            }
        } else {
            read({ searchContacts(words, MOST_FOUND) }) { hits ->
                all = true
                take(hits.map { hit: ContactHit -> Item(hit.contact, hit.found, hit.ranges) })
            }
        }
    }

    override fun more() {
        if (all) return
        all = true
        val had = rows.items
        read({ contactList(had.size.toUInt(), PAGE.toUInt()) }) { page ->
            all = page.size < PAGE
            take(had + page.map { Item(it, null, emptyList()) })
        }
    }

    private fun take(items: List<Item>) {
        rows.items = items
        shown(rows, if (typed.isBlank()) R.string.contacts_nothing else R.string.list_not_found)
    }

    /** Why the device's contacts are not here, if they are not. */
    private fun showNotice() {
        val quiet = remembered().getBoolean(QUIET, false)
        notice.show(
            when {
                Permission.CONTACTS.given(this) -> if (app.contacts.failed) unread() else null
                quiet -> null
                Permission.CONTACTS.wasAsked(this) ->
                    card(Permission.CONTACTS.refused, R.string.permission_settings) {
                        startActivity(Permission.settings(this))
                    }
                else -> card(R.string.contacts_why, R.string.contacts_allow) { Permission.CONTACTS.ask(this) }
            }
        )
    }

    private fun card(text: Int, button: Int, press: () -> Unit) = Notice.Card(
        getString(text),
        button = button,
        dismiss = {
            remembered().edit().putBoolean(QUIET, true).apply()
            showNotice()
        },
        press = press
    )

    private fun unread() = Notice.Card(getString(R.string.contacts_failed), button = R.string.retry_now) {
        app.contacts.read()
        notice.show(null)
    }

    /** The keyboard of letters, or the platform's keypad. */
    private fun keys(on: Boolean) {
        keys = on
        search.inputType = if (on) InputType.TYPE_CLASS_PHONE else LETTERS
        if (on) {
            aside(R.drawable.ic_keyboard, R.string.contacts_letters) { keys(false) }
        } else {
            aside(R.drawable.ic_dialpad, R.string.contacts_keys) { keys(true) }
        }
    }

    private fun press(item: Item) {
        val numbers = item.contact.numbers
        val found = (item.found as? FoundIn.Number)?.let { numbers.getOrNull(it.index.toInt()) }
        when {
            found != null -> call(found.text)
            numbers.size > 1 -> menu.choose(item.contact)
            numbers.size == 1 -> call(numbers.first().text)
            else -> open(item.contact)
        }
    }

    private fun call(number: String) = caller.call(null, number)

    private fun open(contact: Contact) = app.core.later({ blocked() }) { result ->
        if (!isDestroyed) result.onSuccess { menu.show(contact, it) }.onFailure(::wrong)
    }

    private fun remembered() = getSharedPreferences("contacts", Context.MODE_PRIVATE)

    private inner class Kind : Rows.Kind<Item> {
        override fun day(item: Item): String? = null

        override fun id(item: Item) = item.contact.id.toLong()

        override fun draw(row: View, item: Item) {
            val title = titleOf(item)
            val below = belowOf(item)
            row.findViewById<TextView>(R.id.row_title).text = title
            row.findViewById<TextView>(R.id.row_below).apply {
                text = below
                visibility = if (below.isEmpty()) View.GONE else View.VISIBLE
            }
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(if (item.contact.favourite) R.drawable.ic_star else R.drawable.ic_person)
                setColorFilter(getColor(if (item.contact.favourite) R.color.accent else R.color.text_soft))
            }
            val favourite = getString(R.string.contact_favourite).takeIf { item.contact.favourite }
            val ids = listOf(item.contact.id) + item.contact.also
            val lamp = Lamp.of(ids.firstNotNullOfOrNull(app.watch::of))
            Lamp.show(row, lamp)
            row.contentDescription = listOfNotNull(
                title,
                lamp?.words?.let(::getString),
                below.takeIf(CharSequence::isNotEmpty),
                favourite
            ).joinToString(", ")
            row.findViewById<View>(R.id.row_more).apply {
                contentDescription = getString(R.string.contact_more, title)
                setOnClickListener { open(item.contact) }
            }
        }

        private fun titleOf(item: Item): CharSequence {
            val name = item.contact.names.firstOrNull()
                ?: return Numbers.shown(item.contact.numbers.firstOrNull()?.text.orEmpty())
            return if (item.found == FoundIn.Name(0u)) marked(name, item.ranges) else marked(name, emptyList())
        }

        /** Another name or the number that was found; else the first number. */
        private fun belowOf(item: Item): CharSequence {
            val contact = item.contact
            return when (val found = item.found) {
                is FoundIn.Number ->
                    marked(contact.numbers.getOrNull(found.index.toInt())?.text.orEmpty(), item.ranges, true)
                is FoundIn.Name ->
                    if (found.index == 0u) first(contact) else marked(other(contact, found), item.ranges)
                null -> first(contact)
            }
        }

        private fun other(contact: Contact, found: FoundIn.Name) =
            contact.names.getOrNull(found.index.toInt()).orEmpty()

        private fun first(contact: Contact) =
            if (contact.names.isEmpty()) "" else contact.numbers.firstOrNull()?.let { Numbers.shown(it.text) }.orEmpty()
    }

    companion object {
        private const val PAGE = 120
        private const val MOST_FOUND = 50u
        private const val KEYS = "keys"

        /** The user has seen why the device's contacts are missing, and leaves it so. */
        private const val QUIET = "quiet"

        private const val LETTERS = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS

        fun intent(context: Context) = Intent(context, ContactsActivity::class.java)
    }
}
