package org.offhook.app.notify

import android.app.Notification
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.app.ui.DialActivity
import org.offhook.app.ui.DialAround
import org.offhook.app.ui.Numbers
import org.offhook.core.Event

/**
 * The notifications of what waits in a mailbox: one an account. Touched, the mailbox is on the dialpad, to be called.
 *
 * Providers tell of the same messages again and again; the user is told where there are more than they were told of.
 */
class VoicemailNotice(private val context: Context, private val core: Core) : Core.Listener {
    private val notices = context.getSystemService(NotificationManager::class.java)
    private val told = context.getSharedPreferences("notices", Context.MODE_PRIVATE)

    init {
        core.listen(this)
    }

    override fun moment(event: Event) {
        if (event !is Event.Voicemail) return
        val key = "voicemail-${event.account}"
        // One that is not counted waits all the same.
        val count = if (event.waiting) maxOf(event.new.toInt(), 1) else 0
        val before = told.getInt(key, 0)
        if (count != before) told.edit().putInt(key, count).apply()
        when {
            count == 0 -> notices.cancel(key, ID)
            count > before -> notices.notify(key, ID, notice(event))
        }
    }

    private fun notice(event: Event.Voicemail): Notification {
        val account = core.accounts.takeIf { it.size > 1 }?.find { it.account == event.account }
        val screen = DialActivity.typed(context, event.mailbox).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        // One an account: alike but for what they carry, they would be one and the same.
        val open = PendingIntent.getActivity(context, event.account.toInt(), screen, FLAGS)
        return Notification.Builder(context, Channels.VOICEMAIL)
            .setSmallIcon(R.drawable.ic_voicemail)
            .setVisibility(Notification.VISIBILITY_PRIVATE)
            .setContentTitle(DialAround.voicemail(context, event))
            .setContentText(account?.let { Numbers.shown(it.number) })
            .setNumber(event.new.toInt())
            .setAutoCancel(true)
            .setContentIntent(open)
            .build()
    }

    companion object {
        const val ID = 6
        private const val FLAGS = PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT
    }
}
