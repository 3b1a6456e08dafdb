package org.offhook.app.ui

import android.app.Activity
import org.offhook.app.R
import org.offhook.core.Contact
import org.offhook.core.ContactNumber

/** Which of a contact's numbers to call, where there are several. */
class ContactMenu(private val activity: Activity, private val call: (String) -> Unit) {
    fun choose(contact: Contact) = choose(
        Numbers.title(contact.names.firstOrNull(), contact.numbers.firstOrNull()?.text.orEmpty()),
        contact.numbers
    )

    fun choose(title: String, numbers: List<ContactNumber>) =
        Choices.show(activity, title, numbers.map { Choices.Entry(toCall(it)) { call(it.text) } })

    private fun toCall(number: ContactNumber): String {
        val shown = Numbers.shown(number.text)
        val kind = Kinds.shown(activity, number.kind)
        return if (kind.isEmpty()) {
            activity.getString(R.string.contact_call, shown)
        } else {
            activity.getString(R.string.contact_call_kind, shown, Numbers.isolated(kind))
        }
    }
}
