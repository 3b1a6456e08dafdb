package org.offhook.app.telecom

import android.app.Notification
import android.app.NotificationManager
import android.content.Intent
import android.net.Uri
import android.os.Looper
import android.telecom.Connection
import android.telecom.DisconnectCause
import android.telecom.PhoneAccount
import android.telecom.TelecomManager
import java.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.app.core.FakePhone
import org.offhook.app.notify.CallActions
import org.offhook.app.notify.CallForeground
import org.offhook.app.ui.CallActivity
import org.offhook.core.CallState
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** From the core through telecom and the app's own ConnectionService to a notification, an answer and an end. */
@RunWith(RobolectricTestRunner::class)
class IncomingCallTest {
    private val app = RuntimeEnvironment.getApplication() as OffhookApp
    private val telecom = app.getSystemService(TelecomManager::class.java)
    private val notices = shadowOf(app.getSystemService(NotificationManager::class.java))
    private val fake = FakePhone().withAccount()

    @Before
    fun start() {
        app.startCore = { fake }
        app.core
    }

    @Test
    @Config(sdk = [28, 31, 35])
    fun a_call_rings_is_answered_and_ends() {
        fake.show(state = CallState.RINGING, name = "Ann")
        assertTrue("nothing is shown before telecom allows it", notices.allNotifications.isEmpty())
        val connection = allow()
        assertEquals(Connection.STATE_RINGING, connection.state)
        assertEquals(Uri.parse("sip:1002@offhook.test"), connection.address)
        assertEquals("Ann", connection.callerDisplayName)
        assertTrue(connection.connectionProperties and Connection.PROPERTY_SELF_MANAGED != 0)

        connection.onShowIncomingCallUi()
        val notice = notices.allNotifications.single()
        assertEquals("Ann", notice.extras.getString(Notification.EXTRA_TITLE))
        val screen = shadowOf(notice.fullScreenIntent).savedIntent
        assertEquals(CallActivity::class.java.name, screen.component!!.className)

        connection.onAnswer()
        assertEquals(listOf("answer 1"), calls())
        assertEquals("the core has not said so yet", Connection.STATE_RINGING, connection.state)
        fake.show(state = CallState.ACTIVE, name = "Ann")
        assertEquals(Connection.STATE_ACTIVE, connection.state)
        assertTrue("the ringing is over", notices.allNotifications.none { it.fullScreenIntent != null })
        assertEquals(CallForeground::class.java.name, shadowOf(app).nextStartedService.component!!.className)

        fake.show(state = CallState.ENDED, name = "Ann", why = Why.THEY_ENDED)
        assertEquals(Connection.STATE_DISCONNECTED, connection.state)
        assertEquals(DisconnectCause.REMOTE, connection.disconnectCause.code)
        assertEquals(CallForeground::class.java.name, shadowOf(app).nextStoppedService.component!!.className)
        assertTrue(notices.allNotifications.isEmpty())
    }

    @Test
    fun telecom_knows_us_as_an_app_that_manages_its_calls_itself() {
        val account = telecom.getPhoneAccount(PhoneAccounts.handle(app))
        assertTrue(account.hasCapabilities(PhoneAccount.CAPABILITY_SELF_MANAGED))
    }

    @Test
    fun a_call_is_offered_once_however_often_its_picture_changes() {
        fake.show(state = CallState.ANNOUNCED)
        fake.show(state = CallState.RINGING)
        fake.show(state = CallState.RINGING, name = "Ann")
        assertEquals(1, shadowOf(telecom).allIncomingCalls.size)
    }

    @Test
    fun what_telecom_refuses_is_declined_as_nobody_here() {
        fake.show(state = CallState.RINGING)
        shadowOf(telecom).denyIncomingCall(shadowOf(telecom).onlyIncomingCall)
        assertEquals(listOf("reject 1 AWAY"), calls())
        assertTrue(notices.allNotifications.isEmpty())
    }

    @Test
    fun a_telecom_that_says_nothing_keeps_no_call_waiting() {
        fake.show(state = CallState.RINGING)
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(3))
        assertNotNull(notices.allNotifications.single().fullScreenIntent)
    }

    @Test
    fun a_call_that_is_over_before_telecom_asks_for_it_has_no_connection() {
        fake.show(state = CallState.RINGING)
        fake.show(state = CallState.ENDED, why = Why.CALLER_GAVE_UP)
        val connection = shadowOf(telecom).allowIncomingCall(shadowOf(telecom).onlyIncomingCall)
        assertTrue(connection == null || connection.state == Connection.STATE_DISCONNECTED)
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(3))
        assertTrue(notices.allNotifications.isEmpty())
    }

    @Test
    fun the_notification_declines_and_opens_the_screen_to_answer() {
        ring()
        CallActions().onReceive(app, shadowOf(CallActions.decline(app, 1u)).savedIntent)
        assertEquals(listOf("reject 1 HERE"), calls())
        val answer: Intent = shadowOf(CallActions.answer(app, 1u)).savedIntent
        assertEquals(CallActions.ANSWER to 1, answer.action to answer.getIntExtra(CallActions.EXTRA_CALL, 0))
    }

    @Test
    fun a_headset_and_a_call_of_the_mobile_network_reach_the_core() {
        val connection = ring()
        fake.show(state = CallState.ACTIVE)
        connection.onHold()
        fake.show(state = CallState.HELD)
        assertEquals(Connection.STATE_HOLDING, connection.state)
        connection.onUnhold()
        fake.show(state = CallState.ACTIVE)
        connection.onPlayDtmfTone('5')
        connection.onDisconnect()
        assertEquals(listOf("hold 1", "resume 1", "dtmf 1 5", "hangUp 1"), calls())
        assertEquals(Connection.STATE_ACTIVE, connection.state)
    }

    @Test
    fun a_call_taken_elsewhere_stops_ringing_here() {
        val connection = ring()
        fake.show(state = CallState.ENDED, why = Why.ANSWERED_ELSEWHERE)
        assertEquals(DisconnectCause.ANSWERED_ELSEWHERE, connection.disconnectCause.code)
        assertTrue(notices.allNotifications.isEmpty())
        assertNull(shadowOf(app).nextStartedService)
    }

    @Test
    fun two_calls_have_a_connection_each() {
        val one = ring()
        fake.show(state = CallState.ACTIVE)
        fake.show(call = 2u, state = CallState.RINGING, number = "1003")
        val other = shadowOf(telecom).allowIncomingCall(shadowOf(telecom).lastIncomingCall)!!
        fake.show(state = CallState.HELD)
        fake.show(call = 2u, state = CallState.ACTIVE, number = "1003")
        assertEquals(Connection.STATE_HOLDING to Connection.STATE_ACTIVE, one.state to other.state)
        fake.show(call = 2u, state = CallState.ENDED, why = Why.THEY_ENDED)
        assertEquals(Connection.STATE_HOLDING to Connection.STATE_DISCONNECTED, one.state to other.state)
    }

    private fun ring(): Connection {
        fake.show(state = CallState.RINGING)
        return allow().also { it.onShowIncomingCallUi() }
    }

    private fun allow(): Connection = shadowOf(telecom).allowIncomingCall(shadowOf(telecom).onlyIncomingCall)!!

    private fun calls() = fake.commands.filter { "network" !in it }
}
