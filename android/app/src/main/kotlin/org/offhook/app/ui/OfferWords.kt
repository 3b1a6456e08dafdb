package org.offhook.app.ui

import android.content.Context
import org.offhook.app.R
import org.offhook.core.About
import org.offhook.core.ProposalLine

/** What is to be known of an account before it is taken, in words. What of it is dangerous is the core's to say. */
object OfferWords {
    /** What of it is of a later core than these words is said in English. */
    fun of(context: Context, line: ProposalLine): String =
        words[line.about]?.let { context.getString(it, Numbers.isolated(Numbers.clean(line.subject))) }
            ?: Numbers.isolated(Numbers.clean(line.sentence))

    private val words = mapOf(
        About.ACCOUNT to R.string.offer_account,
        About.PROVIDER to R.string.offer_provider,
        About.SOURCE to R.string.offer_source,
        About.PROXY to R.string.offer_proxy,
        About.DISPLAY_NAME to R.string.offer_display_name,
        About.PASSWORD to R.string.offer_password,
        About.NO_PASSWORD to R.string.offer_no_password,
        About.SIGNALLING_ENCRYPTED to R.string.offer_signalling_encrypted,
        About.SIGNALLING_CLEAR to R.string.offer_signalling_clear,
        About.SIGNALLING_DISGUISED to R.string.offer_signalling_disguised,
        About.CALLS_ENCRYPTED to R.string.offer_calls_encrypted,
        About.CALLS_MAY_BE_CLEAR to R.string.offer_calls_may_be_clear,
        About.CALLS_CLEAR to R.string.offer_calls_clear,
        About.KEYS_IN_CLEAR to R.string.offer_keys_in_clear,
        About.PINNED_CERTIFICATE to R.string.offer_pinned,
        About.OWN_AUTHORITY to R.string.offer_own_authority,
        About.OWN_SIGNERS to R.string.offer_own_signers,
        About.RELAY to R.string.offer_relay,
        About.CALLER_ID to R.string.offer_caller_id,
        About.NUMBER_HIDDEN to R.string.offer_number_hidden,
        About.BALANCE to R.string.offer_balance,
        About.MINUTES to R.string.offer_minutes,
        About.NUMBERS_ELSEWHERE to R.string.offer_numbers_elsewhere,
        About.TOP_UP to R.string.offer_top_up,
        About.CARD_IN_CLEAR to R.string.offer_card_in_clear,
        About.CALL_BACK to R.string.offer_call_back,
        About.MAILBOX to R.string.offer_mailbox,
        About.PASSWORD_ELSEWHERE to R.string.offer_password_elsewhere,
        About.PASSWORD_IN_CLEAR to R.string.offer_password_in_clear,
        About.DIAL_PLAN to R.string.offer_dial_plan,
        About.EMERGENCY_CHANGED to R.string.offer_emergency_changed,
        About.EMERGENCY_MADE to R.string.offer_emergency_made,
        About.ONE_NUMBER to R.string.offer_one_number,
        About.EMERGENCY_BY_SIP to R.string.offer_emergency_by_sip,
        About.DEFAULT to R.string.offer_default,
        About.KNOWN_ADDRESS to R.string.offer_known_address,
        About.UNKNOWN to R.string.offer_unknown
    )
}
