package org.offhook.app.net

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import org.offhook.app.OffhookApp

/** After the device's start, and after an update of the app: the phone registers anew. */
class BootReceiver : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        if (intent.action != Intent.ACTION_BOOT_COMPLETED && intent.action != Intent.ACTION_MY_PACKAGE_REPLACED) return
        WakeReceiver.lock(context).acquire(Wakes.WORK_MS)
        OffhookApp.of(context).core
    }
}
