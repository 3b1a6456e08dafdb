package org.offhook.app.ui

import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.graphics.Typeface
import android.os.Bundle
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.CallFilter
import org.offhook.core.CallGroup
import org.offhook.core.CallGroups
import org.offhook.core.CallRecord
import org.offhook.core.Event
import org.offhook.core.ForgetCalls

/** The call log by day and number: a touch calls back, a long one tells what a call was like. */
class LogActivity : ListScreen(R.string.log_title) {
    /** A day, or the calls with a number on it. */
    private sealed interface Item {
        data class Day(val day: Long) : Item

        data class Calls(val group: CallGroup) : Item
    }

    private val words = LogWords(this)
    private var groups = listOf<CallGroup>()

    /** Where the next page begins; null: there is none, or it is being read. */
    private var next: Long? = null
    private lateinit var rows: Rows<Item>

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = Rows(layoutInflater, Kind())
        list.adapter = rows
        list.setOnItemClickListener { _, _, at, _ -> callsAt(at)?.let(::callBack) }
        list.setOnItemLongClickListener { _, _, at, _ -> callsAt(at)?.let(::tell) != null }
        search.setHint(R.string.log_search)
        aside(R.drawable.ic_delete, R.string.log_forget_all) { forgetAll() }
        if (savedInstanceState == null && intent.action == CALL_BACK) callBack()
    }

    override fun onStop() {
        super.onStop()
        // Until the eye has left them, what is new looks so.
        if (groups.any(words::unseen) || app.core.around.missed > 0u) change { callsSeen() }
    }

    override fun moment(event: Event) {
        if (event is Event.CallLog) show()
    }

    override fun show() {
        val least = maxOf(groups.size, PAGE).toUInt()
        val filter = filter()
        val offset = words.offsetMillis
        read({ callGroups(filter, null, least, offset) }) { take(emptyList(), it) }
    }

    override fun more() {
        val before = next ?: return
        next = null
        val had = groups
        val filter = filter()
        val offset = words.offsetMillis
        read({ callGroups(filter, before, PAGE.toUInt(), offset) }) { take(had, it) }
    }

    private fun take(had: List<CallGroup>, page: CallGroups) {
        groups = had + page.groups
        next = page.next
        val days = groups.groupBy(CallGroup::day)
        rows.items = days.flatMap { (day, calls) -> listOf(Item.Day(day)) + calls.map(Item::Calls) }
        shown(rows, if (typed.isBlank()) R.string.log_nothing else R.string.list_not_found)
        findViewById<View>(R.id.aside).visibility = if (rows.isEmpty) View.GONE else View.VISIBLE
    }

    private fun filter() = CallFilter(text = typed.trim())

    private fun callsAt(position: Int) = (rows.getItem(position) as? Item.Calls)?.group

    /** A notification asked for it. */
    private fun callBack() {
        val account = intent.getIntExtra(ACCOUNT, NONE).takeIf { it != NONE }?.toUInt()
        caller.call(account, intent.getStringExtra(REMOTE).orEmpty())
    }

    private fun callBack(group: CallGroup) = caller.call(accountOf(group.newest), group.newest.remote)

    /** By which account it went; null: that is no more, and the first one calls. */
    private fun accountOf(call: CallRecord) = app.core.accounts.find { it.uri == call.account }?.account

    /** The facts of each call in the group. */
    private fun tell(group: CallGroup) {
        val begins = words.dayBegins(group.day)
        val those = filter().copy(number = group.newest.number, sinceMs = begins, untilMs = begins + DAY_MILLIS)
        app.core.later({ callLog(those, null, MOST_TOLD) }) { result ->
            if (isDestroyed) return@later
            result.onSuccess { if (it.isNotEmpty()) tell(it) }.onFailure(::wrong)
        }
    }

    private fun tell(calls: List<CallRecord>) {
        AlertDialog.Builder(this)
            .setTitle(words.who(calls.first()))
            .setMessage(
                (listOfNotNull(Numbers.below(calls.first())) + calls.map(words::facts)).joinToString("\n\n")
            )
            .setPositiveButton(R.string.dial_call) { _, _ ->
                caller.call(accountOf(calls.first()), calls.first().remote)
            }
            .setNegativeButton(R.string.close, null)
            .setNeutralButton(R.string.log_forget) { _, _ ->
                change { calls.forEach { forgetCalls(ForgetCalls.One(it.id)) } }
            }
            .show()
    }

    private fun forgetAll() {
        AlertDialog.Builder(this)
            .setMessage(R.string.log_forget_all_ask)
            .setPositiveButton(R.string.log_forget_all_yes) { _, _ -> change { forgetCalls(ForgetCalls.All) } }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private inner class Kind : Rows.Kind<Item> {
        override fun day(item: Item) = (item as? Item.Day)?.let { words.day(it.day) }

        override fun id(item: Item) = when (item) {
            is Item.Day -> -1 - item.day
            is Item.Calls -> item.group.newest.id
        }

        override fun draw(row: View, item: Item) {
            val group = (item as Item.Calls).group
            val who = words.who(group.newest)
            row.contentDescription = words.heard(group)
            row.findViewById<TextView>(R.id.row_title).apply {
                text = who
                typeface = if (words.unseen(group)) Typeface.DEFAULT_BOLD else Typeface.DEFAULT
            }
            row.findViewById<TextView>(R.id.row_below).text = words.line(group)
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(LogWords.mark(group.newest))
                setColorFilter(getColor(if (group.newest.missed) R.color.error else R.color.text_soft))
            }
            row.findViewById<View>(R.id.row_more).apply {
                contentDescription = getString(R.string.log_tell, who)
                setOnClickListener { tell(group) }
            }
        }
    }

    companion object {
        private const val PAGE = 50
        private const val MOST_TOLD = 50u
        private const val DAY_MILLIS = 86_400_000L

        private const val CALL_BACK = "org.offhook.app.CALL_BACK"
        private const val ACCOUNT = "account"
        private const val REMOTE = "remote"
        private const val NONE = -1

        fun intent(context: Context) = Intent(context, LogActivity::class.java)

        /** The call log, and from there a call to [remote]: by that account, or where that is null, the first one. */
        fun callBack(context: Context, account: UInt?, remote: String) = intent(context).setAction(CALL_BACK)
            .putExtra(ACCOUNT, account?.toInt() ?: NONE).putExtra(REMOTE, remote)
    }
}
