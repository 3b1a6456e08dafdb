package org.offhook.app.telecom

import android.net.Uri
import android.os.Bundle
import android.telecom.Connection
import android.telecom.ConnectionRequest
import android.telecom.ConnectionService
import android.telecom.DisconnectCause
import android.telecom.PhoneAccountHandle
import android.telecom.TelecomManager
import org.offhook.app.OffhookApp

/** Where telecom asks for a [Connection] of ours. The call behind it exists in the core already, by the id in the extras. */
class CallService : ConnectionService() {
    private val desk get() = OffhookApp.of(this).calls

    override fun onCreateIncomingConnection(account: PhoneAccountHandle?, request: ConnectionRequest?): Connection =
        connection(request)

    override fun onCreateOutgoingConnection(account: PhoneAccountHandle?, request: ConnectionRequest?): Connection =
        connection(request)

    override fun onCreateIncomingConnectionFailed(account: PhoneAccountHandle?, request: ConnectionRequest?) {
        callOf(request)?.let(desk::incomingRefused)
    }

    override fun onCreateOutgoingConnectionFailed(account: PhoneAccountHandle?, request: ConnectionRequest?) {
        callOf(request)?.let(desk::outgoingRefused)
    }

    private fun connection(request: ConnectionRequest?): Connection = callOf(request)?.let(desk::connect)
        ?: Connection.createFailedConnection(DisconnectCause(DisconnectCause.CANCELED))

    companion object {
        private const val CALL = "org.offhook.call"

        fun incomingExtras(call: UInt, address: Uri) = Bundle().apply {
            putParcelable(TelecomManager.EXTRA_INCOMING_CALL_ADDRESS, address)
            putInt(CALL, call.toInt())
        }

        /** Telecom hands on what stands in the extras of the extras. */
        fun outgoingExtras(call: UInt, account: PhoneAccountHandle) = Bundle().apply {
            putParcelable(TelecomManager.EXTRA_PHONE_ACCOUNT_HANDLE, account)
            putBundle(TelecomManager.EXTRA_OUTGOING_CALL_EXTRAS, Bundle().apply { putInt(CALL, call.toInt()) })
        }

        private fun callOf(request: ConnectionRequest?): UInt? {
            val extras = request?.extras ?: return null
            val ours = extras.takeIf { it.containsKey(CALL) }
                ?: extras.getBundle(TelecomManager.EXTRA_OUTGOING_CALL_EXTRAS)
            return ours?.getInt(CALL, 0)?.takeIf { it != 0 }?.toUInt()
        }
    }
}
