package org.offhook.app.audio

import android.media.AudioManager
import android.os.Looper
import java.time.Duration
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNotNull
import org.junit.Assert.assertNotSame
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.OffhookApp
import org.offhook.app.core.FakePhone
import org.offhook.core.CallState
import org.offhook.core.Why
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** A call that telecom has not taken up, so that the sound is the app's own affair. */
@RunWith(RobolectricTestRunner::class)
class FocusTest {
    private val app = RuntimeEnvironment.getApplication() as OffhookApp
    private val sound = shadowOf(app.getSystemService(AudioManager::class.java))
    private val fake = FakePhone().withAccount()

    @Before
    fun call() {
        app.startCore = { fake }
        app.core
        fake.show(state = CallState.RINGING)
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(10))
        assertNull("it only rings", sound.lastAudioFocusRequest)
        fake.show(state = CallState.ACTIVE)
        assertNotNull(sound.lastAudioFocusRequest)
        fake.commands.clear()
    }

    private fun becomes(change: Int) = sound.lastAudioFocusRequest.listener.onAudioFocusChange(change)

    @Test
    @Config(sdk = [28, 35])
    fun another_app_s_call_puts_ours_on_hold_and_nothing_else() {
        becomes(AudioManager.AUDIOFOCUS_LOSS)
        assertEquals(listOf("hold 1"), fake.commands)
    }

    @Test
    fun sound_that_is_back_after_a_moment_is_begun_anew_and_no_call_is_touched() {
        becomes(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT)
        becomes(AudioManager.AUDIOFOCUS_LOSS_TRANSIENT_CAN_DUCK)
        assertEquals(emptyList<String>(), fake.commands)
        becomes(AudioManager.AUDIOFOCUS_GAIN)
        assertEquals(listOf("restartAudio"), fake.commands)
    }

    @Test
    fun sound_that_was_lost_for_good_is_asked_for_again_only_when_the_call_was_on_hold() {
        val first = sound.lastAudioFocusRequest
        becomes(AudioManager.AUDIOFOCUS_LOSS)
        fake.show(state = CallState.ACTIVE, muted = true)
        assertSame(first, sound.lastAudioFocusRequest)
        fake.show(state = CallState.HELD)
        fake.show(state = CallState.ACTIVE)
        assertNotSame(first, sound.lastAudioFocusRequest)
    }

    @Test
    fun what_is_told_after_the_call_touches_nothing() {
        fake.show(state = CallState.ENDED, why = Why.THEY_ENDED)
        becomes(AudioManager.AUDIOFOCUS_LOSS)
        becomes(AudioManager.AUDIOFOCUS_GAIN)
        assertEquals(emptyList<String>(), fake.commands)
    }
}
