package org.offhook.app.ui

import android.Manifest
import android.provider.ContactsContract
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.contacts.DeviceContactsTest
import org.offhook.core.Event
import org.offhook.core.PresenceState
import org.offhook.core.WatchedFavourite
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class LampPicturesTest {
    private val screens by lazy { Screens() }

    private fun lamps(): ContactsActivity {
        val states = PresenceState.entries.filter { it != PresenceState.UNKNOWN }
        val ids = states.indices.map { it.toULong() + 1u }
        screens.phone.book = ids.map { contact(it, "Friend $it", "friend$it@offhook.test", favourite = true) }
        screens.phone.watched = ids.map { WatchedFavourite(it, "sip:friend$it@offhook.test") }
        DeviceContactsTest.Book.rows = emptyList()
        Robolectric.setupContentProvider(DeviceContactsTest.Book::class.java, ContactsContract.AUTHORITY)
        screens.allow(Manifest.permission.READ_CONTACTS)
        val activity = screens.contacts().get()
        ids.zip(states) { id, state ->
            screens.phone.emit(Event.Presence(1u, "sip:friend$id@offhook.test", "friend$id", state, null))
        }
        return activity
    }

    @Test
    fun each_lamp() = Pictures.check("contacts-lamps", lamps())

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("contacts-lamps-dark", lamps())
}
