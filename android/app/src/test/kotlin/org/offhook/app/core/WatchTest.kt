package org.offhook.app.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.ui.Screens
import org.offhook.core.AccountState
import org.offhook.core.Event
import org.offhook.core.PresenceState
import org.offhook.core.WatchedFavourite
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class WatchTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val watch get() = screens.app.watch
    private val ann = WatchedFavourite(7uL, "sip:ann@offhook.test")

    private fun tell(who: String, state: PresenceState) = phone.emit(Event.Presence(1u, who, "ann", state, null))

    private fun asked() = phone.watchAsked

    @Test
    fun favourites_are_watched_from_the_start_and_how_they_are_is_kept() {
        phone.watched = listOf(ann)
        assertNull(watch.of(7uL))
        tell(ann.who, PresenceState.BUSY)
        assertEquals(PresenceState.BUSY, watch.of(7uL))
        tell("sip:bob@offhook.test", PresenceState.FREE)
        assertNull("nobody watches him", watch.of(8uL))
        tell(ann.who, PresenceState.UNKNOWN)
        assertNull(watch.of(7uL))
    }

    @Test
    fun another_phone_book_or_account_is_another_list() {
        screens.app.core
        assertEquals(1, asked())
        phone.watched = listOf(ann)
        phone.emit(Event.Contacts)
        assertEquals(2, asked())
        tell(ann.who, PresenceState.FREE)
        phone.register(1u, AccountState.REGISTERED)
        assertEquals("it is the same account", 2, asked())
        phone.register(2u, AccountState.REGISTERED)
        assertEquals(3, asked())
        phone.watched = emptyList()
        phone.emit(Event.Contacts)
        assertNull(watch.of(7uL))
    }
}
