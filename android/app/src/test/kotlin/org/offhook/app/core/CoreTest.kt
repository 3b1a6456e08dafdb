package org.offhook.app.core

import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.core.AccountState
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
}
