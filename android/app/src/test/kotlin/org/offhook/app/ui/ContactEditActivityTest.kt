package org.offhook.app.ui

import android.view.ViewGroup
import android.widget.EditText
import android.widget.LinearLayout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.ContactNumber
import org.offhook.core.PhoneException
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class ContactEditActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun ContactEditActivity.row(at: Int): ViewGroup {
        shadowOf(mainLooper).idle()
        return findViewById<LinearLayout>(R.id.numbers).getChildAt(at) as ViewGroup
    }

    private fun ContactEditActivity.field(at: Int, id: Int): EditText = row(at).findViewById(id)

    private fun ContactEditActivity.rows() = findViewById<LinearLayout>(R.id.numbers).childCount

    @Test
    @Config(sdk = [28, 35])
    fun a_new_contact_is_added_as_it_was_typed_and_kinds_are_kept_in_no_language() {
        val activity = screens.contactEdit().get()
        activity.type(R.id.name, " Ann ")
        activity.type(R.id.other_name, "Boss")
        activity.field(0, R.id.number).setText("1001")
        activity.field(0, R.id.kind).setText("work")
        activity.press(R.id.add_number)
        activity.field(1, R.id.number).setText("sip:ann@example.com")
        activity.field(1, R.id.kind).setText("Boat")
        activity.press(R.id.add_number)
        activity.press(R.id.save)
        assertTrue(
            phone.commands.last(),
            "addContact [Ann, Boss] [(1001, work), (sip:ann@example.com, Boat)]" in phone.commands
        )
        assertTrue(activity.isFinishing)
    }

    @Test
    fun what_was_typed_outlives_a_rotation() {
        val controller = screens.contactEdit()
        controller.get().type(R.id.name, "Ann")
        controller.get().field(0, R.id.number).setText("1001")
        controller.get().press(R.id.add_number)
        controller.get().field(1, R.id.number).setText("1002")
        controller.get().field(1, R.id.kind).setText("Boat")
        val turned = controller.recreate().get()
        assertEquals("Ann", turned.text(R.id.name))
        assertEquals(listOf("1001", "1002"), listOf(0, 1).map { turned.field(it, R.id.number).text.toString() })
        assertEquals("Boat", turned.field(1, R.id.kind).text.toString())
        assertEquals(2, turned.rows())
    }

    @Test
    fun one_that_is_there_is_changed_and_what_the_screen_does_not_show_stays() {
        phone.book = listOf(
            contact(5u, "Ann", own = true).copy(
                names = listOf("Ann", "Boss", "Annie"),
                numbers = listOf(ContactNumber("1001", "mobile", null), ContactNumber("1002", "Boat", null))
            )
        )
        val controller = screens.contactEdit(ContactEditActivity.editing(screens.app, 5u))
        controller.get().field(0, R.id.number).setText("2001")
        val activity = controller.recreate().get()
        assertEquals("Mobile", activity.field(0, R.id.kind).text.toString())
        activity.row(1).findViewById<android.view.View>(R.id.remove).performClick()
        activity.press(R.id.save)
        assertTrue(phone.commands.last(), "changeContact 5 [Ann, Boss, Annie] [(2001, mobile)]" in phone.commands)
    }

    @Test
    fun one_from_a_call_begins_with_its_name_and_number() {
        val activity = screens.contactEdit(ContactEditActivity.adding(screens.app, "Ann", "1001")).get()
        assertEquals("Ann", activity.text(R.id.name))
        assertEquals("1001", activity.field(0, R.id.number).text.toString())
    }

    @Test
    fun nobody_is_refused_by_the_core_and_that_is_said() {
        val activity = screens.contactEdit().get()
        phone.refusal = PhoneException.BadArgument("a contact needs a name or a number")
        activity.press(R.id.save)
        assertEquals("Enter a name or a number.", activity.text(R.id.mistake))
        assertFalse(activity.isFinishing)
    }

    @Test
    fun one_that_is_gone_meanwhile_has_no_screen() {
        assertTrue(screens.contactEdit(ContactEditActivity.editing(screens.app, 5u)).get().isFinishing)
    }
}
