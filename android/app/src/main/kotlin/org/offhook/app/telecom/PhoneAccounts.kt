package org.offhook.app.telecom

import android.content.ComponentName
import android.content.Context
import android.telecom.PhoneAccount
import android.telecom.PhoneAccountHandle
import android.telecom.TelecomManager
import android.util.Log
import org.offhook.app.R

/** The one account that the platform's telecom knows us by; which SIP account a call goes over is not its business. */
object PhoneAccounts {
    private const val ID = "offhook"
    private const val TAG = "offhook"

    fun handle(context: Context) = PhoneAccountHandle(ComponentName(context, CallService::class.java), ID)

    /** Null on a device without telecom, where calls are made without it. */
    fun telecom(context: Context): TelecomManager? = context.getSystemService(TelecomManager::class.java)

    /** At every start: telecom forgets it when the app's data are cleared, and a second time changes nothing. */
    fun register(context: Context) {
        val account = PhoneAccount.builder(handle(context), context.getString(R.string.app_name))
            .setCapabilities(PhoneAccount.CAPABILITY_SELF_MANAGED)
            .addSupportedUriScheme(PhoneAccount.SCHEME_SIP)
            .build()
        try {
            telecom(context)?.registerPhoneAccount(account)
        } catch (refused: SecurityException) {
            Log.w(TAG, "telecom does not take our account", refused)
        } catch (lacking: UnsupportedOperationException) {
            Log.w(TAG, "this device has no telecom", lacking)
        }
    }
}
