package org.offhook.app.ui

import java.util.TimeZone
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.core.Delivered
import org.offhook.core.MessageDraft
import org.offhook.core.MessageThread
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class MessagesPicturesTest {
    private val screens by lazy { Screens() }

    @Before
    fun it_is_friday() {
        TimeZone.setDefault(TimeZone.getTimeZone("UTC"))
        screens.phone.kept = listOf(
            written(5, "On the way", Delivered.ON_ITS_WAY),
            written(4, "Are you there yet, or shall I begin without you?", Delivered.FAILED),
            written(3, "Yes", Delivered.SENT),
            written(2, "مرحبا", Delivered.CAME),
            written(1, "Lunch at noon?", Delivered.CAME)
        )
        screens.phone.threads = listOf(
            MessageThread(screens.phone.kept[4], 3u, 1u),
            MessageThread(screens.phone.kept[2].copy(name = null, number = "1003"), 1u, 0u)
        )
        screens.phone.begun = listOf("1003" to "See you at", "+4930123456" to "About the").map { (number, text) ->
            MessageDraft(number, text, NOW_MS)
        }
    }

    private fun threads() = Robolectric.buildActivity(MessagesActivity::class.java).setup().get()

    private fun thread() = Robolectric.buildActivity(
        ThreadActivity::class.java,
        ThreadActivity.intent(screens.app, "1002", "sip:1002@offhook.test", "Ann Archer")
    ).setup().get()

    @Test
    fun threads_by_person() = Pictures.check("messages", threads())

    @Test
    fun a_thread() = Pictures.check("thread", thread())

    @Test
    @Config(qualifiers = "+night")
    fun dark() = Pictures.check("thread-dark", thread())

    @Test
    @Config(qualifiers = "+zh-rCN")
    fun chinese() = Pictures.check("thread-zh", thread())

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun right_to_left() = Pictures.check("thread-rtl", thread())

    @Test
    fun large_text() {
        RuntimeEnvironment.setFontScale(2f)
        Pictures.check("thread-large", thread())
    }
}
