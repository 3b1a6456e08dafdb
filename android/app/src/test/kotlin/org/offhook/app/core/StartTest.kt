package org.offhook.app.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.PhoneException
import org.offhook.core.StartException
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

@RunWith(RobolectricTestRunner::class)
class StartTest {
    private val app = RuntimeEnvironment.getApplication() as OffhookApp

    @Test
    fun a_library_that_is_missing_for_this_processor_is_told_and_the_app_lives() {
        app.startCore = { throw UnsatisfiedLinkError("dlopen failed: library \"liboffhook_ffi.so\" not found") }
        assertEquals(app.getString(R.string.no_core), app.trouble)
        assertTrue(app.core.accounts.isEmpty() && app.core.calls.isEmpty())
        assertTrue(app.calls.place(null, "1002").exceptionOrNull() is PhoneException.ShutDown)
    }

    @Test
    fun a_folder_that_cannot_be_used_is_told_and_the_app_lives() {
        app.startCore = { throw StartException.Folder("no space left on device") }
        assertEquals(app.getString(R.string.no_start), app.trouble)
        assertTrue(app.core.ask { swap() }.isFailure)
    }

    @Test
    fun a_phone_that_starts_has_no_trouble_and_starts_once() {
        var starts = 0
        app.startCore = { FakePhone().withAccount().also { starts++ } }
        assertNull(app.trouble)
        assertEquals(1, app.core.accounts.size)
        app.calls
        assertEquals(1, starts)
    }
}
