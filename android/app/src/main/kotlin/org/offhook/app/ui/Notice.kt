package org.offhook.app.ui

import android.app.Activity
import android.os.SystemClock
import android.view.View
import android.widget.Button
import android.widget.Chronometer
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R

/** The card that says what is wrong, until when, and what can be done about it. One on each screen. */
class Notice(activity: Activity) {
    /** What a card says. [retryMillis]: counted down to, on the clock since boot. [dismiss]: it need not be dealt with. */
    data class Card(
        val text: String,
        val retryMillis: Long? = null,
        val button: Int? = null,
        val dismiss: (() -> Unit)? = null,
        val press: () -> Unit = {}
    )

    private val card: View = activity.findViewById(R.id.notice)
    private val text: TextView = activity.findViewById(R.id.notice_text)
    private val retry: Chronometer = activity.findViewById(R.id.notice_retry)
    private val button: Button = activity.findViewById(R.id.notice_button)
    private val dismiss: Button = activity.findViewById(R.id.notice_dismiss)

    fun show(shown: Card?) {
        card.visibility = if (shown == null) View.GONE else View.VISIBLE
        if (shown == null) {
            retry.stop()
            return
        }
        if (text.text.toString() != shown.text) text.text = shown.text
        retry.countDownTo(shown.retryMillis)
        button.visibility = if (shown.button == null) View.GONE else View.VISIBLE
        shown.button?.let(button::setText)
        button.setOnClickListener { shown.press() }
        dismiss.visibility = if (shown.dismiss == null) View.GONE else View.VISIBLE
        dismiss.setOnClickListener { shown.dismiss?.invoke() }
    }

    companion object {
        /** Why an account is not registered, when it is tried again, and a button not to wait, or to allow what it waits for. */
        fun of(activity: Activity, trouble: Registration.Trouble, again: () -> Unit): Card {
            val sentence = trouble.sentence.said(activity)
            if (trouble.abroad) {
                // For now: it is not kept.
                val allow = { OffhookApp.of(activity).core.ask { allowRoaming(true) } }
                return Card(sentence, button = R.string.networks_allow) { allow() }
            }
            val never = activity.getString(R.string.retry_never)
            return Card(
                if (trouble.retryMillis == null) "$sentence\n$never" else sentence,
                trouble.retryMillis,
                R.string.retry_now,
                press = again
            )
        }
    }
}

/** Counts down to a time on the clock since boot, in words; hidden without one, and once it has come. */
fun Chronometer.countDownTo(millis: Long?) {
    stop()
    visibility = if (millis == null || millis <= SystemClock.elapsedRealtime()) View.GONE else View.VISIBLE
    if (millis == null || visibility == View.GONE) return
    isCountDown = true
    format = context.getString(R.string.retry_in)
    setOnChronometerTickListener {
        if (millis <= SystemClock.elapsedRealtime()) {
            stop()
            visibility = View.GONE
        }
    }
    base = millis
    start()
}
