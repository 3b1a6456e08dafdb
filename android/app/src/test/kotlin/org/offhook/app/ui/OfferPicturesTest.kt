package org.offhook.app.ui

import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.core.FakePhone
import org.offhook.app.core.FakeProposal
import org.offhook.core.About
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class OfferPicturesTest {
    private val screens by lazy { Screens(FakePhone()) }

    private fun open(link: String = ""): OfferActivity =
        Robolectric.buildActivity(OfferActivity::class.java, OfferActivity.intent(screens.app, link)).setup().get()
            .also { shadowOf(it.mainLooper).idle() }

    private fun offered(): OfferActivity {
        screens.phone.proposal = FakeProposal(
            About.ACCOUNT to "1001@sip.example.com",
            About.PROVIDER to "Example Telecom",
            About.SOURCE to "example.com",
            About.SIGNALLING_ENCRYPTED to "",
            About.CALLS_MAY_BE_CLEAR to "",
            About.BALANCE to "billing.example.net",
            About.PASSWORD_ELSEWHERE to "billing.example.net",
            password = false
        )
        return open("https://example.com/a")
    }

    @Test
    fun asked() = Pictures.check("offer-empty", open())

    @Test
    fun no_account() = Pictures.check("offer-unusable", open("hello"))

    @Test
    fun an_account() = Pictures.check("offer", offered())

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("offer-dark", offered())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("offer-zh", offered())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("offer-rtl", offered())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("offer-large", offered())
    }
}
