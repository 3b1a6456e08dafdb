package org.offhook.app.telecom

import android.content.Context
import android.net.Uri
import android.os.Handler
import android.os.Looper
import android.telecom.DisconnectCause
import org.offhook.app.R
import org.offhook.app.audio.AudioRoutes
import org.offhook.app.core.Core
import org.offhook.app.core.PlatformRefusal
import org.offhook.app.core.SeenAs
import org.offhook.app.core.waits
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Decline
import org.offhook.core.Event
import org.offhook.core.PhoneInterface

/**
 * Brings the core's calls and telecom's connections together, one to one by the call's id; every call action of the user
 * goes through here.
 *
 * ```text
 *  core: rings  -> addNewIncomingCall -> CallService -> connect -> onShowIncomingCallUi -> present
 *  user: dials  -> core's call -> placeCall -> CallService -> connect
 *  core: view   -> the connection shows it;   telecom: a button -> the core's command
 * ```
 * Telecom may refuse (an emergency call, a call of the mobile network): then the caller hears that nobody is here, and an
 * outgoing call is not made. Telecom may also say nothing at all, on some devices: a call is not kept waiting for it.
 * Main thread.
 */
class CallDesk(private val context: Context, private val core: Core, private val audio: AudioRoutes) :
    Core.Listener,
    AudioRoutes.Owner {
    /** Who wants to know of [trouble]. */
    fun interface Listener {
        fun troubleChanged(trouble: String?)
    }

    /** Shows and rings for incoming calls. */
    interface Bell {
        /** The call may be shown now, and rung for. */
        fun present(view: CallView)

        /** The user wants quiet; the call still waits. */
        fun silence()
    }

    /** What the user should know of the calls there are (no sound, no service), as a sentence; null: nothing. */
    var trouble: String? = null
        private set(value) {
            if (field == value) return
            field = value
            listeners.toList().forEach { it.troubleChanged(value) }
        }

    private val main = Handler(Looper.getMainLooper())
    private val listeners = LinkedHashSet<Listener>()
    private val bells = mutableListOf<Bell>()
    private val connections = HashMap<UInt, OffhookConnection>()

    private val presented = HashSet<UInt>()

    /** Incoming calls that telecom was told of. */
    private val offered = HashSet<UInt>()

    /** Calls that telecom was told of a moment ago and has not answered yet. */
    private val asked = HashSet<UInt>()

    init {
        core.listen(this)
        audio.owner = this
    }

    fun listen(listener: Listener) {
        listeners += listener
    }

    fun ignore(listener: Listener) {
        listeners -= listener
    }

    fun ringBy(bell: Bell) {
        bells += bell
    }

    /** Whether an incoming call may be shown by now. */
    fun isPresented(call: UInt) = call in presented

    /**
     * Starts a call; its id comes at once. Telecom is asked first whether there may be one now; should it refuse later
     * all the same, the call is hung up and [trouble] says why.
     */
    fun place(account: UInt?, to: String, seenAs: SeenAs? = null): Result<UInt> {
        core.ask { check(account, to) }.onFailure { return Result.failure(it) }
        val command: PhoneInterface.() -> UInt = {
            if (seenAs == null) call(account, to) else callAs(account, to, seenAs.number, seenAs.hide)
        }
        val telecom = PhoneAccounts.telecom(context) ?: return core.ask(command)
        val handle = PhoneAccounts.handle(context)
        return try {
            if (!telecom.isOutgoingCallPermitted(handle)) return refused(R.string.not_now)
            core.ask(command).onSuccess {
                try {
                    waitForTelecom(it)
                    telecom.placeCall(addressFor(to), CallService.outgoingExtras(it, handle))
                } catch (refusal: SecurityException) {
                    hangUp(it)
                    throw refusal
                }
            }
        } catch (_: SecurityException) {
            refused(R.string.not_allowed_by_system)
        }
    }

    fun answer(call: UInt): Result<Unit> = core.ask { answer(call) }

    fun decline(call: UInt): Result<Unit> = core.ask { reject(call, Decline.HERE) }

    fun hangUp(call: UInt): Result<Unit> = core.ask { hangUp(call) }

    fun hold(call: UInt): Result<Unit> = core.ask { hold(call) }

    fun resume(call: UInt): Result<Unit> = core.ask { resume(call) }

    fun mute(call: UInt, on: Boolean): Result<Unit> = core.ask { mute(call, on) }

    fun swap(): Result<Unit> = core.ask { swap() }

    fun transfer(call: UInt, to: String): Result<Unit> = core.ask { transfer(call, to) }

    fun join(call: UInt, other: UInt): Result<Unit> = core.ask { transferTo(call, other) }

    fun digits(call: UInt, digits: String): Result<Unit> = core.ask { dtmf(call, digits) }

    fun silence() = bells.forEach { it.silence() }

    /** Something about the calls does not work as it should; it is forgotten with the last of them. */
    fun report(sentence: String) {
        trouble = sentence
    }

    /**
     * Telecom wants a connection for a call; null: the call is over. Of one that was dialled just now there may be no
     * picture yet.
     */
    fun connect(call: UInt): OffhookConnection? {
        val view = core.call(call)
        if (view == null && call !in asked) return null
        val connection = OffhookConnection(call, this, audio.ofTelecom)
        connections[call] = connection
        if (view == null) connection.setDialing() else connection.show(view)
        callsChanged()
        return connection
    }

    /** An incoming call may be shown: telecom says so, or has said nothing for too long. */
    fun present(call: UInt) {
        val view = core.call(call)?.takeIf { it.waits } ?: return
        if (presented.add(call)) bells.forEach { it.present(view) }
    }

    fun incomingRefused(call: UInt) {
        core.ask { reject(call, Decline.AWAY) }
    }

    fun outgoingRefused(call: UInt) {
        hangUp(call)
        report(context.getString(R.string.not_now))
    }

    override fun callChanged(view: CallView) {
        if (view.state == CallState.ENDED) {
            connections.remove(view.call)?.show(view)
            offered -= view.call
            asked -= view.call
            presented -= view.call
            if (core.calls.isEmpty()) trouble = null
        } else {
            connections[view.call]?.show(view)
            if (view.waits && offered.add(view.call)) offer(view)
        }
        callsChanged()
    }

    /** As a phone does when another call begins: whoever is talked to waits until the user comes back. */
    override fun soundLost() = core.calls.filter { it.state == CallState.ACTIVE || it.state == CallState.REMOTE_HELD }
        .forEach { hold(it.call) }

    override fun soundBack() {
        core.ask { restartAudio() }
    }

    override fun moment(event: Event) {
        when (event) {
            is Event.AudioFailed -> report(context.getString(R.string.no_sound))
            // Its calls are told as ended one by one; a connection without a call would keep the line for ever.
            is Event.Restarted, is Event.Stopped -> {
                val orphans = connections.filterKeys { core.call(it) == null }
                orphans.values.forEach { it.end(DisconnectCause.ERROR) }
                connections -= orphans.keys
                callsChanged()
            }
            else -> Unit
        }
    }

    private fun offer(view: CallView) {
        val telecom = PhoneAccounts.telecom(context) ?: return present(view.call)
        try {
            val extras = CallService.incomingExtras(view.call, OffhookConnection.addressOf(view))
            telecom.addNewIncomingCall(PhoneAccounts.handle(context), extras)
            waitForTelecom(view.call)
        } catch (_: SecurityException) {
            // Our account is not there: the call is no less one for it.
            present(view.call)
        }
    }

    private fun waitForTelecom(call: UInt) {
        asked += call
        val soon = {
            asked -= call
            present(call)
            callsChanged()
        }
        main.postDelayed(soon, TELECOM_WAIT_MS)
    }

    private fun callsChanged() {
        val up = core.calls.filter { it.state != CallState.HELD && !it.waits }
        audio.callsChanged(up.isNotEmpty(), up.any { it.call in connections || it.call in asked })
    }

    /** Telecom takes what looks like an emergency number away from us, unless it is a whole address. */
    private fun addressFor(to: String) = Uri.fromParts("sip", if ('@' in to) to else "$to@offhook.invalid", null)

    private fun refused(why: Int): Result<UInt> = Result.failure(PlatformRefusal(context.getString(why)))

    private companion object {
        /** Within it telecom shows a call on any device, busy or not. */
        const val TELECOM_WAIT_MS = 2_000L
    }
}
