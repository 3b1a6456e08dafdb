package org.offhook.app.ui

import android.app.Activity
import android.view.View
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.core.AccountState
import org.offhook.core.Event

/** Money at the dialpad: what is left on the account that a call would go by, and the way to what can be done with it. */
class DialMoney(private val activity: Activity) {
    private val core get() = OffhookApp.of(activity).core
    private val words = MoneyWords(activity)
    private val balance: TextView = activity.findViewById(R.id.balance)

    /** Whether the event changes anything here. */
    fun concerns(event: Event) = event is Event.Balance

    /** [foremost]: the account that the screen is about. */
    fun show(foremost: UInt) {
        val payer = payer(core, foremost)
        val offers = core.ask { moneyOffers(payer) }.getOrNull()
        val event = core.around.balance(payer)
        val last = event?.balance ?: core.ask { balance(payer) }.getOrNull()
        val isAny = offers != null && (offers.balance || offers.minutes || offers.topUp || offers.callBack)
        balance.visibility = if (isAny || event != null || last != null) View.VISIBLE else View.GONE
        val line = words.line(event, last)
        if (balance.text.toString() != line) balance.text = line
        balance.contentDescription = activity.getString(R.string.money_opens, line)
        balance.setOnClickListener { activity.startActivity(MoneyActivity.intent(activity, payer)) }
    }

    private companion object {
        /** As the core picks it for a call: the default one, unless that should be registered and is not. */
        fun payer(core: Core, foremost: UInt): UInt {
            val list = core.ask { accountList() }.getOrNull().orEmpty()
            val default = list.find { it.default && it.enabled }?.account ?: return foremost
            val state = core.accounts.find { it.account == default }?.state
            val isOut = state == AccountState.REGISTERING || state == AccountState.FAILED
            return if (isOut && core.accounts.any { it.state == AccountState.REGISTERED }) foremost else default
        }
    }
}
