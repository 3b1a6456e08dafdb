package org.offhook.app.ui

import android.content.Context
import org.offhook.app.R
import org.offhook.core.AccountInfo
import org.offhook.core.AccountView

/** How an account looks among others: what it is called, a mark whose shape and colour say how it stands, and words. */
data class AccountFace(val title: String, val mark: Int, val colour: Int, val words: List<Words>) {
    /** Below its name, on the screen. */
    fun below(context: Context) = words.joinToString("\n") { it.said(context) }

    /** All of it, to be heard. */
    fun heard(context: Context) = (listOf(title) + words.map { it.said(context) }).joinToString(", ")

    /** Whether calls that name no account go by it. */
    enum class Calls(val words: Int?) {
        /** They do. */
        USUALLY(R.string.accounts_usual),

        /** They do while the one that they should go by does not register. */
        FOR_NOW(R.string.accounts_usual_now),

        /** They should, and do not now. */
        NOT_NOW(R.string.accounts_usual_not_now),

        /** They go by another, or there is no other. */
        NOT(null);

        companion object {
            /** [next]: by which account the next call goes. */
            fun of(account: AccountInfo, next: UInt?) = when {
                account.account == next -> if (account.default) USUALLY else FOR_NOW
                account.default && account.enabled && account.trouble == null -> NOT_NOW
                else -> NOT
            }
        }
    }

    companion object {
        /** What the user calls it. */
        fun title(account: AccountInfo) = Numbers.title(account.name, account.number)

        /** [view]: how it fares; null: nothing is told of it. [lost]: its password is. */
        fun of(account: AccountInfo, view: AccountView?, lost: Boolean, calls: Calls): AccountFace {
            val usual = listOfNotNull(calls.words?.let { Words(it) })
            val title = title(account)
            return when {
                account.trouble != null ->
                    AccountFace(title, R.drawable.ic_warn, R.color.error, listOf(Words(R.string.accounts_damaged)))

                !account.enabled ->
                    AccountFace(title, R.drawable.ic_pause, R.color.idle, listOf(Words(R.string.accounts_off)))

                lost ->
                    AccountFace(
                        title,
                        R.drawable.ic_failed,
                        R.color.error,
                        usual + Words(R.string.account_password_lost)
                    )

                view == null ->
                    AccountFace(title, R.drawable.ic_waiting, R.color.idle, usual + Words(R.string.accounts_not_begun))

                else -> Registration.of(view).let {
                    AccountFace(title, markOf(it), it.colour, usual + listOfNotNull(it.words, it.trouble?.sentence))
                }
            }
        }

        private fun markOf(it: Registration) = when (it.colour) {
            R.color.accent -> R.drawable.ic_done
            R.color.error -> R.drawable.ic_failed
            else -> R.drawable.ic_waiting
        }
    }
}
