package org.offhook.app.ui

import android.Manifest
import android.provider.ContactsContract
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.app.contacts.DeviceContactsTest
import org.offhook.core.ContactGroup
import org.offhook.core.ContactHit
import org.offhook.core.FoundIn
import org.offhook.core.TextRange
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class ContactsPicturesTest {
    private val screens by lazy {
        Screens().apply {
            phone.book = listOf(
                contact(1u, "Ann Archer", "+4930123456", favourite = true),
                contact(2u, "Bob Builder", "1002", "1003"),
                contact(3u, "אורי", "1004"),
                contact(4u, "张伟", "1005"),
                contact(5u, null, "1006")
            )
            phone.circles = listOf(ContactGroup("Family", listOf(1uL)), ContactGroup("办公室", listOf(4uL)))
            DeviceContactsTest.Book.rows = emptyList()
            Robolectric.setupContentProvider(DeviceContactsTest.Book::class.java, ContactsContract.AUTHORITY)
            allow(Manifest.permission.READ_CONTACTS)
        }
    }

    private fun found() = screens.contacts().get().also {
        screens.phone.hits = listOf(
            ContactHit(screens.phone.book[1], FoundIn.Name(0u), listOf(TextRange(0u, 3u))),
            ContactHit(screens.phone.book[0], FoundIn.Number(0u), listOf(TextRange(4u, 7u)))
        )
        it.type(R.id.search, "262")
    }

    @Test
    fun all() = Pictures.check("contacts", screens.contacts().get())

    @Test
    fun favourites() {
        val activity = screens.contacts().get()
        activity.pressWords("Favourites")
        Pictures.check("contacts-favourites", activity)
    }

    @Test
    fun menu() {
        screens.contacts().get().press(R.id.menu)
        Pictures.check("contacts-menu", ShadowAlertDialog.getLatestAlertDialog().window!!)
    }

    @Test
    fun searched() = Pictures.check("contacts-found", found())

    @Test
    fun not_allowed_yet() {
        screens.deny(Manifest.permission.READ_CONTACTS)
        Pictures.check("contacts-why", screens.contacts().get())
    }

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("contacts-dark", found())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("contacts-zh", screens.contacts().get())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("contacts-rtl", screens.contacts().get())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("contacts-large", screens.contacts().get())
    }
}
