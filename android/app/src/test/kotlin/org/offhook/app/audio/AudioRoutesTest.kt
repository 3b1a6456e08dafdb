package org.offhook.app.audio

import android.os.ParcelUuid
import android.telecom.CallAudioState
import android.telecom.CallEndpoint
import android.telecom.TelecomManager
import java.util.UUID
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.app.audio.AudioRoutes.Kind
import org.offhook.app.core.FakePhone
import org.offhook.app.telecom.OffhookConnection
import org.offhook.core.CallState
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class AudioRoutesTest {
    private val app = RuntimeEnvironment.getApplication() as OffhookApp
    private val telecom = shadowOf(app.getSystemService(TelecomManager::class.java))
    private val fake = FakePhone().withAccount()
    private lateinit var connection: OffhookConnection
    private var told = 0

    @Before
    fun call() {
        app.startCore = { fake }
        app.core
        fake.show(state = CallState.RINGING)
        connection = telecom.allowIncomingCall(telecom.onlyIncomingCall) as OffhookConnection
        fake.show(state = CallState.ACTIVE)
        app.audio.listen { told++ }
    }

    @Test
    @Config(sdk = [28, 31])
    @Suppress("DEPRECATION")
    fun until_android_13_telecom_tells_a_mask() {
        val mask = CallAudioState.ROUTE_EARPIECE or CallAudioState.ROUTE_SPEAKER or CallAudioState.ROUTE_BLUETOOTH
        connection.onCallAudioStateChanged(CallAudioState(false, CallAudioState.ROUTE_SPEAKER, mask))
        assertEquals(listOf(Kind.EARPIECE, Kind.SPEAKER, Kind.BLUETOOTH), app.audio.routes.map { it.kind })
        assertEquals(Kind.SPEAKER, app.audio.current!!.kind)
        app.audio.choose(app.audio.routes.first())
        assertTrue(told > 0)
        endsWithTheCall()
    }

    @Test
    @Config(sdk = [35])
    fun from_android_14_on_telecom_tells_endpoints() {
        val ear = endpoint("Ear", CallEndpoint.TYPE_EARPIECE)
        val car = endpoint("Car", CallEndpoint.TYPE_BLUETOOTH)
        connection.onAvailableCallEndpointsChanged(listOf(car, ear))
        connection.onCallEndpointChanged(car)
        assertEquals(listOf(Kind.EARPIECE to "", Kind.BLUETOOTH to "Car"), app.audio.routes.map { it.kind to it.name })
        assertEquals("Car", app.audio.current!!.name)
        connection.onAvailableCallEndpointsChanged(listOf(ear))
        assertNull("it went away, and telecom has not said what is next", app.audio.current)
        app.audio.choose(app.audio.routes.single())
        endsWithTheCall()
    }

    private fun endsWithTheCall() {
        fake.show(state = CallState.ENDED, why = Why.THEY_ENDED)
        assertTrue(app.audio.routes.isEmpty())
        assertNull(app.audio.current)
    }

    private fun endpoint(name: String, type: Int) = CallEndpoint(name, type, ParcelUuid(UUID.randomUUID()))
}
