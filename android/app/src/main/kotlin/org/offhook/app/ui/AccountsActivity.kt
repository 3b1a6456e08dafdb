package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.AccountInfo
import org.offhook.core.AccountView
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.PhoneInterface

/** All accounts in the user's order, and how each fares: a touch opens one, the button beside it offers what else can be done. */
class AccountsActivity : ListScreen(R.string.account_choose) {
    private data class Item(val account: AccountInfo, val face: AccountFace)

    private lateinit var rows: Rows<Item>

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = Rows(layoutInflater, Kind())
        list.adapter = rows
        list.setOnItemClickListener { _, _, at, _ -> open(rows.getItem(at).account) }
        list.setOnItemLongClickListener { _, _, at, _ ->
            offer(rows.getItem(at).account)
            true
        }
        // They are few, and the core finds none by words.
        search.visibility = View.GONE
        aside(R.drawable.ic_add, R.string.account_another) { startActivity(AccountActivity.another(this)) }
        menu {
            listOf(
                entry(R.string.account_another) { startActivity(AccountActivity.another(this)) },
                entry(R.string.offer_title) { startActivity(OfferActivity.intent(this)) },
                entry(R.string.backup_title) { startActivity(BackupActivity.intent(this)) }
            )
        }
    }

    override fun accountChanged(view: AccountView) = show()

    override fun concerns(event: Event) = event is Event.Accounts || event is Event.PasswordLost

    override fun answered(what: String, text: String) {
        if (text.isNotEmpty()) change { renameAccount(what.toUInt(), text) }
    }

    override fun show() {
        val core = app.core
        val next = Registration.first(core.accounts, core.usual)?.account
        val several = core.kept.size > 1
        rows.items = core.kept.map { account ->
            val view = core.accounts.find { it.account == account.account }
            val calls = if (several) AccountFace.Calls.of(account, next) else AccountFace.Calls.NOT
            Item(account, AccountFace.of(account, view, account.account in core.passwordsLost, calls))
        }
        shown(rows, R.string.accounts_nothing)
    }

    private fun open(account: AccountInfo) {
        // Nothing can be read of what is damaged.
        if (account.trouble != null) return offer(account)
        startActivity(AccountActivity.intent(this, account.account))
    }

    private fun offer(account: AccountInfo) {
        val id = account.account
        val place = app.core.kept.indexOfFirst { it.account == id }
        val usable = account.trouble == null
        val entries = listOfNotNull(
            entry(R.string.accounts_use_for_calls) { change { setDefaultAccount(id) } }
                .takeIf { usable && account.enabled && !account.default },
            entry(R.string.accounts_take_in) { use(account) }.takeIf { usable && !account.enabled },
            entry(R.string.accounts_take_out) { askToTakeOut(account) }.takeIf { usable && account.enabled },
            entry(R.string.accounts_rename) { rename(account) }.takeIf { usable },
            entry(R.string.accounts_up) { change { moveAccount(id, place.toUInt() - 1u) } }.takeIf { place > 0 },
            entry(R.string.accounts_down) { change { moveAccount(id, place.toUInt() + 1u) } }
                .takeIf { place < app.core.kept.lastIndex },
            entry(R.string.account_remove) { askToRemove(account) }
        )
        Choices.show(this, AccountFace.title(account), entries)
    }

    private fun entry(words: Int, press: () -> Unit) = Choices.Entry(getString(words), press)

    private fun use(account: AccountInfo) = app.core.later({ enableAccount(account.account, true) }) { result ->
        if (isDestroyed) return@later
        result.onFailure {
            wrong(it)
            if (it is PhoneException.BadSetting) open(account)
        }
    }

    /** A call that goes on is no small thing. */
    private fun askToTakeOut(account: AccountInfo) {
        val command: PhoneInterface.() -> Unit = { enableAccount(account.account, false) }
        if (app.core.calls.none { it.account == account.account }) return change(command)
        val question = getString(R.string.accounts_take_out_ask, AccountFace.title(account))
        Choices.ask(this, question, R.string.accounts_take_out) { change(command) }
    }

    private fun rename(account: AccountInfo) = prompt.ask(
        Prompt.Question(
            "${account.account}",
            getString(R.string.accounts_rename),
            getString(R.string.accounts_name),
            account.name
        )
    )

    private fun askToRemove(account: AccountInfo) = Choices.ask(
        this,
        getString(R.string.accounts_remove_ask, AccountFace.title(account)),
        R.string.account_remove_yes
    ) { change { removeAccount(account.account) } }

    private inner class Kind : Rows.Kind<Item> {
        override fun day(item: Item): String? = null

        override fun id(item: Item) = item.account.account.toLong()

        override fun draw(row: View, item: Item) {
            row.contentDescription = item.face.heard(this@AccountsActivity)
            row.findViewById<TextView>(R.id.row_title).text = item.face.title
            row.findViewById<TextView>(R.id.row_below).apply {
                text = item.face.below(this@AccountsActivity)
                // What is wrong is said whole.
                maxLines = Integer.MAX_VALUE
            }
            row.findViewById<ImageView>(R.id.row_mark).apply {
                setImageResource(item.face.mark)
                setColorFilter(getColor(item.face.colour))
            }
            row.findViewById<ImageView>(R.id.row_more).apply {
                setImageResource(R.drawable.ic_menu)
                contentDescription = getString(R.string.accounts_more, item.face.title)
                setOnClickListener { offer(item.account) }
            }
        }
    }

    companion object {
        /** The list; where it is open below, it comes back. */
        fun intent(context: Context): Intent = Intent(context, AccountsActivity::class.java)
            .addFlags(Intent.FLAG_ACTIVITY_CLEAR_TOP or Intent.FLAG_ACTIVITY_SINGLE_TOP)
    }
}
