package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import org.offhook.app.R
import org.offhook.app.core.PlatformRefusal
import org.offhook.core.Balance
import org.offhook.core.Event
import org.offhook.core.MoneyOffers

/** An account's money: what is left, for how long that is enough to a number, cards, and calls that the provider makes. */
class MoneyActivity : Screen() {
    private val account get() = intent.getIntExtra(ACCOUNT, 0).toUInt()
    private val money get() = app.core.around.money
    private val words = MoneyWords(this)
    private lateinit var details: Details

    /** The number that minutes are wanted to. */
    private var wanted: String? = null

    /** What is shown of that. */
    private var minutes: Event.Minutes? = null

    /** The balance was asked for from here, and no answer came yet. */
    private var asking = false

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.details)
        details = Details(this)
        wanted = savedInstanceState?.getString(WANTED)
        aside(R.drawable.ic_edit, R.string.money_set_up) { setUp() }
        if (savedInstanceState == null) intent.getStringExtra(TO)?.let(::askWhomToCall)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putString(WANTED, wanted)
    }

    override fun onStop() {
        super.onStop()
        if (isFinishing) money.seen(account)
    }

    override fun concerns(event: Event) = when (event) {
        is Event.Balance -> event.account == account
        is Event.Minutes -> event.account == account
        is Event.ToppedUp -> event.account == account
        is Event.CallBack -> event.account == account
        else -> false
    }

    override fun moment(event: Event) {
        if (event is Event.Balance && event.account == account) {
            if (asking && event.trouble == null) money.looked(account)
            asking = false
        }
        super.moment(event)
    }

    override fun answered(what: String, text: String) {
        if (what == MINUTES) askForMinutes(text) else callBack(text)
    }

    override fun show() {
        val account = account
        read({ moneyOffers(account) to balance(account) }) { (offers, last) -> show(offers, last) }
    }

    private fun show(offers: MoneyOffers, last: Balance?) {
        right()
        val trouble = app.core.around.balance(account)?.trouble
        if (trouble != null) {
            val why = Numbers.isolated(Numbers.clean(trouble))
            wrong(PlatformRefusal(getString(R.string.money_says, getString(R.string.balance_trouble), why)))
        }
        details.begin(getString(R.string.balance_title), whose(), actions(offers))
        showLeft(last)
        wanted?.takeIf { offers.minutes }?.let(::showMinutes)
        if (offers == NOTHING) fact(R.string.money_set_up, getString(R.string.money_nobody)) { setUp() }
        showErrands(offers)
    }

    private fun showLeft(last: Balance?) {
        val asked = if (asking) getString(R.string.money_asking) else null
        if (last == null) return fact(R.string.money_left, asked ?: getString(R.string.money_none))
        fact(R.string.money_left, MoneyWords.amount(last))
        fact(R.string.money_told, asked ?: words.age(last))
        words.valid(last)?.let { fact(R.string.money_valid, it) }
        words.overdraft(last)?.let { fact(R.string.money_overdraft, it) }
    }

    private fun showMinutes(number: String) {
        val known = money.minutes(account, number)
        // It was shown, and what is left has moved since.
        if (known == null && minutes?.number == number) app.core.ask { minutesTo(account, number) }
        minutes = known
        val words = known?.let(words::lasts) ?: getString(R.string.money_asking)
        details.fact(getString(R.string.money_call_to, Numbers.shown(number)), words)
    }

    private fun fact(label: Int, value: String, press: (() -> Unit)? = null) =
        details.fact(getString(label), value, press)

    /** What was asked for and what came of it. Nothing of that is offered again from here. */
    private fun showErrands(offers: MoneyOffers) {
        val lines = listOfNotNull(
            getString(R.string.top_up_pays).takeIf { money.isPaying(account) },
            getString(R.string.call_back_asks).takeIf { money.isCalling(account) }
        ) + money.outcomes(account).mapNotNull(words::outcome)
        val look = R.string.money_look.takeIf { offers.balance && money.isInDoubt(account) }
        val card = Notice.Card(lines.joinToString("\n"), button = look) { refresh() }
        notice.show(card.takeIf { lines.isNotEmpty() })
    }

    private fun actions(offers: MoneyOffers) = listOfNotNull(
        Details.Action(R.drawable.ic_refresh, R.string.money_refresh) { refresh() }.takeIf { offers.balance },
        Details.Action(R.drawable.ic_clock, R.string.money_minutes, R.string.money_minutes_heard) {
            ask(MINUTES, R.string.money_minutes_heard, wanted.orEmpty())
        }.takeIf { offers.minutes },
        Details.Action(R.drawable.ic_card, R.string.top_up) { startActivity(TopUpActivity.intent(this, account)) }
            .takeIf { offers.topUp && !money.isPaying(account) },
        Details.Action(R.drawable.ic_call_back, R.string.call_back) { askWhomToCall("") }.takeIf { offers.callBack }
    )

    private fun askWhomToCall(number: String) = ask(CALL_BACK, R.string.call_back_whom, number)

    private fun ask(what: String, title: Int, number: String) =
        prompt.ask(Prompt.Question(what, getString(title), getString(R.string.messages_to), number, number = true))

    private fun refresh() {
        app.core.ask { refreshBalance(account) }.onSuccess {
            asking = true
            show()
        }.onFailure(::wrong)
    }

    private fun askForMinutes(number: String) {
        app.core.ask { minutesTo(account, number) }.onSuccess {
            wanted = number
            show()
        }.onFailure(::wrong)
    }

    private fun callBack(number: String) {
        app.core.callBack(account, number).onSuccess { show() }.onFailure(::wrong)
    }

    private fun setUp() = startActivity(BalanceActivity.intent(this, account))

    /** Its number, where there are others. */
    private fun whose() = app.core.accounts.takeIf { it.size > 1 }?.find { it.account == account }
        ?.let { Numbers.shown(it.number) }

    companion object {
        private const val ACCOUNT = "account"
        private const val TO = "to"
        private const val WANTED = "wanted"
        private const val MINUTES = "minutes"
        private const val CALL_BACK = "call_back"
        private val NOTHING = MoneyOffers(balance = false, minutes = false, topUp = false, callBack = false)

        fun intent(context: Context, account: UInt) =
            Intent(context, MoneyActivity::class.java).putExtra(ACCOUNT, account.toInt())

        /** With the question whom to call back: that number, unless the user says another. */
        fun callBack(context: Context, account: UInt, number: String): Intent =
            intent(context, account).putExtra(TO, number)
    }
}
