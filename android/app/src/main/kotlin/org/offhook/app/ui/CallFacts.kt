package org.offhook.app.ui

import android.content.Context
import android.text.format.DateUtils
import java.io.File
import java.text.NumberFormat
import org.offhook.app.R
import org.offhook.core.Attest
import org.offhook.core.CallRecord
import org.offhook.core.Encrypted
import org.offhook.core.Said
import org.offhook.core.Side

/** All that is known of a call that was, each fact with its name, in the language of the device. */
class CallFacts(private val context: Context, private val words: LogWords) {
    /** [account]: what the account that it went over is called here. */
    fun of(call: CallRecord, account: String): List<Pair<String, String>> = listOfNotNull(
        label(R.string.fact_when) to words.moment(call.startedMs),
        label(R.string.fact_kind) to words.way(call),
        waited(call)?.let { label(R.string.fact_waited) to it },
        call.talkedMs?.let { label(R.string.fact_talked) to elapsed(it) },
        why(call)?.let { label(R.string.fact_why) to it },
        call.status?.let { label(R.string.fact_status) to context.getString(R.string.fact_status_sip, "$it") },
        call.name?.let { label(R.string.fact_name) to "${Numbers.isolated(Numbers.clean(it))}\n${named(call)}" },
        call.remote.takeIf(String::isNotBlank)?.let { label(R.string.fact_address) to Numbers.shown(it) },
        call.saidBy?.let { label(R.string.fact_said_by) to context.getString(words(it)) },
        worth(call).takeIf(String::isNotEmpty)?.let { label(R.string.fact_worth) to it },
        account.takeIf(String::isNotBlank)?.let { label(R.string.fact_account) to Numbers.shown(it) },
        call.codec?.let { label(R.string.fact_codec) to Numbers.leftToRight(Numbers.clean(it)) },
        call.encrypted?.let { label(R.string.fact_encryption) to context.getString(words(it)) },
        call.path?.let { label(R.string.fact_path) to path(it) },
        networks(call).takeIf(String::isNotEmpty)?.let { label(R.string.fact_networks) to it },
        call.mos?.let { label(R.string.fact_mos) to context.getString(R.string.fact_mos_of, decimal(it)) },
        call.loss?.let { label(R.string.fact_loss) to percent(it) }
    )

    /** Where its recording is; null: there is none. */
    fun recording(call: CallRecord): File? = call.recording?.takeIf(String::isNotBlank)?.let(::File)

    private fun label(id: Int) = context.getString(id)

    private fun waited(call: CallRecord) = call.answeredMs?.let { elapsed(maxOf(0L, it - call.startedMs)) }

    private fun elapsed(millis: Long) = DateUtils.formatElapsedTime(millis / DateUtils.SECOND_IN_MILLIS)

    private fun why(call: CallRecord) =
        call.why?.let { context.getString(it.sentence) } ?: call.sentence?.let(Numbers::clean)

    /** Where the name is from. */
    private fun named(call: CallRecord) = context.getString(
        when {
            call.known -> R.string.name_of_contacts
            call.side == Side.IN -> R.string.name_of_caller
            else -> R.string.name_of_other
        }
    )

    private fun words(said: Said) = when (said) {
        Said.PROVIDER -> R.string.said_by_provider
        Said.SIGNER -> R.string.said_by_signer
        Said.REMOTE_PARTY -> R.string.said_by_server
        Said.CALLER -> R.string.said_by_caller
    }

    /** What the provider found of the number, and what its signature was found to be worth here. */
    private fun worth(call: CallRecord) = listOfNotNull(
        call.verified?.let { if (it) R.string.worth_right else R.string.worth_false },
        call.signature?.let { if (it.forged) R.string.worth_forged else words(it.attest) }
    ).joinToString("\n", transform = context::getString)

    private fun words(attest: Attest?) = when (attest) {
        Attest.NUMBER -> R.string.worth_number
        Attest.CUSTOMER -> R.string.worth_caller
        Attest.GATEWAY -> R.string.worth_way
        null -> R.string.worth_nothing
    }

    private fun words(encrypted: Encrypted) = when (encrypted) {
        Encrypted.NONE -> R.string.log_not_encrypted
        Encrypted.VOS_XOR -> R.string.encrypted_vos
        Encrypted.SDES -> R.string.encrypted_sdes
        Encrypted.DTLS -> R.string.encrypted_dtls
    }

    /** The core's word; another one is for those who know it. */
    private fun path(word: String) = when (word) {
        "host" -> context.getString(R.string.path_direct)
        "srflx", "prflx", "tcp-punched" -> context.getString(R.string.path_mapped)
        "relay" -> context.getString(R.string.path_relay)
        else -> Numbers.leftToRight(Numbers.clean(word))
    }

    private fun networks(call: CallRecord) = call.networks.map(::network).joinToString(" → ")

    private fun network(word: String): String = when (word) {
        "wifi" -> context.getString(R.string.network_wifi)
        "cellular" -> context.getString(R.string.network_cellular)
        "ethernet" -> context.getString(R.string.network_ethernet)
        else -> context.getString(R.string.network_other)
    }

    private fun decimal(value: Float) = NumberFormat.getNumberInstance().apply {
        minimumFractionDigits = 1
        maximumFractionDigits = 1
    }.format(value)

    private fun percent(share: Float) =
        NumberFormat.getPercentInstance().apply { maximumFractionDigits = 1 }.format(share)
}
