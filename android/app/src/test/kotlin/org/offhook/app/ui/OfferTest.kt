package org.offhook.app.ui

import android.content.ClipData
import android.content.ClipboardManager
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.view.ViewGroup
import android.widget.TextView
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.app.core.FakeProposal
import org.offhook.core.About
import org.offhook.core.PhoneException
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

@RunWith(RobolectricTestRunner::class)
class OfferTest {
    private val screens = Screens(FakePhone())
    private val phone get() = screens.phone
    private val link = "offhook:provision?url=https%3A%2F%2Fexample.com%2Fa"

    private fun open(intent: Intent = OfferActivity.intent(screens.app)): ActivityController<OfferActivity> =
        Robolectric.buildActivity(OfferActivity::class.java, intent).setup()

    private fun OfferActivity.lines(): List<String> = findViewById<ViewGroup>(R.id.lines).let { lines ->
        shadowOf(mainLooper).idle()
        (0 until lines.childCount).map {
            val line = lines.getChildAt(it) as TextView
            (line.contentDescription ?: line.text).toString().bare()
        }
    }

    @Test
    fun a_link_that_is_opened_is_shown_with_what_is_dangerous_and_set_up_only_by_a_second_word() {
        phone.proposal = FakeProposal(About.ACCOUNT to "1001@example.com", About.PASSWORD_IN_CLEAR to "b.example")
        val intent = Intent(Intent.ACTION_VIEW, Uri.parse(link)).setClass(screens.app, OfferActivity::class.java)
        val activity = open(intent).get()
        assertTrue("preview $link" in phone.commands)
        assertEquals(
            listOf(
                "Calls as 1001@example.com",
                "Warning: The password itself is sent to b.example where those on the way can read it.",
                "Left out, for this phone has no such setting: codecs"
            ),
            activity.lines()
        )
        assertTrue(phone.commands.none { it.startsWith("take") })
        activity.press(R.id.take)
        assertTrue("take as it is" in phone.commands)
        assertEquals(AccountActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        assertTrue(activity.isFinishing)
    }

    @Test
    fun a_password_that_does_not_come_with_it_is_asked_for() {
        phone.proposal = FakeProposal(password = false)
        val activity = open(OfferActivity.intent(screens.app, "sip:1001@example.com")).get()
        shadowOf(activity.mainLooper).idle()
        activity.type(R.id.password, "secret")
        activity.press(R.id.take)
        assertTrue("take secret" in phone.commands)
    }

    @Test
    fun what_is_no_account_is_told_in_words_and_the_text_stays() {
        val activity = open().get()
        activity.type(R.id.text, "hello")
        activity.press(R.id.look)
        assertEquals("No account can be made of this. (nothing is offered)", activity.text(R.id.text_mistake))
        assertEquals("hello", activity.text(R.id.text))
    }

    @Test
    fun what_was_copied_is_looked_at_and_may_be_refused() {
        val clip = ClipData.newPlainText(null, "{}")
        screens.app.getSystemService(ClipboardManager::class.java).setPrimaryClip(clip)
        val proposal = FakeProposal()
        phone.proposal = proposal
        val activity = open().get()
        activity.press(R.id.paste)
        activity.press(R.id.refuse)
        assertTrue(activity.sees(R.id.look))
        assertTrue(proposal.destroyed)
        assertTrue(phone.commands.none { it.startsWith("take") })
    }

    @Test
    fun an_account_that_cannot_be_kept_is_told_and_can_be_tried_again() {
        phone.proposal = FakeProposal()
        val activity = open(OfferActivity.intent(screens.app, link)).get()
        shadowOf(activity.mainLooper).idle()
        phone.refusal = PhoneException.Store("full")
        activity.press(R.id.take)
        assertEquals("The account cannot be kept on this phone. Please try again.", activity.text(R.id.offer_mistake))
        activity.press(R.id.take)
        assertTrue(activity.isFinishing)
    }

    @Test
    fun a_rotation_keeps_what_was_typed_and_what_is_offered_and_no_state_has_a_secret() {
        phone.proposal = FakeProposal(password = false)
        val controller = open(OfferActivity.intent(screens.app, link))
        shadowOf(controller.get().mainLooper).idle()
        controller.get().type(R.id.password, "secret")
        controller.recreate()
        val activity = controller.get()
        assertTrue(activity.sees(R.id.take))
        assertEquals("secret" to link, activity.text(R.id.password) to activity.text(R.id.text))
        val state = Bundle().also { controller.saveInstanceState(it) }
        assertFalse("$state", "secret" in "$state" || link in "$state")
        assertEquals("it is not fetched again", 1, phone.commands.count { it.startsWith("preview") })
    }

    @Test
    fun a_link_of_sip_is_an_account_while_there_is_none() {
        val intent = Intent(Intent.ACTION_VIEW, Uri.parse("sip:1001@example.com"))
            .setClass(screens.app, DialActivity::class.java)
        val activity = Robolectric.buildActivity(DialActivity::class.java, intent).setup().get()
        val started = shadowOf(activity).nextStartedActivity
        assertEquals(OfferActivity::class.java.name, started.component?.className)
        assertEquals("sip:1001@example.com", started.getStringExtra(Intent.EXTRA_TEXT))
    }
}
