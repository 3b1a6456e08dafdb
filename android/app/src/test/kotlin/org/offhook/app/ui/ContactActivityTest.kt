package org.offhook.app.ui

import android.app.AlertDialog
import android.content.ClipboardManager
import android.content.Intent
import android.view.View
import android.widget.TextView
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.ContactGroup
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.SpeedDial
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
class ContactActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val changes get() = phone.commands.filterNot { it.startsWith("beginContacts") }

    /** Ann is in the device's phone book and in the app's own. */
    @Before
    fun one_person_of_two_contacts() {
        phone.book = listOf(
            contact(1u, "Ann Archer", "1001", also = listOf(5uL)),
            contact(5u, "Ann", "1001", "+49 30 2", own = true),
            contact(2u, "Bob", "1002")
        )
        phone.circles = listOf(ContactGroup("Family", listOf(5uL)), ContactGroup("Office", listOf(2uL)))
    }

    private fun ContactActivity.more(number: String) {
        val title = window.decorView.all().first { it is TextView && it.text.toString().bare() == number }
        val row = generateSequence(title) { it.parent as View }.first { it.hasOnClickListeners() }
        row.findViewById<View>(R.id.row_more).performClick()
    }

    private fun ContactActivity.choose(words: String) {
        press(R.id.menu)
        take(words)
    }

    @Test
    @Config(sdk = [28, 35])
    fun several_contacts_that_are_one_person_are_shown_as_one() {
        val texts = screens.contact(5u).get().shownTexts()
        assertEquals("Ann Archer", texts.first())
        assertEquals(1, texts.count { it == "1001" })
        assertTrue("+49 30 2" in texts)
        assertEquals("Ann", texts[texts.indexOf("Also called") + 1])
        assertEquals("Family", texts[texts.indexOf("Groups") + 1])
        assertEquals("On this phone\nIn this app", texts[texts.indexOf("Kept") + 1])
    }

    @Test
    fun a_number_says_what_it_is_which_digit_calls_it_and_that_it_does_not_ring() {
        phone.speed = listOf(SpeedDial(3u, "1001"))
        phone.noRing = listOf("1001")
        assertTrue("Mobile · Speed dial 3 · Blocked" in screens.contact(1u).get().shownTexts())
    }

    @Test
    fun a_number_is_called_by_a_touch_and_of_several_one_is_chosen() {
        val activity = screens.contact(1u).get()
        activity.pressWords("+49 30 2")
        activity.pressWords("Call")
        take("Call 1001, Mobile")
        assertEquals(
            listOf("call - +49 30 2", "call - 1001"),
            phone.commands.filter { it.startsWith("call ") }
        )
    }

    @Test
    fun the_whole_person_is_marked_and_grouped() {
        val activity = screens.contact(1u).get()
        activity.pressWords("Favourite")
        assertTrue(changes.containsAll(listOf("setFavourite 1 true", "setFavourite 5 true")))
        activity.pressWords("Family")
        shadowOf(ShadowAlertDialog.getLatestAlertDialog()).clickOnItem(1)
        shadowOf(activity.mainLooper).idle()
        assertTrue(changes.containsAll(listOf("setInGroup Office 1 true", "setInGroup Office 5 true")))
    }

    @Test
    fun a_new_group_is_typed_and_outlives_a_rotation() {
        phone.circles = emptyList()
        val controller = screens.contact(1u)
        controller.get().pressWords("None yet")
        typeThere("Choir")
        controller.recreate()
        shadowOf(screens.app.mainLooper).idle()
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("setInGroup Choir 1 true" in changes)
    }

    @Test
    fun what_is_kept_here_is_edited_here_and_the_rest_in_the_phones_contacts() {
        val own = screens.contact(1u).get()
        own.press(R.id.aside)
        assertEquals(5L, shadowOf(own).nextStartedActivity.getLongExtra("id", 0))
        val other = screens.contact(2u).get()
        other.press(R.id.aside)
        val there = shadowOf(other).nextStartedActivity
        assertEquals(Intent.ACTION_VIEW, there.action)
        assertTrue(there.dataString, there.dataString!!.endsWith("/lookup/key-2"))
        other.press(R.id.menu)
        assertFalse("Delete contact" in offered())
    }

    @Test
    fun what_is_kept_here_is_deleted_after_a_question() {
        phone.book = listOf(contact(5u, "Ann", "1001", own = true))
        val activity = screens.contact(5u).get()
        activity.choose("Delete contact")
        assertFalse("removeContact 5" in changes)
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("removeContact 5" in changes && activity.isFinishing)
    }

    @Test
    fun all_its_numbers_are_blocked_after_a_question_and_ring_again() {
        val activity = screens.contact(1u).get()
        activity.choose("Block")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue(changes.containsAll(listOf("block 1001 true", "block +49302 true")))
        phone.noRing = listOf("1001")
        phone.emit(Event.Contacts)
        activity.choose("No longer block")
        assertTrue("block 1001 false" in changes)
    }

    @Test
    fun one_number_is_given_a_digit_blocked_copied_or_written_to() {
        phone.speed = listOf(SpeedDial(2u, "1002"))
        val activity = screens.contact(1u).get()
        activity.more("1001")
        assertEquals(listOf("Write", "Speed dial", "Copy the number", "Block"), offered())
        take("Speed dial")
        assertEquals(listOf("1", "2: 1002", "3"), offered().take(3))
        take("3")
        activity.more("1001")
        take("Copy the number")
        activity.more("1001")
        take("Block")
        assertTrue(changes.containsAll(listOf("setSpeedDial 3 1001", "block 1001 true")))
        val clip = screens.app.getSystemService(ClipboardManager::class.java).primaryClip!!
        assertEquals("1001", clip.getItemAt(0).text)
        activity.more("1001")
        take("Write")
        assertEquals("1001", shadowOf(activity).nextStartedActivity.getStringExtra("remote"))
    }

    @Test
    fun all_of_it_is_shared_as_one_card() {
        screens.contact(1u).get().pressWords("Share")
        assertEquals("contacts [1, 5]", File(screens.app.cacheDir, "shared/contact.vcf").readText())
    }

    @Test
    fun who_is_gone_has_no_screen_and_what_fails_is_said() {
        val activity = screens.contact(1u).get()
        phone.refusal = PhoneException.Store("no space")
        activity.pressWords("Favourite")
        assertEquals("This phone cannot read or keep that now. Please try again.", activity.text(R.id.mistake))
        phone.book = emptyList()
        phone.emit(Event.Contacts)
        assertTrue(activity.isFinishing)
    }
}
