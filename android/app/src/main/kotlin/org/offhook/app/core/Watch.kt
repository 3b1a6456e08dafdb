package org.offhook.app.core

import org.offhook.core.AccountView
import org.offhook.core.Event
import org.offhook.core.PresenceState
import org.offhook.core.WatchedFavourite

/**
 * Has the core watch the favourites, and keeps how they are: the newest of each.
 *
 * The core says who is watched; it is asked again whenever the phone book or the accounts are others than before.
 */
class Watch(private val core: Core) : Core.Listener {
    private var those = listOf<WatchedFavourite>()
    private val states = HashMap<String, PresenceState>()
    private var accounts = listOf<UInt>()

    /** How a contact is; null: they are not watched, or nobody says. */
    fun of(contact: ULong): PresenceState? = those.filter { it.contact == contact }
        .mapNotNull { states[it.who] }.filter { it != PresenceState.UNKNOWN }.minOrNull()

    /** Begins to. */
    fun begin() {
        core.listen(this)
        accounts = core.accounts.map(AccountView::account)
        ask()
    }

    override fun accountChanged(view: AccountView) {
        val now = core.accounts.map(AccountView::account)
        if (now == accounts) return
        accounts = now
        ask()
    }

    override fun moment(event: Event) {
        when (event) {
            // The default account may be another, and it is the one that watches.
            is Event.Contacts, is Event.Accounts -> ask()
            is Event.Presence -> states[event.who] = event.state
            else -> Unit
        }
    }

    private fun ask() = core.later({ watchFavourites() }) { result ->
        result.onSuccess { watched ->
            those = watched
            states.keys.retainAll(watched.map(WatchedFavourite::who).toSet())
        }
    }
}
