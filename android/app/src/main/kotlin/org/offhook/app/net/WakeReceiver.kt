package org.offhook.app.net

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.os.PowerManager
import org.offhook.app.OffhookApp

/** The alarm: the device is awake, and so the core's own clock goes on. Starts the phone where the process was gone. */
class WakeReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        lock(context).acquire(Wakes.WORK_MS)
        OffhookApp.of(context).core
    }

    companion object {
        /** Keeps the processor running, not the screen; counted by its timeouts alone. */
        fun lock(context: Context): PowerManager.WakeLock = context.getSystemService(PowerManager::class.java)
            .newWakeLock(PowerManager.PARTIAL_WAKE_LOCK, "offhook:wake")
            .apply { setReferenceCounted(false) }
    }
}
