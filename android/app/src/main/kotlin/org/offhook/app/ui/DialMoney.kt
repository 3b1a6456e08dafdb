package org.offhook.app.ui

import android.app.Activity
import android.view.View
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.Event

/** Money at the dialpad: what is left, for how long that is enough to the number that is typed, and a call back. */
class DialMoney(private val activity: Activity) {
    private val core get() = OffhookApp.of(activity).core
    private val words = MoneyWords(activity)
    private val number: TextView = activity.findViewById(R.id.number)
    private val balance: TextView = activity.findViewById(R.id.balance)
    private val minutes: TextView = activity.findViewById(R.id.minutes)
    private val callBack: View = activity.findViewById(R.id.call_back)

    /** The account that a call would go by; null: none was seen yet. */
    private var payer: UInt? = null

    /** What the core was told last, and of which account. */
    private var told: Pair<UInt, String>? = null
    private var shown: Event.Minutes? = null
    private var offersMinutes = false

    init {
        val isLarge = activity.resources.configuration.fontScale > LARGE_FONT
        minutes.setLines(if (isLarge) 2 else 1)
    }

    /** Whether the event changes anything here. */
    fun concerns(event: Event) = event is Event.Balance || event is Event.Minutes

    /** [payer]: the account that a call would go by. */
    fun show(payer: UInt) {
        this.payer = payer
        val offers = core.ask { moneyOffers(payer) }.getOrNull()
        val event = core.around.balance(payer)
        val last = event?.balance ?: core.ask { balance(payer) }.getOrNull()
        val isAny = offers != null && (offers.balance || offers.minutes || offers.topUp || offers.callBack)
        balance.visibility = if (isAny || event != null || last != null) View.VISIBLE else View.GONE
        val line = words.line(event, last)
        if (balance.text.toString() != line) balance.text = line
        balance.contentDescription = activity.getString(R.string.money_opens, line)
        balance.setOnClickListener { activity.startActivity(MoneyActivity.intent(activity, payer)) }
        callBack.visibility = if (offers?.callBack == true) View.VISIBLE else View.GONE
        callBack.setOnClickListener {
            activity.startActivity(MoneyActivity.callBack(activity, payer, number.text.toString()))
        }
        offersMinutes = offers?.minutes == true
        typed()
    }

    /** The number may be another. */
    fun typed() {
        val now = (payer ?: return) to number.text.toString()
        val isNews = now != told && (told != null || now.second.isNotEmpty())
        told = now
        if (isNews) tell(now)
        showMinutes(now)
    }

    private fun tell(now: Pair<UInt, String>) = core.ask { numberTyped(now.first, now.second) }

    private fun showMinutes(now: Pair<UInt, String>) {
        val known = core.around.money.minutes(now.first, now.second)?.takeIf { now.second.isNotEmpty() }
        // It was shown, and what is left has moved since: that is as if it were typed anew.
        if (known == null && shown?.number == now.second) tell(now)
        shown = known
        minutes.visibility = when {
            !offersMinutes -> View.GONE
            // Its place is kept: the keys below stay where they are.
            known == null -> View.INVISIBLE
            else -> View.VISIBLE
        }
        val line = known?.let { words.lasts(it.copy(trouble = null)) }.orEmpty()
        if (minutes.text.toString() != line) minutes.text = line
    }

    private companion object {
        /** Words have no room in one line. */
        const val LARGE_FONT = 1.3f
    }
}
