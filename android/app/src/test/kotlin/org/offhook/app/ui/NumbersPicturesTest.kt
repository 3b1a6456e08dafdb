package org.offhook.app.ui

import android.Manifest
import android.telephony.TelephonyManager
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.core.NumberFrom
import org.offhook.core.OwnNumber
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class NumbersPicturesTest {
    private val screens by lazy { Screens() }
    private val own = listOf(
        OwnNumber("+491701234567", "0170 1234567", listOf(NumberFrom.NETWORK, NumberFrom.CARD), "Work"),
        OwnNumber("+4930123456", "030 123456", listOf(NumberFrom.CARRIER), "Home")
    )

    private fun open(): NumbersActivity {
        shadowOf(screens.app.getSystemService(TelephonyManager::class.java)).setSimCountryIso("de")
        return Robolectric.buildActivity(NumbersActivity::class.java).setup().get()
            .also { shadowOf(it.mainLooper).idle() }
    }

    private fun read(): NumbersActivity {
        screens.allow(Manifest.permission.READ_PHONE_NUMBERS, Manifest.permission.READ_PHONE_STATE)
        screens.phone.own = own
        return open()
    }

    @Test
    fun not_asked_yet() = Pictures.check("numbers-why", open())

    @Test
    fun two_cards() = Pictures.check("numbers", read())

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("numbers-dark", read())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("numbers-zh", read())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("numbers-rtl", read())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("numbers-large", read())
    }

    private fun chosen(entry: Int): DialActivity {
        screens.phone.own = own
        val activity = screens.dial().get()
        activity.press(R.id.seen_as)
        shadowOf(ShadowAlertDialog.getLatestAlertDialog()).clickOnItem(entry)
        activity.key("1002")
        return activity
    }

    @Test
    fun what_a_call_shows_of_one() {
        screens.phone.own = own
        screens.dial().get().press(R.id.seen_as)
        Pictures.check("seen-as", checkNotNull(ShadowAlertDialog.getLatestAlertDialog().window))
    }

    @Test
    fun a_call_with_another_number() = Pictures.check("dial-seen-as", chosen(1))

    @Test
    fun a_call_without_a_number() = Pictures.check("dial-hidden", chosen(3))
}
