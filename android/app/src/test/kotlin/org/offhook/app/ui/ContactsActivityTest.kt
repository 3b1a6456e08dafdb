package org.offhook.app.ui

import android.Manifest
import android.graphics.Typeface
import android.text.Spanned
import android.text.style.StyleSpan
import android.view.View
import android.widget.ListView
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.ContactHit
import org.offhook.core.Event
import org.offhook.core.FoundIn
import org.offhook.core.PhoneException
import org.offhook.core.TextRange
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

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

    private fun ContactsActivity.menu(at: Int): List<String> {
        rows().getChildAt(at).findViewById<View>(R.id.row_more).performClick()
        shadowOf(mainLooper).idle()
        return shadowOf(ShadowAlertDialog.getLatestAlertDialog()).items.map { it.toString().bare() }
    }

    private fun choose(at: Int) {
        shadowOf(ShadowAlertDialog.getLatestAlertDialog()).clickOnItem(at)
        shadowOf(screens.app.mainLooper).idle()
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
        assertEquals(
            listOf("Call 1001, mobile", "Call 1002, mobile"),
            shadowOf(ShadowAlertDialog.getLatestAlertDialog()).items.map { it.toString().bare() }
        )
        choose(1)
        assertEquals(listOf("call - 1002"), calls)
    }

    @Test
    fun the_menu_marks_the_whole_person_and_blocks_its_numbers() {
        phone.book = listOf(contact(1u, "Ann", "10 01", also = listOf(5uL)))
        val activity = screens.contacts().get()
        assertEquals(listOf("Call 10 01, mobile", "Make a favourite", "Block"), activity.menu(0))
        choose(1)
        assertTrue(phone.commands.containsAll(listOf("setFavourite 1 true", "setFavourite 5 true")))
        activity.menu(0)
        choose(2)
        assertTrue("block 1001 true" in phone.commands)
    }

    @Test
    fun what_is_marked_and_blocked_can_be_taken_back() {
        phone.book = listOf(contact(1u, "Ann", "1001", favourite = true))
        phone.noRing = listOf("1001")
        val activity = screens.contacts().get()
        assertEquals(listOf("Call 1001, mobile", "No longer a favourite", "No longer block"), activity.menu(0))
        choose(2)
        assertTrue("block 1001 false" in phone.commands)
        assertTrue(activity.rows().getChildAt(0).contentDescription.endsWith("Favourite"))
    }

    @Test
    fun what_cannot_be_kept_is_said() {
        phone.book = listOf(contact(1u, "Ann", "1001"))
        val activity = screens.contacts().get()
        activity.menu(0)
        phone.refusal = PhoneException.Store("no space")
        choose(1)
        assertEquals("This phone cannot read or keep that now. Please try again.", activity.text(R.id.mistake))
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
