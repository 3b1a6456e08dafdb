package org.offhook.app.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.offhook.app.R
import org.offhook.app.ui.SelfTest.State.DONE
import org.offhook.app.ui.SelfTest.State.FAILED
import org.offhook.app.ui.SelfTest.State.RUNNING
import org.offhook.app.ui.SelfTest.State.WAITING
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.Step
import org.offhook.core.Why

class SelfTestTest {
    private fun view(state: AccountState, step: Step, why: Why? = null, retryMs: ULong? = null) =
        AccountView(1u, 1u, "sip:1001@offhook.test", "1001", state, step, why, null, retryMs, null)

    private fun states(view: AccountView?) = SelfTest.of(view).rows.map { it.state }

    @Test
    fun before_the_core_has_said_anything_all_steps_wait() =
        assertEquals(listOf(WAITING, WAITING, WAITING), states(null))

    @Test
    fun a_step_under_way_has_those_before_it_done() {
        assertEquals(listOf(RUNNING, WAITING, WAITING), states(view(AccountState.REGISTERING, Step.FIND)))
        assertEquals(listOf(DONE, RUNNING, WAITING), states(view(AccountState.REGISTERING, Step.REACH)))
        assertEquals(listOf(DONE, DONE, RUNNING), states(view(AccountState.REGISTERING, Step.REGISTER)))
    }

    @Test
    fun a_failed_step_says_why_and_those_after_it_were_never_tried() {
        val test = SelfTest.of(view(AccountState.FAILED, Step.REACH, Why.SERVER_SILENT, 90_000uL))
        assertEquals(listOf(DONE, FAILED, WAITING), test.rows.map { it.state })
        assertEquals(listOf(null, Words(R.string.why_server_silent), null), test.rows.map { it.why })
        assertEquals(90_000L, test.trouble?.retryMillis)
        assertFalse(test.passed)
    }

    @Test
    fun a_registered_account_has_passed() {
        assertEquals(listOf(DONE, DONE, DONE), states(view(AccountState.REGISTERED, Step.DONE)))
        assertTrue(SelfTest.of(view(AccountState.REGISTERED, Step.DONE)).passed)
    }

    @Test
    fun an_account_that_is_switched_off_is_not_tested() =
        assertEquals(listOf(WAITING, WAITING, WAITING), states(view(AccountState.UNREGISTERED, Step.FIND)))
}
