package org.offhook.app.ui

import android.view.View
import android.view.ViewGroup
import android.widget.CheckBox
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.R
import org.offhook.core.AccountSettings
import org.offhook.core.KeypadBy
import org.offhook.core.codecs
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController

/** With the codecs of the core itself. */
@RunWith(RobolectricTestRunner::class)
class VoiceActivityTest {
    private val screens = Screens()
    private val phone get() = screens.phone
    private val kept get() = phone.settings.getValue(1u)
    private val all = codecs()

    private fun open(): ActivityController<VoiceActivity> =
        Robolectric.buildActivity(VoiceActivity::class.java, PartScreen.intent<VoiceActivity>(screens.app, 1u)).setup()
            .also { shadowOf(it.get().mainLooper).idle() }

    private fun change(settings: AccountSettings.() -> AccountSettings) {
        phone.settings[1u] = kept.settings()
    }

    private fun VoiceActivity.row(at: Int): View = findViewById<ViewGroup>(R.id.codecs).getChildAt(at)

    private fun VoiceActivity.box(at: Int): CheckBox = row(at).findViewById(R.id.codec)

    private fun VoiceActivity.listed() = all.indices.map { box(it).text.toString() }

    private fun VoiceActivity.move(at: Int, button: Int) = row(at).findViewById<View>(button).performClick()

    @Test
    fun as_usual_all_codecs_are_on_and_none_is_named() {
        val activity = open().get()
        assertEquals(all, activity.listed())
        assertTrue(all.indices.all { activity.box(it).isChecked })
        activity.press(R.id.save)
        assertEquals(emptyList<String>(), kept.codecs)
    }

    @Test
    fun those_chosen_come_first_in_their_order_and_the_others_behind_them() {
        change { copy(codecs = listOf(all[3], all[1])) }
        val activity = open().get()
        assertEquals(listOf(all[3], all[1], all[0], all[2]), activity.listed().take(4))
        assertEquals(listOf(true, true, false, false), (0..3).map { activity.box(it).isChecked })
        activity.box(2).toggle()
        activity.press(R.id.save)
        assertEquals(listOf(all[3], all[1], all[0]), kept.codecs)
    }

    @Test
    fun they_are_moved_by_buttons_that_say_what_they_move() {
        val activity = open().get()
        assertFalse(activity.row(0).findViewById<View>(R.id.move_up).isEnabled)
        assertFalse(activity.row(all.size - 1).findViewById<View>(R.id.move_down).isEnabled)
        assertEquals("Move ${all[1]} up", activity.row(1).findViewById<View>(R.id.move_up).contentDescription)
        activity.box(2).toggle()
        activity.move(1, R.id.move_up)
        activity.move(1, R.id.move_down)
        assertEquals(listOf(all[1], all[2], all[0]), activity.listed().take(3))
        activity.press(R.id.save)
        assertEquals(listOf(all[1], all[0]) + all.drop(3), kept.codecs)
    }

    @Test
    fun who_moves_a_codec_by_keys_stays_with_it() {
        val activity = open().get()
        val button = activity.row(1).findViewById<View>(R.id.move_up)
        button.isFocusableInTouchMode = true
        assertTrue(button.requestFocus())
        button.performClick()
        // At the top it goes no further up.
        assertTrue(activity.row(0).findViewById<View>(R.id.move_down).isFocused)
    }

    @Test
    fun no_codec_at_all_is_said_plainly_and_nothing_is_kept() {
        val activity = open().get()
        all.indices.forEach { activity.box(it).toggle() }
        activity.press(R.id.save)
        assertTrue(activity.sees(R.id.codecs_mistake) && phone.commands.isEmpty())
        activity.press(R.id.codecs_usual)
        assertFalse(activity.sees(R.id.codecs_mistake))
        activity.press(R.id.save)
        assertEquals(emptyList<String>(), kept.codecs)
    }

    @Test
    fun keypad_silence_and_streams_are_kept_and_come_back() {
        val activity = open().get()
        activity.choose(R.id.keypad_info)
        activity.choose(R.id.voice_silence)
        activity.choose(R.id.voice_streams)
        activity.press(R.id.save)
        assertEquals(Triple(KeypadBy.INFO, true, false), Triple(kept.keypad, kept.silenceSuppression, kept.mediaUdp))
        val before = kept
        open().get().press(R.id.save)
        assertEquals(before, kept)
    }

    @Test
    fun a_rotation_keeps_the_order_and_what_is_chosen() {
        val controller = open()
        controller.get().move(0, R.id.move_down)
        controller.get().box(0).toggle()
        controller.get().choose(R.id.keypad_tones)
        controller.recreate()
        shadowOf(controller.get().mainLooper).idle()
        controller.get().press(R.id.save)
        assertEquals(listOf(all[0]) + all.drop(2), kept.codecs)
        assertEquals(KeypadBy.TONES, kept.keypad)
    }
}
