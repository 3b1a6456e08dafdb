package org.offhook.app.telecom

import android.annotation.TargetApi
import android.net.Uri
import android.os.Build
import android.telecom.CallAudioState
import android.telecom.CallEndpoint
import android.telecom.Connection
import android.telecom.DisconnectCause
import android.telecom.TelecomManager
import org.offhook.app.audio.TelecomRoutes
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Side
import org.offhook.core.Why

/**
 * One call of the core as telecom sees it: shows the core's picture there, and passes on what telecom wants (a headset's
 * button, a car, a call of the mobile network that needs the line). Changes no state by itself.
 */
class OffhookConnection(private val call: UInt, private val desk: CallDesk, private val routes: TelecomRoutes) :
    Connection() {
    init {
        connectionProperties = PROPERTY_SELF_MANAGED
        connectionCapabilities = CAPABILITY_HOLD or CAPABILITY_SUPPORT_HOLD or CAPABILITY_MUTE
        audioModeIsVoip = true
        setInitializing()
    }

    /** Shows how the call stands. */
    fun show(view: CallView) {
        setAddress(addressOf(view), TelecomManager.PRESENTATION_ALLOWED)
        setCallerDisplayName(view.name ?: view.number, TelecomManager.PRESENTATION_ALLOWED)
        when (view.state) {
            CallState.ANNOUNCED -> setRinging()
            CallState.CALLING -> setDialing()
            CallState.RINGING, CallState.EARLY -> if (view.side == Side.IN) setRinging() else setDialing()
            CallState.ACTIVE, CallState.REMOTE_HELD -> setActive()
            CallState.HELD -> setOnHold()
            CallState.ENDED -> end(cause(view.why))
        }
    }

    fun end(cause: Int) {
        if (state == STATE_DISCONNECTED) return
        setDisconnected(DisconnectCause(cause))
        routes.gone(this)
        destroy()
    }

    override fun onShowIncomingCallUi() = desk.present(call)

    override fun onSilence() = desk.silence()

    override fun onAnswer() {
        desk.answer(call)
    }

    override fun onReject() {
        desk.decline(call)
    }

    override fun onDisconnect() {
        desk.hangUp(call)
    }

    override fun onAbort() {
        desk.hangUp(call)
    }

    override fun onHold() {
        desk.hold(call)
    }

    override fun onUnhold() {
        desk.resume(call)
    }

    override fun onPlayDtmfTone(digit: Char) {
        desk.digits(call, digit.toString())
    }

    @Deprecated("Android 14 tells of endpoints instead")
    override fun onCallAudioStateChanged(state: CallAudioState?) {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.UPSIDE_DOWN_CAKE && state != null) routes.stateOf(this, state)
    }

    @TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
    override fun onAvailableCallEndpointsChanged(availableEndpoints: List<CallEndpoint>) =
        routes.endpointsOf(this, availableEndpoints)

    @TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
    override fun onCallEndpointChanged(callEndpoint: CallEndpoint) = routes.endpointOf(this, callEndpoint)

    companion object {
        fun addressOf(view: CallView): Uri = Uri.parse(view.remote)

        /** For the platform's log of calls; what a person reads is the reason itself. */
        fun cause(why: Why?): Int = when (why) {
            Why.YOU_ENDED, Why.YOU_GAVE_UP, Why.TRANSFERRED -> DisconnectCause.LOCAL
            Why.THEY_ENDED, Why.THEY_GAVE_UP -> DisconnectCause.REMOTE
            Why.CALLER_GAVE_UP, Why.CALLER_LOST, Why.NOBODY_HERE, Why.NEVER_CAME -> DisconnectCause.MISSED
            Why.YOU_DECLINED, Why.DO_NOT_DISTURB, Why.YOU_BLOCKED, Why.YOU_REFUSE_ANONYMOUS -> DisconnectCause.REJECTED
            Why.ANSWERED_ELSEWHERE -> DisconnectCause.ANSWERED_ELSEWHERE
            Why.BUSY, Why.IN_ANOTHER_CALL -> DisconnectCause.BUSY
            else -> DisconnectCause.ERROR
        }
    }
}
