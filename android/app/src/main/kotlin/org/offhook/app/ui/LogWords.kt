package org.offhook.app.ui

import android.content.Context
import android.text.format.DateUtils
import java.time.LocalDate
import java.util.Formatter
import java.util.TimeZone
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.CallGroup
import org.offhook.core.CallRecord
import org.offhook.core.Side

/** The call log in words, by the language and the clock of the device. What a call was is the core's to say. */
class LogWords(private val context: Context) {
    private val now get() = OffhookApp.of(context).now()
    private val today get() = dayOf(now)

    /** How far the person's clock is ahead of UTC now. */
    val offsetMillis: Long get() = TimeZone.getDefault().getOffset(now).toLong()

    /** Today as files are named by it, in every language the same. */
    val stamp: String get() = LocalDate.ofEpochDay(today).toString()

    /** When a day began, in milliseconds since 1970. */
    fun dayBegins(day: Long) = day * DateUtils.DAY_IN_MILLIS - offsetMillis

    /** Today, yesterday, or its name and date. */
    fun day(day: Long): String = when (day) {
        today -> context.getString(R.string.day_today)
        today - 1 -> context.getString(R.string.day_yesterday)
        else -> date(day, DateUtils.FORMAT_SHOW_WEEKDAY or DateUtils.FORMAT_ABBREV_WEEKDAY)
    }

    /** The time of something of today; the date of what is older. */
    fun whenOf(millis: Long): String =
        if (dayOf(millis) == today) time(millis) else date(dayOf(millis), DateUtils.FORMAT_ABBREV_MONTH)

    fun time(millis: Long): String = DateUtils.formatDateTime(context, millis, DateUtils.FORMAT_SHOW_TIME)

    fun who(call: CallRecord): String =
        Numbers.title(call.name, call.number).ifEmpty { context.getString(R.string.call_unknown) }

    /** Below the name: which way, when, how often. */
    fun line(group: CallGroup): String = listOfNotNull(
        way(group.newest),
        time(group.newest.startedMs),
        often(group.calls).takeIf { group.calls > 1u }
    ).joinToString(BETWEEN, transform = Numbers::isolated)

    /** All of a row, to be heard. */
    fun heard(group: CallGroup): String = listOfNotNull(
        who(group.newest),
        Trust.of(group.newest)?.let { context.getString(it.words) },
        context.getString(R.string.log_new).takeIf { unseen(group) },
        way(group.newest),
        time(group.newest.startedMs),
        often(group.calls).takeIf { group.calls > 1u }
    ).joinToString(", ")

    fun unseen(group: CallGroup) = group.newest.missed && !group.newest.seen

    /** One call in a line, where its number stands above: its day, its time, which way. */
    fun line(call: CallRecord): String = listOf(day(dayOf(call.startedMs)), time(call.startedMs), way(call))
        .joinToString(BETWEEN, transform = Numbers::isolated)

    /** Its day and its time, in full. */
    fun moment(millis: Long): String = DateUtils.formatDateTime(
        context,
        millis,
        DateUtils.FORMAT_SHOW_WEEKDAY or DateUtils.FORMAT_SHOW_DATE or DateUtils.FORMAT_SHOW_YEAR or
            DateUtils.FORMAT_SHOW_TIME
    )

    fun way(call: CallRecord): String = context.getString(
        when {
            call.missed -> R.string.log_missed
            call.side == Side.IN -> R.string.log_in
            else -> R.string.log_out
        }
    )

    private fun dayOf(millis: Long) = Math.floorDiv(millis + offsetMillis, DateUtils.DAY_IN_MILLIS)

    /** Its year too, where that is another. */
    private fun date(day: Long, flags: Int): String {
        val noon = day * DateUtils.DAY_IN_MILLIS + DateUtils.DAY_IN_MILLIS / 2
        val sameYear = LocalDate.ofEpochDay(day).year == LocalDate.ofEpochDay(today).year
        val year = if (sameYear) DateUtils.FORMAT_NO_YEAR else DateUtils.FORMAT_SHOW_YEAR
        val all = flags or year or DateUtils.FORMAT_SHOW_DATE
        return DateUtils.formatDateRange(context, Formatter(), noon, noon, all, "UTC").toString()
    }

    private fun often(calls: UInt) =
        context.resources.getQuantityString(R.plurals.log_calls, calls.toInt(), calls.toInt())

    companion object {
        /** Which picture stands for it: its shape says it, not its colour alone. */
        fun mark(call: CallRecord): Int = when {
            call.missed -> R.drawable.ic_log_missed
            call.side == Side.IN -> R.drawable.ic_log_in
            else -> R.drawable.ic_log_out
        }

        private const val BETWEEN = " · "
    }
}
