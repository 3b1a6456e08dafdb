package org.offhook.app.ui

import android.Manifest
import android.app.AlertDialog
import android.telephony.SubscriptionManager
import android.telephony.TelephonyManager
import android.view.ViewGroup
import android.widget.TextView
import java.util.Locale
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.CardNumber
import org.offhook.core.NumberFrom
import org.offhook.core.OwnNumber
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog
import org.robolectric.shadows.ShadowSubscriptionManager.SubscriptionInfoBuilder

@RunWith(RobolectricTestRunner::class)
class NumbersActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val own = OwnNumber("+491701234567", "0170 1234567", listOf(NumberFrom.NETWORK, NumberFrom.CARD), "Work")

    private fun open() = Robolectric.buildActivity(NumbersActivity::class.java).setup().get().also {
        shadowOf(it.mainLooper).idle()
    }

    private fun card(number: String) {
        val cards = shadowOf(screens.app.getSystemService(SubscriptionManager::class.java))
        val info = SubscriptionInfoBuilder.newBuilder().setId(1).setDisplayName("Work").setNumber(number)
        cards.setActiveSubscriptionInfos(info.buildSubscriptionInfo())
        cards.setPhoneNumber(1, number)
    }

    private fun allow() = screens.allow(Manifest.permission.READ_PHONE_NUMBERS, Manifest.permission.READ_PHONE_STATE)

    private fun dialog() = ShadowAlertDialog.getLatestDialog() as AlertDialog

    private fun NumbersActivity.rows() = findViewById<ViewGroup>(R.id.own).let { rows ->
        (0 until rows.childCount).map { at ->
            listOf(R.id.row_title, R.id.row_below).joinToString(": ") {
                rows.getChildAt(at).findViewById<TextView>(it).text.toString().bare()
            }
        }
    }

    @Test
    fun cards_are_read_once_the_user_allows_it_and_not_before() {
        card("+491701234567")
        val activity = open()
        assertTrue(phone.cards.isEmpty())
        activity.press(R.id.notice_button)
        val asked = shadowOf(activity).lastRequestedPermission.requestedPermissions.toSet()
        assertEquals(setOf(Manifest.permission.READ_PHONE_NUMBERS, Manifest.permission.READ_PHONE_STATE), asked)
        allow()
        phone.own = listOf(own)
        activity.onRequestPermissionsResult(Permission.PHONE_NUMBERS.code, arrayOf(), intArrayOf(0))
        shadowOf(activity.mainLooper).idle()
        assertTrue("${phone.cards}", CardNumber("+491701234567", NumberFrom.NETWORK, "Work") in phone.cards)
        assertEquals(listOf("0170 1234567: Work · the network says so, stands on the card"), activity.rows())
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    @Config(sdk = [28])
    fun an_old_platform_says_what_stands_on_the_card() {
        card("0170 1234567")
        allow()
        open()
        assertTrue("${phone.cards}", phone.cards.any { it.from == NumberFrom.CARD })
    }

    @Test
    fun a_phone_that_knows_none_says_so() {
        allow()
        assertTrue(open().sees(R.id.nothing))
    }

    @Test
    fun the_region_is_the_cards_until_another_is_set() {
        Locale.setDefault(Locale.US)
        shadowOf(screens.app.getSystemService(TelephonyManager::class.java)).setSimCountryIso("de")
        val activity = open()
        assertEquals(",DE,", phone.regions.last())
        assertEquals("Germany (by the SIM card)", activity.text(R.id.region))
        activity.press(R.id.region)
        val names = shadowOf(dialog()).items.map(CharSequence::toString)
        shadowOf(dialog()).clickOnItem(names.indexOf("Austria"))
        shadowOf(activity.mainLooper).idle()
        assertEquals("Austria", activity.text(R.id.region))
        assertEquals("AT,DE,", phone.regions.last())
        activity.press(R.id.region)
        shadowOf(dialog()).clickOnItem(0)
        shadowOf(activity.mainLooper).idle()
        assertEquals(",DE,", phone.regions.last())
    }

    @Test
    fun one_call_shows_what_is_chosen_for_it_and_the_next_is_as_usual() {
        phone.own = listOf(own)
        val activity = screens.dial()
        activity.get().press(R.id.seen_as)
        val entries = shadowOf(dialog()).items.map { it.toString().bare() }
        assertEquals(listOf("As usual", "0170 1234567", "Hide my number"), entries)
        shadowOf(dialog()).clickOnItem(2)
        assertEquals("Your number is hidden in this call.", activity.get().text(R.id.seen_note))
        activity.recreate()
        activity.get().key("1002")
        activity.get().press(R.id.call)
        assertTrue("${phone.commands}", "callAs - 1002 - true" in phone.commands)
        assertFalse(activity.get().sees(R.id.seen_note))
        activity.get().press(R.id.seen_as)
        shadowOf(dialog()).clickOnItem(1)
        activity.get().key("1003")
        activity.get().press(R.id.call)
        assertTrue("${phone.commands}", "callAs - 1003 +491701234567 -" in phone.commands)
        activity.get().key("1004")
        activity.get().press(R.id.call)
        assertTrue("call - 1004" in phone.commands)
    }
}
