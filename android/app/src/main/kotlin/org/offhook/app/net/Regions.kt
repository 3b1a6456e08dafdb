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
 * A device that knows neither a SIM nor a mobile network is where its language is spoken, for want of better.
 */
class Regions(private val context: Context, private val core: Core) {
    private val telephony = context.getSystemService(TelephonyManager::class.java)

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
        val card = telephony?.simCountryIso.orEmpty().uppercase(Locale.ROOT)
        val around = telephony?.networkCountryIso.orEmpty().uppercase(Locale.ROOT)
        val spoken = if (card.isEmpty() && around.isEmpty()) Locale.getDefault().country else ""
        core.later({ setRegion(spoken, card, around) })
    }
}
