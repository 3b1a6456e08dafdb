package org.offhook.app.core

import java.io.File
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.offhook.core.AccountState
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.Side
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner

/** The core behind the bindings, at the pocket exchange. */
@RunWith(RobolectricTestRunner::class)
class RealCallCoreTest {
    @get:Rule val folders = TemporaryFolder()
    private val exchange by lazy { Exchange() }

    @After
    fun stop() = exchange.close()

    @Test
    fun a_call_is_answered_heard_held_resumed_and_hung_up(): Unit = RealCall.walk(folders.root)

    @Test
    fun an_incoming_call_names_its_caller_and_ends_with_them(): Unit = phone("1001").use { ours ->
        Peer("1002", exchange, folders.root).use { peer ->
            peer.say("""{"cmd":"call","to":"1001"}""")
            val ringing = ours.call(CallState.RINGING)
            assertEquals("1002" to Side.IN, ringing.number to ringing.side)
            ours.phone.answer(ringing.call)
            ours.call(CallState.ACTIVE)
            val theirs = Regex("\"call\":(\\d+)").find(peer.expect("\"call\"", "\"state\":\"active\""))!!.groupValues[1]
            peer.say("""{"cmd":"hangup","call":$theirs}""")
            assertEquals(Why.THEY_ENDED, ours.call(CallState.ENDED).why)
        }
    }

    @Test
    fun digits_pressed_here_are_told_there(): Unit = phone("1001").use { ann ->
        phone("1002").use { bob ->
            val call = connect(ann, bob)
            ann.phone.dtmf(call.first, "15#")
            val heard = StringBuilder()
            bob.until("digits") { event ->
                if (event is Event.Digit) heard.append(event.digit)
                Unit.takeIf { heard.toString() == "15#" }
            }
        }
    }

    @Test
    fun a_call_is_handed_to_a_third_and_ends_here(): Unit = phone("1001").use { ann ->
        phone("1002").use { bob ->
            Peer("1003", exchange, folders.root).use { cem ->
                val (out, _) = connect(ann, bob)
                ann.phone.transfer(out, "1003")
                val ringing = cem.ringing()
                cem.say("""{"cmd":"answer","call":$ringing}""")
                assertEquals(Why.TRANSFERRED, ann.call(CallState.ENDED, out).why)
                val theirs = bob.until("bob's call to cem") { event ->
                    (event as? Event.Call)?.view?.takeIf { it.number == "1003" && it.state == CallState.ACTIVE }
                }
                bob.phone.hangUp(theirs.call)
                cem.expect("\"call\"", "\"state\":\"ended\"")
            }
        }
    }

    @Test
    fun a_wrong_password_is_told_with_its_step_and_its_reason(): Unit = TestPhone(folders.newFolder()).use { ours ->
        val account = ours.add("1001", exchange, "wrong")
        val failed = ours.account(AccountState.FAILED)
        assertEquals(Step.REGISTER to Why.BAD_CREDENTIALS, failed.step to failed.why)
        ours.phone.changeAccount(account, TestPhone.settings("1001", exchange), "secret-1001")
        ours.account(AccountState.REGISTERED)
    }

    @Test
    fun an_exchange_that_was_gone_is_registered_at_again_when_it_is_back() {
        val first = Exchange()
        TestPhone(folders.newFolder()).registered("1001", first).use { ours ->
            first.kill()
            ours.phone.register(1u)
            val failed = ours.account(AccountState.FAILED)
            assertTrue("it says when it is tried again", failed.retryMs != null)
            Exchange(first.address).use {
                ours.phone.register(1u)
                ours.account(AccountState.REGISTERED)
            }
        }
    }

    @Test
    fun two_phones_of_one_process_call_each_other_both_ways_at_once(): Unit = phone("1001").use { ann ->
        phone("1002").use { bob ->
            phone("1003").use { cem ->
                phone("1004").use { dan ->
                    val (one, _) = connect(ann, bob)
                    val (_, other) = connect(cem, dan)
                    ann.phone.hangUp(one)
                    assertEquals(Why.THEY_ENDED, bob.call(CallState.ENDED).why)
                    assertEquals(listOf(other), dan.phone.calls().map { it.call })
                    dan.phone.hangUp(other)
                    assertEquals(Why.THEY_ENDED, cem.call(CallState.ENDED).why)
                }
            }
        }
    }

    @Test
    fun a_phone_registers_soon_after_its_start() {
        val folder = folders.newFolder()
        val secrets = MemorySecrets()
        TestPhone(folder, secrets = secrets).registered("1001", exchange).close()
        val began = System.nanoTime()
        TestPhone(folder, secrets = secrets).use { ours ->
            ours.account(AccountState.REGISTERING)
            val took = (System.nanoTime() - began) / 1_000_000
            System.err.println("yardstick: core start to registering $took ms, wanted at most 150")
        }
    }

    private fun phone(number: String) = TestPhone(folders.newFolder()).registered(number, exchange)

    /** Both ends of a call that is up. */
    private fun connect(from: TestPhone, to: TestPhone): Pair<UInt, UInt> {
        val number = to.phone.accounts().single().number
        val out = from.phone.call(null, number)
        val ringing = to.call(CallState.RINGING).call
        to.phone.answer(ringing)
        from.call(CallState.ACTIVE, out)
        to.call(CallState.ACTIVE, ringing)
        return out to ringing
    }
}
