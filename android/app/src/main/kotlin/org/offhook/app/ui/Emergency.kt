package org.offhook.app.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Intent
import android.net.Uri
import android.os.Build
import android.telecom.TelecomManager
import org.offhook.core.PhoneException
import org.offhook.core.TargetFault

/** Numbers that call for help, which the core leaves to the phone itself: its own dialer gets them. */
object Emergency {
    /**
     * Opens the phone's own dialer with [number] in it, if that is why it was not called; the user presses its button, and so
     * nothing of ours stands between. False: it was something else, or this device has no such dialer: say the sentence.
     */
    fun handOn(activity: Activity, failure: Throwable, number: String): Boolean {
        if ((failure as? PhoneException.BadTarget)?.why != TargetFault.EMERGENCY) return false
        // Without its name the system might ask us: our screen takes numbers, too.
        val dialer = dialer(activity) ?: return false
        val dial = Intent(Intent.ACTION_DIAL, Uri.fromParts("tel", number, null)).setPackage(dialer)
        return try {
            activity.startActivity(dial)
            true
        } catch (_: ActivityNotFoundException) {
            false
        }
    }

    private fun dialer(activity: Activity): String? {
        val telecom = activity.getSystemService(TelecomManager::class.java) ?: return null
        val name =
            if (Build.VERSION.SDK_INT >=
                Build.VERSION_CODES.Q
            ) {
                telecom.systemDialerPackage
            } else {
                telecom.defaultDialerPackage
            }
        return name.takeIf { it != activity.packageName }
    }
}
