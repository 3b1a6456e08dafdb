package org.offhook.app.ui

import android.view.View
import android.widget.EditText
import android.widget.RadioButton
import android.widget.Switch
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.AccountState
import org.offhook.core.Encryption
import org.offhook.core.Event
import org.offhook.core.Field
import org.offhook.core.MediaEncryption
import org.offhook.core.MediaKeys
import org.offhook.core.PhoneException
import org.offhook.core.RelaySettings
import org.offhook.core.SettingFault
import org.offhook.core.Step
import org.offhook.core.Transport
import org.offhook.core.Why
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
class AccountActivityTest {
    private val fresh by lazy { Screens(FakePhone()) }
    private val kept by lazy { Screens() }

    private fun AccountActivity.fill() {
        type(R.id.server, "sip.example.com")
        type(R.id.number, "1001")
        type(R.id.password, "secret")
    }

    private fun AccountActivity.rows() =
        (0..2).map { findViewById<android.view.ViewGroup>(R.id.test_rows).getChildAt(it).contentDescription.toString() }

    @Test
    @Config(sdk = [28, 31, 35])
    fun saving_adds_the_account_and_the_test_follows_it_step_by_step() {
        val activity = fresh.account().get()
        assertFalse(activity.sees(R.id.test))
        activity.fill()
        activity.press(R.id.save)
        assertEquals(listOf("addAccount 1001 sip.example.com"), fresh.phone.commands.filter { "Account" in it })
        fresh.phone.register(state = AccountState.REGISTERING, step = Step.FIND)
        assertEquals(
            listOf("Find the server's name: under way", "Reach the server: not yet", "Register: not yet"),
            activity.rows()
        )
        fresh.phone.register(state = AccountState.REGISTERING, step = Step.REGISTER)
        assertEquals(
            listOf("Find the server's name: done", "Reach the server: done", "Register: under way"),
            activity.rows()
        )
        fresh.phone.register()
        assertTrue(activity.rows().all { it.endsWith("done") })
        assertEquals("All is well. You can make and receive calls.", activity.text(R.id.test_verdict))
        activity.press(R.id.done)
        assertTrue(activity.isFinishing)
    }

    @Test
    fun a_failed_step_shows_its_reason_and_can_be_tried_again() {
        val activity = fresh.account().get()
        activity.fill()
        activity.press(R.id.save)
        fresh.phone.register(state = AccountState.FAILED, step = Step.FIND, why = Why.NAME_NOT_FOUND)
        assertEquals("Find the server's name: failed. The server's name cannot be found.", activity.rows()[0])
        activity.press(R.id.test_now)
        assertEquals(listOf("register 1"), fresh.phone.commands.filter { it.startsWith("register") })
    }

    @Test
    fun a_bad_setting_marks_its_field_and_adds_nothing() {
        val activity = fresh.account().get()
        fresh.phone.refusal = PhoneException.BadSetting(Field.SERVER, SettingFault.MISSING, "no")
        activity.press(R.id.save)
        assertEquals("The server is missing.", activity.text(R.id.server_mistake))
        assertTrue(activity.findViewById<View>(R.id.server).isActivated)
        assertFalse(activity.sees(R.id.test))
        activity.fill()
        activity.press(R.id.save)
        assertFalse(activity.sees(R.id.server_mistake))
    }

    @Test
    fun a_bad_setting_out_of_sight_is_brought_into_it() {
        val activity = fresh.account().get()
        activity.fill()
        assertFalse(activity.sees(R.id.proxy))
        fresh.phone.refusal = PhoneException.BadSetting(Field.PROXY, SettingFault.UNUSABLE, "no")
        activity.press(R.id.save)
        assertTrue(activity.sees(R.id.proxy_mistake))
    }

    @Test
    fun an_account_that_is_there_shows_its_settings_and_no_password() {
        val activity = kept.account().get()
        assertEquals("offhook.test", activity.text(R.id.server))
        assertEquals("1001", activity.text(R.id.number))
        assertEquals("", activity.text(R.id.password))
        assertEquals("Unchanged", activity.findViewById<EditText>(R.id.password).hint)
    }

    @Test
    fun whether_others_are_told_that_one_is_free_is_kept_with_what_the_screen_does_not_show() {
        kept.phone.settings[1u] = kept.phone.settings.getValue(1u).copy(register = false)
        val activity = kept.account().get()
        activity.press(R.id.more)
        activity.choose(R.id.presence)
        activity.press(R.id.save)
        val saved = kept.phone.settings.getValue(1u)
        assertTrue(saved.publishPresence)
        assertFalse(saved.register)
    }

    @Test
    fun one_that_is_not_in_use_says_so_instead_of_a_test_that_never_ends_and_is_taken_into_use() {
        kept.phone.list = kept.phone.list.map { it.copy(enabled = false) }
        val asked = AccountActivity.intent(kept.app, 1u)
        val activity = Robolectric.buildActivity(AccountActivity::class.java, asked).setup().get()
        kept.phone.emit(Event.Accounts)
        activity.press(R.id.save)
        assertFalse(activity.sees(R.id.test))
        assertTrue("This account is not in use: it neither registers nor calls." in activity.shownTexts())
        activity.press(R.id.notice_button)
        shadowOf(activity.mainLooper).idle()
        assertTrue("enableAccount 1 true" in kept.phone.commands)
        kept.phone.list = kept.phone.list.map { it.copy(enabled = true) }
        kept.phone.register()
        kept.phone.emit(Event.Accounts)
        assertTrue(activity.sees(R.id.test) && !activity.sees(R.id.notice))
    }

    @Test
    fun a_new_account_may_come_by_a_link() {
        val first = fresh.account().get()
        first.press(R.id.offer)
        assertEquals(OfferActivity::class.java.name, shadowOf(first).nextStartedActivity.component?.className)
    }

    @Test
    fun another_account_goes_beside_the_one_that_is_there() {
        val activity = kept.account().get()
        assertFalse(activity.sees(R.id.offer))
        activity.press(R.id.accounts)
        assertEquals(AccountsActivity::class.java.name, shadowOf(activity).nextStartedActivity.component?.className)
        val another = Robolectric.buildActivity(AccountActivity::class.java, AccountActivity.another(activity))
        assertEquals("", another.setup().get().text(R.id.number))
    }

    @Test
    fun a_password_left_empty_is_kept_and_one_that_is_typed_replaces_it() {
        val form = AccountForm(mapOf(Field.PASSWORD to ""), Transport.AUTOMATIC)
        assertNull(form.password(editing = true))
        assertEquals("", form.password(editing = false))
        val typed = form.copy(texts = mapOf(Field.PASSWORD to "secret"))
        assertEquals("secret", typed.password(editing = true))
    }

    @Test
    fun a_change_is_tested_anew_and_not_taken_for_what_was_before() {
        val activity = kept.account().get()
        assertTrue(activity.rows().all { it.endsWith("done") })
        activity.press(R.id.save)
        assertEquals(listOf("changeAccount 1"), kept.phone.commands.filter { "Account" in it })
        assertTrue(activity.rows().all { it.endsWith("not yet") })
        assertFalse(activity.sees(R.id.done))
        kept.phone.register()
        assertTrue(activity.sees(R.id.done))
    }

    @Test
    fun what_is_not_on_the_screen_stays_as_it_was() {
        kept.phone.settings[1u] =
            kept.phone.settings.getValue(1u).copy(
                register = false,
                transport = Transport.TCP,
                proxy = "edge.example.com",
                ice = false,
                stun = "stun.example.com",
                relays = listOf(
                    RelaySettings("relay.example.com", Transport.TLS, "ann"),
                    RelaySettings("other.example.com", Transport.UDP, "bob")
                )
            )
        val activity = kept.account().get()
        assertTrue(activity.findViewById<RadioButton>(R.id.transport_tcp).isChecked)
        assertTrue(activity.sees(R.id.proxy))
        val before = kept.phone.settings.getValue(1u)
        activity.press(R.id.save)
        assertEquals(before, kept.phone.settings.getValue(1u))
    }

    @Test
    fun a_relay_is_saved_with_the_account_and_its_password_apart() {
        val activity = fresh.account().get()
        activity.fill()
        activity.press(R.id.more)
        activity.findViewById<RadioButton>(R.id.transport_tls).isChecked = true
        activity.findViewById<Switch>(R.id.ice).isChecked = false
        activity.type(R.id.stun, "stun.example.com")
        activity.type(R.id.relay, "relay.example.com")
        activity.type(R.id.relay_user, "ann")
        activity.type(R.id.relay_password, "secret-relay")
        activity.press(R.id.save)
        val saved = fresh.phone.settings.getValue(1u)
        assertEquals(listOf(RelaySettings("relay.example.com", Transport.AUTOMATIC, "ann")), saved.relays)
        assertEquals(Triple(Transport.TLS, false, "stun.example.com"), Triple(saved.transport, saved.ice, saved.stun))
        assertEquals("", activity.text(R.id.relay_password))
        assertEquals("Unchanged", activity.findViewById<EditText>(R.id.relay_password).hint)
        activity.press(R.id.save)
        assertEquals(
            listOf("setRelayPassword 1 0 secret-relay", "setRelayPassword 1 0 as it was"),
            fresh.phone.commands.filter { "Relay" in it }
        )
        listOf(R.id.relay, R.id.relay_user).forEach { activity.type(it, "") }
        activity.press(R.id.save)
        assertEquals(emptyList<RelaySettings>(), fresh.phone.settings.getValue(1u).relays)
    }

    @Test
    fun a_relay_whose_password_is_missing_says_so_at_its_field_and_the_account_is_saved() {
        val activity = kept.account().get()
        activity.press(R.id.more)
        activity.type(R.id.relay, "relay.example.com")
        activity.type(R.id.relay_user, "ann")
        kept.phone.relayRefusal = PhoneException.BadSetting(Field.RELAY_PASSWORD, SettingFault.MISSING, "no")
        activity.press(R.id.save)
        assertEquals("The password at the relay is missing.", activity.text(R.id.relay_password_mistake))
        assertEquals(1, kept.phone.settings.getValue(1u).relays.size)
    }

    @Test
    fun a_rotation_keeps_what_was_typed_and_the_test() {
        val controller = fresh.account()
        controller.get().fill()
        controller.get().press(R.id.more)
        controller.get().type(R.id.display_name, "Ann")
        controller.get().type(R.id.relay_password, "secret-relay")
        controller.recreate()
        val activity = controller.get()
        assertEquals(
            listOf("sip.example.com", "1001", "secret", "Ann", "secret-relay"),
            listOf(R.id.server, R.id.number, R.id.password, R.id.display_name, R.id.relay_password).map(activity::text)
        )
        activity.type(R.id.relay_password, "")
        activity.press(R.id.save)
        fresh.phone.register(state = AccountState.FAILED, step = Step.REACH, why = Why.SERVER_SILENT)
        controller.recreate()
        assertTrue(controller.get().rows()[1].endsWith("The server does not answer."))
    }

    @Test
    fun the_password_is_not_in_what_the_system_keeps_of_the_screen() {
        val controller = fresh.account()
        controller.get().fill()
        controller.get().type(R.id.relay_password, "secret-relay")
        val state = android.os.Bundle()
        controller.saveInstanceState(state)
        val parcel = android.os.Parcel.obtain()
        parcel.writeBundle(state)
        val bytes = parcel.marshall()
        assertFalse(String(bytes, Charsets.UTF_16LE).contains("secret") || String(bytes).contains("secret"))
    }

    @Test
    fun a_lost_password_is_asked_for_with_a_word_why_until_another_is_saved() {
        kept.app.core
        kept.phone.emit(Event.PasswordLost(1u))
        val activity = kept.account().get()
        assertTrue(activity.text(R.id.notice_text).startsWith("The password can no longer be read"))
        assertTrue(activity.findViewById<View>(R.id.password).isActivated)
        activity.press(R.id.save)
        assertTrue("none was typed", activity.sees(R.id.notice))
        activity.type(R.id.password, "secret")
        activity.press(R.id.save)
        assertFalse(activity.sees(R.id.notice))
        assertEquals(emptySet<UInt>(), kept.app.core.passwordsLost)
    }

    @Test
    fun an_account_whose_password_was_lost_can_be_removed_and_is_forgotten() {
        kept.app.core
        kept.phone.emit(Event.PasswordLost(1u))
        kept.app.core.removeAccount(1u)
        assertEquals(emptySet<UInt>(), kept.app.core.passwordsLost)
    }

    @Test
    fun an_account_that_is_switched_off_has_not_lost_its_password() {
        val phone = FakePhone().withAccount(state = AccountState.UNREGISTERED)
        assertFalse(Screens(phone).account().get().sees(R.id.notice))
    }

    @Test
    fun a_password_that_is_lost_while_the_account_is_open_is_told_there() {
        val activity = kept.account().get()
        assertFalse(activity.sees(R.id.notice))
        kept.phone.emit(Event.PasswordLost(1u))
        assertTrue(activity.sees(R.id.notice))
    }

    @Test
    fun removing_asks_first() {
        val activity = kept.account().get()
        activity.press(R.id.remove)
        assertEquals(emptyList<String>(), kept.phone.commands.filter { it.startsWith("remove") })
        val dialog = ShadowAlertDialog.getLatestAlertDialog()
        assertNotNull(dialog)
        dialog.getButton(android.content.DialogInterface.BUTTON_POSITIVE).performClick()
        pass(java.time.Duration.ZERO)
        assertEquals(listOf("removeAccount 1"), kept.phone.commands.filter { it.startsWith("remove") })
        assertTrue(activity.isFinishing)
    }

    @Test
    fun notifications_are_asked_for_at_the_first_registration_and_not_again() {
        fresh.deny("android.permission.POST_NOTIFICATIONS")
        val activity = fresh.account().get()
        activity.fill()
        activity.press(R.id.save)
        assertNull(shadowOf(activity).lastRequestedPermission)
        fresh.phone.register()
        val asked = shadowOf(activity).lastRequestedPermission
        assertEquals(listOf("android.permission.POST_NOTIFICATIONS"), asked.requestedPermissions.toList())
        activity.onRequestPermissionsResult(asked.requestCode, asked.requestedPermissions, intArrayOf(-1))
        assertTrue(activity.text(R.id.notice_text).startsWith("Without notifications you may miss calls"))
    }

    @Test
    fun a_keystore_that_says_no_is_told_at_the_password() {
        val activity = fresh.account().get()
        activity.fill()
        fresh.phone.refusal = PhoneException.Secrets("no")
        activity.press(R.id.save)
        assertEquals(
            "The password cannot be kept on this phone. Please try again.",
            activity.text(R.id.password_mistake)
        )
    }

    @Test
    fun a_megabyte_in_a_field_is_cut_and_the_core_says_what_is_wrong() {
        val activity = fresh.account().get()
        activity.fill()
        activity.type(R.id.server, "x".repeat(1_000_000))
        fresh.phone.refusal = PhoneException.BadSetting(Field.SERVER, SettingFault.TOO_LONG, "no")
        activity.press(R.id.save)
        assertEquals("The server is too long.", activity.text(R.id.server_mistake))
    }

    @Test
    fun how_calls_are_encrypted_is_saved_and_shown_again() {
        val activity = kept.account().get()
        activity.press(R.id.more)
        activity.choose(R.id.encryption_required)
        activity.choose(R.id.keys_dtls)
        activity.choose(R.id.vos)
        activity.press(R.id.save)
        val settings = kept.phone.settings.getValue(1u)
        val saved = Triple(settings.mediaEncryption, settings.mediaKeys, settings.encryption)
        assertEquals(Triple(MediaEncryption.REQUIRED, MediaKeys.DTLS, Encryption.VOS), saved)
        val again = kept.account().get()
        assertTrue(again.findViewById<RadioButton>(R.id.encryption_required).isChecked)
        assertTrue(again.findViewById<RadioButton>(R.id.keys_dtls).isChecked)
        assertTrue(again.findViewById<Switch>(R.id.vos).isChecked)
        assertTrue(again.sees(R.id.vos))
    }

    @Test
    fun a_certificate_is_asked_about_and_taken_by_its_fingerprint() {
        val activity = kept.account().get()
        kept.phone.emit(certificate(Why.NOT_TRUSTED))
        assertEquals("The server's certificate is not trusted.", activity.text(R.id.notice_text))
        val dialog = ShadowAlertDialog.getLatestAlertDialog()
        val said = shadowOf(dialog).message.toString()
        assertTrue(said, "AB:CD" in said && "sip.example.com, example.com" in said && "Of: not said" in said)
        assertFalse(said, "Somebody" in said)
        assertEquals(emptyList<String>(), kept.phone.commands.filter { it.startsWith("trust") })
        dialog.getButton(android.content.DialogInterface.BUTTON_POSITIVE).performClick()
        pass(java.time.Duration.ZERO)
        assertEquals(listOf("trust 1 AB:CD"), kept.phone.commands.filter { it.startsWith("trust") })
        assertFalse(activity.sees(R.id.notice))
    }

    @Test
    fun a_certificate_that_was_not_taken_can_be_looked_at_again_and_one_that_changed_is_warned_of() {
        val activity = kept.account().get()
        kept.phone.emit(certificate(Why.CERTIFICATE_CHANGED))
        val first = ShadowAlertDialog.getLatestAlertDialog()
        first.getButton(android.content.DialogInterface.BUTTON_NEGATIVE).performClick()
        pass(java.time.Duration.ZERO)
        activity.press(R.id.notice_button)
        val again = ShadowAlertDialog.getLatestAlertDialog()
        assertTrue(again !== first && again.isShowing)
        assertTrue("Somebody may have stepped between" in shadowOf(again).message.toString())
        kept.phone.register()
        assertFalse(activity.sees(R.id.notice))
        assertEquals(emptyList<String>(), kept.phone.commands.filter { it.startsWith("trust") })
    }
}
