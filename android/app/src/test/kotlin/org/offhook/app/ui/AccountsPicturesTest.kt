package org.offhook.app.ui

import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.core.AccountState
import org.offhook.core.Event
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class AccountsPicturesTest {
    private val screens by lazy { Screens() }

    private fun open(): AccountsActivity {
        screens.phone.list = fourAccounts
        return screens.accounts().get().also {
            screens.phone.register(2u, AccountState.FAILED, Step.REGISTER, Why.BAD_CREDENTIALS, number = "2001")
        }
    }

    @Test
    fun accounts() = Pictures.check("accounts", open())

    @Test
    @Config(qualifiers = "+ar-ldrtl-night")
    fun dark_and_right_to_left() = Pictures.check("accounts-dark-rtl", open())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("accounts-large", open())
    }

    @Test
    fun at_the_dialpads_head() {
        val activity = screens.dial().get()
        screens.phone.list = fourAccounts.take(2)
        screens.phone.register(2u, number = "2001")
        screens.phone.emit(Event.Accounts)
        Pictures.check("dial-accounts", activity)
    }
}
