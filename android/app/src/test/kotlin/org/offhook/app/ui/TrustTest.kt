package org.offhook.app.ui

import android.app.Notification
import android.app.NotificationManager
import android.telecom.TelecomManager
import android.view.View
import android.widget.ListView
import android.widget.TextView
import java.util.TimeZone
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Attest
import org.offhook.core.CallGroups
import org.offhook.core.CallRecord
import org.offhook.core.CallState
import org.offhook.core.CallerIdentity
import org.offhook.core.CallerSignature
import org.offhook.core.Event
import org.offhook.core.Said
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** Whether a caller is who they say: while they call, in the list of calls, and in a call's facts. */
@RunWith(RobolectricTestRunner::class)
class TrustTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val warning = "This may not be who it says"
    private val verified = "Number verified"

    private val forged = CallerSignature(null, true, "The caller's signature is false.")

    private fun signed(attest: Attest?) = CallerSignature(attest, false, "Somebody has signed.")

    private fun said(verified: Boolean? = null, signature: CallerSignature? = null) =
        CallerIdentity(Said.PROVIDER, verified, signature, false)

    private fun ring(identity: CallerIdentity?, state: CallState = CallState.RINGING) =
        phone.emit(Event.Call(phone.view(state = state, name = "Bank").copy(identity = identity)))

    @Before
    fun it_is_friday() = TimeZone.setDefault(TimeZone.getTimeZone("UTC"))

    @Test
    fun a_false_number_is_warned_of_and_one_that_is_vouched_for_has_a_mark() {
        val expected = listOf(
            said(verified = false) to warning,
            said(signature = forged) to warning,
            said(verified = true, signature = forged) to warning,
            said(verified = false, signature = signed(Attest.NUMBER)) to warning,
            said(verified = true) to verified,
            said(signature = signed(Attest.NUMBER)) to verified,
            said(signature = signed(Attest.CUSTOMER)) to null,
            said(signature = signed(Attest.GATEWAY)) to null,
            said(signature = signed(null)) to null,
            said() to null,
            null to null
        )
        screens.app.core
        ring(null)
        val activity = screens.call().get()
        for ((identity, words) in expected) {
            ring(identity)
            val shown = activity.shownTexts().filter { it == warning || it == verified }
            assertEquals("$identity", listOfNotNull(words), shown)
        }
    }

    @Test
    fun it_is_so_while_the_call_is_up_too() {
        screens.app.core
        ring(said(verified = false), CallState.ACTIVE)
        assertTrue(screens.call().get().sees(R.id.forged))
    }

    @Test
    @Config(sdk = [28, 35])
    fun the_notification_of_a_call_warns_too() {
        screens.app.core
        ring(said(signature = forged))
        val telecom = shadowOf(screens.app.getSystemService(TelecomManager::class.java))
        telecom.allowIncomingCall(telecom.onlyIncomingCall)!!.onShowIncomingCallUi()
        val notices = shadowOf(screens.app.getSystemService(NotificationManager::class.java))
        fun text() = "${notices.allNotifications.single().extras.getCharSequence(Notification.EXTRA_TEXT)}"
        assertEquals(warning, text())
        ring(said(signature = signed(Attest.NUMBER)))
        assertEquals("Incoming call", text())
    }

    private fun log(vararg calls: CallRecord): ListView {
        phone.groups = CallGroups(calls.map { group(it) }, null)
        val activity = screens.log().get()
        shadowOf(activity.mainLooper).idle()
        return activity.findViewById(R.id.rows)
    }

    @Test
    fun rows_of_calls_say_it_to_the_eye_and_to_the_ear() {
        val plain = record(7, "1003")
        val rows = log(plain.copy(id = 9, signature = forged), plain.copy(id = 8, verified = true), plain)
        val (bad, good, unknown) = (1..3).map(rows::getChildAt)
        fun below(row: View) = "${row.findViewById<TextView>(R.id.row_below).text}".bare().replace('\u202f', ' ')
        assertEquals("$warning\nIncoming · 1:55 PM", below(bad))
        assertEquals("Incoming · 1:55 PM", below(good))
        val lamps = listOf(bad, good, unknown).map { it.findViewById<View>(R.id.row_lamp).visibility == View.VISIBLE }
        assertEquals(listOf(false, true, false), lamps)
        fun heard(row: View) = row.contentDescription.toString().bare()
        assertTrue(heard(bad), "1003, $warning" in heard(bad))
        assertTrue(heard(good), "1003, $verified" in heard(good))
        assertFalse(heard(unknown), verified in heard(unknown))
    }

    private fun facts(call: CallRecord): Map<String, String> {
        phone.rows = listOf(call)
        return screens.record(call.id).get().shownTexts().let { it.zip(it.drop(1)).toMap() }
    }

    @Test
    fun facts_of_a_call_have_who_gave_the_number_and_all_that_it_was_found_to_be_worth() {
        val call = record(9, "1003").copy(saidBy = Said.REMOTE_PARTY, signature = signed(Attest.CUSTOMER))
        assertEquals("A server on the way, as a rule your provider's", facts(call)["Who gave the number"])
        assertTrue("${facts(call)}", "(level B)" in facts(call).getValue("Whether it is true"))
        assertEquals(
            "Your provider has checked the number: it is false.\nThe caller's signature proves nothing.",
            facts(call.copy(verified = false, signature = signed(null)))["Whether it is true"]
        )
        assertFalse("Whether it is true" in facts(call.copy(signature = null)))
    }

    @Test
    fun a_false_number_is_warned_of_at_the_head_of_its_call_and_among_the_others() {
        phone.rows = listOf(record(9, "1003").copy(signature = forged), record(8, "1003").copy(verified = false))
        val texts = screens.record(9).get().shownTexts()
        assertEquals(2, texts.count { it == warning })
        assertTrue("$texts", "The caller's signature is false: somebody pretends to be another." in texts)
    }
}
