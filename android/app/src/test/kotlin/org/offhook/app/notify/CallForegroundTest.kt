package org.offhook.app.notify

import android.Manifest
import android.app.ForegroundServiceStartNotAllowedException
import android.app.Notification
import android.app.NotificationManager
import android.content.ComponentName
import android.content.ContextWrapper
import android.content.Intent
import android.content.pm.ServiceInfo
import android.os.Looper
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.audio.AudioRoutes
import org.offhook.app.core.Core
import org.offhook.app.core.FakePhone
import org.offhook.app.telecom.CallDesk
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.Side
import org.offhook.core.Why
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class CallForegroundTest {
    private val app = RuntimeEnvironment.getApplication() as OffhookApp
    private val notices = shadowOf(app.getSystemService(NotificationManager::class.java))
    private val fake = FakePhone().withAccount()

    @Test
    @Config(sdk = [28, 31, 35])
    fun it_stands_behind_the_call_and_has_the_microphone_if_that_was_granted() {
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        begin()
        val service = shadowOf(run())
        assertEquals(CallNotice.ONGOING_ID, service.lastForegroundNotificationId)
        assertEquals("1002", service.lastForegroundNotification.extras.getString(Notification.EXTRA_TITLE))
        assertTrue(CallForeground.isShown)
        fake.emit(Event.AudioFailed("the microphone is in use"))
        val told = notices.getNotification(CallNotice.ONGOING_ID).extras.getString(Notification.EXTRA_TEXT)
        assertEquals(app.getString(R.string.no_sound), told)
    }

    @Test
    fun its_types_are_the_calls_and_the_microphones() {
        begin()
        assertEquals(ServiceInfo.FOREGROUND_SERVICE_TYPE_PHONE_CALL, run().foregroundServiceType)
        shadowOf(app).grantPermissions(Manifest.permission.RECORD_AUDIO)
        val both = ServiceInfo.FOREGROUND_SERVICE_TYPE_PHONE_CALL or ServiceInfo.FOREGROUND_SERVICE_TYPE_MICROPHONE
        assertEquals(both, run().foregroundServiceType)
    }

    @Test
    fun a_call_that_is_over_before_it_began_stops_it() {
        app.startCore = { fake }
        app.core
        val service = shadowOf(run())
        assertNotNull("the platform insists on it", service.lastForegroundNotification)
        assertTrue(service.isStoppedBySelf)
    }

    @Test
    fun only_a_call_that_was_answered_or_dialled_starts_it_and_the_last_stops_it() {
        app.startCore = { fake }
        app.core
        fake.show(state = CallState.RINGING)
        assertNull(shadowOf(app).nextStartedService)
        fake.show(state = CallState.ACTIVE)
        fake.show(state = CallState.HELD)
        assertNotNull(shadowOf(app).nextStartedService)
        assertNull("once", shadowOf(app).nextStartedService)
        assertNull(shadowOf(app).nextStoppedService)
        fake.show(state = CallState.ENDED, why = Why.YOU_ENDED)
        assertNotNull(shadowOf(app).nextStoppedService)
    }

    @Test
    @Config(sdk = [31, 35])
    fun a_refused_start_is_told_and_the_call_goes_on() =
        refusedBy { throw ForegroundServiceStartNotAllowedException("from the background") }

    @Test
    @Config(sdk = [28, 35])
    fun a_start_without_permission_is_told_and_the_call_goes_on() = refusedBy { throw SecurityException("no") }

    @Test
    @Config(sdk = [31, 35])
    fun a_service_that_may_not_come_to_the_front_is_told_and_the_call_goes_on() =
        keptBackBy(ForegroundServiceStartNotAllowedException("from the background"))

    @Test
    @Config(sdk = [28, 35])
    fun a_service_whose_type_is_not_allowed_is_told_and_the_call_goes_on() = keptBackBy(SecurityException("no"))

    private fun keptBackBy(refusal: Exception) {
        begin()
        val controller = Robolectric.buildService(CallForeground::class.java).create()
        val service = shadowOf(controller.get())
        service.setThrowInStartForeground(refusal)
        controller.startCommand(0, 1)
        shadowOf(Looper.getMainLooper()).idle()
        assertFalse(CallForeground.isShown)
        assertTrue(service.isStoppedBySelf)
        assertEquals(app.getString(R.string.no_service), app.calls.trouble)
        assertEquals(CallState.ACTIVE, app.core.calls.single().state)
        assertTrue(fake.commands.none { it.startsWith("hangUp") })
    }

    private fun refusedBy(refusal: () -> Nothing) {
        val strict = object : ContextWrapper(app) {
            override fun startForegroundService(service: Intent): ComponentName = refusal()
        }
        val core = Core(fake)
        val desk = CallDesk(strict, core, AudioRoutes(strict))
        CallNotice(strict, core, desk)
        core.start()
        fake.show(state = CallState.ACTIVE, side = Side.OUT)
        assertEquals(app.getString(R.string.no_service), desk.trouble)
        val notice = notices.getNotification(CallNotice.ONGOING_ID)
        assertEquals(desk.trouble, notice.extras.getString(Notification.EXTRA_TEXT))
        assertFalse("that style needs the service", notice.extras.containsKey(Notification.EXTRA_TEMPLATE))
        assertEquals("End call", notice.actions.single().title.toString())
        assertTrue(fake.commands.none { it.startsWith("hangUp") })
    }

    private fun begin() {
        app.startCore = { fake }
        app.core
        fake.show(state = CallState.ACTIVE, side = Side.OUT)
    }

    private fun run(): CallForeground =
        Robolectric.buildService(CallForeground::class.java).create().startCommand(0, 1).get().also {
            shadowOf(Looper.getMainLooper()).idle()
        }
}
