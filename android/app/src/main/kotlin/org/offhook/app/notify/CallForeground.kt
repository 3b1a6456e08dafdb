package org.offhook.app.notify

import android.Manifest
import android.app.Notification
import android.app.Service
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.content.pm.ServiceInfo
import android.os.Build
import android.os.IBinder
import android.util.Log
import org.offhook.app.OffhookApp
import org.offhook.app.R

/**
 * Keeps the process and its microphone while there is a call, and only then. Does nothing but stand behind the
 * notification; the call is the core's.
 *
 * The platform may refuse it, at the start (the app was in the background) or when it comes to the front (a type that is
 * not allowed now). Then the call goes on for as long as the platform lets it, and the user is told.
 */
class CallForeground : Service() {
    override fun onBind(intent: Intent?): IBinder? = null

    override fun onStartCommand(intent: Intent?, flags: Int, startId: Int): Int {
        val app = OffhookApp.of(this)
        val call = CallNotice.ongoingCall(app.core)
        // A service that was started has to come to the front, even if its call has ended meanwhile.
        if (call == null) Log.i(TAG, "the call was over before its service began")
        val notice = call?.let { CallNotice.ongoing(this, it, app.calls.trouble, true) }
            ?: Notification.Builder(this, Channels.ONGOING).setSmallIcon(R.drawable.ic_call).build()
        isShown = show(notice)
        if (!isShown) app.calls.report(getString(R.string.no_service))
        if (call == null || !isShown) stopSelf()
        return START_NOT_STICKY
    }

    override fun onDestroy() {
        isShown = false
    }

    /** With the microphone if that may be, else without. */
    private fun show(notice: Notification): Boolean {
        for (types in typesToAskFor()) {
            try {
                if (types == null || Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) {
                    startForeground(CallNotice.ONGOING_ID, notice)
                } else {
                    startForeground(CallNotice.ONGOING_ID, notice, types)
                }
                return true
            } catch (refused: SecurityException) {
                Log.w(TAG, "not to the front with types $types", refused)
            } catch (refused: IllegalStateException) {
                Log.w(TAG, "not to the front", refused)
                return false
            }
        }
        return false
    }

    /** Null: the platform knows no types yet. */
    private fun typesToAskFor(): List<Int?> {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return listOf(null)
        val plain = ServiceInfo.FOREGROUND_SERVICE_TYPE_PHONE_CALL
        val granted = checkSelfPermission(Manifest.permission.RECORD_AUDIO) == PackageManager.PERMISSION_GRANTED
        if (!granted || Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return listOf(plain)
        return listOf(plain or ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE, plain)
    }

    /** Turns it on and off. A refusal is [refused] once for the calls there are; it is asked for again with the next. */
    class Switch(private val context: Context, private val refused: () -> Unit) {
        private var asked = false
        private var allowed = false

        /** False: the platform does not let us. */
        fun on(): Boolean {
            if (asked) return allowed
            asked = true
            try {
                context.startForegroundService(intent())
                allowed = true
            } catch (why: SecurityException) {
                no(why)
            } catch (why: IllegalStateException) {
                // ForegroundServiceStartNotAllowedException is one, from Android 12 on.
                no(why)
            }
            return allowed
        }

        fun off() {
            if (asked) context.stopService(intent())
            asked = false
            allowed = false
        }

        private fun no(why: Exception) {
            Log.w(TAG, "no service for the call", why)
            allowed = false
            refused()
        }

        private fun intent() = Intent(context, CallForeground::class.java)
    }

    companion object {
        private const val TAG = "offhook"

        /** Whether it stands behind the notification now. Main thread. */
        var isShown = false
            private set
    }
}
