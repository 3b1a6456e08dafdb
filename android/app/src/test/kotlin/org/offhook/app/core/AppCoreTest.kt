package org.offhook.app.core

import android.app.NotificationManager
import android.content.Context
import android.content.ContextWrapper
import android.os.Looper
import android.telecom.Connection
import android.telecom.DisconnectCause
import android.telecom.TelecomManager
import java.io.File
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.core.AccountState
import org.offhook.core.Audio
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.Phone
import org.offhook.core.PhoneInterface
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** The whole app on the whole core: all but the screens, which the platform would show. */
@RunWith(RobolectricTestRunner::class)
class AppCoreTest {
    private val app = RuntimeEnvironment.getApplication() as OffhookApp
    private val telecom = shadowOf(app.getSystemService(TelecomManager::class.java))
    private val keys = TestKeys()
    private val exchange = Exchange()
    private val peer = Peer("1002", exchange, app.cacheDir)
    private var phone: Phone? = null
    private val before = listeners()

    @After
    fun stop() {
        end()
        peer.close()
        exchange.close()
    }

    @Test
    fun an_incoming_call_goes_through_telecom_to_answered_and_ended() {
        begin(app)
        app.core.ask { addAccount(TestPhone.settings("1001", exchange), "secret-1001") }.getOrThrow()
        until("registered") { app.core.accounts.any { it.state == AccountState.REGISTERED } }
        peer.say("""{"cmd":"call","to":"1001"}""")
        until("offered to telecom") { telecom.allIncomingCalls.isNotEmpty() }
        val connection = telecom.allowIncomingCall(telecom.onlyIncomingCall)!!
        connection.onShowIncomingCallUi()
        assertEquals(1, shadowOf(app.getSystemService(NotificationManager::class.java)).size())
        connection.onAnswer()
        until("active") { connection.state == Connection.STATE_ACTIVE }
        val theirs = Regex("\"call\":(\\d+)").find(peer.expect("\"call\"", "\"state\":\"active\""))!!.groupValues[1]
        peer.say("""{"cmd":"hangup","call":$theirs}""")
        until("ended") { connection.state == Connection.STATE_DISCONNECTED }
        assertEquals(DisconnectCause.REMOTE, connection.disconnectCause.code)
        assertTrue(app.core.calls.isEmpty())
    }

    @Test
    fun an_outgoing_call_goes_through_telecom_to_active_and_is_hung_up_by_a_headset() {
        telecom.setIsOutgoingCallPermitted(true)
        telecom.setCallPhonePermission(true)
        begin(app)
        app.core.ask { addAccount(TestPhone.settings("1001", exchange), "secret-1001") }.getOrThrow()
        until("registered") { app.core.accounts.any { it.state == AccountState.REGISTERED } }
        val call = app.calls.place(null, "1002").getOrThrow()
        val connection = telecom.allowOutgoingCall(telecom.onlyOutgoingCall)!!
        val ringing = peer.ringing()
        peer.say("""{"cmd":"answer","call":$ringing}""")
        until("active") { app.core.call(call)?.state == CallState.ACTIVE }
        assertEquals(Connection.STATE_ACTIVE, connection.state)
        connection.onDisconnect()
        until("ended") { connection.state == Connection.STATE_DISCONNECTED }
        assertEquals(DisconnectCause.LOCAL, connection.disconnectCause.code)
    }

    @Test
    fun a_process_that_was_killed_comes_back_with_its_account_and_its_password() {
        begin(app)
        val id = app.core.ask { addAccount(TestPhone.settings("1001", exchange), "secret-1001") }.getOrThrow()
        until("registered") { app.core.accounts.any { it.state == AccountState.REGISTERED } }
        end()
        val second = again()
        begin(second)
        until("registered again") { second.core.accounts.any { it.state == AccountState.REGISTERED } }
        assertEquals(listOf(id), second.core.accounts.map { it.account })
    }

    @Test
    fun a_key_that_was_invalidated_is_told_and_the_account_stays() {
        begin(app)
        app.core.ask { addAccount(TestPhone.settings("1001", exchange), "secret-1001") }.getOrThrow()
        until("registered") { app.core.accounts.any { it.state == AccountState.REGISTERED } }
        end()
        keys.invalid = true
        val second = again()
        var lost: UInt? = null
        begin(second) { core ->
            core.listen(object : Core.Listener {
                override fun moment(event: Event) {
                    if (event is Event.PasswordLost) lost = event.account
                }
            })
        }
        until("told") { lost == 1u }
        second.core.ask { changeAccount(1u, TestPhone.settings("1001", exchange), "secret-1001") }.getOrThrow()
        until("registered again") { second.core.accounts.any { it.state == AccountState.REGISTERED } }
    }

    private fun begin(app: OffhookApp, listen: (Core) -> Unit = {}) {
        app.startCore = { start(it) }
        listen(app.core)
    }

    private fun start(context: Context): PhoneInterface {
        val secrets = Secrets(File(context.filesDir, "secrets"), keys)
        return Phone.start(Start.config(context, Audio.Silent), secrets, null).also { phone = it }
    }

    /** As far as a process can see its own end from within: its phone is gone. */
    private fun end() {
        val ending = phone ?: return
        phone = null
        ending.shutdown()
        val end = System.nanoTime() + PATIENCE_NANOS
        while (System.nanoTime() < end && listeners() != before) {
            shadowOf(Looper.getMainLooper()).idle()
            Thread.yield()
        }
        ending.destroy()
    }

    private fun listeners() = Thread.getAllStackTraces().keys.filter { it.name == "offhook-events" }.toSet()

    /** Another process's application over the same data. */
    private fun again() = OffhookApp().apply {
        val attach = ContextWrapper::class.java.getDeclaredMethod("attachBaseContext", Context::class.java)
        attach.isAccessible = true
        attach.invoke(this, app.baseContext)
    }

    private fun until(what: String, reached: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE_NANOS
        while (!reached()) {
            shadowOf(Looper.getMainLooper()).idle()
            if (System.nanoTime() > end) throw AssertionError("not $what: ${app.core.accounts} ${app.core.calls}")
            Thread.yield()
        }
    }
}
