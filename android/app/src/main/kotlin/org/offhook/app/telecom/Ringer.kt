package org.offhook.app.telecom

import android.content.Context
import android.media.AudioAttributes
import android.media.AudioManager
import android.media.Ringtone
import android.media.RingtoneManager
import android.media.ToneGenerator
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.os.VibrationEffect
import android.os.Vibrator
import org.offhook.app.core.Core
import org.offhook.app.core.waits
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Side
import org.offhook.core.Why

/**
 * What calls sound like before and after they are calls: the user's ringtone and vibration for an incoming one (or a knock
 * during another), the tones of ringing and of busy for an outgoing one.
 *
 * The platform mutes a ringtone itself while it is not to disturb. Knows nothing of early media, which is the other
 * side's ringing.
 */
class Ringer(private val context: Context, private val core: Core, desk: CallDesk) :
    Core.Listener,
    CallDesk.Bell {
    private val sound = context.getSystemService(AudioManager::class.java)

    @Suppress("DEPRECATION") // the manager of vibrators is Android 12's
    private val vibrator = context.getSystemService(Context.VIBRATOR_SERVICE) as Vibrator
    private val main = Handler(Looper.getMainLooper())
    private var ringtone: Ringtone? = null
    private var tones: ToneGenerator? = null
    private var tone: Int? = null

    init {
        core.listen(this)
        desk.ringBy(this)
    }

    override fun present(view: CallView) {
        if (core.calls.any { it.call != view.call && isUp(it) }) {
            play(ToneGenerator.TONE_SUP_CALL_WAITING)
        } else {
            ring()
        }
    }

    override fun silence() {
        ringtone?.stop()
        ringtone = null
        vibrator.cancel()
        if (tone == ToneGenerator.TONE_SUP_CALL_WAITING) quiet()
    }

    override fun callChanged(view: CallView) {
        if (core.calls.none { it.waits }) silence()
        if (view.side != Side.OUT) return
        when {
            view.state == CallState.RINGING -> play(ToneGenerator.TONE_SUP_RINGTONE)
            view.state == CallState.ENDED && view.answeredMs == null -> playOnce(farewell(view.why))
            else -> quiet()
        }
    }

    @Suppress("DEPRECATION") // attributes of vibration are Android 13's
    private fun ring() {
        val attributes = AudioAttributes.Builder()
            .setUsage(AudioAttributes.USAGE_NOTIFICATION_RINGTONE)
            .setContentType(AudioAttributes.CONTENT_TYPE_SONIFICATION)
            .build()
        if (sound.ringerMode == AudioManager.RINGER_MODE_SILENT) return
        vibrator.vibrate(VibrationEffect.createWaveform(BUZZ_MS, 0), attributes)
        if (sound.ringerMode == AudioManager.RINGER_MODE_VIBRATE) return
        val uri = RingtoneManager.getActualDefaultRingtoneUri(context, RingtoneManager.TYPE_RINGTONE) ?: return
        ringtone = RingtoneManager.getRingtone(context, uri)?.apply {
            audioAttributes = attributes
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) isLooping = true
            play()
        }
    }

    /** Null: the user knows. */
    private fun farewell(why: Why?): Int? = when (why) {
        Why.YOU_ENDED, Why.YOU_GAVE_UP, Why.PHONE_RESTARTED -> null
        Why.BUSY, Why.IN_ANOTHER_CALL, Why.DECLINED -> ToneGenerator.TONE_SUP_BUSY
        else -> ToneGenerator.TONE_SUP_CONGESTION
    }

    private fun playOnce(which: Int?) {
        quiet()
        if (which == null) return
        play(which)
        main.postDelayed(::quiet, FAREWELL_MS)
    }

    private fun play(which: Int) {
        if (tone == which) return
        quiet()
        tone = which
        try {
            tones = ToneGenerator(AudioManager.STREAM_VOICE_CALL, VOLUME_PERCENT).apply { startTone(which) }
        } catch (_: RuntimeException) {
            // There is no track to be had for it: a call without that tone is still a call.
        }
    }

    private fun quiet() {
        main.removeCallbacksAndMessages(null)
        tones?.release()
        tones = null
        tone = null
    }

    private fun isUp(view: CallView) = view.answeredMs != null

    private companion object {
        val BUZZ_MS = longArrayOf(0, 1_000, 1_000)
        const val FAREWELL_MS = 2_500L
        const val VOLUME_PERCENT = 60
    }
}
