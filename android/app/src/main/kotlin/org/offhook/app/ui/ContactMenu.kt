package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.telephony.PhoneNumberUtils
import org.offhook.app.R
import org.offhook.core.Contact
import org.offhook.core.ContactNumber
import org.offhook.core.PhoneInterface

/** What can be done with a contact, in a menu: call each of its numbers, mark it, block it. */
class ContactMenu(
    private val activity: Activity,
    private val call: (String) -> Unit,
    private val change: (PhoneInterface.() -> Unit) -> Unit
) {
    private class Entry(val words: String, val press: () -> Unit)

    /** [blocked]: the numbers that do not ring, as the core has them. */
    fun show(contact: Contact, blocked: List<String>) {
        val numbers = contact.numbers
        val isBlocked = numbers.any { it.isIn(blocked) }
        val entries = numbers.map { number -> Entry(toCall(number)) { call(number.text) } } + favourite(contact) +
            listOfNotNull(block(numbers, !isBlocked).takeIf { numbers.isNotEmpty() })
        show(title(contact), entries)
    }

    /** Which of its numbers to call. */
    fun choose(contact: Contact) =
        show(title(contact), contact.numbers.map { number -> Entry(toCall(number)) { call(number.text) } })

    private fun show(title: String, entries: List<Entry>) {
        AlertDialog.Builder(activity)
            .setTitle(title)
            .setItems(entries.map(Entry::words).toTypedArray()) { _, at -> entries[at].press() }
            .show()
    }

    private fun favourite(contact: Contact): Entry {
        val words = if (contact.favourite) R.string.contact_unmark else R.string.contact_mark
        return Entry(activity.getString(words)) {
            change { (listOf(contact.id) + contact.also).forEach { setFavourite(it, !contact.favourite) } }
        }
    }

    private fun block(numbers: List<ContactNumber>, on: Boolean): Entry {
        val words = if (on) R.string.contact_block else R.string.contact_unblock
        return Entry(activity.getString(words)) { change { numbers.forEach { block(it.normal ?: it.text, on) } } }
    }

    private fun toCall(number: ContactNumber): String {
        val shown = Numbers.shown(number.text)
        val kind = Numbers.clean(number.kind)
        return if (kind.isEmpty()) {
            activity.getString(R.string.contact_call, shown)
        } else {
            activity.getString(R.string.contact_call_kind, shown, Numbers.isolated(kind))
        }
    }

    private fun ContactNumber.isIn(blocked: List<String>) =
        normal in blocked || text in blocked || PhoneNumberUtils.stripSeparators(text) in blocked

    private fun title(contact: Contact) =
        Numbers.title(contact.names.firstOrNull(), contact.numbers.firstOrNull()?.text.orEmpty())
}
