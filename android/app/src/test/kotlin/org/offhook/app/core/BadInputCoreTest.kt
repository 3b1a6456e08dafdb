package org.offhook.app.core

import java.util.concurrent.ConcurrentLinkedQueue
import kotlin.concurrent.thread
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.offhook.core.AccountSettings
import org.offhook.core.AccountState
import org.offhook.core.Audio
import org.offhook.core.Decline
import org.offhook.core.Event
import org.offhook.core.Field
import org.offhook.core.Network
import org.offhook.core.NetworkKind
import org.offhook.core.Phone
import org.offhook.core.PhoneConfig
import org.offhook.core.PhoneException
import org.offhook.core.PhoneInterface
import org.offhook.core.RelaySettings
import org.offhook.core.StartException
import org.offhook.core.Transport
import org.robolectric.RobolectricTestRunner

/** Whatever an app may say wrongly is an error in words, and the phone goes on. */
@RunWith(RobolectricTestRunner::class)
class BadInputCoreTest {
    @get:Rule val folders = TemporaryFolder()
    private val ours by lazy { TestPhone(folders.newFolder()) }
    private val core by lazy { Core(ours.phone) }

    @After
    fun stop() = ours.close()

    @Test
    fun no_text_makes_a_command_crash() {
        ours.phone.addAccount(SETTINGS, "x")
        val commands = listOf<Pair<String, PhoneInterface.(String) -> Any?>>(
            "call" to { call(null, it) },
            "check" to { check(null, it) },
            "message to" to { message(null, it, "hello") },
            "forwardTo" to { forwardTo(it) },
            "push" to { push(it) },
            "transfer" to { transfer(7u, it) },
            "dtmf" to { dtmf(7u, it) },
            "address" to { networkUp(network(it)) },
            "one more address" to { networkAppeared(network(it)) },
            "name server" to { networkUp(network("127.0.0.1").copy(nameServers = listOf(it))) }
        )
        for ((name, command) in commands) {
            for ((kind, text) in TEXTS) {
                val result = core.ask { command(text) }
                assertTrue("$name of $kind: $result", result.exceptionOrNull() is PhoneException)
            }
        }
        // These take any text, but half an emoji and a book.
        for (text in listOf(HALF, HUGE)) {
            assertTrue(core.ask { message(null, "1002", text) }.exceptionOrNull() is PhoneException)
            assertTrue(core.ask { addAccount(SETTINGS, text) }.exceptionOrNull() is PhoneException)
        }
        alive()
    }

    @Test
    fun an_account_says_which_field_is_wrong() {
        for ((kind, text) in TEXTS) {
            val changes = mapOf(
                Field.NUMBER to SETTINGS.copy(number = text),
                Field.SERVER to SETTINGS.copy(server = text),
                Field.PROXY to SETTINGS.copy(proxy = text),
                Field.AUTH_USER to SETTINGS.copy(authUser = text),
                Field.DISPLAY_NAME to SETTINGS.copy(displayName = text),
                Field.STUN to SETTINGS.copy(stun = text),
                Field.RELAY to SETTINGS.copy(relays = listOf(RelaySettings(text, Transport.AUTOMATIC, "ann"))),
                Field.RELAY_USER to SETTINGS.copy(relays = listOf(RelaySettings("relay.invalid", Transport.TLS, text)))
            )
            for ((field, settings) in changes) {
                when (val wrong = core.ask { addAccount(settings, "x") }.exceptionOrNull()) {
                    null -> assertTrue("$field of $kind was taken", mayBe(field, text))
                    is PhoneException.BadSetting -> assertEquals(kind, field, wrong.field)
                    else -> assertTrue("$field of $kind: $wrong", wrong is PhoneException.BadArgument)
                }
            }
        }
        alive()
    }

    @Test
    fun what_does_not_exist_is_said_so() {
        for (id in listOf(0u, 7u, UInt.MAX_VALUE)) {
            val onCalls = listOf<PhoneInterface.() -> Unit>(
                { answer(id) }, { reject(id, Decline.HERE) }, { progress(id) }, { hangUp(id) }, { hold(id) },
                { resume(id) }, { mute(id, true) }, { transfer(id, "1002") }, { transferTo(id, id) }, { refresh(id) },
                { dtmf(id, "1") }, { split(id) }, { record(id, "call.wav", true) }, { stopRecording(id) }
            )
            onCalls.forEach { assertTrue(core.ask(it).exceptionOrNull() is PhoneException.NoSuchCall) }
            val onAccounts = listOf<PhoneInterface.() -> Any>(
                { removeAccount(id) },
                { accountSettings(id) },
                { register(id) },
                { unregister(id) },
                { call(id, "1002") },
                { changeAccount(id, SETTINGS, null) }
            )
            onAccounts.forEach { assertTrue(core.ask(it).exceptionOrNull() is PhoneException.NoAccount) }
        }
        alive()
    }

    @Test
    fun a_phone_without_a_folder_or_with_a_strange_name_does_not_start() {
        val configs = listOf("" to "", "\u0000" to "", "/proc/offhook" to "", folders.newFolder().path to "caf\u00e9")
        for ((folder, agent) in configs) {
            val outcome = runCatching { Phone.start(PhoneConfig(folder, Audio.Silent, agent), MemorySecrets(), null) }
            assertTrue("$folder $agent: $outcome", outcome.exceptionOrNull() is StartException)
        }
        val taken = runCatching { TestPhone(ours.folder) }
        assertTrue("$taken", taken.exceptionOrNull() is StartException.Folder)
    }

    @Test
    fun a_second_listener_is_told_so_and_the_first_goes_on() {
        val ends = ConcurrentLinkedQueue<PhoneException>()
        val listeners = List(2) {
            thread {
                try {
                    while (true) ours.phone.waitEvent(3_600_000uL)
                } catch (end: PhoneException) {
                    ends += end
                }
            }
        }
        while (ends.isEmpty()) Thread.onSpinWait()
        assertTrue(ends.single() is PhoneException.TwoListeners)
        ours.phone.shutdown()
        listeners.forEach(Thread::join)
        assertTrue("$ends", ends.last() is PhoneException.ShutDown)
    }

    @Test
    fun a_command_may_be_given_from_the_thread_that_pulls_events() {
        ours.phone.addAccount(SETTINGS.copy(server = "127.0.0.1:9", register = true), "x")
        val event = ours.until("its account") { it as? Event.Account }
        ours.phone.unregister(event.view.account)
        ours.account(AccountState.UNREGISTERED)
        ours.phone.removeAccount(event.view.account)
        assertEquals(emptyList<Any>(), ours.phone.accounts())
    }

    @Test
    fun after_its_end_a_phone_refuses_everything() {
        ours.phone.shutdown()
        ours.until("its end") { Unit.takeIf { _ -> it is Event.Stopped } }
        val commands = listOf<PhoneInterface.() -> Any>(
            { call(null, "1002") }, { swap() }, { merge() }, { addAccount(SETTINGS, "") }, { register(1u) },
            { networkDown() }, { networkVanished(1) }, { push("{}") }, { answer(1u) }, { doNotDisturb(true) },
            { restartAudio() }, { audioRoute(1, -1) },
            // Its last event comes a moment before its end.
            { repeat(100) { waitEvent(3_600_000uL) } }
        )
        commands.forEach { assertTrue(core.ask(it).exceptionOrNull() is PhoneException.ShutDown) }
        assertFalse("the diary is still there", ours.phone.log().isEmpty())
    }

    /** A provider may name its users with whatever it likes that is no number. */
    private fun mayBe(field: Field, text: String) = field == Field.AUTH_USER || field == Field.DISPLAY_NAME ||
        (field == Field.NUMBER && text.isNotBlank()) ||
        (field in setOf(Field.PROXY, Field.STUN) && text.isBlank()) || (field == Field.RELAY_USER && text.isNotBlank())

    /** It still does what it is told. */
    private fun alive() {
        core.ask { networkUp(network("127.0.0.1")) }.getOrThrow()
        core.ask { swap() }.getOrThrow()
        assertTrue(ours.phone.log().isNotEmpty())
    }

    private companion object {
        const val HALF = "\ud83d"
        val HUGE = "1".repeat(1 shl 20)
        val TEXTS = mapOf(
            "nothing" to "",
            "a space" to " ",
            "NUL" to "\u0000",
            "emoji" to "\ud83d\udcde",
            "half an emoji" to HALF,
            "a megabyte" to HUGE,
            "a second line" to "1002\r\nVia: x",
            "another scheme" to "mailto:bob"
        )
        val SETTINGS = AccountSettings("1001", "offhook.invalid", "", "", "", Transport.UDP, false)

        fun network(address: String) = Network(1, NetworkKind.WIFI, listOf(address), emptyList(), false, false)
    }
}
