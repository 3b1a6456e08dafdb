package org.offhook.app.ui

import org.offhook.app.R
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.Why

/** How an account stands, as every screen says it: a dot, words, and what is wrong. [off]: it is not even tried. */
data class Registration(
    val account: UInt?,
    val colour: Int,
    val words: Words,
    val off: Boolean,
    val trouble: Trouble?
) {
    /**
     * A failure: its sentence, and on the clock since boot when it is tried again; null: not by itself. [abroad]: the user is
     * to allow another country's network first.
     */
    data class Trouble(val sentence: Words, val retryMillis: Long?, val abroad: Boolean = false)

    companion object {
        /** None of those that there are is in use. */
        val NONE = Registration(null, R.color.idle, Words(R.string.accounts_none_in_use), true, null)

        fun of(view: AccountView): Registration {
            val number = Numbers.shown(view.number)
            return when (view.state) {
                AccountState.REGISTERED -> standing(view, R.color.accent, R.string.state_registered, number)

                AccountState.REGISTERING -> standing(view, R.color.warn, R.string.state_registering, number)

                AccountState.UNREGISTERED -> standing(view, R.color.idle, R.string.state_unregistered, number)

                AccountState.FAILED ->
                    standing(view, R.color.error, R.string.state_failed, number).copy(trouble = troubleOf(view))
            }
        }

        /** The one that matters where there is room for one: as the core chooses for a call. [usual]: the default one. */
        fun first(accounts: List<AccountView>, usual: UInt? = null): AccountView? {
            val default = accounts.find { it.account == usual }
            // One that is switched off registers never, and calls all the same.
            return default?.takeIf { it.state == AccountState.REGISTERED || it.state == AccountState.UNREGISTERED }
                ?: accounts.firstOrNull { it.state == AccountState.REGISTERED } ?: default ?: accounts.firstOrNull()
        }

        /** Null while nothing is wrong. */
        fun troubleOf(view: AccountView): Trouble? = if (view.state == AccountState.FAILED) {
            val why = view.why?.sentence ?: R.string.why_registration_refused
            Trouble(Words(why), view.retryMs?.toLong(), view.why == Why.ROAMING_NOT_ALLOWED)
        } else {
            null
        }

        private fun standing(view: AccountView, colour: Int, words: Int, number: String) =
            Registration(view.account, colour, Words(words, number), view.state == AccountState.UNREGISTERED, null)
    }
}
