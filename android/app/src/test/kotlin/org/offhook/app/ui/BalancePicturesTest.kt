package org.offhook.app.ui

import android.widget.ScrollView
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.core.Balance
import org.offhook.core.Event
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class BalancePicturesTest {
    private val screens by lazy { Screens() }

    private fun open(): BalanceActivity =
        Robolectric.buildActivity(BalanceActivity::class.java, BalanceActivity.intent(screens.app, 1u)).setup().get()

    private fun web(): BalanceActivity = open().apply {
        choose(R.id.by_web)
        type(R.id.url, "http://billing.example.com/left?user={user}")
        choose(R.id.reader_json)
        type(R.id.amount, "/account/balance")
        choose(R.id.sign_basic)
        choose(R.id.allow_clear)
        // They would be on their way.
        window.decorView.jumpDrawablesToCurrentState()
    }

    private fun down(activity: BalanceActivity) = activity.also {
        // So that it is as long as it will be.
        shadowOf(it.mainLooper).idle()
        val scroll = it.window.decorView.all().filterIsInstance<ScrollView>().first()
        scroll.scrollTo(0, scroll.getChildAt(0).height)
    }

    private fun answered(trouble: String?): BalanceActivity = open().also {
        it.type(R.id.vos, "vos.example.com:8080")
        it.press(R.id.save)
        screens.phone.emit(Event.Balance(1u, Balance("12.5", "EUR", null, null, NOW_MS), trouble))
        down(it)
    }

    @Test
    fun a_web_address() = Pictures.check("balance-web", web())

    @Test
    fun a_web_address_to_its_end() = Pictures.check("balance-web-end", down(web()))

    @Test
    fun an_answer() = Pictures.check("balance-answer", answered(null))

    @Test
    fun no_answer() = Pictures.check("balance-trouble", answered("the server does not answer"))

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("balance-dark", down(web()))

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("balance-zh", web())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("balance-rtl", web())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("balance-large", web())
    }
}
