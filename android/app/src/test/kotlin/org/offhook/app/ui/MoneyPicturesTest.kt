package org.offhook.app.ui

import java.util.TimeZone
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.core.Balance
import org.offhook.core.Came
import org.offhook.core.Event
import org.offhook.core.MoneyOffers
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class MoneyPicturesTest {
    private val screens by lazy { Screens() }
    private val phone get() = screens.phone

    @Before
    fun all_is_offered() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        phone.offers = MoneyOffers(balance = true, minutes = true, topUp = true, callBack = true)
        phone.balances[1u] = Balance("12.5", "EUR", "5", NOW_MS + 9_000_000_000L, NOW_MS - 3_600_000)
    }

    private fun inDoubt() = screens.money().get().also {
        phone.emit(Event.ToppedUp(1u, Came.IN_DOUBT, null))
    }

    private fun typed() = screens.dial().get().also {
        phone.apart["030123"] = "030 123"
        it.key("030123")
        phone.emit(Event.Minutes(1u, "030 123", 7_500uL, null))
    }

    private fun card() = Robolectric.buildActivity(TopUpActivity::class.java, TopUpActivity.intent(screens.app, 1u))
        .setup().get().apply {
            type(R.id.card, "1234 5678 9012")
            type(R.id.pin, "4321")
        }

    @Test
    fun a_balance_and_a_card_in_doubt() = Pictures.check("money-doubt", inDoubt())

    @Test
    @Config(qualifiers = "+zh-rCN-night")
    fun dark_in_chinese() = Pictures.check("money-dark-zh", inDoubt())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("money-large", screens.money().get())
    }

    @Test
    fun a_card() = Pictures.check("top-up", card())

    @Test
    fun at_the_dialpad() = Pictures.check("dial-minutes", typed())

    @Test
    fun at_the_dialpad_in_large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("dial-minutes-large", typed())
    }
}
