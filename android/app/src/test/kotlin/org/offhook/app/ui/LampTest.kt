package org.offhook.app.ui

import android.view.View
import android.widget.ListView
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Event
import org.offhook.core.PresenceState
import org.offhook.core.WatchedFavourite
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class LampTest {
    private val screens = Screens()
    private val phone get() = screens.phone

    @Test
    fun a_watched_favourite_has_a_lamp_and_says_how_they_are() {
        phone.book = listOf(contact(1u, "Ann", "ann@offhook.test", favourite = true), contact(2u, "Bob", "1003"))
        phone.watched = listOf(WatchedFavourite(1u, "sip:ann@offhook.test"))
        val activity = screens.contacts().get()
        fun row(at: Int): View {
            shadowOf(activity.mainLooper).idle()
            return activity.findViewById<ListView>(R.id.rows).getChildAt(at)
        }
        fun lit(at: Int) = row(at).findViewById<View>(R.id.row_lamp).visibility == View.VISIBLE
        assertFalse(lit(0))
        phone.emit(Event.Presence(1u, "sip:ann@offhook.test", "ann", PresenceState.BUSY, null))
        assertTrue(lit(0) && !lit(1))
        assertTrue("${row(0).contentDescription}", ", Busy, " in row(0).contentDescription)
        phone.emit(Event.Presence(1u, "sip:ann@offhook.test", "ann", PresenceState.UNKNOWN, null))
        assertFalse(lit(0))
    }
}
