package org.offhook.app.ui

import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.core.OwnPresence
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class ReachedPicturesTest {
    private val screens by lazy { Screens() }

    @Before
    fun away_and_sent_on() {
        screens.phone.settings[1u] = screens.phone.settings.getValue(1u).copy(publishPresence = true)
        screens.phone.apply {
            reach = reach.copy(forwardTo = "+4930123456", presence = OwnPresence.AWAY, note = "Back at two")
        }
    }

    private fun open() = screens.reached().get().also {
        shadowOf(it.mainLooper).idle()
        // They would be on their way.
        it.window.decorView.jumpDrawablesToCurrentState()
    }

    @Test
    fun how_one_is_reached() = Pictures.check("reached", open())

    @Test
    fun at_the_dialpad() = Pictures.check("dial-reached", screens.dial().get())
}
