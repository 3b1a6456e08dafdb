package org.offhook.app.ui

import android.app.AlertDialog
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.ClipboardManager
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.provider.ContactsContract
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.app.core.PlatformRefusal
import org.offhook.app.share.Handout
import org.offhook.core.Contact
import org.offhook.core.ContactGroup
import org.offhook.core.ContactNumber
import org.offhook.core.Event

/** A person: of one contact, or of several that the core holds for the same. */
class ContactActivity : Screen() {
    /** What is read for it. */
    private class Shown(
        val contacts: List<Contact>,
        val groups: List<ContactGroup>,
        val speed: Map<String, Int>,
        /** By number: what keeps it from ringing. */
        val blocking: Map<String, List<String>>
    ) {
        val ids = contacts.map { it.id }
        val names = contacts.flatMap { it.names }.distinct()
        val numbers = contacts.flatMap { it.numbers }.distinctBy { it.normal ?: it.text }
        val own = contacts.find { it.own }
        val favourite = contacts.any { it.favourite }
        val within = groups.filter { group -> group.contacts.any(ids::contains) }.map { it.name }
        val isBlocked = blocking.values.any { it.isNotEmpty() }
        val title get() = Numbers.title(names.firstOrNull(), numbers.firstOrNull()?.text.orEmpty())
    }

    private val handout = Handout(this, ::wrong)
    private val toCall by lazy { ContactMenu(this) { caller.call(null, it) } }
    private val id get() = intent.getLongExtra(ID, 0).toULong()
    private lateinit var details: Details
    private var shown: Shown? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.details)
        details = Details(this)
    }

    override fun concerns(event: Event) = event is Event.Contacts

    override fun answered(what: String, text: String) {
        if (text.isNotEmpty()) join(text)
    }

    override fun show() {
        val id = id
        read({
            val contacts = person(id)
            val numbers = contacts.flatMap { it.numbers }.map { it.text }.distinct()
            val speed = speedDials().associate { it.number to it.digit.toInt() }
            Shown(contacts, contactGroups(), speed, numbers.associateWith { blocking(listOf(it)) })
        }) { if (it.contacts.isEmpty()) finish() else take(it) }
    }

    private fun take(shown: Shown) {
        this.shown = shown
        right()
        details.begin(shown.title, null, actions(shown))
        shown.numbers.forEach { number -> details.row({ draw(it, number, shown) }) { caller.call(null, number.text) } }
        val others = shown.names.drop(1).joinToString("\n") { Numbers.isolated(Numbers.clean(it)) }
        if (others.isNotEmpty()) details.fact(getString(R.string.contact_also), others)
        val groups = shown.within.joinToString(", ") { Numbers.isolated(Numbers.clean(it)) }
        details.fact(getString(R.string.groups), groups.ifEmpty { getString(R.string.groups_none) }) { chooseGroups() }
        val sources = shown.contacts.map(::source).distinct()
        details.fact(getString(R.string.contact_source), sources.joinToString("\n"))
        showEdit(shown)
        menu { entries(shown) }
    }

    private fun showEdit(shown: Shown) {
        val own = shown.own
        when {
            own != null -> aside(R.drawable.ic_edit, R.string.contact_edit) {
                startActivity(ContactEditActivity.editing(this, own.id))
            }
            shown.contacts.any { it.key.isNotEmpty() } -> aside(R.drawable.ic_edit, R.string.contact_edit_there) {
                openThere(shown.contacts.first { it.key.isNotEmpty() })
            }
        }
    }

    private fun actions(shown: Shown): List<Details.Action> {
        val numbers = shown.numbers
        val talk = if (numbers.isEmpty()) {
            emptyList()
        } else {
            listOf(
                Details.Action(R.drawable.ic_call, R.string.dial_call) {
                    if (numbers.size == 1) caller.call(null, numbers[0].text) else toCall.choose(shown.title, numbers)
                },
                Details.Action(R.drawable.ic_message, R.string.messages_text) {
                    pick(numbers) { write(shown, it) }
                }
            )
        }
        val favourite = Details.Action(
            if (shown.favourite) R.drawable.ic_star else R.drawable.ic_star_off,
            R.string.contact_favourite,
            heard = if (shown.favourite) R.string.contact_unmark else R.string.contact_mark
        ) { mark(shown, !shown.favourite) }
        return talk + favourite + Details.Action(R.drawable.ic_share, R.string.share) {
            handout.share(CARD) { it.writeText(exportContacts(shown.ids)) }
        }
    }

    private fun entries(shown: Shown) = listOfNotNull(
        Choices.Entry(getString(R.string.groups)) { chooseGroups() },
        when {
            shown.numbers.isEmpty() -> null
            shown.isBlocked -> Choices.Entry(getString(R.string.contact_unblock)) { unblock(shown.blocking.values) }
            else -> Choices.Entry(getString(R.string.contact_block)) { askToBlock(shown) }
        },
        shown.contacts.find { !it.own && it.key.isNotEmpty() }?.let { contact ->
            Choices.Entry(getString(R.string.contact_edit_there)) { openThere(contact) }
        },
        shown.own?.let { own -> Choices.Entry(getString(R.string.contact_remove)) { askToRemove(own, shown) } }
    )

    private fun mark(shown: Shown, on: Boolean) = change { shown.ids.forEach { setFavourite(it, on) } }

    private fun write(shown: Shown, number: ContactNumber) =
        startActivity(ThreadActivity.intent(this, number.text, number.text, shown.title))

    private fun pick(numbers: List<ContactNumber>, then: (ContactNumber) -> Unit) {
        if (numbers.size == 1) return then(numbers[0])
        val entries = numbers.map { Choices.Entry(Numbers.shown(it.text)) { then(it) } }
        Choices.show(this, getString(R.string.messages_to), entries)
    }

    private fun askToBlock(shown: Shown) =
        Choices.ask(this, getString(R.string.block_ask, shown.title), R.string.contact_block) {
            change({ shown.numbers.forEach { block(it.normal ?: it.text, true) } }) { show() }
        }

    private fun unblock(blocking: Collection<List<String>>) =
        change({ blocking.flatten().distinct().forEach { block(it, false) } }) { show() }

    private fun askToRemove(own: Contact, shown: Shown) =
        Choices.ask(this, getString(R.string.contact_remove_ask, shown.title), R.string.log_forget) {
            change({ removeContact(own.id) }) { if (shown.contacts.size == 1) finish() }
        }

    /** The platform's own screen of it, where it can be changed. */
    private fun openThere(contact: Contact) {
        val there = Uri.withAppendedPath(ContactsContract.Contacts.CONTENT_LOOKUP_URI, Uri.encode(contact.key))
        try {
            startActivity(Intent(Intent.ACTION_VIEW, there))
        } catch (_: ActivityNotFoundException) {
            wrong(PlatformRefusal(getString(R.string.file_no_app)))
        }
    }

    private fun chooseGroups() {
        val shown = shown ?: return
        val names = shown.groups.map { it.name }
        if (names.isEmpty()) return askForGroup()
        AlertDialog.Builder(this)
            .setTitle(R.string.groups)
            .setMultiChoiceItems(
                names.map(Numbers::clean).toTypedArray(),
                names.map { it in shown.within }.toBooleanArray()
            ) { _, at, within -> change { shown.ids.forEach { setInGroup(names[at], it, within) } } }
            .setPositiveButton(R.string.close, null)
            .setNeutralButton(R.string.group_new) { _, _ -> askForGroup() }
            .show()
    }

    private fun askForGroup() =
        prompt.ask(Prompt.Question(NEW_GROUP, getString(R.string.group_new), getString(R.string.group_name)))

    private fun join(group: String) {
        val id = id
        change { person(id).forEach { setInGroup(group, it.id, true) } }
    }

    private fun source(contact: Contact): String = when {
        contact.own -> getString(R.string.contact_of_app)
        contact.account.isNullOrBlank() -> getString(R.string.contact_of_phone)
        else -> Numbers.isolated(Numbers.clean(contact.account.orEmpty()))
    }

    private fun draw(row: View, number: ContactNumber, of: Shown) {
        val text = Numbers.shown(number.text)
        val isBlocked = !of.blocking[number.text].isNullOrEmpty()
        val below = listOfNotNull(
            Kinds.shown(this, number.kind).takeIf(String::isNotEmpty),
            of.speed[number.text]?.let { getString(R.string.contact_speed, it) },
            getString(R.string.contact_blocked).takeIf { isBlocked }
        ).joinToString(" · ", transform = Numbers::isolated)
        row.contentDescription = if (below.isEmpty()) {
            getString(R.string.contact_call, text)
        } else {
            getString(R.string.contact_call_kind, text, below)
        }
        row.findViewById<TextView>(R.id.row_title).text = text
        row.findViewById<TextView>(R.id.row_below).apply {
            this.text = below
            visibility = if (below.isEmpty()) View.GONE else View.VISIBLE
        }
        row.findViewById<ImageView>(R.id.row_mark).apply {
            setImageResource(if (isBlocked) R.drawable.ic_block else R.drawable.ic_call)
            setColorFilter(getColor(R.color.text_soft))
        }
        row.findViewById<ImageView>(R.id.row_more).apply {
            setImageResource(R.drawable.ic_menu)
            contentDescription = getString(R.string.contact_more, text)
            setOnClickListener { chooseFor(number, of) }
        }
    }

    private fun chooseFor(number: ContactNumber, of: Shown) {
        val blocking = of.blocking[number.text].orEmpty()
        Choices.show(
            this,
            Numbers.shown(number.text),
            listOf(
                Choices.Entry(getString(R.string.messages_write)) { write(of, number) },
                Choices.Entry(getString(R.string.speed_title)) { chooseDigit(number, of) },
                Choices.Entry(getString(R.string.contact_copy)) { copy(number) },
                if (blocking.isEmpty()) {
                    Choices.Entry(getString(R.string.contact_block)) {
                        change({ block(number.normal ?: number.text, true) }) { show() }
                    }
                } else {
                    Choices.Entry(getString(R.string.contact_unblock)) { unblock(listOf(blocking)) }
                }
            )
        )
    }

    private fun chooseDigit(number: ContactNumber, of: Shown) {
        val set = of.speed.entries.associate { it.value to it.key }
        val digits = (1..9).map { digit ->
            val taken = set[digit]
            val words = if (taken == null) "$digit" else getString(R.string.speed_row, digit, Numbers.shown(taken))
            Choices.Entry(words) { setSpeed(digit, number.text) }
        }
        val clear = of.speed[number.text]?.let { digit ->
            Choices.Entry(getString(R.string.speed_clear)) { setSpeed(digit, null) }
        }
        Choices.show(this, getString(R.string.speed_title), digits + listOfNotNull(clear))
    }

    private fun setSpeed(digit: Int, number: String?) = change({ setSpeedDial(digit.toUByte(), number) }) { show() }

    private fun copy(number: ContactNumber) = getSystemService(ClipboardManager::class.java)
        .setPrimaryClip(ClipData.newPlainText(null, number.text))

    companion object {
        private const val ID = "id"
        private const val CARD = "contact.vcf"
        private const val NEW_GROUP = "group"

        fun intent(context: Context, id: ULong): Intent =
            Intent(context, ContactActivity::class.java).putExtra(ID, id.toLong())
    }
}
