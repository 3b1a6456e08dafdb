package org.offhook.app.net

import android.net.ConnectivityManager
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.core.Core
import org.offhook.app.core.FakePhone
import org.offhook.core.CallState
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

@RunWith(RobolectricTestRunner::class)
class StandbyTest {
    private val context = RuntimeEnvironment.getApplication()
    private val connectivity = context.getSystemService(ConnectivityManager::class.java)
    private val fake = FakePhone()
    private val before = asked()

    @Before
    fun start() = Core(fake).run {
        Standby(context, this)
        start()
    }

    @Test
    fun a_mobile_network_is_asked_for_once_while_somebody_talks_and_let_go_after() {
        fake.show(state = CallState.RINGING)
        assertEquals(before, asked())
        fake.show(state = CallState.ACTIVE)
        fake.show(call = 2u, state = CallState.ACTIVE)
        fake.show(state = CallState.HELD)
        assertEquals(before + 1, asked())
        fake.show(state = CallState.ENDED)
        assertEquals(before + 1, asked())
        fake.show(call = 2u, state = CallState.ENDED)
        assertEquals(before, asked())
    }

    private fun asked() = shadowOf(connectivity).networkCallbacks.size
}
