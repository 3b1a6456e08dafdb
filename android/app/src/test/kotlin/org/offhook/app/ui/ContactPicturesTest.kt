package org.offhook.app.ui

import android.app.Activity
import android.widget.EditText
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.core.ContactGroup
import org.offhook.core.SpeedDial
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog

/** One contact, seen and edited; blocked numbers and speed dial. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class ContactPicturesTest {
    private val screens by lazy { Screens() }

    @Before
    fun people() {
        screens.phone.book = listOf(
            contact(1u, "Ann Archer", "+4930123456", "1001", also = listOf(5uL), favourite = true),
            contact(5u, "Ann", "1001", "sip:ann@example.com", own = true),
            contact(2u, "אורי", "1004", own = true)
        )
        screens.phone.circles = listOf(ContactGroup("Family", listOf(5uL)), ContactGroup("Choir", listOf(1uL)))
        screens.phone.speed = listOf(SpeedDial(2u, "1001"), SpeedDial(3u, "1007"))
        screens.phone.noRing = listOf("sip:ann@example.com", "+499001234567")
    }

    private fun contact() = screens.contact(1u).get()

    private fun edited() = screens.contactEdit(ContactEditActivity.editing(screens.app, 5u)).get()

    private fun dialog(activity: Activity, open: Activity.() -> Unit) = activity.run {
        open()
        ShadowAlertDialog.getLatestAlertDialog().window!!
    }

    private fun large(name: String, activity: () -> Activity) {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check(name, activity())
    }

    @Test
    fun one_person() = Pictures.check("contact", contact())

    @Test
    @Config(qualifiers = "+night")
    fun one_person_dark() = Pictures.check("contact-dark", contact())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun one_person_chinese() = Pictures.check("contact-zh", contact())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun one_person_right_to_left() = Pictures.check("contact-rtl", contact())

    @Test
    fun one_person_large() = large("contact-large", ::contact)

    @Test
    fun groups() = Pictures.check("contact-groups", dialog(contact()) { pressWords("Family, Choir") })

    @Test
    fun edit() = Pictures.check("contact-edit", edited())

    @Test
    fun nobody() {
        val activity = screens.contactEdit().get()
        screens.phone.refusal = org.offhook.core.PhoneException.BadArgument("nobody")
        activity.press(R.id.save)
        Pictures.check("contact-edit-nobody", activity)
    }

    @Test
    @Config(qualifiers = "+night")
    fun edit_dark() = Pictures.check("contact-edit-dark", edited())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun edit_chinese() = Pictures.check("contact-edit-zh", edited())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun edit_right_to_left() = Pictures.check("contact-edit-rtl", edited())

    @Test
    fun edit_large() = large("contact-edit-large", ::edited)

    @Test
    fun blocked() = Pictures.check("blocked", screens.blocked().get())

    @Test
    @Config(qualifiers = "+ar-ldrtl-night")
    fun blocked_dark_right_to_left() = Pictures.check("blocked-dark-rtl", screens.blocked().get())

    @Test
    fun blocking() = Pictures.check(
        "blocked-add",
        dialog(screens.blocked().get()) {
            press(R.id.aside)
            ShadowAlertDialog.getLatestAlertDialog().window!!.decorView.all().filterIsInstance<EditText>().single()
                .apply {
                    setText("0900 123")
                    isCursorVisible = false
                }
        }
    )

    @Test
    fun speed_dial() = Pictures.check("speed", screens.speedDial().get())

    @Test
    @Config(qualifiers = "+zh-rCN-night")
    fun speed_dial_dark_chinese() = Pictures.check("speed-dark-zh", screens.speedDial().get())

    @Test
    fun speed_dial_large() = large("speed-large") { screens.speedDial().get() }
}
