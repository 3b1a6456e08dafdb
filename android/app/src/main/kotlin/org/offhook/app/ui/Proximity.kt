package org.offhook.app.ui

import android.content.Context
import android.os.PowerManager

/** Turns the screen off at the ear, so that a cheek presses nothing; where the device can. */
class Proximity(context: Context) {
    private val lock: PowerManager.WakeLock? = context.getSystemService(PowerManager::class.java)
        .takeIf { it.isWakeLockLevelSupported(PowerManager.PROXIMITY_SCREEN_OFF_WAKE_LOCK) }
        ?.newWakeLock(PowerManager.PROXIMITY_SCREEN_OFF_WAKE_LOCK, "offhook:ear")

    /** Whether sound goes to the ear now. */
    fun follow(atEar: Boolean) {
        val lock = lock ?: return
        if (atEar && !lock.isHeld) lock.acquire(LONGEST_MILLIS)
        if (!atEar && lock.isHeld) lock.release(PowerManager.RELEASE_FLAG_WAIT_FOR_NO_PROXIMITY)
    }

    fun release() = follow(false)

    private companion object {
        /** No call lasts longer; whatever happens, the screen works again then. */
        const val LONGEST_MILLIS = 4 * 60 * 60 * 1000L
    }
}
