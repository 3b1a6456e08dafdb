package org.offhook.app.ui

import android.Manifest
import android.app.Activity
import android.app.AlertDialog
import android.content.Intent
import android.graphics.Typeface
import android.net.Uri
import android.text.Spanned
import android.text.style.StyleSpan
import android.view.View
import android.widget.ListView
import android.widget.RadioGroup
import android.widget.TextView
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.ContactGroup
import org.offhook.core.ContactHit
import org.offhook.core.Event
import org.offhook.core.FoundIn
import org.offhook.core.ImportedContacts
import org.offhook.core.TextRange
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class ContactsActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val calls get() = phone.commands.filter { it.startsWith("call ") }

    private fun ContactsActivity.rows(): ListView {
        shadowOf(mainLooper).idle()
        return findViewById(R.id.rows)
    }

    private fun ContactsActivity.title(at: Int) = rows().getChildAt(at).findViewById<TextView>(R.id.row_title).text

    private fun ContactsActivity.below(at: Int) = rows().getChildAt(at).findViewById<TextView>(R.id.row_below).text

    private fun ContactsActivity.touch(at: Int) = rows().let { it.performItemClick(it.getChildAt(at), at, 0L) }

    private fun ContactsActivity.opened(at: Int): Long {
        rows().getChildAt(at).findViewById<View>(R.id.row_more).performClick()
        return shadowOf(this).nextStartedActivity.getLongExtra("id", 0)
    }

    private fun ContactsActivity.chips(): List<String> {
        shadowOf(mainLooper).idle()
        val group = findViewById<RadioGroup>(R.id.chips_group)
        return (0 until group.childCount).map { (group.getChildAt(it) as TextView).text.toString().bare() }
    }

    private fun ContactsActivity.choose(words: String) {
        press(R.id.menu)
        take(words)
    }

    private fun bold(text: CharSequence): List<String> {
        val marked = text as Spanned
        return marked.getSpans(0, marked.length, StyleSpan::class.java)
            .filter { it.style == Typeface.BOLD }
            .map { marked.substring(marked.getSpanStart(it), marked.getSpanEnd(it)) }
    }

    @Test
    @Config(sdk = [28, 35])
    fun the_phone_book_is_there_by_name_and_a_touch_calls() {
        phone.book = listOf(contact(1u, "Ann", "+49 30 1"), contact(2u, null, "1002"))
        val activity = screens.contacts().get()
        assertEquals("Ann", activity.title(0).toString().bare())
        assertEquals("1002", activity.title(1).toString().bare())
        assertEquals("", activity.below(1).toString())
        activity.touch(0)
        assertEquals(listOf("call - +49 30 1"), calls)
    }

    @Test
    fun what_was_found_is_bold_counted_as_the_core_counts() {
        val emoji = contact(1u, "😀 Bob Ross", "1002")
        phone.hits = listOf(
            ContactHit(emoji, FoundIn.Name(0u), listOf(TextRange(3u, 6u), TextRange(7u, 8u))),
            ContactHit(contact(2u, "Ann", "5550", "030 123"), FoundIn.Number(1u), listOf(TextRange(2u, 5u)))
        )
        val activity = screens.contacts().get()
        activity.type(R.id.search, "26")
        shadowOf(activity.mainLooper).idle()
        assertEquals(listOf("Bob", "R"), bold(activity.title(0)))
        assertEquals(listOf("0 1"), bold(activity.below(1)))
        activity.touch(1)
        assertEquals(listOf("call - 030 123"), calls)
    }

    @Test
    fun ranges_of_a_text_that_had_to_be_cleaned_mark_nothing() {
        assertEquals(emptyList<String>(), bold(marked("a\u202Eb", listOf(TextRange(0u, 2u)))))
        assertEquals(emptyList<String>(), bold(marked("ab", listOf(TextRange(1u, 99u)))))
    }

    @Test
    fun of_several_numbers_one_is_chosen() {
        phone.book = listOf(contact(1u, "Ann", "1001", "1002"))
        screens.contacts().get().touch(0)
        assertEquals(listOf("Call 1001, Mobile", "Call 1002, Mobile"), offered())
        take("Call 1002, Mobile")
        assertEquals(listOf("call - 1002"), calls)
    }

    @Test
    fun the_button_beside_a_row_opens_the_person() {
        phone.book = listOf(contact(7u, "Ann", "1001", favourite = true))
        val activity = screens.contacts().get()
        assertEquals(7L, activity.opened(0))
        assertTrue(activity.rows().getChildAt(0).contentDescription.endsWith("Favourite"))
    }

    @Test
    fun favourites_and_each_group_are_a_part_that_outlives_a_rotation() {
        phone.book = listOf(contact(1u, "Ann", "1001", favourite = true), contact(2u, "Bob", "1002"))
        phone.circles = listOf(ContactGroup("Office", listOf(2uL)))
        val controller = screens.contacts()
        assertEquals(listOf("All", "Favourites", "Office"), controller.get().chips())
        controller.get().pressWords("Favourites")
        assertEquals(1, controller.get().rows().count)
        assertEquals("Ann", controller.get().title(0).toString().bare())
        controller.get().pressWords("Office")
        val turned = controller.recreate().get()
        assertEquals("Bob", turned.title(0).toString().bare())
        phone.circles = emptyList()
        phone.emit(Event.Contacts)
        assertEquals(listOf("All", "Favourites"), turned.chips())
        assertEquals(2, turned.rows().count)
    }

    @Test
    fun a_group_is_renamed_and_what_was_typed_outlives_a_rotation() {
        phone.book = listOf(contact(2u, "Bob", "1002"))
        phone.circles = listOf(ContactGroup("Office", listOf(2uL)))
        val controller = screens.contacts()
        controller.get().pressWords("Office")
        controller.get().choose("Rename this group")
        typeThere("Wor")
        val turned = controller.recreate().get()
        shadowOf(turned.mainLooper).idle()
        typeThere("Work")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("renameGroup Office Work" in phone.commands)
    }

    @Test
    fun a_group_is_deleted_after_a_question() {
        phone.book = listOf(contact(2u, "Bob", "1002"))
        phone.circles = listOf(ContactGroup("Office", listOf(2uL)))
        val activity = screens.contacts().get()
        activity.pressWords("Office")
        activity.choose("Delete this group")
        assertTrue(phone.commands.none { it.startsWith("removeGroup") })
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("removeGroup Office" in phone.commands)
    }

    @Test
    fun a_file_is_imported_and_what_became_of_it_is_said() {
        val activity = screens.contacts().get()
        activity.choose("Import a file (vCard)")
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(Intent.ACTION_OPEN_DOCUMENT, asked.intent.action)
        val from = Uri.parse("content://documents/1")
        shadowOf(screens.app.contentResolver).registerInputStream(from, "BEGIN:VCARD".byteInputStream())
        phone.imported = ImportedContacts(12u, 1u)
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(from))
        shadowOf(activity.mainLooper).idle()
        assertTrue("importContacts 11" in phone.commands)
        assertEquals("12 contacts were imported. 1 could not be read.", activity.text(R.id.notice_text))
        phone.emit(Event.Contacts)
        assertTrue("it stays until it is closed", activity.text(R.id.notice_text).startsWith("12 contacts"))
    }

    @Test
    fun a_file_that_cannot_be_read_is_said() {
        val activity = screens.contacts().get()
        activity.choose("Import a file (vCard)")
        val asked = shadowOf(activity).nextStartedActivityForResult
        val from = Uri.parse("content://documents/1")
        shadowOf(screens.app.contentResolver).registerInputStreamSupplier(from) { throw SecurityException() }
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(from))
        shadowOf(activity.mainLooper).idle()
        assertEquals("The file cannot be read or written. Please try again.", activity.text(R.id.mistake))
        assertTrue(phone.commands.none { it.startsWith("import") })
    }

    @Test
    fun those_that_are_shown_are_shared_with_all_of_each_person() {
        phone.book = listOf(
            contact(1u, "Ann", "1001", favourite = true, also = listOf(5uL)),
            contact(2u, "Bob", "1002")
        )
        val activity = screens.contacts().get()
        val file = File(screens.app.cacheDir, "shared/offhook-contacts.vcf")
        activity.choose("Share these contacts")
        assertEquals("contacts []", file.readText())
        activity.pressWords("Favourites")
        activity.choose("Share these contacts")
        assertEquals("contacts [1, 5]", file.readText())
    }

    @Test
    fun from_here_one_comes_to_a_new_contact_speed_dial_and_blocked_numbers() {
        val activity = screens.contacts().get()
        val ways = mapOf(
            "New contact" to ContactEditActivity::class,
            "Speed dial" to SpeedDialActivity::class,
            "Blocked numbers" to BlockedActivity::class
        )
        ways.forEach { (words, screen) ->
            activity.choose(words)
            assertEquals(screen.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        }
    }

    @Test
    fun the_device_is_asked_for_its_contacts_by_a_button_beside_the_reason() {
        val activity = screens.contacts().get()
        assertFalse("beginContacts" in phone.commands)
        assertTrue(activity.text(R.id.notice_text).endsWith("They stay on the phone."))
        activity.press(R.id.notice_button)
        val asked = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf(Manifest.permission.READ_CONTACTS), asked.requestedPermissions.toList())
        activity.onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, intArrayOf(-1))
        assertTrue(activity.text(R.id.notice_text).startsWith("The contacts of this phone are not shown."))
        activity.press(R.id.notice_dismiss)
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    fun another_phone_book_is_shown_at_once() {
        val activity = screens.contacts().get()
        assertEquals("No contacts yet.", activity.text(R.id.nothing))
        phone.book = listOf(contact(1u, "Ann", "1001"))
        phone.emit(Event.Contacts)
        assertEquals("Ann", activity.title(0).toString().bare())
    }

    @Test
    fun the_field_takes_the_keys_of_a_keypad_or_letters() {
        val activity = screens.contacts().get()
        val words = { activity.findViewById<View>(R.id.aside).contentDescription }
        assertEquals("Search by the keys of a keypad", words())
        activity.press(R.id.aside)
        assertEquals("Search by letters", words())
    }
}
