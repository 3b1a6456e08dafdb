package org.offhook.app.net

import android.app.AlarmManager
import android.content.Context
import android.content.Intent
import android.os.SystemClock
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.app.core.FakePhone
import org.offhook.core.Event
import org.offhook.core.WakeAt
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlarmManager
import org.robolectric.shadows.ShadowPowerManager

@RunWith(RobolectricTestRunner::class)
class WakesTest {
    private val context: Context = RuntimeEnvironment.getApplication()
    private val alarms = shadowOf(context.getSystemService(AlarmManager::class.java))

    @Test
    fun there_is_never_an_alarm_that_the_core_did_not_name() {
        val device = CountingDevice()
        val wakes = Wakes(device) { NOW_MS }
        val named = mutableListOf<Long>()
        // What a day of a phone may look like: the same again, later, earlier, near, none.
        val random = java.util.Random(7)
        repeat(1_000) {
            val at = when (random.nextInt(4)) {
                0 -> null
                1 -> NOW_MS + random.nextInt(20_000)
                2 -> named.lastOrNull()
                else -> NOW_MS + random.nextInt(3_600_000)
            }
            at?.let(named::add)
            wakes.moment(wake(at))
            assertTrue("an alarm at a time nobody named", device.alarm == null || device.alarm == at)
            if (at == null) assertEquals("one is left", null, device.alarm)
            if (at != null && device.alarm == null) assertTrue("slept over", device.awakeUntil >= at)
        }
        assertTrue("${device.set} alarms for ${named.size} wakes", device.set <= named.size)
    }

    @Test
    fun the_same_wake_again_sets_no_second_alarm() {
        val device = CountingDevice()
        val wakes = Wakes(device) { NOW_MS }
        repeat(5) { wakes.moment(wake(NOW_MS + 60_000)) }
        assertEquals(1, device.set)
    }

    @Test
    fun an_alarm_of_the_process_before_is_taken_back() {
        val device = CountingDevice().apply { alarm = 5 }
        Wakes(device) { NOW_MS }.moment(wake(null))
        assertEquals(null, device.alarm)
    }

    @Test
    @Config(sdk = [28, 31, 35])
    fun the_platform_has_one_alarm_the_latest_and_none_in_the_end() {
        val fake = started()
        val now = SystemClock.elapsedRealtime()
        fake.emit(wake(now + 60_000))
        fake.emit(wake(now + 30_000))
        val alarm = alarms.scheduledAlarms.single()
        assertEquals(now + 30_000, alarm.triggerAtMs)
        assertEquals(AlarmManager.ELAPSED_REALTIME_WAKEUP, alarm.getType())
        assertTrue("not while idle", alarm.isAllowWhileIdle)
        fake.emit(wake(null))
        assertTrue(alarms.scheduledAlarms.isEmpty())
    }

    @Test
    @Config(sdk = [31])
    fun without_the_permission_for_exact_alarms_there_is_one_all_the_same() {
        ShadowAlarmManager.setCanScheduleExactAlarms(false)
        started().emit(wake(SystemClock.elapsedRealtime() + 60_000))
        assertEquals(1, alarms.scheduledAlarms.size)
    }

    @Test
    fun what_is_due_in_a_moment_is_waited_for_awake() {
        started().emit(wake(SystemClock.elapsedRealtime() + 2_000))
        assertTrue(alarms.scheduledAlarms.isEmpty())
        assertTrue(ShadowPowerManager.getLatestWakeLock().isHeld)
    }

    @Test
    fun the_alarm_and_the_boot_start_the_phone() {
        var starts = 0
        OffhookApp.of(context).startCore = { FakePhone().also { starts++ } }
        BootReceiver().onReceive(context, Intent("org.example.OTHER"))
        assertEquals(0, starts)
        BootReceiver().onReceive(context, Intent(Intent.ACTION_BOOT_COMPLETED))
        WakeReceiver().onReceive(context, Intent())
        assertEquals("once, however often it is asked for", 1, starts)
    }

    private fun started() = FakePhone().also { fake ->
        OffhookApp.of(context).startCore = { fake }
        OffhookApp.of(context).core
    }

    private fun wake(atMs: Long?) = Event.Wake(WakeAt(atMs?.toULong(), "register"))

    private class CountingDevice : Wakes.Device {
        var alarm: Long? = null
        var set = 0
        var awakeUntil = 0L

        override fun alarmAt(atMs: Long) {
            alarm = atMs
            set++
        }

        override fun noAlarm() {
            alarm = null
        }

        override fun stayAwake(forMs: Long) {
            awakeUntil = NOW_MS + forMs
        }
    }

    private companion object {
        const val NOW_MS = 1_000_000L
    }
}
