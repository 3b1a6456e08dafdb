package org.offhook.app.ui

import android.app.Activity
import android.util.TypedValue
import android.view.View
import android.widget.Chronometer
import android.widget.TextView
import org.offhook.app.R

/** Shows a [CallScreen]: who it is, how it stands, and the buttons at the foot. The controls are [CallPanels]'s. */
class CallFace(private val activity: Activity) {
    val notice = Notice(activity)

    private var forged = false
    private val name: TextView = activity.findViewById(R.id.name)
    private val timer: Chronometer = activity.findViewById(R.id.timer)
    private val decline: Control = activity.findViewById(R.id.decline)
    private val answer: Control = activity.findViewById(R.id.answer)

    init {
        // It fills its circle, which does not grow with the user's letters.
        activity.findViewById<TextView>(R.id.initial).setTextSize(TypedValue.COMPLEX_UNIT_DIP, INITIAL_DP)
        decline.show(R.drawable.ic_call_end, activity.getString(R.string.call_decline))
        decline.paint(R.drawable.round_end, R.color.on_end)
        answer.show(R.drawable.ic_call, activity.getString(R.string.call_answer))
        answer.paint(R.drawable.round_answer, R.color.on_accent)
    }

    /** Dialled, and nothing heard of it. */
    fun showDialling(to: String) {
        name.text = Numbers.shown(to)
        showInitial(null)
        text(R.id.number, null)
        text(R.id.state, activity.getString(R.string.call_calling))
        showTrust(null)
        listOf(R.id.why, R.id.encrypted, R.id.quality, R.id.transfer_state).forEach { text(it, null) }
        timer.visibility = View.GONE
        activity.findViewById<View>(R.id.controls).visibility = View.INVISIBLE
    }

    fun show(screen: CallScreen) {
        val title = screen.title.ifEmpty { activity.getString(R.string.call_unknown) }
        if (name.text.toString() != title) name.text = title
        showInitial(screen.initial)
        text(R.id.number, screen.number)
        showTrust(screen.trust)
        words(R.id.state, screen.state)
        words(R.id.why, screen.why)
        words(R.id.encrypted, screen.encrypted)
        val lock = if (screen.locked) R.drawable.ic_lock else 0
        activity.findViewById<TextView>(R.id.encrypted).setCompoundDrawablesRelativeWithIntrinsicBounds(lock, 0, 0, 0)
        words(R.id.quality, screen.quality)
        words(R.id.transfer_state, screen.transfer)
        showTimer(screen.answeredMillis)
        showOther(screen.other)
        val buttons = screen.buttons
        visible(R.id.answer_row, buttons == CallScreen.Buttons.ANSWER_OR_DECLINE)
        visible(R.id.end, buttons == CallScreen.Buttons.END)
    }

    /** Something was opened that needs the room more than a face does; so does a warning that it is another's. */
    fun makeRoom(open: Boolean) = visible(R.id.face, !open && !forged)

    private fun showInitial(initial: String?) {
        text(R.id.initial, initial)
        visible(R.id.nobody, initial == null)
    }

    private fun showTrust(trust: Trust?) {
        visible(R.id.vouched, trust == Trust.VOUCHED)
        forged = trust == Trust.FORGED
        visible(R.id.forged, forged)
    }

    private fun showTimer(from: Long?) {
        timer.visibility = if (from == null) View.GONE else View.VISIBLE
        if (from == null) return timer.stop()
        if (timer.base != from) timer.base = from
        timer.start()
    }

    private fun showOther(other: CallScreen.Other?) {
        visible(R.id.other, other != null)
        if (other == null) return
        val title = other.title.ifEmpty { activity.getString(R.string.call_unknown) }
        text(R.id.other_name, title)
        words(R.id.other_line, other.line)
        visible(R.id.swap, other.swap)
        activity.findViewById<View>(R.id.swap).contentDescription = activity.getString(R.string.call_swap_to, title)
    }

    private fun words(id: Int, words: Words?) = text(id, words?.said(activity))

    private fun text(id: Int, text: String?) {
        val view = activity.findViewById<TextView>(id)
        view.visibility = if (text == null) View.GONE else View.VISIBLE
        // Set anew it would be read aloud anew.
        if (text != null && view.text.toString() != text) view.text = text
    }

    private fun visible(id: Int, visible: Boolean) {
        activity.findViewById<View>(id).visibility = if (visible) View.VISIBLE else View.GONE
    }

    private companion object {
        const val INITIAL_DP = 40f
    }
}
