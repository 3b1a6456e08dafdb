package org.offhook.app.ui

import android.app.AlertDialog
import android.view.View
import android.widget.ListView
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.SpeedDial
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Digits that are held down, and numbers that do not ring. */
@RunWith(RobolectricTestRunner::class)
class DigitsAndBlockedTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun ListScreen.rows(): ListView {
        shadowOf(mainLooper).idle()
        return findViewById(R.id.rows)
    }

    private fun ListScreen.title(at: Int) =
        rows().getChildAt(at).findViewById<TextView>(R.id.row_title).text.toString().bare()

    private fun ListScreen.touch(at: Int) = rows().let { it.performItemClick(it.getChildAt(at), at, 0L) }

    private fun DialActivity.hold(digit: Char) =
        findViewById<View>(R.id.keys).findViewWithTag<View>("$digit").performLongClick()
            .also { shadowOf(mainLooper).idle() }

    @Test
    fun a_digit_that_is_held_down_calls_its_number() {
        phone.speed = listOf(SpeedDial(3u, "+4930123"))
        assertTrue(screens.dial().get().hold('3'))
        assertEquals(listOf("call - +4930123"), phone.commands.filter { it.startsWith("call ") })
    }

    @Test
    fun a_digit_that_calls_nothing_asks_for_its_number_and_the_first_for_the_voicemails() {
        val dial = screens.dial().get()
        dial.hold('1')
        val asked = shadowOf(dial).nextStartedActivity
        assertEquals(SpeedDialActivity::class.java.name, asked.component?.className)
        screens.speedDial(asked)
        typeThere(" *86 ")
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("setSpeedDial 1 *86" in phone.commands)
    }

    @Test
    fun while_a_number_is_typed_a_digit_that_is_held_down_is_a_digit() {
        phone.speed = listOf(SpeedDial(3u, "+4930123"))
        val dial = screens.dial().get()
        dial.key("1")
        assertFalse(dial.hold('3'))
        assertTrue(phone.commands.none { it.startsWith("call ") })
    }

    @Test
    @Config(sdk = [28, 35])
    fun all_digits_are_listed_with_whom_they_call() {
        phone.book = listOf(contact(1u, "Ann", "1001"))
        phone.speed = listOf(SpeedDial(2u, "1001"), SpeedDial(3u, "1003"))
        val activity = screens.speedDial().get()
        assertEquals(9, activity.rows().count)
        assertEquals(
            listOf("1: Voicemail: no number yet", "2: Ann", "3: 1003", "4: Nobody yet"),
            (0..3).map { activity.title(it) }
        )
    }

    @Test
    fun a_digit_is_changed_or_calls_nobody_any_more() {
        phone.speed = listOf(SpeedDial(2u, "1001"))
        val controller = screens.speedDial()
        controller.get().touch(1)
        take("Change the number")
        typeThere("1007")
        controller.recreate()
        shadowOf(screens.app.mainLooper).idle()
        answer(AlertDialog.BUTTON_POSITIVE)
        controller.get().touch(1)
        take("No longer call it by a digit")
        assertEquals(
            listOf("setSpeedDial 2 1007", "setSpeedDial 2 null"),
            phone.commands.filter { it.startsWith("setSpeed") }
        )
    }

    @Test
    @Config(sdk = [28, 35])
    fun blocked_numbers_are_listed_the_newest_first_and_ring_again_after_a_question() {
        phone.book = listOf(contact(1u, "Ann", "1001"))
        phone.noRing = listOf("1001", "+49900123")
        val activity = screens.blocked().get()
        assertEquals(listOf("+49900123", "Ann"), listOf(0, 1).map { activity.title(it) })
        activity.rows().getChildAt(1).findViewById<View>(R.id.row_more).performClick()
        assertFalse("block 1001 false" in phone.commands)
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("block 1001 false" in phone.commands)
    }

    @Test
    fun another_number_is_blocked_and_what_was_typed_outlives_a_rotation() {
        val controller = screens.blocked()
        assertEquals("No number is blocked.", controller.get().text(R.id.nothing))
        controller.get().press(R.id.aside)
        typeThere("0900 1")
        controller.recreate()
        shadowOf(screens.app.mainLooper).idle()
        answer(AlertDialog.BUTTON_POSITIVE)
        assertTrue("block 0900 1 true" in phone.commands)
    }
}
