package org.offhook.app.ui

import android.content.Context
import android.media.AudioManager
import android.media.ToneGenerator
import android.provider.Settings

/** The tones of keys for the ear of who presses them, if the phone's settings want such. Sends nothing anywhere. */
class KeyTones(private val context: Context) {
    private var generator: ToneGenerator? = null

    fun play(key: Char) {
        val tone = toneOf(key) ?: return
        if (Settings.System.getInt(context.contentResolver, Settings.System.DTMF_TONE_WHEN_DIALING, 1) == 0) return
        val with = generator ?: open() ?: return
        with.startTone(tone, TONE_MILLIS)
    }

    fun release() {
        generator?.release()
        generator = null
    }

    // The platform throws when its mixer has no room left: a key without a tone is a key all the same.
    private fun open(): ToneGenerator? = try {
        ToneGenerator(AudioManager.STREAM_DTMF, VOLUME_PERCENT).also { generator = it }
    } catch (_: RuntimeException) {
        null
    }

    private fun toneOf(key: Char): Int? = when (key) {
        in '0'..'9' -> ToneGenerator.TONE_DTMF_0 + (key - '0')
        '*' -> ToneGenerator.TONE_DTMF_S
        '#' -> ToneGenerator.TONE_DTMF_P
        else -> null
    }

    private companion object {
        const val TONE_MILLIS = 120
        const val VOLUME_PERCENT = 70
    }
}
