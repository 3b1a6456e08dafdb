package org.offhook.app.ui

import android.content.Context
import android.icu.text.MeasureFormat
import android.icu.util.Measure
import android.icu.util.MeasureUnit
import android.text.format.DateUtils
import java.math.BigDecimal
import java.text.NumberFormat
import java.util.Currency
import java.util.Locale
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.Balance
import org.offhook.core.Came
import org.offhook.core.Event

/** Money in words: exact, as the core has it, in the language's digits. */
class MoneyWords(private val context: Context) {
    /** In a line: what is left, with its age where that matters, and that nothing newer could be told. */
    fun line(told: Event.Balance?, last: Balance?): String {
        val trouble = context.getString(R.string.balance_trouble).takeIf { told?.trouble != null }
        if (last == null) return trouble ?: context.getString(R.string.balance_none)
        return listOfNotNull(aged(last), trouble).joinToString("\n")
    }

    /** When it was told. */
    fun age(told: Balance): String {
        val now = OffhookApp.of(context).now()
        if (now - told.toldMs < DateUtils.MINUTE_IN_MILLIS) return context.getString(R.string.money_now)
        return DateUtils.getRelativeTimeSpanString(told.toldMs, now, DateUtils.MINUTE_IN_MILLIS).toString()
    }

    /** Until when it can be used; null: nobody says. */
    fun valid(told: Balance): String? {
        val until = told.validUntilMs ?: return null
        val day = DateUtils.formatDateTime(context, until, DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_SHOW_YEAR)
        return if (until < OffhookApp.of(context).now()) context.getString(R.string.money_over, day) else day
    }

    /** How far below zero it may go; null: not at all, or nobody says. */
    fun overdraft(told: Balance): String? =
        told.overdraft?.takeIf { it.toBigDecimalOrNull()?.signum() != 0 }?.let { amount(it, told.currency) }

    /** For how long it is enough, to a number. */
    fun lasts(told: Event.Minutes): String {
        val seconds = told.seconds
        return when {
            seconds == null -> said(R.string.minutes_unknown, told.trouble)
            seconds == 0uL -> context.getString(R.string.minutes_none)
            else -> context.getString(R.string.minutes_left, time(seconds))
        }
    }

    /** What came of a card, or of a call back. */
    fun outcome(event: Event): String? = when (event) {
        is Event.ToppedUp -> said(card(event.came), event.says)
        is Event.CallBack -> said(call(event.came), event.says)
        else -> null
    }

    private fun card(came: Came) = when (came) {
        Came.DONE -> R.string.top_up_done
        Came.ANSWERED -> R.string.top_up_answered
        Came.REFUSED -> R.string.top_up_refused
        Came.IN_DOUBT -> R.string.top_up_in_doubt
    }

    private fun call(came: Came) = when (came) {
        Came.DONE -> R.string.call_back_done
        Came.ANSWERED -> R.string.call_back_answered
        Came.REFUSED -> R.string.call_back_refused
        Came.IN_DOUBT -> R.string.call_back_in_doubt
    }

    /** A sentence of ours, and in brackets what somebody else says, or the core in English. */
    private fun said(sentence: Int, more: String?): String {
        val clean = Numbers.clean(more.orEmpty())
        val ours = context.getString(sentence)
        return if (clean.isEmpty()) ours else context.getString(R.string.money_says, ours, Numbers.isolated(clean))
    }

    private fun aged(told: Balance): String {
        if (isFresh(context, told)) return context.getString(R.string.balance, amount(told))
        return context.getString(R.string.balance_aged, amount(told), age(told))
    }

    /** Hours and minutes; seconds where there is no whole minute. */
    private fun time(seconds: ULong): String {
        val all = minOf(seconds, Long.MAX_VALUE.toULong()).toLong()
        val parts = listOf(
            all / HOUR_SECONDS to MeasureUnit.HOUR,
            all % HOUR_SECONDS / MINUTE_SECONDS to MeasureUnit.MINUTE,
            (if (all < MINUTE_SECONDS) all else 0L) to MeasureUnit.SECOND
        ).filter { it.first > 0 }.map { Measure(it.first, it.second) }
        return MeasureFormat.getInstance(Locale.getDefault(), MeasureFormat.FormatWidth.WIDE)
            .formatMeasures(*parts.toTypedArray())
    }

    companion object {
        /** It needs not be said when it was told. */
        fun isFresh(context: Context, told: Balance) = OffhookApp.of(context).now() - told.toldMs < FRESH_MILLIS

        fun amount(told: Balance): String = amount(told.amount, told.currency)

        private fun amount(amount: String, currency: String?): String {
            val exact = amount.toBigDecimalOrNull() ?: return Numbers.isolated(Numbers.clean(amount))
            val code = currency.orEmpty()
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

        /** Older than this it is shown with its age. */
        private const val FRESH_MILLIS = 5 * DateUtils.MINUTE_IN_MILLIS

        /** Tariffs count in parts of a cent. */
        private const val FRACTION_DIGITS = 4
        private const val MINUTE_SECONDS = 60L
        private const val HOUR_SECONDS = 3_600L
    }
}
