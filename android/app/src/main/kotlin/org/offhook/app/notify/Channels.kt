package org.offhook.app.notify

import android.app.NotificationChannel
import android.app.NotificationManager
import android.content.Context
import org.offhook.app.R

/** What the user can turn off by itself. Neither makes a sound: an incoming call is rung for by the app. */
object Channels {
    /** Somebody calls now: comes up over whatever is on the screen. */
    const val INCOMING = "incoming"

    /** The call there is. */
    const val ONGOING = "ongoing"

    fun make(context: Context) {
        val channels = listOf(
            NotificationChannel(
                INCOMING,
                context.getString(R.string.channel_incoming),
                NotificationManager.IMPORTANCE_HIGH
            ).apply {
                setSound(null, null)
                enableVibration(false)
            },
            NotificationChannel(
                ONGOING,
                context.getString(R.string.channel_ongoing),
                NotificationManager.IMPORTANCE_LOW
            )
        )
        context.getSystemService(NotificationManager::class.java).createNotificationChannels(channels)
    }
}
