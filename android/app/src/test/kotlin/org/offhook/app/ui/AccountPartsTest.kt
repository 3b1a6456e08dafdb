package org.offhook.app.ui

import android.view.ViewGroup
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.AccountSettings
import org.offhook.core.CallerIdSettings
import org.offhook.core.DialRule
import org.offhook.core.NetworkLimit
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class AccountPartsTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    private fun open() = screens.account().also { it.get().press(R.id.more) }

    private fun AccountActivity.rows() = findViewById<ViewGroup>(R.id.part_rows).let { rows ->
        (0 until rows.childCount).associate {
            val row = rows.getChildAt(it)
            val text = { id: Int -> row.findViewById<TextView>(id).text.toString().bare() }
            text(R.id.row_title) to text(R.id.row_below)
        }
    }

    private fun change(settings: AccountSettings.() -> AccountSettings) {
        phone.settings[1u] = phone.settings.getValue(1u).settings()
    }

    @Test
    fun the_number_that_others_see_is_told_as_people_write_it() {
        phone.apart["030123456"] = "030 123456"
        assertEquals("The account's own number", open().get().rows()["What those called see"])
        change { copy(callerId = CallerIdSettings("030123456")) }
        assertEquals("Shows 030 123456", open().get().rows()["What those called see"])
        change { copy(callerId = CallerIdSettings("030123456", hide = true)) }
        assertEquals("Your number is hidden", open().get().rows()["What those called see"])
    }

    @Test
    fun codecs_are_told_where_they_are_not_the_usual_ones() {
        assertEquals("Automatic", open().get().rows()["Sound and keypad"])
        change { copy(codecs = listOf("one", "two")) }
        assertEquals("one, two", open().get().rows()["Sound and keypad"])
    }

    @Test
    fun a_dial_plan_is_told_by_its_rules() {
        assertEquals("Numbers go as they are", open().get().rows()["Dial plan"])
        change { copy(dialPlan = listOf(DialRule(begins = "0"))) }
        assertEquals("1 rule", open().get().rows()["Dial plan"])
    }

    @Test
    fun networks_are_told_and_that_it_calls_for_help() {
        assertEquals("Any network", open().get().rows()["Networks and help"])
        change { copy(networks = NetworkLimit.WIFI_ONLY, emergency = true) }
        assertEquals("Wi-Fi only · Calls for help", open().get().rows()["Networks and help"])
    }

    @Test
    fun a_row_opens_that_part_of_the_account() {
        val activity = open().get()
        activity.pressWords("What those called see")
        val opened = shadowOf(activity).nextStartedActivity
        assertEquals(
            CallerIdActivity::class.java.name to 1u,
            opened.component?.className to PartScreen.accountOf(opened)
        )
    }

    @Test
    fun what_was_changed_on_its_own_screen_outlives_a_save_on_this_one() {
        val controller = open()
        controller.pause().stop()
        change { copy(callerId = CallerIdSettings("030123456")) }
        controller.restart().start().resume()
        shadowOf(controller.get().mainLooper).idle()
        assertEquals("Shows 030123456", controller.get().rows()["What those called see"])
        controller.get().press(R.id.save)
        assertEquals(CallerIdSettings("030123456"), phone.settings.getValue(1u).callerId)
    }

    @Test
    fun an_account_that_is_not_kept_yet_has_none() {
        val activity = Screens(FakePhone()).account().get()
        activity.press(R.id.more)
        assertFalse(activity.sees(R.id.parts))
    }
}
