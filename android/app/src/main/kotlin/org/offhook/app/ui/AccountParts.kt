package org.offhook.app.ui

import android.app.Activity
import android.content.Intent
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.AccountSettings
import org.offhook.core.NetworkLimit

/** The rows of a kept account that lead to the screens of its parts, each with how it stands now. */
class AccountParts(private val activity: Activity) {
    private class Row(val title: Int, val stands: String, val opens: Intent)

    private val core get() = OffhookApp.of(activity).core
    private val rows: ViewGroup = activity.findViewById(R.id.part_rows)

    /** Null: there is no account yet, and so nothing to change. */
    fun show(account: UInt?, settings: AccountSettings?) {
        val kept = account != null && settings != null
        activity.findViewById<View>(R.id.parts).visibility = if (kept) View.VISIBLE else View.GONE
        if (account == null || settings == null) return
        // How numbers are written is read from a disk when that is first asked for.
        core.later({ settings.callerId?.number?.takeIf(String::isNotEmpty)?.let(::shownNumber) }) { number ->
            if (!activity.isDestroyed) show(rows(account, settings, number.getOrNull()))
        }
    }

    private fun show(all: List<Row>) {
        rows.removeAllViews()
        all.forEach { row ->
            val view = activity.layoutInflater.inflate(R.layout.account_part, rows, false)
            view.findViewById<TextView>(R.id.row_title).setText(row.title)
            view.findViewById<TextView>(R.id.row_below).text = row.stands
            view.setOnClickListener { activity.startActivity(row.opens) }
            rows.addView(view)
        }
    }

    private fun rows(account: UInt, settings: AccountSettings, number: String?) = listOf(
        caller(account, settings, number),
        voice(account, settings),
        plan(account, settings),
        networks(account, settings)
    )

    private fun caller(account: UInt, settings: AccountSettings, number: String?) = Row(
        R.string.caller_title,
        when {
            settings.callerId?.hide == true -> activity.getString(R.string.caller_is_hidden)
            number != null -> activity.getString(R.string.caller_shows, Numbers.leftToRight(number))
            else -> activity.getString(R.string.caller_is_own)
        },
        PartScreen.intent<CallerIdActivity>(activity, account)
    )

    private fun voice(account: UInt, settings: AccountSettings) = Row(
        R.string.voice_title,
        settings.codecs.joinToString(", ").ifEmpty { activity.getString(R.string.part_automatic) },
        PartScreen.intent<VoiceActivity>(activity, account)
    )

    private fun plan(account: UInt, settings: AccountSettings) = Row(
        R.string.plan_title,
        settings.dialPlan.size.let {
            if (it == 0) {
                activity.getString(R.string.plan_none)
            } else {
                activity.resources.getQuantityString(R.plurals.plan_rules, it, it)
            }
        },
        PlanActivity.intent(activity, account)
    )

    private fun networks(account: UInt, settings: AccountSettings): Row {
        val limit = when (settings.networks) {
            null -> R.string.networks_is_any
            NetworkLimit.ASK_ROAMING -> R.string.networks_is_ask
            NetworkLimit.WIFI_ONLY -> R.string.networks_wifi
        }
        val words = listOfNotNull(limit, R.string.emergency_is_on.takeIf { settings.emergency })
        return Row(
            R.string.networks_title,
            words.joinToString(" · ", transform = activity::getString),
            PartScreen.intent<NetworksActivity>(activity, account)
        )
    }
}
