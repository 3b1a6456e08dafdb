package org.offhook.app.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class FirstRunTest {
    private val screens = Screens(FakePhone())

    @Test
    fun without_an_account_the_first_screen_welcomes_and_leads_to_set_up() {
        val activity = screens.dial().get()
        assertTrue(activity.sees(R.id.first))
        assertFalse(activity.sees(R.id.keys))
        activity.press(R.id.set_up)
        assertEquals(AccountActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun without_an_account_a_backup_can_be_restored() {
        val activity = screens.dial().get()
        activity.press(R.id.first_restore)
        assertEquals(BackupActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
    }

    @Test
    fun the_dialpad_is_there_as_soon_as_there_is_an_account() {
        val activity = screens.dial().get()
        screens.phone.register()
        assertFalse(activity.sees(R.id.first))
        assertTrue(activity.sees(R.id.keys))
    }
}
