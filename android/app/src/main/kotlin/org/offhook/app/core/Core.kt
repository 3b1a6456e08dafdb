package org.offhook.app.core

import android.os.Handler
import android.os.Looper
import java.nio.charset.CharacterCodingException
import java.util.concurrent.Executor
import java.util.concurrent.Executors
import org.offhook.core.AccountInfo
import org.offhook.core.AccountSettings
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.BackupException
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Encrypted
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.PhoneInterface
import org.offhook.core.ProposalException
import org.offhook.core.Quality

/**
 * The running phone, as the rest of the app sees it: the newest picture of everything, on the main thread.
 *
 * One thread pulls events; everything else here happens on the main thread. Decides nothing: it keeps what the core says
 * and passes on what the user wants. Without a [phone] (it could not be started) there are no accounts and no calls, and
 * every command fails.
 */
class Core(private val phone: PhoneInterface?, private val memory: Executor = aside("offhook-memory")) {
    /** Who wants to be told; all on the main thread. */
    interface Listener {
        fun accountChanged(view: AccountView) {}

        fun callChanged(view: CallView) {}

        fun qualityChanged(call: UInt, quality: Quality) {}

        /** Whatever comes once: a message, a digit, a refusal; and a wake, and what stands [around] calls. */
        fun moment(event: Event) {}
    }

    private val main = Handler(Looper.getMainLooper())
    private val listeners = LinkedHashSet<Listener>()
    private val accountViews = sortedMapOf<UInt, AccountView>()
    private val callViews = sortedMapOf<UInt, CallView>()
    private val ways = HashMap<UInt, Event.Way>()
    private val lost = sortedSetOf<UInt>()
    private val shown = sortedMapOf<UInt, Event.Certificate>()
    private val bare = HashSet<UInt>()

    /** Ids are never used twice. */
    private val removed = HashSet<UInt>()

    /** What stands around calls. */
    val around = Around()

    /** All accounts that are kept, in the person's order: those that are not in use, and those that cannot be, as well. */
    var kept = listOf<AccountInfo>()
        private set

    /** How the accounts that are in use fare, by id. */
    val accounts: List<AccountView> get() = accountViews.values.toList()

    /** The account that calls go by unless said otherwise; null: there is none. It may be out of use. */
    val usual: UInt? get() = kept.find { it.default }?.account

    /** All calls that are not over, by id. */
    val calls: List<CallView> get() = callViews.values.toList()

    /** Accounts whose password cannot be read any more, until they have another; it is told once, and nobody may look. */
    val passwordsLost: Set<UInt> get() = lost.toSet()

    /** Certificates that accounts' servers have shown and that are not accepted; the newest of each. */
    val certificates: Map<UInt?, Event.Certificate> get() = shown.toMap()

    /** Begins to pull events. */
    fun start() {
        val phone = phone ?: return
        kept = phone.accountList()
        phone.accounts().forEach { accountViews[it.account] = it }
        phone.calls().forEach { callViews[it.call] = it }
        Thread({ pull(phone) }, "offhook-events").apply { isDaemon = true }.start()
    }

    fun listen(listener: Listener) {
        listeners += listener
    }

    fun ignore(listener: Listener) {
        listeners -= listener
    }

    /** A call that is not over. */
    fun call(id: UInt): CallView? = callViews[id]

    /** By which way the sound of a call that is not over goes, once that is known. */
    fun way(id: UInt): Event.Way? = ways[id]

    /** A call that was encrypted and is so no more. */
    fun isBare(id: UInt): Boolean = id in bare

    /**
     * Gives the core a command. A failure is a [PhoneException]: the app called wrongly. Text that is no Unicode (half an
     * emoji) fails in the bindings, before the core sees it.
     */
    fun <T> ask(command: PhoneInterface.() -> T): Result<T> = try {
        Result.success((phone ?: throw PhoneException.ShutDown()).command())
    } catch (wrong: PhoneException) {
        Result.failure(wrong)
    } catch (wrong: ProposalException) {
        Result.failure(wrong)
    } catch (wrong: BackupException) {
        Result.failure(wrong)
    } catch (_: CharacterCodingException) {
        Result.failure(PhoneException.BadArgument("that is no text"))
    }

    /** The same for what may wait for a disk: beside the main thread, one after the other. [then] comes on the main thread. */
    fun <T> later(command: PhoneInterface.() -> T, then: (Result<T>) -> Unit = {}) {
        later(command, memory, then)
    }

    /** The same on a thread of its own, for what waits for a network. */
    fun <T> later(command: PhoneInterface.() -> T, beside: Executor, then: (Result<T>) -> Unit) = beside.execute {
        val result = ask(command)
        main.post { then(result) }
    }

    /** Here it is gone at once. */
    fun removeAccount(id: UInt): Result<Unit> = ask { removeAccount(id) }.onSuccess { forget(id) }

    /** The server's certificate is this one. */
    fun trust(certificate: Event.Certificate): Result<Unit> =
        ask { trust(certificate.account, certificate.fingerprint) }.onSuccess { shown.remove(certificate.account) }

    /** A [password] that is null stays as it is. */
    fun changeAccount(id: UInt, settings: AccountSettings, password: String?): Result<Unit> =
        ask { changeAccount(id, settings, password) }.onSuccess {
            shown.remove(id)
            if (password != null) lost -= id
        }

    /** Changes a [part] of what is kept of an account, beside the main thread; the rest stays as it is by then. */
    fun changePart(id: UInt, part: (AccountSettings) -> AccountSettings, then: (Result<Unit>) -> Unit) = later({
        changeAccount(id, part(accountSettings(id)), null)
    }) { result ->
        result.onSuccess { shown.remove(id) }
        then(result)
    }

    /** Pays a card in, once: until it is told what came of it, none goes to that account's provider. */
    fun topUp(id: UInt, card: String, pin: String): Result<Unit> {
        if (around.money.isPaying(id)) return Result.failure(PhoneException.BadArgument("a card is on its way"))
        return ask { topUp(id, card, pin) }.onSuccess { around.money.pays(id) }
    }

    /** Asks an account's provider to ring the user, and then whom they want. */
    fun callBack(id: UInt, to: String): Result<Unit> = ask { callBack(id, to) }.onSuccess { around.money.calls(id) }

    private fun pull(phone: PhoneInterface) {
        while (true) {
            val event =
                try {
                    phone.waitEvent(LONG_MS)
                } catch (_: PhoneException) {
                    return
                }
            if (event == null) continue
            // Here, for the core may be writing them to a disk.
            val told = if (event is Event.Accounts) phone.accountList() to phone.accounts() else null
            main.post {
                told?.let { (list, views) -> keep(list, views) }
                take(event)
            }
        }
    }

    private fun keep(list: List<AccountInfo>, views: List<AccountView>) {
        val there = list.map(AccountInfo::account).toSet()
        kept.map(AccountInfo::account).filterNot(there::contains).forEach(::forget)
        kept = list.filterNot { it.account in removed }
        kept.filterNot(AccountInfo::enabled).forEach { leave(it.account) }
        // What was told of an account before it was known to be in use was not heard.
        views.filter { isShown(it.account) }.forEach { accountViews.putIfAbsent(it.account, it) }
    }

    private fun forget(id: UInt) {
        removed += id
        kept = kept.filterNot { it.account == id }
        leave(id)
        around.forget(id)
    }

    /** It is not in use any more. */
    private fun leave(id: UInt) {
        accountViews.remove(id)
        lost -= id
        shown.remove(id)
    }

    /** The core tells of an account while it unregisters, and never that it is gone. */
    private fun isShown(id: UInt) = id !in removed && kept.none { it.account == id && !it.enabled }

    private fun take(event: Event) {
        when (event) {
            is Event.Account -> {
                if (!isShown(event.view.account)) return
                accountViews[event.view.account] = event.view
                if (event.view.state == AccountState.REGISTERED) {
                    lost -= event.view.account
                    shown.remove(event.view.account)
                }
                tell { accountChanged(event.view) }
            }

            is Event.Call -> {
                if (event.view.state == CallState.ENDED) {
                    callViews.remove(event.view.call)
                    ways.remove(event.view.call)
                    bare -= event.view.call
                } else {
                    if (event.view.encrypted != Encrypted.NONE) bare -= event.view.call
                    callViews[event.view.call] = event.view
                }
                tell { callChanged(event.view) }
            }

            is Event.Quality -> tell { qualityChanged(event.call, event.quality) }

            is Event.Way -> if (event.call in callViews) ways[event.call] = event

            is Event.EncryptionLost -> {
                if (event.call in callViews) bare += event.call
                tell { moment(event) }
            }

            is Event.Certificate -> {
                if (!isShown(event.account)) return
                shown[event.account] = event
                tell { moment(event) }
            }

            is Event.PasswordLost -> {
                lost += event.account
                tell { moment(event) }
            }

            else -> {
                around.take(event)
                tell { moment(event) }
            }
        }
    }

    private fun tell(what: Listener.() -> Unit) = listeners.toList().forEach(what)

    companion object {
        /** Nothing happens when it ends: the core wakes the thread when there is news. */
        private val LONG_MS = 3_600_000uL

        /** A thread for what waits. */
        fun aside(name: String): Executor =
            Executors.newSingleThreadExecutor { Thread(it, name).apply { isDaemon = true } }
    }
}
