package org.offhook.app.core

import org.offhook.core.Came
import org.offhook.core.Event

/**
 * What providers were asked to do for money, and what they told last; it outlives the screen that asked.
 *
 * A card that is under way is known until its answer comes, so that nobody pays it in once more by mistake.
 */
class Money {
    private val paying = HashSet<UInt>()
    private val calling = HashSet<UInt>()
    private val paid = HashMap<UInt, Event.ToppedUp>()
    private val called = HashMap<UInt, Event.CallBack>()
    private var minutes: Event.Minutes? = null

    /** A card is on its way to an account's provider, and no answer came yet. */
    fun isPaying(account: UInt) = account in paying

    /** An account's provider is asked for a call, and no answer came yet. */
    fun isCalling(account: UInt) = account in calling

    /** What came of the last card and of the last call back, and was not seen yet. */
    fun outcomes(account: UInt): List<Event> = listOfNotNull(paid[account], called[account])

    /** Nobody knows whether the last card was paid in. */
    fun isInDoubt(account: UInt) = paid[account]?.came == Came.IN_DOUBT

    /** What was told of that number last, as it was typed; the core tells it once while it is fresh. */
    fun minutes(account: UInt, number: String): Event.Minutes? =
        minutes?.takeIf { it.account == account && it.number == number }

    /** A card is paid in. */
    fun pays(account: UInt) {
        paying += account
        paid -= account
    }

    /** A call is asked for. */
    fun calls(account: UInt) {
        calling += account
        called -= account
    }

    /** What came was seen. A card in doubt is so until the balance [was looked at][looked]. */
    fun seen(account: UInt) {
        if (!isInDoubt(account)) paid -= account
        called -= account
    }

    /** The balance was asked for since, and told. */
    fun looked(account: UInt) {
        paid -= account
    }

    /** What is left is another, and so is for how long that is enough. */
    fun moved(account: UInt) {
        if (minutes?.account == account) minutes = null
    }

    fun take(event: Event) {
        when (event) {
            is Event.Minutes -> minutes = event

            is Event.ToppedUp -> {
                paying -= event.account
                paid[event.account] = event
            }

            is Event.CallBack -> {
                calling -= event.account
                called[event.account] = event
            }

            else -> Unit
        }
    }

    fun forget(account: UInt) {
        paying -= account
        calling -= account
        paid -= account
        called -= account
        moved(account)
    }
}
