package org.offhook.app.ui

import org.offhook.app.R
import org.offhook.app.audio.AudioRoutes
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Encrypted
import org.offhook.core.Quality
import org.offhook.core.Side
import org.offhook.core.TransferState

/**
 * What the call screen shows of a call and of the others beside it. A picture of views, made anew with each.
 *
 * Knows what a button says, not what it does; what a call may do is the core's to say.
 */
data class CallScreen(
    val call: UInt,
    /** Empty: nobody knows. */
    val title: String,
    val number: String?,
    val initial: String?,
    /** How far it is to be believed that it is they; null: there is nothing to say of it. */
    val trust: Trust?,
    /** Where the call stands; null while the timer says it. */
    val state: Words?,
    /** Why it is over. */
    val why: Words?,
    /** When the timer began, on the clock since boot. */
    val answeredMillis: Long?,
    /** Who can hear what is said; null while anybody on the way can. */
    val encrypted: Words?,
    /** It is kept from somebody indeed. */
    val locked: Boolean,
    val quality: Words?,
    val transfer: Words?,
    val buttons: Buttons,
    val muted: Boolean,
    val held: Boolean,
    /** The two may talk, or could if neither held: what needs a call that is up is possible. */
    val up: Boolean,
    /** Digits may be sent: it is up, or the network plays something. */
    val keypad: Boolean,
    /** The call beside this one. */
    val other: Other?
) {
    /** What lies at the foot of the screen. */
    enum class Buttons { ANSWER_OR_DECLINE, END, NONE }

    /** [line]: what is to be known of it; [swap]: the two can change places; [join]: they can be connected. */
    data class Other(val call: UInt, val title: String, val line: Words, val swap: Boolean, val join: Boolean)

    companion object {
        /** The call that matters most of all that are not over: who waits for an answer, then who can hear us. */
        fun foremost(calls: List<CallView>, wanted: UInt? = null): CallView? =
            calls.filter { it.state != CallState.ENDED }
                .minWithOrNull(compareBy({ rank(it) }, { it.call != wanted }, { UInt.MAX_VALUE - it.call }))

        /** [calls]: all that are not over. [answering]: the user has said yes already, and the core has yet to. */
        fun of(
            view: CallView,
            calls: List<CallView>,
            quality: Quality? = null,
            answering: Boolean = false
        ): CallScreen {
            val incoming = waits(view) && !answering
            val up = isUp(view)
            return CallScreen(
                call = view.call,
                title = Numbers.title(view),
                number = Numbers.below(view),
                initial = Numbers.initial(view),
                trust = Trust.of(view),
                state = if (waits(view) && answering) Words(R.string.call_answering) else stateOf(view),
                why = view.why?.takeIf { view.state == CallState.ENDED }?.let { Words(it.sentence) },
                answeredMillis = view.answeredMs?.toLong()?.takeIf { up },
                encrypted = wordsFor(view.encrypted)?.takeIf { up },
                locked = view.encrypted == Encrypted.SDES || view.encrypted == Encrypted.DTLS,
                quality = quality?.takeIf { view.state == CallState.ACTIVE }?.let(::wordsFor),
                transfer = view.transfer?.let(::transferOf),
                buttons = when {
                    view.state == CallState.ENDED -> Buttons.NONE
                    incoming -> Buttons.ANSWER_OR_DECLINE
                    else -> Buttons.END
                },
                muted = view.muted,
                held = view.state == CallState.HELD,
                up = up,
                keypad = up || (view.side == Side.OUT && view.state == CallState.EARLY),
                other = foremost(calls.filter { it.call != view.call })?.let { otherOf(it, view, incoming) }
            )
        }

        private fun otherOf(other: CallView, view: CallView, incoming: Boolean): Other {
            val title = Numbers.title(other)
            val both = isUp(other) && isUp(view)
            val line = if (incoming && other.state == CallState.ACTIVE) {
                Words(R.string.call_will_hold, title)
            } else {
                stateOf(other) ?: Words(R.string.call_active)
            }
            return Other(other.call, title, line, swap = both, join = both)
        }

        private fun rank(view: CallView): Int = when {
            waits(view) -> 0
            view.state in setOf(CallState.CALLING, CallState.RINGING, CallState.EARLY, CallState.ACTIVE) -> 1
            view.state == CallState.REMOTE_HELD -> 2
            else -> 3
        }

        /** It is for the user to answer. */
        fun waits(view: CallView): Boolean = when (view.state) {
            CallState.ANNOUNCED -> true
            CallState.RINGING, CallState.EARLY -> view.side == Side.IN
            CallState.CALLING, CallState.ACTIVE, CallState.HELD, CallState.REMOTE_HELD, CallState.ENDED -> false
        }

        private fun isUp(view: CallView): Boolean = when (view.state) {
            CallState.ACTIVE, CallState.HELD, CallState.REMOTE_HELD -> true
            CallState.ANNOUNCED, CallState.CALLING, CallState.RINGING, CallState.EARLY, CallState.ENDED -> false
        }

        private fun stateOf(view: CallView): Words? = when (view.state) {
            CallState.ANNOUNCED -> Words(R.string.call_incoming)
            CallState.CALLING -> Words(R.string.call_calling)
            CallState.RINGING -> Words(if (view.side == Side.IN) R.string.call_incoming else R.string.call_ringing)
            CallState.EARLY -> Words(if (view.side == Side.IN) R.string.call_incoming else R.string.call_early)
            CallState.ACTIVE -> null
            CallState.HELD -> Words(R.string.call_held)
            CallState.REMOTE_HELD -> Words(R.string.call_remote_held)
            CallState.ENDED -> Words(R.string.call_ended)
        }

        private fun transferOf(state: TransferState): Words = when (state) {
            TransferState.ASKING -> Words(R.string.transfer_asking)
            TransferState.TRYING -> Words(R.string.transfer_trying)
            TransferState.RINGING -> Words(R.string.transfer_ringing)
            TransferState.DONE -> Words(R.string.transfer_done)
            TransferState.FAILED -> Words(R.string.transfer_failed)
        }

        private fun wordsFor(encrypted: Encrypted): Words? = when (encrypted) {
            Encrypted.NONE -> null
            Encrypted.VOS_XOR -> Words(R.string.encrypted_vos)
            Encrypted.SDES -> Words(R.string.encrypted_sdes)
            Encrypted.DTLS -> Words(R.string.encrypted_dtls)
        }

        /** Words for a listener's opinion; none while most people would be content. ITU-T G.109. */
        fun wordsFor(quality: Quality): Words? = when {
            quality.mos < 2.6f -> Words(R.string.quality_bad)
            quality.mos < 3.6f -> Words(R.string.quality_weak)
            else -> null
        }

        fun iconOf(kind: AudioRoutes.Kind): Int = when (kind) {
            AudioRoutes.Kind.EARPIECE -> R.drawable.ic_earpiece
            AudioRoutes.Kind.SPEAKER -> R.drawable.ic_speaker
            AudioRoutes.Kind.WIRED -> R.drawable.ic_headset
            AudioRoutes.Kind.BLUETOOTH -> R.drawable.ic_bluetooth
            AudioRoutes.Kind.OTHER -> R.drawable.ic_headset
        }

        fun nameOf(kind: AudioRoutes.Kind): Int = when (kind) {
            AudioRoutes.Kind.EARPIECE -> R.string.route_earpiece
            AudioRoutes.Kind.SPEAKER -> R.string.route_speaker
            AudioRoutes.Kind.WIRED -> R.string.route_wired
            AudioRoutes.Kind.BLUETOOTH -> R.string.route_bluetooth
            AudioRoutes.Kind.OTHER -> R.string.route_other
        }
    }
}
