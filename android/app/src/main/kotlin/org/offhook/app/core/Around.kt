package org.offhook.app.core

import org.offhook.core.Event

/**
 * What stands around calls, as the core told it last: missed calls, unread messages, voicemail, balances.
 *
 * Rows and texts are not kept here: a screen that shows them reads them.
 */
class Around {
    /** Missed calls that the user has not seen. */
    var missed = 0u
        private set

    /** Messages that the user has not seen. */
    var unread = 0u
        private set

    private val mailboxes = sortedMapOf<UInt, Event.Voicemail>()
    private val balances = sortedMapOf<UInt, Event.Balance>()

    /** What providers were asked to do for money. */
    val money = Money()

    /** What waits at an account's provider; null: it has not said. */
    fun voicemail(account: UInt): Event.Voicemail? = mailboxes[account]

    /** What was told of an account's balance in this process; null: nothing. */
    fun balance(account: UInt): Event.Balance? = balances[account]

    fun take(event: Event) {
        when (event) {
            is Event.CallLog -> missed = event.unseen
            is Event.Messages -> unread = event.unseen
            is Event.Voicemail -> mailboxes[event.account] = event
            is Event.Balance -> {
                val before = balances.put(event.account, event)?.balance?.amount
                if (before != null && before != event.balance?.amount) money.moved(event.account)
            }
            else -> money.take(event)
        }
    }

    fun forget(account: UInt) {
        mailboxes.remove(account)
        money.forget(account)
        forgetBalance(account)
    }

    /** It is not asked for any more. */
    fun forgetBalance(account: UInt) {
        balances.remove(account)
    }
}
