package org.offhook.app.core

import com.sun.jna.NativeLibrary
import java.io.File
import java.util.concurrent.ConcurrentHashMap
import org.junit.Assume.assumeTrue
import org.offhook.core.AccountSettings
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.Audio
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Event
import org.offhook.core.Phone
import org.offhook.core.PhoneConfig
import org.offhook.core.PhoneException
import org.offhook.core.SecretStore
import org.offhook.core.Transport

/**
 * A phone of the real core, and what a test asks of one. Tests with the core run in Robolectric's sandbox, all in the
 * same: the core keeps one set of callbacks, those of the class loader that came last.
 */
class TestPhone(val folder: File, audio: Audio = Audio.Silent, secrets: SecretStore = MemorySecrets()) : AutoCloseable {
    val phone = Phone.start(PhoneConfig(folder.path, audio, "OffhookTest/1"), secrets, null)

    /** All that was told, oldest first. */
    val seen = mutableListOf<Event>()

    fun add(number: String, exchange: Exchange, password: String = "secret-$number") =
        phone.addAccount(settings(number, exchange), password)

    /** With an account that is registered. */
    fun registered(number: String, exchange: Exchange) = apply {
        add(number, exchange)
        account(AccountState.REGISTERED)
    }

    fun account(state: AccountState): AccountView = until("account $state") {
        (it as? Event.Account)?.view?.takeIf { view -> view.state == state }
    }

    fun call(state: CallState, call: UInt? = null): CallView = until("call $call $state") {
        (it as? Event.Call)?.view?.takeIf { view -> view.state == state && (call == null || view.call == call) }
    }

    /** Pulls events until one is what is wanted. */
    fun <T : Any> until(what: String, wanted: (Event) -> T?): T {
        val end = System.nanoTime() + PATIENCE_NANOS
        while (System.nanoTime() < end) {
            val event = phone.waitEvent(100uL) ?: continue
            seen += event
            wanted(event)?.let { return it }
        }
        throw AssertionError("$what did not come; it told ${seen.takeLast(20).joinToString("\n", "\n")}")
    }

    /** Ends it as a user would, and frees its folder for another. */
    override fun close() {
        phone.shutdown()
        val end = System.nanoTime() + PATIENCE_NANOS
        try {
            while (System.nanoTime() < end) phone.waitEvent(100uL)
        } catch (_: PhoneException.ShutDown) {
            // The last event was told.
        }
        phone.destroy()
    }

    companion object {
        fun settings(number: String, exchange: Exchange) = AccountSettings(
            number = "$number@offhook.test",
            server = exchange.address,
            proxy = "",
            authUser = "",
            displayName = "",
            transport = Transport.UDP,
            register = true
        )

        /** Calls a function of the core's test build; elsewhere the test is passed over. */
        fun testing(function: String, vararg args: Any): Boolean {
            val found = try {
                NativeLibrary.getInstance("offhook_ffi").getFunction(function)
            } catch (_: UnsatisfiedLinkError) {
                null
            }
            assumeTrue("the core was built without its feature `testing`", found != null)
            // Rust's bool is one byte of the register.
            return found!!.invokeInt(args) and 0xff != 0
        }
    }
}

/** A store that forgets with the process. */
class MemorySecrets : SecretStore {
    private val kept = ConcurrentHashMap<String, String>()

    override fun get(name: String): String? = kept[name]

    override fun put(name: String, value: String) {
        kept[name] = value
    }

    override fun remove(name: String) {
        kept.remove(name)
    }
}
