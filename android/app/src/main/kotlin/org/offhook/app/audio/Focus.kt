package org.offhook.app.audio

import android.content.Context
import android.media.AudioAttributes
import android.media.AudioFocusRequest
import android.media.AudioManager

/**
 * Other apps' music stops while a call is heard. Telecom sees to it for the calls that it knows of; this is for others.
 *
 * [lost]: somebody else has the sound for good, another app's call say. [regained]: it was away for a moment. What was
 * lost for good is not taken back while the same call is up, or two apps would take it from each other for ever.
 */
internal class Focus(context: Context, private val lost: () -> Unit, private val regained: () -> Unit) {
    private val sound = context.getSystemService(AudioManager::class.java)
    private val request = AudioFocusRequest.Builder(AudioManager.AUDIOFOCUS_GAIN_TRANSIENT)
        .setAudioAttributes(
            AudioAttributes.Builder()
                .setUsage(AudioAttributes.USAGE_VOICE_COMMUNICATION)
                .setContentType(AudioAttributes.CONTENT_TYPE_SPEECH)
                .build()
        )
        .setOnAudioFocusChangeListener(::changed)
        .build()
    private var held = false

    fun take() {
        if (!held) held = sound.requestAudioFocus(request) == AudioManager.AUDIOFOCUS_REQUEST_GRANTED
    }

    fun give() {
        if (held) sound.abandonAudioFocusRequest(request)
        held = false
    }

    private fun changed(change: Int) {
        // Told a moment late, of a call that is over: nobody's any more.
        if (!held) return
        when (change) {
            AudioManager.AUDIOFOCUS_LOSS -> lost()
            AudioManager.AUDIOFOCUS_GAIN, AudioManager.AUDIOFOCUS_GAIN_TRANSIENT -> regained()
        }
    }
}
