package org.offhook.app.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.offhook.core.AccountState
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner

/** A bug of the core ends at its thread's edge. */
@RunWith(RobolectricTestRunner::class)
class PanicCoreTest {
    @get:Rule val folders = TemporaryFolder()

    @Test
    fun a_panic_is_told_its_calls_end_and_the_phone_registers_again(): Unit = Exchange().use { exchange ->
        TestPhone(folders.newFolder()).registered("1001", exchange).use { ours ->
            Peer("1002", exchange, folders.root).use { peer ->
                val call = ours.phone.call(null, "1002")
                peer.ringing()
                assertTrue(TestPhone.testing("offhook_testing_panic", ours.folder.path))
                val told = mutableListOf<Event>()
                ours.until("registered again") { event ->
                    told += event
                    val again = event is Event.Account && event.view.state == AccountState.REGISTERED
                    Unit.takeIf { again && told.any { it is Event.Restarted } }
                }
                val ended = told.filterIsInstance<Event.Call>().single { it.view.state == CallState.ENDED }.view
                assertEquals(call to Why.PHONE_RESTARTED, ended.call to ended.why)
                val restarted = told.filterIsInstance<Event.Restarted>().single()
                assertTrue(restarted.story, restarted.thread.isNotEmpty() && "1001" !in restarted.story)
                ours.phone.call(null, "1002")
                peer.ringing()
            }
        }
    }
}
