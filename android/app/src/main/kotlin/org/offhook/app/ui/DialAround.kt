package org.offhook.app.ui

import android.app.Activity
import android.content.Context
import android.view.View
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.Event

/** What stands around calls at the dialpad's head: the ways to the lists, voicemail, and that one is not reached as usual. */
class DialAround(private val activity: Activity) {
    private val core get() = OffhookApp.of(activity).core
    private val log: TextView = activity.findViewById(R.id.to_log)
    private val contacts: TextView = activity.findViewById(R.id.to_contacts)
    private val messages: TextView = activity.findViewById(R.id.to_messages)
    private val voicemail: TextView = activity.findViewById(R.id.voicemail)
    private val reached: TextView = activity.findViewById(R.id.reached)

    init {
        log.setOnClickListener { activity.startActivity(LogActivity.intent(activity)) }
        contacts.setOnClickListener { activity.startActivity(ContactsActivity.intent(activity)) }
        messages.setOnClickListener { activity.startActivity(MessagesActivity.intent(activity)) }
        reached.setOnClickListener { activity.startActivity(ReachedActivity.intent(activity)) }
    }

    /** Whether the event changes anything here. */
    fun concerns(event: Event) = event is Event.CallLog || event is Event.Messages || event is Event.Voicemail

    fun show(account: UInt) {
        count(log, R.string.log_title, R.string.around_missed, core.around.missed)
        count(messages, R.string.messages_title, R.string.around_unread, core.around.unread)
        showVoicemail(core.around.voicemail(account))
        showReached(account)
    }

    private fun count(way: TextView, plain: Int, counted: Int, count: UInt) {
        val words = activity.getString(plain)
        way.text = if (count == 0u) words else activity.getString(R.string.around_count, words, count.toInt())
        way.contentDescription = if (count == 0u) words else activity.getString(counted, count.toInt())
    }

    private fun showVoicemail(told: Event.Voicemail?) {
        voicemail.visibility = if (told?.waiting == true) View.VISIBLE else View.GONE
        if (told?.waiting != true) return
        val words = voicemail(activity, told)
        if (voicemail.text.toString() == words) return
        voicemail.text = words
        voicemail.contentDescription = activity.getString(R.string.voicemail_hear, words)
    }

    /** Whoever does not ring should not be forgotten. */
    private fun showReached(account: UInt) {
        val reach = core.ask { reach() }.getOrNull()
        val words = reach?.let {
            ReachedWords.said(activity, it) {
                core.ask { accountSettings(account) }.getOrNull()?.publishPresence == true
            }
        }.orEmpty()
        reached.visibility = if (words.isEmpty()) View.GONE else View.VISIBLE
        if (reached.text.toString() == words) return
        reached.text = words
        reached.contentDescription = activity.getString(R.string.reached_opens, words)
    }

    companion object {
        /** What waits in a mailbox. */
        fun voicemail(context: Context, told: Event.Voicemail): String {
            val new = told.new.toInt()
            if (new == 0) return context.getString(R.string.voicemail_waits)
            return context.resources.getQuantityString(R.plurals.voicemail_new, new, new)
        }
    }
}
