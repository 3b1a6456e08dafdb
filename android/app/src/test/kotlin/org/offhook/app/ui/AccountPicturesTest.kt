package org.offhook.app.ui

import android.view.View
import android.widget.ScrollView
import java.time.Duration
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.AccountState
import org.offhook.core.Event
import org.offhook.core.Field
import org.offhook.core.PhoneException
import org.offhook.core.SettingFault
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode
import org.robolectric.shadows.ShadowAlertDialog

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class AccountPicturesTest {
    private val screens by lazy { Screens(FakePhone()) }
    private val phone get() = screens.phone

    private fun open(): AccountActivity = screens.account().get()

    private fun saved() = open().also {
        it.type(R.id.server, "sip.example.com")
        it.type(R.id.number, "1001")
        it.type(R.id.password, "secret")
        it.press(R.id.save)
    }

    private fun failing(step: Step, why: Why, again: Duration?) = saved().also { phone.emit(failed(step, why, again)) }

    /** Scrolled to a view of the column itself, or to its end. */
    private fun down(activity: AccountActivity, to: Int? = null) = activity.also {
        val scroll = it.window.decorView.all().filterIsInstance<ScrollView>().first()
        scroll.scrollTo(0, to?.let { id -> it.findViewById<View>(id).top } ?: scroll.getChildAt(0).height)
    }

    private fun wrongPassword() = failing(Step.REGISTER, Why.BAD_CREDENTIALS, null)

    @Test
    fun empty() = Pictures.check("account-empty", open())

    @Test
    fun testing() = saved().let {
        phone.register(state = AccountState.REGISTERING, step = Step.REACH)
        Pictures.check("account-testing", it)
    }

    @Test
    fun no_such_name() = Pictures.check(
        "account-no-name",
        failing(Step.FIND, Why.NAME_NOT_FOUND, SOON)
    )

    @Test
    fun no_answer() = Pictures.check(
        "account-no-answer",
        failing(Step.REACH, Why.SERVER_SILENT, SOON)
    )

    @Test
    fun wrong_password() = Pictures.check("account-wrong-password", wrongPassword())

    @Test
    fun registered() = saved().let {
        phone.register()
        Pictures.check("account-ok", down(it))
    }

    @Test
    fun mistake() {
        val activity = open()
        phone.refusal = PhoneException.BadSetting(Field.SERVER, SettingFault.MISSING, "no")
        activity.press(R.id.save)
        Pictures.check("account-mistake", activity)
    }

    @Test
    fun more() = Pictures.check("account-more", down(open().apply { press(R.id.more) }, R.id.more))

    @Test
    fun network() {
        val activity = open().apply { press(R.id.more) }
        activity.type(R.id.stun, "stun.example.com")
        activity.type(R.id.relay, "turns:relay.example.com:443")
        activity.type(R.id.relay_user, "ann")
        Pictures.check("account-network", down(activity))
    }

    /** Scrolled to what others see. */
    private fun seen() = Screens(FakePhone().withAccount()).account().get().apply {
        press(R.id.more)
        choose(R.id.presence)
        window.decorView.jumpDrawablesToCurrentState()
    }.also {
        shadowOf(it.mainLooper).idle()
        val scroll = it.window.decorView.all().filterIsInstance<ScrollView>().first()
        val at = android.graphics.Rect()
        scroll.offsetDescendantRectToMyCoords(it.findViewById(R.id.presence), at)
        scroll.scrollTo(0, at.top - 160)
    }

    @Test
    fun what_others_see() = Pictures.check("account-seen", seen())

    @Test
    fun to_its_end() = Pictures.check("account-end", down(Screens(FakePhone().withAccount()).account().get()))

    private fun encryption() = open().apply {
        press(R.id.more)
        choose(R.id.encryption_required)
        choose(R.id.keys_dtls)
        // They would be on their way.
        window.decorView.jumpDrawablesToCurrentState()
    }

    /** Scrolled to where the part on encryption begins. */
    private fun downToEncryption(activity: AccountActivity) = activity.also {
        val scroll = it.window.decorView.all().filterIsInstance<ScrollView>().first()
        val at = android.graphics.Rect()
        scroll.offsetDescendantRectToMyCoords(it.findViewById(R.id.encryptions), at)
        scroll.scrollTo(0, at.top - 160)
    }

    @Test
    fun encryption_settings() = Pictures.check("account-encryption", downToEncryption(encryption()))

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun encryption_settings_in_chinese() = Pictures.check("account-encryption-zh", downToEncryption(encryption()))

    @Test
    fun certificate_question() {
        val screens = Screens(FakePhone().withAccount(state = AccountState.UNREGISTERED))
        screens.account()
        screens.phone.emit(certificate(Why.CERTIFICATE_CHANGED, FINGERPRINT, "CN=sip.example.com"))
        Pictures.check("account-certificate", checkNotNull(ShadowAlertDialog.getLatestAlertDialog().window))
    }

    @Test
    fun password_lost() {
        val screens = Screens(FakePhone().withAccount(state = AccountState.UNREGISTERED))
        screens.app.core
        screens.phone.emit(Event.PasswordLost(1u))
        Pictures.check("account-password-lost", screens.account().get())
    }

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("account-dark", wrongPassword())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("account-zh", wrongPassword())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("account-rtl", wrongPassword())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("account-large", wrongPassword())
    }

    private companion object {
        val FINGERPRINT = (0..31).joinToString(":") { "%02X".format(it * 7 % 256) }
        val SOON: Duration = Duration.ofSeconds(32)
    }
}
