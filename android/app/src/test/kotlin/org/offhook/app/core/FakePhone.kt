package org.offhook.app.core

import android.os.Looper
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.TimeUnit
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.withLock
import org.offhook.core.AccountSettings
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.Announced
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Decline
import org.offhook.core.Encrypted
import org.offhook.core.Event
import org.offhook.core.LogLine
import org.offhook.core.Network
import org.offhook.core.PhoneException
import org.offhook.core.Side
import org.offhook.core.Step
import org.offhook.core.TransferState
import org.offhook.core.Transport
import org.offhook.core.Why
import org.robolectric.Shadows.shadowOf

/**
 * A core that does nothing by itself: it notes commands down, and tells what a test wants told.
 *
 * What a call may do is the core's, so a test that wants a call to answer says so itself ([show]).
 */
class FakePhone : FakeMemory() {
    /** Every command in words, in order: `answer 1`. Queries are not noted. */
    val commands = CopyOnWriteArrayList<String>()

    /** Thrown at the next command, once. */
    @Volatile var refusal: PhoneException? = null

    /** Thrown at every relay's password. */
    @Volatile var relayRefusal: PhoneException? = null

    /** What accounts were given. */
    val settings = sortedMapOf<UInt, AccountSettings>()

    /** All that was told of networks, in order. */
    val networks = CopyOnWriteArrayList<Network>()

    private val accountViews = sortedMapOf<UInt, AccountView>()
    private val callViews = sortedMapOf<UInt, CallView>()
    private val lock = ReentrantLock()
    private val changed = lock.newCondition()
    private val queue = ArrayDeque<Event>()
    private var waiting = false
    private var closed = false
    private var revision = 0u
    private var lastId = 0u

    /** Tells an event, and returns once the app has dealt with it on the main thread. */
    fun emit(event: Event) {
        keep(event)
        lock.withLock {
            queue += event
            changed.signalAll()
            var left = TimeUnit.SECONDS.toNanos(5)
            while (!waiting || queue.isNotEmpty()) {
                check(left > 0) { "nobody pulls events: was the core started?" }
                left = changed.awaitNanos(left)
            }
        }
        shadowOf(Looper.getMainLooper()).idle()
    }

    /** Tells how a call stands now. */
    fun show(
        call: UInt = 1u,
        state: CallState,
        side: Side = Side.IN,
        name: String? = null,
        number: String = "1002",
        muted: Boolean = false,
        transfer: TransferState? = null,
        why: Why? = null,
        said: String? = null,
        encrypted: Encrypted = Encrypted.NONE
    ) = emit(Event.Call(view(call, state, side, name, number, muted, transfer, why, said, encrypted)))

    /** A picture of a call, untold. */
    fun view(
        call: UInt = 1u,
        state: CallState,
        side: Side = Side.IN,
        name: String? = null,
        number: String = "1002",
        muted: Boolean = false,
        transfer: TransferState? = null,
        why: Why? = null,
        said: String? = null,
        encrypted: Encrypted = Encrypted.NONE
    ): CallView {
        val up = state in setOf(CallState.ACTIVE, CallState.HELD, CallState.REMOTE_HELD)
        return CallView(
            call = call,
            revision = ++revision,
            account = 1u,
            side = side,
            state = state,
            remote = "sip:$number@offhook.test",
            number = number,
            name = name,
            codec = null,
            encrypted = encrypted,
            muted = muted,
            conference = false,
            transfer = transfer,
            onBehalfOf = null,
            why = why,
            said = said,
            startedMs = 1_000uL,
            answeredMs = if (up) 2_000uL else null,
            endedMs = if (state == CallState.ENDED) 3_000uL else null
        )
    }

    /** Tells how an account stands now. */
    fun register(
        account: UInt = 1u,
        state: AccountState = AccountState.REGISTERED,
        step: Step = Step.DONE,
        why: Why? = null,
        said: String? = null,
        number: String = "1001"
    ) = emit(
        Event.Account(
            AccountView(
                account = account,
                revision = ++revision,
                uri = "sip:$number@offhook.test",
                number = number,
                state = state,
                step = step,
                why = why,
                said = said,
                retryMs = null,
                expiresS = if (state == AccountState.REGISTERED) 3600u else null
            )
        )
    )

    /** An account that was there before the core began; call it before the core is started. */
    fun withAccount(account: UInt = 1u, state: AccountState = AccountState.REGISTERED) = apply {
        val number = "1001"
        list(account, number)
        settings[account] = AccountSettings(number, "offhook.test", "", "", "", Transport.AUTOMATIC, true)
        val step = if (state == AccountState.REGISTERED) Step.DONE else Step.FIND
        val uri = "sip:$number@offhook.test"
        accountViews[account] = AccountView(account, ++revision, uri, number, state, step, null, null, null, null)
    }

    private fun keep(event: Event) = lock.withLock {
        when (event) {
            is Event.Account -> {
                accountViews[event.view.account] = event.view
                list(event.view.account, event.view.number)
            }
            is Event.Call ->
                if (event.view.state == CallState.ENDED) {
                    callViews.remove(event.view.call)
                } else {
                    callViews[event.view.call] = event.view
                    lastId = maxOf(lastId, event.view.call)
                }
            else -> Unit
        }
    }

    override fun note(command: String) {
        refusal?.let {
            refusal = null
            throw it
        }
        if (closed) throw PhoneException.ShutDown()
        commands += command
    }

    override fun waitEvent(timeoutMs: ULong): Event? = lock.withLock {
        waiting = true
        changed.signalAll()
        while (queue.isEmpty()) {
            if (closed) throw PhoneException.ShutDown()
            changed.await()
        }
        waiting = false
        queue.removeFirst()
    }

    override fun shutdown() = lock.withLock {
        closed = true
        changed.signalAll()
    }

    override fun accounts() = lock.withLock {
        accountViews.values.filter { view -> list.any { it.account == view.account && it.enabled } }
    }

    override fun calls() = lock.withLock { callViews.values.toList() }

    override fun log() = emptyList<LogLine>()

    override fun addAccount(settings: AccountSettings, password: String): UInt {
        note("addAccount ${settings.number} ${settings.server}")
        val id = (this.settings.keys.maxOrNull() ?: 0u) + 1u
        this.settings[id] = settings
        return id
    }

    override fun changeAccount(account: UInt, settings: AccountSettings, password: String?) {
        note("changeAccount $account")
        this.settings[account] = settings
    }

    override fun setRelayPassword(account: UInt, relay: UInt, password: String?) {
        relayRefusal?.let { throw it }
        note("setRelayPassword $account $relay ${password ?: "as it was"}")
    }

    override fun trust(account: UInt, fingerprint: String) = note("trust $account $fingerprint")

    override fun setClientCertificate(account: UInt, chain: List<ByteArray>, key: ByteArray) =
        note("setClientCertificate $account")

    override fun removeAccount(account: UInt) {
        note("removeAccount $account")
        settings.remove(account)
        list = list.filterNot { it.account == account }
        lock.withLock { accountViews.remove(account) }
    }

    override fun accountSettings(account: UInt) = settings[account] ?: throw PhoneException.NoAccount()

    override fun register(account: UInt) = note("register $account")

    override fun unregister(account: UInt) = note("unregister $account")

    override fun call(account: UInt?, to: String): UInt {
        note("call ${account ?: "-"} $to")
        return ++lastId
    }

    override fun callAs(account: UInt?, to: String, number: String?, hide: Boolean?): UInt {
        note("callAs ${account ?: "-"} $to ${number ?: "-"} ${hide ?: "-"}")
        return ++lastId
    }

    override fun check(account: UInt?, to: String) {
        refusal?.let {
            refusal = null
            throw it
        }
    }

    override fun answer(call: UInt) = note("answer $call")

    override fun reject(call: UInt, how: Decline) = note("reject $call $how")

    override fun progress(call: UInt) = note("progress $call")

    override fun hangUp(call: UInt) = note("hangUp $call")

    override fun hold(call: UInt) = note("hold $call")

    override fun resume(call: UInt) = note("resume $call")

    override fun mute(call: UInt, on: Boolean) = note("mute $call $on")

    override fun swap() = note("swap")

    override fun merge() = note("merge")

    override fun split(call: UInt) = note("split $call")

    override fun record(call: UInt, path: String, beep: Boolean) = note("record $call $path $beep")

    override fun stopRecording(call: UInt) = note("stopRecording $call")

    override fun transfer(call: UInt, to: String) = note("transfer $call $to")

    override fun transferTo(call: UInt, other: UInt) = note("transferTo $call $other")

    override fun refresh(call: UInt) = note("refresh $call")

    override fun dtmf(call: UInt, digits: String) = note("dtmf $call $digits")

    override fun message(account: UInt?, to: String, text: String): UInt {
        note("message $to")
        return 1u
    }

    override fun takeBack(message: UInt) = note("takeBack $message")

    override fun networkUp(network: Network) = note("networkUp ${network.kind} ${network.addresses}")

    override fun networkDown() = note("networkDown")

    override fun networkAppeared(network: Network) {
        networks += network
        note("networkAppeared ${network.kind} ${network.addresses}")
    }

    override fun networkVanished(handle: Long) = note("networkVanished $handle")

    override fun push(payload: String): Announced {
        note("push")
        return Announced.Nothing
    }

    override fun restartAudio() = note("restartAudio")

    override fun audioRoute(input: Int?, output: Int?) = note("audioRoute $input $output")
}
