package org.offhook.app.notify

import android.app.Notification
import android.app.NotificationManager
import android.app.Person
import android.content.Context
import android.os.Build
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.app.ui.Numbers
import org.offhook.core.Event
import org.offhook.core.MessageRecord
import org.offhook.core.Side

/**
 * The notifications of text messages: one a thread, with what the user has not seen of it and a field to answer.
 *
 * What came is read once the core has kept it. A thread that is on the screen has none; what was seen, wherever that was,
 * is taken away. One that the user swept off comes back with the next message only.
 */
class MessageNotice(private val context: Context, private val core: Core) : Core.Listener {
    private val notices = context.getSystemService(NotificationManager::class.java)

    /** Threads in which something came that is not shown yet. */
    private val came = LinkedHashSet<String>()

    init {
        core.listen(this)
    }

    /** The thread that is on the screen, by its number. */
    var onScreen: String? = null
        set(number) {
            field = number
            if (number != null) clear(number)
        }

    override fun moment(event: Event) {
        when (event) {
            is Event.Message -> came += event.number
            is Event.Messages -> update()
            else -> Unit
        }
    }

    /** An answer was not sent, for that reason: the thread is shown again and says so. */
    fun refused(number: String, sentence: String) = read(number) { show(number, it, true, sentence) }

    private fun update() {
        val loud = came.toSet()
        came.clear()
        (loud + shown()).forEach { number -> read(number) { show(number, it, number in loud) } }
    }

    private fun read(number: String, then: (List<MessageRecord>) -> Unit) =
        core.later({ keptMessages(number, null, MOST) }) { it.onSuccess(then) }

    private fun show(number: String, newestFirst: List<MessageRecord>, loud: Boolean, sentence: String? = null) {
        val unseen = newestFirst.filter { it.side == Side.IN && !it.seen }
        if (unseen.isEmpty() || number == onScreen) return clear(number)
        notices.notify(number, ID, notice(unseen.asReversed(), loud, sentence))
        // Without one the platform does not group them; it makes no sound.
        notices.notify(SUMMARY_ID, summary())
    }

    private fun clear(number: String) {
        notices.cancel(number, ID)
        if (shown().all { it == number }) notices.cancel(SUMMARY_ID)
    }

    /** The platform remembers them over a new start of the process. */
    private fun shown() = notices.activeNotifications.filter { it.id == ID }.mapNotNull { it.tag }

    private fun notice(oldestFirst: List<MessageRecord>, loud: Boolean, sentence: String?): Notification {
        val newest = oldestFirst.last()
        val title = Numbers.title(newest.name, newest.number).ifEmpty { context.getString(R.string.call_unknown) }
        return builder()
            .setStyle(style(title, oldestFirst))
            .setSubText(sentence)
            .setWhen(newest.atMs)
            .setShowWhen(true)
            .setOnlyAlertOnce(!loud)
            .setAutoCancel(true)
            .setContentIntent(MessageActions.open(context, newest, title))
            .addAction(MessageActions.reply(context, newest))
            .addAction(MessageActions.seen(context, newest))
            // What a locked screen shows where its owner wants nothing private on it.
            .setPublicVersion(builder().setContentTitle(context.getString(R.string.messages_came)).build())
            .build()
    }

    private fun summary() = builder().setGroupSummary(true).setContentTitle(context.getString(R.string.messages_title))
        .setContentIntent(MessageActions.openAll(context)).setAutoCancel(true).build()

    private fun builder() = Notification.Builder(context, Channels.MESSAGES)
        .setSmallIcon(R.drawable.ic_message)
        .setCategory(Notification.CATEGORY_MESSAGE)
        .setVisibility(Notification.VISIBILITY_PRIVATE)
        .setGroup(GROUP)
        .setGroupAlertBehavior(Notification.GROUP_ALERT_CHILDREN)

    private fun style(title: String, oldestFirst: List<MessageRecord>): Notification.Style {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.P) return plainStyle(title, oldestFirst)
        val style = Notification.MessagingStyle(Person.Builder().setName(ours).build())
        val theirs = Person.Builder().setName(title).setKey(oldestFirst.last().number).build()
        oldestFirst.forEach { style.addMessage(it.text, it.atMs, theirs) }
        return style
    }

    /** Before Android 9 people were names. */
    @Suppress("DEPRECATION")
    private fun plainStyle(title: String, oldestFirst: List<MessageRecord>): Notification.Style {
        val style = Notification.MessagingStyle(ours)
        oldestFirst.forEach { style.addMessage(it.text, it.atMs, title) }
        return style
    }

    private val ours get() = context.getString(R.string.messages_me)

    companion object {
        const val ID = 3
        const val SUMMARY_ID = 4
        private const val GROUP = "messages"

        /** As many as a notification has room for. */
        private const val MOST = 8u
    }
}
