package org.offhook.app.contacts

import android.content.Context
import android.database.Cursor
import android.provider.ContactsContract.CommonDataKinds.Nickname
import android.provider.ContactsContract.CommonDataKinds.Organization
import android.provider.ContactsContract.CommonDataKinds.Phone
import android.provider.ContactsContract.CommonDataKinds.SipAddress
import android.provider.ContactsContract.Data
import org.offhook.core.ContactNumber
import org.offhook.core.DeviceContact

/** The platform's contacts that can be called, in pages for the core. Knows nothing of what becomes of them. */
class DevicePages(private val context: Context) {
    /** Reads all, a page at a time. Throws what the platform throws where it may not be read. */
    fun each(take: (List<DeviceContact>) -> Unit) {
        val page = ArrayList<DeviceContact>(PAGE)
        val rows = context.contentResolver.query(Data.CONTENT_URI, COLUMNS, ONLY, KINDS, Data.CONTACT_ID)
            ?: error("nobody answers for contacts")
        rows.use {
            var person: Person? = null
            while (it.moveToNext()) {
                val id = it.getLong(ID)
                if (person?.id != id) {
                    person?.contact()?.let(page::add)
                    person = Person(id, it)
                    if (page.size == PAGE) {
                        take(page.toList())
                        page.clear()
                    }
                }
                person.add(it)
            }
            person?.contact()?.let(page::add)
        }
        if (page.isNotEmpty()) take(page)
    }

    private inner class Person(val id: Long, row: Cursor) {
        private val key = row.text(KEY)
        private val photo = row.text(PHOTO).ifEmpty { null }
        private val names = linkedSetOf(row.text(NAME))
        private val numbers = ArrayList<ContactNumber>()

        fun add(row: Cursor) {
            val text = row.text(TEXT)
            if (text.isBlank()) return
            when (row.text(KIND)) {
                Phone.CONTENT_ITEM_TYPE -> {
                    val label = Phone.getTypeLabel(context.resources, row.getInt(TYPE), row.text(LABEL))
                    numbers += ContactNumber(text, whole(label.toString()))
                }
                SIP -> numbers += ContactNumber(text, "")
                else -> names += text
            }
        }

        /** Null: there is nothing to call. */
        fun contact() = if (numbers.isEmpty()) {
            null
        } else {
            DeviceContact(key, names.filter(String::isNotBlank), numbers.distinct(), photo)
        }
    }

    companion object {
        private const val PAGE = 250

        private val COLUMNS = arrayOf(
            Data.CONTACT_ID,
            Data.LOOKUP_KEY,
            Data.DISPLAY_NAME_PRIMARY,
            Data.PHOTO_THUMBNAIL_URI,
            Data.MIMETYPE,
            Data.DATA1,
            Data.DATA2,
            Data.DATA3
        )
        private const val ID = 0
        private const val KEY = 1
        private const val NAME = 2
        private const val PHOTO = 3
        private const val KIND = 4
        private const val TEXT = 5
        private const val TYPE = 6
        private const val LABEL = 7

        /** The platform has no other place for a SIP address, and people have theirs in this one. */
        @Suppress("DEPRECATION")
        private const val SIP = SipAddress.CONTENT_ITEM_TYPE

        private const val ONLY = "${Data.MIMETYPE} IN (?, ?, ?, ?)"
        private val KINDS = arrayOf(
            Phone.CONTENT_ITEM_TYPE,
            SIP,
            Nickname.CONTENT_ITEM_TYPE,
            Organization.CONTENT_ITEM_TYPE
        )

        private fun Cursor.text(column: Int) = whole(getString(column).orEmpty())

        /** Half of an emoji, which Java's strings may hold, would fail the whole page in the bindings. */
        fun whole(text: String): String {
            if (text.none(Char::isSurrogate)) return text
            val out = StringBuilder(text.length)
            var at = 0
            while (at < text.length) {
                val point = text.codePointAt(at)
                at += Character.charCount(point)
                val half = Character.charCount(point) == 1 && point.toChar().isSurrogate()
                out.appendCodePoint(if (half) UNKNOWN else point)
            }
            return out.toString()
        }

        private const val UNKNOWN = 0xFFFD
    }
}
