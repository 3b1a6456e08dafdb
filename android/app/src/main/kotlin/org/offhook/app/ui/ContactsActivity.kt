package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.text.InputType
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import java.io.File
import org.offhook.app.R
import org.offhook.app.share.Handout
import org.offhook.core.Contact
import org.offhook.core.ContactHit
import org.offhook.core.Event
import org.offhook.core.FoundIn
import org.offhook.core.ImportedContacts
import org.offhook.core.PhoneInterface
import org.offhook.core.TextRange

/**
 * The phone book, or the favourites or a group of it; searched as one types: by letters, by part of a number, or by the
 * keys of a keypad.
 *
 * The device's contacts are in it once the user has allowed that; until then, and without it, the app's own.
 */
class ContactsActivity : ListScreen(R.string.contacts_title) {
    /** What is listed while nothing is searched; its name is what outlives a rotation. */
    private sealed interface Part {
        val name: String

        data object All : Part {
            override val name = "all"
        }

        data object Favourites : Part {
            override val name = "favourites"
        }

        data class Group(val group: String) : Part {
            override val name = GROUP + group
        }

        companion object {
            private const val GROUP = "group "

            fun of(name: String?): Part = when {
                name == null || name == All.name -> All
                name == Favourites.name -> Favourites
                else -> Group(name.removePrefix(GROUP))
            }
        }
    }

    /** A contact, and what of it was found. */
    private data class Item(val contact: Contact, val found: FoundIn?, val ranges: List<TextRange>)

    private val toCall by lazy { ContactMenu(this, ::call) }
    private val chips by lazy { Chips(this) }
    private val handout = Handout(this, ::wrong)
    private lateinit var rows: Rows<Item>

    /** There is no more to read. */
    private var all = true
    private var keys = false
    private var part: Part = Part.All
    private var groups = listOf<String>()

    /** What became of a file that was read or written. */
    private var told: String? = null

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
        part = Part.of(savedInstanceState?.getString(PART))
        menu(::entries)
        app.core.ask { prepareContacts() }
        app.contacts.watch()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(KEYS, keys)
        outState.putString(PART, part.name)
    }

    override fun onActivityResult(code: Int, result: Int, data: Intent?) {
        super.onActivityResult(code, result, data)
        val uri = data?.data ?: return
        if (result != RESULT_OK) return
        when (code) {
            SAVE -> handout.saved(uri, export()) { tell(getString(R.string.file_saved)) }
            IMPORT -> handout.take(uri, LARGEST_FILE_BYTES, { importContacts(it) }) { tell(imported(it)) }
        }
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        super.onRequestPermissionsResult(code, permissions, results)
        if (Permission.of(code) != Permission.CONTACTS || results.isEmpty()) return
        app.contacts.watch()
        showNotice()
    }

    override fun concerns(event: Event) = event is Event.Contacts

    override fun moment(event: Event) {
        super.moment(event)
        if (event is Event.Presence) rows.notifyDataSetChanged()
    }

    override fun answered(what: String, text: String) {
        if (text.isNotEmpty()) rename(what, text)
    }

    override fun show() {
        showNotice()
        val words = typed
        if (words.isNotBlank()) {
            chips.hide()
            read({ searchContacts(words, MOST_FOUND) }) { hits ->
                all = true
                take(hits.map { hit: ContactHit -> Item(hit.contact, hit.found, hit.ranges) })
            }
            return
        }
        val many = maxOf(rows.count, PAGE)
        val wanted = part
        read({ contactGroups().map { it.name } to members(wanted, many) }) { (groups, members) ->
            this.groups = groups
            // A group without anybody is gone.
            if (wanted is Part.Group && wanted.group !in groups) return@read turn(Part.All)
            showChips()
            all = wanted != Part.All || members.size < many
            take(members.map { Item(it, null, emptyList()) })
        }
    }

    private fun PhoneInterface.members(part: Part, many: Int) = when (part) {
        Part.All -> contactList(0u, many.toUInt())
        Part.Favourites -> favourites()
        is Part.Group -> groupMembers(part.group)
    }

    private fun showChips() {
        val parts = listOf(Part.All, Part.Favourites) + groups.map { Part.Group(it) }
        val words = parts.map {
            when (it) {
                Part.All -> getString(R.string.contacts_all)
                Part.Favourites -> getString(R.string.contacts_favourites)
                is Part.Group -> Numbers.isolated(Numbers.clean(it.group))
            }
        }
        chips.show(words, parts.indexOf(part)) { turn(parts[it]) }
    }

    private fun turn(to: Part) {
        part = to
        show()
        list.setSelection(0)
    }

    private fun entries(): List<Choices.Entry> {
        val group = (part as? Part.Group)?.group
        return listOfNotNull(
            entry(R.string.contact_new) { startActivity(ContactEditActivity.adding(this)) },
            group?.let { entry(R.string.group_rename) { askToRename(it) } },
            group?.let { entry(R.string.group_remove) { askToRemove(it) } },
            entry(R.string.contacts_import) { handout.choose(CARD_TYPES, IMPORT) },
            entry(R.string.contacts_share) { handout.share(FILE, export()) }.takeUnless { rows.isEmpty },
            entry(R.string.contacts_save) { handout.save(FILE, SAVE) }.takeUnless { rows.isEmpty },
            entry(R.string.speed_title) { startActivity(SpeedDialActivity.intent(this)) },
            entry(R.string.blocked_title) { startActivity(BlockedActivity.intent(this)) }
        )
    }

    private fun entry(words: Int, press: () -> Unit) = Choices.Entry(getString(words), press)

    /** Those of the part that is shown; all of the phone book where that is all. */
    private fun export(): PhoneInterface.(File) -> Unit {
        val wanted = part
        return { file ->
            val ids = if (wanted == Part.All) emptyList() else members(wanted, 0).flatMap { listOf(it.id) + it.also }
            // Nobody is named: that would be everybody.
            file.writeText(if (wanted != Part.All && ids.isEmpty()) "" else exportContacts(ids))
        }
    }

    private fun imported(what: ImportedContacts): String {
        val taken = what.taken.toInt()
        val passed = what.passedOver.toInt()
        return listOfNotNull(
            resources.getQuantityString(R.plurals.import_taken, taken, taken),
            resources.getQuantityString(R.plurals.import_passed, passed, passed).takeIf { passed > 0 }
        ).joinToString(" ")
    }

    private fun tell(sentence: String) {
        told = sentence
        showNotice()
    }

    private fun askToRename(group: String) =
        prompt.ask(Prompt.Question(group, getString(R.string.group_rename), getString(R.string.group_name), group))

    private fun rename(group: String, name: String) = change({ renameGroup(group, name) }) {
        if (part == Part.Group(group)) turn(Part.Group(name))
    }

    private fun askToRemove(group: String) = Choices.ask(
        this,
        getString(R.string.group_remove_ask, Numbers.isolated(Numbers.clean(group))),
        R.string.group_remove
    ) { change { removeGroup(group) } }

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

    /** What became of a file; else why the device's contacts are not here, if they are not. */
    private fun showNotice() {
        val said = told
        if (said != null) {
            return notice.show(
                Notice.Card(said, button = R.string.close) {
                    told = null
                    showNotice()
                }
            )
        }
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
            numbers.size > 1 -> toCall.choose(item.contact)
            numbers.size == 1 -> call(numbers.first().text)
            else -> open(item.contact)
        }
    }

    private fun call(number: String) = caller.call(null, number)

    private fun open(contact: Contact) = startActivity(ContactActivity.intent(this, contact.id))

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
        private const val PART = "part"
        private const val FILE = "offhook-contacts.vcf"

        /** The codes by which the platform's picker answers. */
        private const val SAVE = 31
        private const val IMPORT = 32

        /** The core takes no larger one. */
        private const val LARGEST_FILE_BYTES = 32 * 1024 * 1024

        /** A vCard has had many names. */
        private val CARD_TYPES = listOf("text/x-vcard", "text/vcard", "text/directory", "text/plain")

        /** The user has seen why the device's contacts are missing, and leaves it so. */
        private const val QUIET = "quiet"

        private const val LETTERS = InputType.TYPE_CLASS_TEXT or InputType.TYPE_TEXT_FLAG_NO_SUGGESTIONS

        fun intent(context: Context) = Intent(context, ContactsActivity::class.java)
    }
}
