package org.offhook.app.ui

import android.app.Activity
import android.content.Context
import android.text.format.DateUtils
import android.view.View
import android.widget.TextView
import java.math.BigDecimal
import java.text.NumberFormat
import java.util.Currency
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.Balance
import org.offhook.core.Event

/** What stands around calls at the dialpad's head: the ways to the lists, voicemail, and what is left on the account. */
class DialAround(private val activity: Activity) {
    private val core get() = OffhookApp.of(activity).core
    private val log: TextView = activity.findViewById(R.id.to_log)
    private val contacts: TextView = activity.findViewById(R.id.to_contacts)
    private val messages: TextView = activity.findViewById(R.id.to_messages)
    private val voicemail: TextView = activity.findViewById(R.id.voicemail)
    private val balance: TextView = activity.findViewById(R.id.balance)

    init {
        log.setOnClickListener { activity.startActivity(LogActivity.intent(activity)) }
        contacts.setOnClickListener { activity.startActivity(ContactsActivity.intent(activity)) }
        messages.setOnClickListener { activity.startActivity(MessagesActivity.intent(activity)) }
    }

    /** Whether the event changes anything here. */
    fun concerns(event: Event) = event is Event.CallLog || event is Event.Messages || event is Event.Voicemail ||
        event is Event.Balance

    fun show(account: UInt) {
        count(log, R.string.log_title, R.string.around_missed, core.around.missed)
        count(messages, R.string.messages_title, R.string.around_unread, core.around.unread)
        showVoicemail(core.around.voicemail(account))
        showBalance(account)
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
        if (voicemail.text.toString() != words) voicemail.text = words
    }

    private fun showBalance(account: UInt) {
        val told = core.around.balance(account)
        val last = told?.balance ?: core.ask { balance(account) }.getOrNull()
        balance.visibility = if (told == null && last == null) View.GONE else View.VISIBLE
        val words = when {
            last == null && told?.trouble == null -> activity.getString(R.string.balance_none)
            last == null -> activity.getString(R.string.balance_trouble)
            told?.trouble != null -> "${aged(last)}\n${activity.getString(R.string.balance_trouble)}"
            else -> aged(last)
        }
        say(words)
        balance.setOnClickListener {
            core.ask { refreshBalance(account) }.onSuccess { say(activity.getString(R.string.balance_asking)) }
        }
    }

    private fun say(words: String) {
        balance.text = words
        balance.contentDescription = activity.getString(R.string.balance_refreshes, words)
    }

    private fun aged(told: Balance): String {
        if (isFresh(activity, told)) return activity.getString(R.string.balance, amount(told))
        val age = OffhookApp.of(activity).now() - told.toldMs
        val ago = DateUtils.getRelativeTimeSpanString(told.toldMs, told.toldMs + age, DateUtils.MINUTE_IN_MILLIS)
        return activity.getString(R.string.balance_aged, amount(told), ago)
    }

    companion object {
        /** What waits in a mailbox. */
        fun voicemail(context: Context, told: Event.Voicemail): String {
            val new = told.new.toInt()
            if (new == 0) return context.getString(R.string.voicemail_waits)
            return context.resources.getQuantityString(R.plurals.voicemail_new, new, new)
        }

        /** It needs not be said when it was told. */
        fun isFresh(context: Context, told: Balance) = OffhookApp.of(context).now() - told.toldMs < FRESH_MILLIS

        /** Older than this it is shown with its age. */
        private const val FRESH_MILLIS = 5 * DateUtils.MINUTE_IN_MILLIS

        /** Tariffs count in parts of a cent. */
        private const val FRACTION_DIGITS = 4

        /** Exact, as the core has it, in the language's digits. */
        fun amount(told: Balance): String {
            val exact = told.amount.toBigDecimalOrNull() ?: return Numbers.isolated(Numbers.clean(told.amount))
            val code = told.currency.orEmpty()
            val words = if (code in codes) money(exact, code) else "${plain(exact)} ${Numbers.clean(code)}".trim()
            return Numbers.isolated(words)
        }

        private val codes by lazy { Currency.getAvailableCurrencies().map { it.currencyCode }.toSet() }

        private fun plain(exact: BigDecimal): String =
            NumberFormat.getNumberInstance().apply { maximumFractionDigits = FRACTION_DIGITS }.format(exact)

        private fun money(exact: BigDecimal, code: String): String = NumberFormat.getCurrencyInstance().apply {
            currency = Currency.getInstance(code)
            maximumFractionDigits = FRACTION_DIGITS
        }.format(exact)
    }
}
