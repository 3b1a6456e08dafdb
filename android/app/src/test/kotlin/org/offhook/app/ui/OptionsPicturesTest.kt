package org.offhook.app.ui

import android.app.Activity
import android.content.Intent
import android.telephony.TelephonyManager
import android.view.View
import android.widget.ScrollView
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.app.core.unchanged
import org.offhook.core.AccountSettings
import org.offhook.core.CallerIdSettings
import org.offhook.core.Carry
import org.offhook.core.DialRule
import org.offhook.core.Field
import org.offhook.core.NetworkLimit
import org.offhook.core.PhoneException
import org.offhook.core.PlanStep
import org.offhook.core.SettingFault
import org.offhook.core.codecs
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** The screens of an account's parts. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class OptionsPicturesTest {
    private val screens by lazy { Screens() }
    private val plan = listOf(
        DialRule(begins = "00", strip = 2u, prefix = "+", goOn = true),
        DialRule(fits = "0([1-9]\\d+)", replace = "+49$1"),
        DialRule(least = 7u, most = 8u, prefix = "+4930")
    )

    private inline fun <reified T : Activity> open(intent: Intent, change: AccountSettings.() -> AccountSettings): T {
        screens.phone.settings[1u] = screens.phone.settings.getValue(1u).change()
        return Robolectric.buildActivity(T::class.java, intent).setup().get().also { settle(it) }
    }

    private inline fun <reified T : PartScreen> part(change: AccountSettings.() -> AccountSettings): T =
        open(PartScreen.intent<T>(screens.app, 1u), change)

    /** Switches and boxes would be on their way. */
    private fun settle(activity: Activity) {
        shadowOf(activity.mainLooper).idle()
        activity.window.decorView.jumpDrawablesToCurrentState()
    }

    private fun callerId() = part<CallerIdActivity> {
        copy(callerId = CallerIdSettings("+4930123456", listOf(Carry.FROM_DISPLAY, Carry.ASSERTED)))
    }

    private fun plan(): PlanActivity {
        screens.phone.tried = { _, typed ->
            unchanged(typed, steps = listOf(PlanStep(2u, "030123456", "+4930123456"))).copy(dialed = "+4930123456")
        }
        return open<PlanActivity>(PlanActivity.intent(screens.app, 1u)) { copy(dialPlan = plan) }.also {
            it.type(R.id.try_number, "030123456")
            settle(it)
        }
    }

    @Test
    @Config(qualifiers = "+h1000dp")
    fun caller_id() = Pictures.check("options-caller", callerId())

    @Test
    fun caller_id_in_large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("options-caller-large", callerId())
    }

    @Test
    fun voice() = Pictures.check("options-voice", part<VoiceActivity> { copy(codecs = codecs().take(3).reversed()) })

    @Test
    fun dial_plan() = Pictures.check("options-plan", plan())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun dial_plan_right_to_left() = Pictures.check("options-plan-rtl", plan())

    @Test
    @Config(qualifiers = "+h1000dp-night")
    fun a_bad_expression_in_the_dark() {
        val bad = PhoneException.BadSetting(Field.DIAL_PLAN, SettingFault.UNUSABLE, "in English")
        screens.phone.tried = { _, _ -> throw bad }
        val rule = open<RuleActivity>(RuleActivity.intent(screens.app, 1u, 1)) { copy(dialPlan = plan) }
        rule.type(R.id.rule_fits, "0([1-9]\\d+")
        settle(rule)
        Pictures.check("options-rule-dark", rule)
    }

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun networks_and_help_of_a_tablet_in_chinese() {
        shadowOf(screens.app.getSystemService(TelephonyManager::class.java)).setVoiceCapable(false)
        Pictures.check(
            "options-networks-zh",
            part<NetworksActivity> {
                copy(networks = NetworkLimit.ASK_ROAMING, expiresS = 600u)
            }
        )
    }

    @Test
    fun rows_of_an_account() {
        val account = screens.account().get()
        account.press(R.id.more)
        settle(account)
        val scroll = account.window.decorView.all().filterIsInstance<ScrollView>().first()
        val parts = account.findViewById<View>(R.id.parts)
        scroll.scrollTo(0, (parts.parent as View).top + parts.top)
        Pictures.check("account-parts", account)
    }
}
