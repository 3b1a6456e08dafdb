package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.graphics.Typeface
import android.os.Bundle
import android.text.format.DateUtils
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import java.io.File
import org.offhook.app.R
import org.offhook.app.share.Handout
import org.offhook.core.AccountView
import org.offhook.core.CallFilter
import org.offhook.core.CallGroup
import org.offhook.core.CallGroups
import org.offhook.core.CallRecord
import org.offhook.core.Event
import org.offhook.core.ExportFormat
import org.offhook.core.ForgetCalls
import org.offhook.core.PhoneInterface
import org.offhook.core.WhichCalls

/** The call log by day and number, all of it or a part: a touch calls back, the button beside tells of the newest call. */
class LogActivity : ListScreen(R.string.log_title) {
    /** A day, or the calls with a number on it. */
    private sealed interface Item {
        data class Day(val day: Long) : Item

        data class Calls(val group: CallGroup) : Item
    }

    private val words = LogWords(this)
    private val chips by lazy { Chips(this) }
    private val handout = Handout(this, ::wrong)
    private var groups = listOf<CallGroup>()
    private var which = WhichCalls.ALL

    /** By which account alone, as rows have it; null: by any. */
    private var account: String? = null

    /** Where the next page begins; null: there is none, or it is being read. */
    private var next: Long? = null
    private lateinit var rows: Rows<Item>

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = Rows(layoutInflater, Kind())
        list.adapter = rows
        list.setOnItemClickListener { _, _, at, _ -> callsAt(at)?.let(::callBack) }
        list.setOnItemLongClickListener { _, _, at, _ -> callsAt(at)?.let(::askToForget) != null }
        search.setHint(R.string.log_search)
        menu(::entries)
        if (savedInstanceState == null) {
            if (intent.getBooleanExtra(MISSED, false)) which = WhichCalls.MISSED
            if (intent.action == CALL_BACK) callBack()
        } else {
            which = WhichCalls.entries[savedInstanceState.getInt(WHICH)]
            account = savedInstanceState.getString(ACCOUNT)
        }
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putInt(WHICH, which.ordinal)
        outState.putString(ACCOUNT, account)
    }

    override fun onStop() {
        super.onStop()
        // Until the eye has left them, what is new looks so.
        if (groups.any(words::unseen) || app.core.around.missed > 0u) change { callsSeen() }
    }

    override fun concerns(event: Event) = event is Event.CallLog

    override fun onActivityResult(code: Int, result: Int, data: Intent?) {
        super.onActivityResult(code, result, data)
        val to = data?.data ?: return
        val format = SAVED[code] ?: return
        if (result == RESULT_OK) handout.saved(to, export(format)) { tell(R.string.file_saved) }
    }

    override fun show() {
        showChips()
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
        val all = typed.isBlank() && which == WhichCalls.ALL && account == null
        shown(rows, if (all) R.string.log_nothing else R.string.list_not_found)
    }

    private fun showChips() {
        chips.show(KINDS.values.map(::getString), KINDS.keys.indexOf(which)) {
            which = KINDS.keys.elementAt(it)
            anew()
        }
        val accounts = app.core.accounts
        if (accounts.size < 2 && account == null) return
        val name = accounts.find { it.uri == account }?.let { Numbers.shown(it.number) }
            ?: account?.let(Numbers::shown) ?: getString(R.string.log_any_account)
        chips.aside(name, getString(R.string.log_account_heard, name)) { chooseAccount(accounts) }
    }

    private fun chooseAccount(accounts: List<AccountView>) {
        val any = Choices.Entry(getString(R.string.log_any_account)) {
            account = null
            anew()
        }
        val each = accounts.map {
            Choices.Entry(Numbers.shown(it.uri.substringAfter(':'))) {
                account = it.uri
                anew()
            }
        }
        Choices.show(this, getString(R.string.log_account), listOf(any) + each)
    }

    /** Another part of the log is shown, from its beginning. */
    private fun anew() {
        groups = emptyList()
        show()
        list.setSelection(0)
    }

    private fun filter() = CallFilter(which, typed.trim(), account = account)

    private fun callsAt(position: Int) = (rows.getItem(position) as? Item.Calls)?.group

    /** A notification asked for it. */
    private fun callBack() {
        val account = intent.getIntExtra(ACCOUNT, NONE).takeIf { it != NONE }?.toUInt()
        caller.call(account, intent.getStringExtra(REMOTE).orEmpty())
    }

    private fun callBack(group: CallGroup) = caller.call(accountOf(group.newest), group.newest.remote)

    /** By which account it went; null: that is no more, and the first one calls. */
    private fun accountOf(call: CallRecord) = app.core.accounts.find { it.uri == call.account }?.account

    private fun tell(group: CallGroup) = startActivity(RecordActivity.intent(this, group.newest.id))

    private fun entries() = listOfNotNull(
        entry(R.string.log_share_table) { share(ExportFormat.CSV) },
        entry(R.string.log_share_json) { share(ExportFormat.JSON) },
        entry(R.string.log_save_table) { save(ExportFormat.CSV) },
        entry(R.string.log_save_json) { save(ExportFormat.JSON) },
        entry(R.string.blocked_title) { startActivity(BlockedActivity.intent(this)) },
        entry(R.string.reached_title) { startActivity(ReachedActivity.intent(this)) },
        entry(R.string.log_forget_old) { chooseOld() },
        entry(R.string.log_forget_all) {
            Choices.ask(this, getString(R.string.log_forget_all_ask), R.string.log_forget_all_yes) {
                change { forgetCalls(ForgetCalls.All) }
            }
        }
    )

    private fun entry(words: Int, press: () -> Unit) = Choices.Entry(getString(words), press)

    private fun share(format: ExportFormat) = handout.share(name(format), export(format))

    private fun save(format: ExportFormat) = handout.save(name(format), SAVED.entries.first { it.value == format }.key)

    /** What is shown now: the filters count, and what is searched. */
    private fun export(format: ExportFormat): PhoneInterface.(File) -> Unit {
        val filter = filter()
        return { exportCallsTo(filter, format, it.path) }
    }

    private fun name(format: ExportFormat) = when (format) {
        ExportFormat.CSV -> "offhook-calls-${words.stamp}.csv"
        ExportFormat.JSON -> "offhook-calls-${words.stamp}.json"
    }

    private fun tell(sentence: Int) = notice.show(
        Notice.Card(getString(sentence), button = R.string.close) { notice.show(null) }
    )

    private fun chooseOld() = Choices.show(
        this,
        getString(R.string.log_forget_old),
        AGES_DAYS.map { days ->
            val age = resources.getQuantityString(R.plurals.log_older, days, days)
            Choices.Entry(age) { askToForgetOld(days, age) }
        }
    )

    private fun askToForgetOld(days: Int, age: String) {
        val before = app.now() - days * DateUtils.DAY_IN_MILLIS
        Choices.ask(this, getString(R.string.log_forget_old_ask, age), R.string.log_forget) {
            change { forgetCalls(ForgetCalls.Before(before)) }
        }
    }

    private fun askToForget(group: CallGroup) {
        val many = group.calls.toInt()
        val question = resources.getQuantityString(R.plurals.log_forget_ask, many, many, words.who(group.newest))
        Choices.ask(this, question, R.string.log_forget) { forget(group) }
    }

    /** All calls of the row, also those that no filter lets through here. */
    private fun forget(group: CallGroup) {
        val begins = words.dayBegins(group.day)
        val those = filter().copy(
            number = group.newest.number,
            sinceMs = begins,
            untilMs = begins + DateUtils.DAY_IN_MILLIS
        )
        change {
            var before: Long? = null
            do {
                val page = callLog(those, before, MOST_AT_ONCE)
                page.forEach { forgetCalls(ForgetCalls.One(it.id)) }
                before = page.lastOrNull()?.id
            } while (before != null)
        }
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
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(LogWords.mark(group.newest))
                setColorFilter(getColor(if (group.newest.missed) R.color.error else R.color.text_soft))
            }
            Trust.show(row, Trust.of(group.newest), words.line(group))
            row.findViewById<View>(R.id.row_more).apply {
                contentDescription = getString(R.string.log_tell, who)
                setOnClickListener { tell(group) }
            }
        }
    }

    companion object {
        private const val PAGE = 50
        private const val MOST_AT_ONCE = 250u
        private const val WHICH = "which"
        private const val ACCOUNT = "account"
        private const val MISSED = "missed"
        private val AGES_DAYS = listOf(7, 30, 90, 365)

        private val KINDS = mapOf(
            WhichCalls.ALL to R.string.log_all,
            WhichCalls.MISSED to R.string.log_missed,
            WhichCalls.INCOMING to R.string.log_in,
            WhichCalls.OUTGOING to R.string.log_out
        )

        /** The codes by which the platform's picker answers. */
        private val SAVED = mapOf(21 to ExportFormat.CSV, 22 to ExportFormat.JSON)

        private const val CALL_BACK = "org.offhook.app.CALL_BACK"
        private const val REMOTE = "remote"
        private const val NONE = -1

        fun intent(context: Context) = Intent(context, LogActivity::class.java)

        /** The call log, and from there a call to [remote]: by that account, or where that is null, the first one. */
        fun callBack(context: Context, account: UInt?, remote: String) = intent(context).setAction(CALL_BACK)
            .putExtra(ACCOUNT, account?.toInt() ?: NONE).putExtra(REMOTE, remote)

        /** The missed calls alone. */
        fun missed(context: Context): Intent = intent(context).putExtra(MISSED, true)
    }
}
