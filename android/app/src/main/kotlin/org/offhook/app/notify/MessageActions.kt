package org.offhook.app.notify

import android.app.Notification
import android.app.PendingIntent
import android.app.RemoteInput
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.graphics.drawable.Icon
import android.net.Uri
import android.os.Build
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.ui.DialActivity
import org.offhook.app.ui.MessagesActivity
import org.offhook.app.ui.ThreadActivity
import org.offhook.app.ui.sentence
import org.offhook.core.MessageRecord

/** What can be done with a message from its notification: answer it, or have it seen. */
class MessageActions : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val number = intent.data?.schemeSpecificPart ?: return
        val app = OffhookApp.of(context)
        when (intent.action) {
            SEEN -> app.core.later({ messagesSeen(number) })
            REPLY -> reply(app, number, intent)
        }
    }

    private fun reply(app: OffhookApp, number: String, intent: Intent) {
        val text = RemoteInput.getResultsFromIntent(intent)?.getCharSequence(TEXT)?.toString().orEmpty()
        val account = app.core.accounts.find { it.uri == intent.getStringExtra(ACCOUNT) }?.account
        val to = intent.getStringExtra(REMOTE).orEmpty()
        app.core.ask { message(account, to, text) }
            // Who answers has seen it; then its notification goes, and with it the platform's sign that it is sending.
            .onSuccess { app.core.later({ messagesSeen(number) }) }
            .onFailure { app.messageNotice.refused(number, it.sentence(app)) }
    }

    companion object {
        private const val SEEN = "org.offhook.app.SEEN"
        private const val REPLY = "org.offhook.app.REPLY"
        private const val ACCOUNT = "account"
        private const val REMOTE = "remote"

        /** What was written, among the platform's results. */
        const val TEXT = "text"

        fun seen(context: Context, message: MessageRecord): Notification.Action = Notification.Action.Builder(
            Icon.createWithResource(context, R.drawable.ic_done),
            context.getString(R.string.messages_seen),
            PendingIntent.getBroadcast(context, 0, intent(context, SEEN, message), FIXED)
        ).build()

        fun reply(context: Context, message: MessageRecord): Notification.Action {
            val words = context.getString(R.string.messages_reply)
            // The platform writes the answer into it.
            val open = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) PendingIntent.FLAG_MUTABLE else 0
            val sent = PendingIntent.getBroadcast(
                context,
                0,
                intent(context, REPLY, message),
                open or PendingIntent.FLAG_UPDATE_CURRENT
            )
            return Notification.Action.Builder(Icon.createWithResource(context, R.drawable.ic_send), words, sent)
                .addRemoteInput(RemoteInput.Builder(TEXT).setLabel(words).build())
                .setAllowGeneratedReplies(true)
                .build()
        }

        /** The thread, and behind it what leads there. */
        fun open(context: Context, message: MessageRecord, title: String): PendingIntent {
            val thread = ThreadActivity.intent(context, message.number, message.remote, title)
            return screens(context, thread.setData(of(message)))
        }

        fun openAll(context: Context): PendingIntent = screens(context, null)

        private fun screens(context: Context, last: Intent?): PendingIntent {
            val all = listOfNotNull(first(context), MessagesActivity.intent(context), last)
            return PendingIntent.getActivities(context, 0, all.toTypedArray(), FIXED)
        }

        private fun first(context: Context) = DialActivity.intent(context).addFlags(Intent.FLAG_ACTIVITY_NEW_TASK)

        private fun intent(context: Context, action: String, message: MessageRecord) =
            Intent(context, MessageActions::class.java).setAction(action).setData(of(message))
                .putExtra(ACCOUNT, message.account).putExtra(REMOTE, message.remote)

        /** Tells threads apart: of two intents that differ in what they carry alone, the platform keeps one. */
        private fun of(message: MessageRecord): Uri = Uri.fromParts("offhook-thread", message.number, null)

        private const val FIXED = PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT
    }
}
