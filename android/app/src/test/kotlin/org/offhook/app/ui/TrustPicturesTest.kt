package org.offhook.app.ui

import java.util.TimeZone
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.core.Attest
import org.offhook.core.CallGroups
import org.offhook.core.CallState
import org.offhook.core.CallerIdentity
import org.offhook.core.CallerSignature
import org.offhook.core.Event
import org.offhook.core.Said
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class TrustPicturesTest {
    private val screens by lazy { Screens() }
    private val forged = CallerSignature(null, true, "")
    private val vouched = CallerSignature(Attest.NUMBER, false, "")

    @Before
    fun it_is_friday() = TimeZone.setDefault(TimeZone.getTimeZone("UTC"))

    private fun ringing(signature: CallerSignature): CallActivity {
        screens.app.core
        val view = screens.phone.view(state = CallState.RINGING, name = "Your Bank", number = "+4930123456")
        screens.phone.emit(Event.Call(view.copy(identity = CallerIdentity(Said.CALLER, null, signature, false))))
        return screens.call().get()
    }

    @Test
    fun forged() = Pictures.check("call-forged", ringing(forged))

    @Test
    fun forged_in_large_letters() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("call-forged-large", ringing(forged))
    }

    @Test
    @Config(qualifiers = "+night")
    fun vouched() = Pictures.check("call-vouched-dark", ringing(vouched))

    @Test
    fun log() {
        screens.phone.groups = CallGroups(
            listOf(
                group(record(9, "+4930123456", "Your Bank").copy(signature = forged)),
                group(record(8, "1003", "Ann Archer", minutes = 30).copy(signature = vouched)),
                group(record(7, "1004", missed = true, seen = false, minutes = 60).copy(verified = false), 2u),
                group(record(6, "1005", missed = true, minutes = 90).copy(verified = true))
            ),
            null
        )
        Pictures.check("log-trust", screens.log().get())
    }

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun record() {
        val call = record(9, "+4930123456", "Your Bank", missed = true).copy(saidBy = Said.CALLER, known = false)
        screens.phone.rows = listOf(call.copy(verified = false, signature = forged))
        Pictures.check("record-forged-zh", screens.record(9).get())
    }
}
