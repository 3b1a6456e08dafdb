package org.offhook.app.net

import android.annotation.SuppressLint
import android.app.AlarmManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.os.Build
import android.os.SystemClock
import org.offhook.app.core.Core
import org.offhook.core.Event

/**
 * Wakes the device when the core says, and never otherwise: one alarm, always the latest that the core named.
 *
 * What is due in a moment is waited for awake, for the platform lets a sleeping app have an alarm only every few minutes.
 */
class Wakes(private val device: Device, private val clock: () -> Long) : Core.Listener {
    /** What wakes a device, and keeps it from falling asleep. */
    interface Device {
        /** In place of the alarm before, if any. [atMs] since boot, sleep included. */
        fun alarmAt(atMs: Long)

        fun noAlarm()

        /** Without a word when it is over. */
        fun stayAwake(forMs: Long)
    }

    /** Until the core speaks: an alarm of the process before may stand. */
    private var armed: Long? = UNKNOWN

    override fun moment(event: Event) {
        if (event is Event.Wake) wake(event.wake.atMs?.toLong())
    }

    private fun wake(atMs: Long?) {
        val left = atMs?.minus(clock())
        if (left != null && left < NEAR_MS) device.stayAwake(left.coerceAtLeast(0) + WORK_MS)
        val far = atMs.takeIf { left != null && left >= NEAR_MS }
        if (far == armed) return
        armed = far
        if (far == null) device.noAlarm() else device.alarmAt(far)
    }

    companion object {
        /** Sooner than this, falling asleep and waking costs more than staying awake. */
        private const val NEAR_MS = 10_000L

        private const val UNKNOWN = -1L

        /** What the core may take to do what it woke for. */
        const val WORK_MS = 3_000L

        fun of(context: Context, core: Core) =
            Wakes(AlarmClock(context), SystemClock::elapsedRealtime).also(core::listen)
    }
}

/** The platform's. */
private class AlarmClock(private val context: Context) : Wakes.Device {
    private val alarms = context.getSystemService(AlarmManager::class.java)
    private val awake = WakeReceiver.lock(context)

    override fun alarmAt(atMs: Long) {
        try {
            if (mayBeExact()) return exactAt(atMs)
        } catch (_: SecurityException) {
            // It was taken back in between.
        }
        alarms.setAndAllowWhileIdle(AlarmManager.ELAPSED_REALTIME_WAKEUP, atMs, intent())
    }

    override fun noAlarm() = alarms.cancel(intent())

    override fun stayAwake(forMs: Long) = awake.acquire(forMs)

    private fun mayBeExact() = Build.VERSION.SDK_INT < Build.VERSION_CODES.S || alarms.canScheduleExactAlarms()

    @SuppressLint("MissingPermission") // mayBeExact asked for it
    private fun exactAt(atMs: Long) =
        alarms.setExactAndAllowWhileIdle(AlarmManager.ELAPSED_REALTIME_WAKEUP, atMs, intent())

    private fun intent() = PendingIntent.getBroadcast(
        context,
        0,
        Intent(context, WakeReceiver::class.java),
        PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT
    )
}
