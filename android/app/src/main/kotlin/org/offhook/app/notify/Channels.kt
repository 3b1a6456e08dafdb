package org.offhook.app.notify

import android.app.NotificationChannel
import android.app.NotificationManager
import android.content.Context
import org.offhook.app.R

/** What the user can turn off by itself. Those of calls make no sound: an incoming call is rung for by the app. */
object Channels {
    /** Somebody calls now: comes up over whatever is on the screen. */
    const val INCOMING = "incoming"

    /** The call there is. */
    const val ONGOING = "ongoing"

    /** Text messages. */
    const val MESSAGES = "messages"

    /** Calls that nobody took. */
    const val MISSED = "missed"

    /** What waits in a mailbox. */
    const val VOICEMAIL = "voicemail"

    fun make(context: Context) {
        val channels = listOf(
            channel(context, INCOMING, R.string.channel_incoming, NotificationManager.IMPORTANCE_HIGH).apply {
                setSound(null, null)
                enableVibration(false)
            },
            channel(context, ONGOING, R.string.channel_ongoing, NotificationManager.IMPORTANCE_LOW),
            channel(context, MESSAGES, R.string.channel_messages, NotificationManager.IMPORTANCE_HIGH),
            channel(context, MISSED, R.string.channel_missed, NotificationManager.IMPORTANCE_DEFAULT),
            channel(context, VOICEMAIL, R.string.channel_voicemail, NotificationManager.IMPORTANCE_DEFAULT)
        )
        context.getSystemService(NotificationManager::class.java).createNotificationChannels(channels)
    }

    private fun channel(context: Context, id: String, name: Int, importance: Int) =
        NotificationChannel(id, context.getString(name), importance)
}
