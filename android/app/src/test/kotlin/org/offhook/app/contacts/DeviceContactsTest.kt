package org.offhook.app.contacts

import android.Manifest
import android.content.ContentProvider
import android.content.ContentValues
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.provider.ContactsContract
import android.provider.ContactsContract.CommonDataKinds.Nickname
import android.provider.ContactsContract.CommonDataKinds.Phone
import java.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.ui.Screens
import org.offhook.app.ui.pass
import org.offhook.core.ContactNumber
import org.offhook.core.DeviceContact
import org.offhook.core.PhoneException
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class DeviceContactsTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val told get() = phone.commands.filter { "Contacts" in it && !it.startsWith("prepare") }

    /** The platform's phone book: as many rows as a test puts here. */
    class Book : ContentProvider() {
        override fun onCreate() = true

        override fun query(
            uri: Uri,
            columns: Array<String>?,
            only: String?,
            args: Array<String>?,
            order: String?
        ): Cursor {
            broken?.let { throw it }
            return MatrixCursor(columns).apply { rows.forEach { addRow(it) } }
        }

        override fun getType(uri: Uri): String? = null

        override fun insert(uri: Uri, values: ContentValues?): Uri? = null

        override fun delete(uri: Uri, only: String?, args: Array<String>?) = 0

        override fun update(uri: Uri, values: ContentValues?, only: String?, args: Array<String>?) = 0

        companion object {
            var rows = listOf<Array<Any?>>()
            var broken: RuntimeException? = null
        }
    }

    private fun row(id: Long, kind: String, text: String?, type: Int = 0, label: String? = null) =
        arrayOf<Any?>(id, "key-$id", "Name $id", null, kind, text, type, label)

    private fun book(vararg rows: Array<Any?>) {
        Book.rows = rows.toList()
        Book.broken = null
        Robolectric.setupContentProvider(Book::class.java, ContactsContract.AUTHORITY)
    }

    private fun pages(): List<List<DeviceContact>> = buildList { DevicePages(screens.app).each { add(it) } }

    @Test
    fun a_contact_has_its_names_numbers_and_what_these_are() {
        book(
            row(1, Phone.CONTENT_ITEM_TYPE, "+49 30 1", Phone.TYPE_MOBILE),
            row(1, Phone.CONTENT_ITEM_TYPE, "77", Phone.TYPE_CUSTOM, "Garden"),
            row(1, "vnd.android.cursor.item/sip_address", "ann@example.com"),
            row(1, Nickname.CONTENT_ITEM_TYPE, "Annie")
        )
        val numbers = listOf(
            ContactNumber("+49 30 1", "Mobile"),
            ContactNumber("77", "Garden"),
            ContactNumber("ann@example.com", "")
        )
        assertEquals(listOf(listOf(DeviceContact("key-1", listOf("Name 1", "Annie"), numbers))), pages())
    }

    @Test
    fun who_cannot_be_called_is_left_out() {
        book(row(1, Nickname.CONTENT_ITEM_TYPE, "Annie"), row(2, Phone.CONTENT_ITEM_TYPE, " "))
        assertEquals(emptyList<List<DeviceContact>>(), pages())
    }

    @Test
    fun many_come_in_pages_and_none_twice() {
        book(*Array(600) { row(it.toLong(), Phone.CONTENT_ITEM_TYPE, "10$it") })
        val pages = pages()
        assertEquals(listOf(250, 250, 100), pages.map { it.size })
        assertEquals(600, pages.flatten().map { it.key }.toSet().size)
    }

    @Test
    fun half_an_emoji_does_not_cost_its_page() {
        assertEquals("a\uFFFDb 😀", DevicePages.whole("a\uD83Db 😀"))
        assertEquals("plain", DevicePages.whole("plain"))
    }

    @Test
    fun nothing_is_read_before_it_is_allowed_and_all_as_soon_as_it_is() {
        book(row(1, Phone.CONTENT_ITEM_TYPE, "1001"))
        screens.app.core
        assertEquals(emptyList<String>(), told)
        screens.allow(Manifest.permission.READ_CONTACTS)
        screens.app.contacts.watch()
        assertEquals(listOf("beginContacts", "putContacts [key-1]", "endContacts"), told)
    }

    @Test
    fun a_change_is_read_once_it_is_quiet() {
        book(row(1, Phone.CONTENT_ITEM_TYPE, "1001"))
        screens.allow(Manifest.permission.READ_CONTACTS)
        screens.app.core
        pass(Duration.ofSeconds(1))
        repeat(3) { screens.app.contentResolver.notifyChange(ContactsContract.Contacts.CONTENT_URI, null) }
        pass(Duration.ofSeconds(5))
        assertEquals(2, told.count { it == "beginContacts" })
    }

    @Test
    fun a_reading_that_breaks_forgets_nothing_and_is_said() {
        book()
        Book.broken = SecurityException("taken back")
        screens.allow(Manifest.permission.READ_CONTACTS)
        screens.app.core
        pass(Duration.ofSeconds(1))
        assertEquals(listOf("beginContacts"), told)
        assertTrue(screens.app.contacts.failed)
        Book.broken = null
        screens.app.contacts.read()
        pass(Duration.ofSeconds(1))
        assertFalse(screens.app.contacts.failed)
        phone.refusal = PhoneException.Store("no space")
        screens.app.contacts.read()
        pass(Duration.ofSeconds(1))
        assertTrue(screens.app.contacts.failed)
    }
}
