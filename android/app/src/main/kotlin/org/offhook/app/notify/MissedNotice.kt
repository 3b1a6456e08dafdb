package org.offhook.app.notify

import android.app.Notification
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import android.content.Intent
import android.graphics.drawable.Icon
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.app.ui.DialActivity
import org.offhook.app.ui.LogActivity
import org.offhook.app.ui.LogWords
import org.offhook.app.ui.Numbers
import org.offhook.app.ui.ThreadActivity
import org.offhook.core.CallFilter
import org.offhook.core.CallRecord
import org.offhook.core.Event
import org.offhook.core.WhichCalls

/**
 * The notification of missed calls: who, when, how many, and the ways to call back or to write where it was one person.
 *
 * Each call is told of once, also over a new start of the process; seen in the call log, they are told of no more.
 */
class MissedNotice(private val context: Context, private val core: Core) : Core.Listener {
    private val notices = context.getSystemService(NotificationManager::class.java)
    private val words = LogWords(context)
    private val told = context.getSharedPreferences("notices", Context.MODE_PRIVATE)

    init {
        core.listen(this)
    }

    override fun moment(event: Event) {
        if (event !is Event.CallLog) return
        if (event.unseen == 0u) return notices.cancel(ID)
        core.later({ callLog(CallFilter(WhichCalls.MISSED), null, minOf(event.unseen, MOST)) }) { result ->
            result.onSuccess { rows -> show(rows.filterNot(CallRecord::seen), event.unseen.toInt()) }
        }
    }

    private fun show(newestFirst: List<CallRecord>, count: Int) {
        val newest = newestFirst.firstOrNull() ?: return
        if (newest.id <= told.getLong(TOLD, 0)) return
        told.edit().putLong(TOLD, newest.id).apply()
        notices.notify(ID, notice(newestFirst, count))
    }

    private fun notice(newestFirst: List<CallRecord>, count: Int): Notification {
        val newest = newestFirst.first()
        val title = context.resources.getQuantityString(R.plurals.missed_title, count, count)
        val builder = Notification.Builder(context, Channels.MISSED)
            .setSmallIcon(R.drawable.ic_log_missed)
            .setCategory(Notification.CATEGORY_CALL)
            .setVisibility(Notification.VISIBILITY_PRIVATE)
            .setPublicVersion(
                Notification.Builder(context, Channels.MISSED).setSmallIcon(R.drawable.ic_log_missed)
                    .setContentTitle(title).build()
            )
            .setContentTitle(title)
            .setContentText(newestFirst.map(words::who).distinct().joinToString(", "))
            .setNumber(count)
            .setWhen(newest.startedMs)
            .setShowWhen(true)
            .setAutoCancel(true)
            .setContentIntent(screens(LogActivity.missed(context)))
        if (count > 1) {
            val lines = Notification.InboxStyle()
            newestFirst.forEach { lines.addLine("${words.who(it)} · ${Numbers.isolated(words.whenOf(it.startedMs))}") }
            builder.setStyle(lines)
        }
        // Of several people it would not be plain who is meant.
        val one = newestFirst.all { it.number == newest.number } && count == newestFirst.size
        if (one && newest.number.isNotEmpty()) {
            val account = core.accounts.find { it.uri == newest.account }?.account
            val thread = ThreadActivity.intent(context, newest.number, newest.remote, words.who(newest))
            val back = LogActivity.callBack(context, account, newest.remote)
            builder.addAction(action(R.drawable.ic_call, R.string.missed_call_back, back))
            builder.addAction(action(R.drawable.ic_message, R.string.missed_message, thread.setAction(WRITE)))
        }
        return builder.build()
    }

    private fun action(icon: Int, text: Int, screen: Intent) = Notification.Action.Builder(
        Icon.createWithResource(context, icon),
        context.getString(text),
        screens(screen)
    ).build()

    private fun screens(last: Intent): PendingIntent {
        val first = DialActivity.intent(context).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)
        return PendingIntent.getActivities(context, 0, arrayOf(first, last), FLAGS)
    }

    companion object {
        const val ID = 5

        /** Threads that are opened from here; apart from those of messages. */
        private const val WRITE = "org.offhook.app.WRITE"
        private const val TOLD = "missed"
        private const val MOST = 20u
        private const val FLAGS = PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT
    }
}
