package org.offhook.app.core

import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.core.AccountState
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.Reached
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

/** What the app keeps of what the core says. */
@RunWith(RobolectricTestRunner::class)
class CoreTest {
    private val fake = FakePhone()
    private val core = (RuntimeEnvironment.getApplication() as OffhookApp).run {
        startCore = { fake }
        core
    }

    @Test
    fun an_account_that_was_removed_does_not_come_back_while_it_unregisters() {
        fake.register()
        assertEquals(listOf(1u), core.accounts.map { it.account })
        core.removeAccount(1u).getOrThrow()
        fake.register(state = AccountState.UNREGISTERED)
        assertEquals(emptyList<UInt>(), core.accounts.map { it.account })
        fake.register(account = 2u, state = AccountState.REGISTERED)
        assertEquals(listOf(2u), core.accounts.map { it.account })
    }

    @Test
    fun an_account_that_is_out_of_use_is_kept_and_told_of_no_more_until_it_is_used_again() {
        fake.register()
        fake.register(account = 2u, number = "2001")
        fake.emit(Event.Accounts)
        fake.emit(Event.PasswordLost(2u))
        fake.list = fake.list.map { it.copy(enabled = it.account != 2u) }
        fake.emit(Event.Accounts)
        assertEquals(listOf(1u, 2u), core.kept.map { it.account })
        assertEquals(emptySet<UInt>(), core.passwordsLost)
        fake.register(account = 2u, state = AccountState.UNREGISTERED)
        assertEquals(listOf(1u), core.accounts.map { it.account })
        fake.list = fake.list.map { it.copy(enabled = true) }
        // It may begin before the list is told.
        fake.register(account = 2u, state = AccountState.REGISTERING)
        fake.emit(Event.Accounts)
        assertEquals(listOf(1u, 2u), core.accounts.map { it.account })
    }

    @Test
    fun an_account_that_is_in_the_list_no_more_is_gone_with_all_that_was_told_of_it() {
        fake.register()
        fake.emit(Event.Accounts)
        fake.emit(Event.PasswordLost(1u))
        fake.emit(Event.Voicemail(1u, true, 1u, 0u, null))
        fake.list = emptyList()
        fake.emit(Event.Accounts)
        fake.register(state = AccountState.UNREGISTERED)
        assertEquals(emptyList<UInt>(), core.accounts.map { it.account })
        assertEquals(emptySet<UInt>(), core.passwordsLost)
        assertEquals(null, core.around.voicemail(1u))
    }

    @Test
    fun by_which_way_a_call_goes_is_known_until_it_is_over() {
        val way = Event.Way(1u, Reached.RELAYED, listOf("because neither datagrams nor streams got through"))
        fake.show(state = CallState.ACTIVE)
        assertEquals(null, core.way(1u))
        fake.emit(way)
        assertEquals(way, core.way(1u))
        fake.show(state = CallState.ENDED)
        fake.emit(way)
        assertEquals(null, core.way(1u))
    }
}
