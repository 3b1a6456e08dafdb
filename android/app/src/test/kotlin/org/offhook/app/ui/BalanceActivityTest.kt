package org.offhook.app.ui

import android.widget.EditText
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.Balance
import org.offhook.core.BalanceField
import org.offhook.core.BalanceFormat
import org.offhook.core.BalanceSettings
import org.offhook.core.BalanceSign
import org.offhook.core.Event
import org.offhook.core.Field
import org.offhook.core.PhoneException
import org.offhook.core.SettingFault
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.android.controller.ActivityController

@RunWith(RobolectricTestRunner::class)
class BalanceActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val whole = BalanceSettings(
        url = "https://billing.test/{account}",
        form = listOf(BalanceField("name", "{user}"), BalanceField("pass", "a=b")),
        headers = listOf(BalanceField("X-Shop", "7")),
        sign = BalanceSign.BEARER,
        user = "ann",
        format = BalanceFormat.JSON,
        amount = "/money",
        currency = "/unit",
        allowClear = true
    )

    private fun open(): ActivityController<BalanceActivity> =
        Robolectric.buildActivity(BalanceActivity::class.java, BalanceActivity.intent(screens.app, 1u)).setup()

    private fun left(amount: String) = Balance(amount, "USD", null, null, NOW_MS)

    @Test
    fun a_vos_switch_takes_its_server_alone_and_the_answer_is_shown() {
        val activity = open().get()
        assertFalse(activity.sees(R.id.url))
        activity.type(R.id.vos, " vos.test:8080 ")
        activity.press(R.id.save)
        assertEquals(BalanceSettings(vos = "vos.test:8080"), phone.asked[1u])
        assertTrue("setBalance 1 as it was" in phone.commands)
        assertEquals("Asking for the balance…", activity.text(R.id.answer))
        phone.emit(Event.Balance(1u, left("9.5"), null))
        assertEquals("It answers: \$9.50", activity.text(R.id.answer).bare())
        phone.emit(Event.Balance(1u, left("9.5"), "the server does not answer"))
        assertEquals(
            "No balance. (the server does not answer) Told before: \$9.50",
            activity.text(R.id.answer).bare()
        )
    }

    @Test
    fun what_is_set_comes_back_as_it_was_and_no_secret_is_shown() {
        phone.asked[1u] = whole
        val activity = open().get()
        assertEquals("name={user}\npass=a=b", activity.text(R.id.body_text))
        assertEquals("", activity.text(R.id.secret))
        assertEquals("Unchanged", activity.findViewById<EditText>(R.id.secret).hint)
        activity.press(R.id.save)
        assertEquals(whole, phone.asked[1u])
        activity.type(R.id.secret, "token-2")
        activity.press(R.id.save)
        assertTrue("setBalance 1 token-2" in phone.commands)
        assertEquals("", activity.text(R.id.secret))
    }

    @Test
    fun only_what_the_choices_need_is_asked_for_and_clear_text_is_warned_of() {
        val activity = open().get()
        activity.choose(R.id.by_web)
        assertFalse(activity.sees(R.id.vos) || activity.sees(R.id.body_text) || activity.sees(R.id.amount))
        assertFalse(activity.sees(R.id.secret) || activity.sees(R.id.clear_warning))
        activity.choose(R.id.body_json)
        activity.choose(R.id.reader_xml)
        activity.choose(R.id.sign_digest)
        activity.choose(R.id.allow_clear)
        assertTrue(activity.sees(R.id.body_text) && activity.sees(R.id.amount))
        assertTrue(activity.sees(R.id.secret) && activity.sees(R.id.clear_warning))
    }

    @Test
    fun what_cannot_be_used_is_told_and_nothing_is_asked() {
        val activity = open().get()
        phone.refusal = PhoneException.BadSetting(Field.BALANCE, SettingFault.UNUSABLE, "the address is none")
        activity.press(R.id.save)
        assertEquals(
            "The request for the balance cannot be used. (the address is none)",
            activity.text(R.id.mistake)
        )
        assertFalse(activity.sees(R.id.answer))
    }

    @Test
    fun a_rotation_keeps_what_was_typed_and_the_answer() {
        val controller = open()
        controller.get().choose(R.id.by_web)
        controller.get().type(R.id.url, "https://billing.test/")
        controller.get().choose(R.id.sign_basic)
        controller.get().press(R.id.save)
        controller.get().type(R.id.secret, "secret")
        phone.emit(Event.Balance(1u, left("1"), null))
        controller.recreate()
        val activity = controller.get()
        assertEquals("https://billing.test/" to "secret", activity.text(R.id.url) to activity.text(R.id.secret))
        assertTrue(activity.sees(R.id.secret))
        assertEquals("It answers: \$1.00", activity.text(R.id.answer).bare())
    }

    @Test
    fun an_answer_that_comes_while_the_screen_is_turned_is_not_missed() {
        val controller = open()
        controller.get().type(R.id.vos, "vos.test")
        controller.get().press(R.id.save)
        controller.pause().stop()
        phone.emit(Event.Balance(1u, null, "no answer"))
        controller.restart().start().resume()
        assertEquals("No balance. (no answer)", controller.get().text(R.id.answer).bare())
    }

    @Test
    fun it_is_asked_for_no_longer_and_not_shown_any_more() {
        phone.asked[1u] = whole
        val activity = open().get()
        phone.emit(Event.Balance(1u, left("1"), null))
        activity.press(R.id.forget)
        assertTrue(phone.asked.isEmpty() && activity.isFinishing)
        assertEquals(null, screens.app.core.around.balance(1u))
    }
}
