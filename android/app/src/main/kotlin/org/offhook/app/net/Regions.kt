package org.offhook.app.net

import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import android.content.IntentFilter
import android.os.Build
import android.telephony.TelephonyManager
import java.util.Locale
import org.offhook.app.core.Core

/**
 * Tells the core in which countries the phone is at home and around, by which it reads numbers and knows emergency calls.
 *
 * What the user has set stands above the card's country, that above the network's. A device that knows none of them is where
 * its language is spoken, for want of better.
 */
class Regions(private val context: Context, private val core: Core) {
    private val telephony = context.getSystemService(TelephonyManager::class.java)
    private val kept = context.getSharedPreferences("regions", Context.MODE_PRIVATE)

    /** Where a country is known from. */
    enum class From { CARD, NETWORK, LANGUAGE }

    /** What the user has set, by its two letters; empty: nothing. */
    var setting: String
        get() = kept.getString(SETTING, "").orEmpty()
        set(value) {
            kept.edit().putString(SETTING, value).apply()
            tell()
        }

    /** What holds where nothing is set: the country's two letters, perhaps none, and where it is known from. */
    val automatic: Pair<String, From> get() = when {
        card.isNotEmpty() -> card to From.CARD
        around.isNotEmpty() -> around to From.NETWORK
        else -> Locale.getDefault().country to From.LANGUAGE
    }

    private val card get() = telephony?.simCountryIso.orEmpty().uppercase(Locale.ROOT)
    private val around get() = telephony?.networkCountryIso.orEmpty().uppercase(Locale.ROOT)

    fun watch() {
        tell()
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.Q) return
        val moved = object : BroadcastReceiver() {
            override fun onReceive(context: Context, intent: Intent) = tell()
        }
        val moves = IntentFilter(TelephonyManager.ACTION_NETWORK_COUNTRY_CHANGED)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            context.registerReceiver(moved, moves, Context.RECEIVER_NOT_EXPORTED)
        } else {
            context.registerReceiver(moved, moves)
        }
    }

    private fun tell() {
        val card = card
        val around = around
        val spoken = if (card.isEmpty() && around.isEmpty()) Locale.getDefault().country else ""
        val home = setting.ifEmpty { spoken }
        core.later({ setRegion(home, card, around) })
    }

    private companion object {
        const val SETTING = "setting"
    }
}
