package org.offhook.app.net

import android.annotation.SuppressLint
import android.content.Context
import android.os.Build
import android.telephony.SubscriptionInfo
import android.telephony.SubscriptionManager
import android.telephony.TelephonyManager
import org.offhook.app.core.Core
import org.offhook.app.ui.Permission
import org.offhook.core.CardNumber
import org.offhook.core.NumberFrom

/**
 * Tells the core which numbers the platform knows to be the user's own, once they have allowed that.
 *
 * What the platform says of a card may be empty or wrong; which of it is a number is the core's to say.
 */
class Cards(private val context: Context, private val core: Core) {
    private val cards = context.getSystemService(SubscriptionManager::class.java)

    /** Tells what is known now; and what changes from now on, as soon as it may be read. */
    fun read(then: () -> Unit = {}) {
        val numbers = if (Permission.PHONE_NUMBERS.given(context)) numbers() else emptyList()
        core.later({ setOwnNumbers(numbers) }) { then() }
    }

    @SuppressLint("MissingPermission") // asked for above
    private fun numbers(): List<CardNumber> = try {
        cards?.activeSubscriptionInfoList.orEmpty().flatMap(::of)
    } catch (_: SecurityException) {
        // It was taken back in between.
        emptyList()
    } catch (_: UnsupportedOperationException) {
        // From Android 15 on, where there is no telephony.
        emptyList()
    }

    @SuppressLint("MissingPermission")
    private fun of(card: SubscriptionInfo): List<CardNumber> {
        val name = card.displayName?.toString().orEmpty().ifEmpty { card.carrierName?.toString().orEmpty() }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.TIRAMISU) {
            val sources = listOf(
                SubscriptionManager.PHONE_NUMBER_SOURCE_IMS to NumberFrom.NETWORK,
                SubscriptionManager.PHONE_NUMBER_SOURCE_CARRIER to NumberFrom.CARRIER,
                SubscriptionManager.PHONE_NUMBER_SOURCE_UICC to NumberFrom.CARD
            )
            return sources.map { (source, from) ->
                CardNumber(cards.getPhoneNumber(card.subscriptionId, source), from, name)
            }.filter { it.number.isNotEmpty() }
        }
        val telephony = context.getSystemService(TelephonyManager::class.java)
            ?.createForSubscriptionId(card.subscriptionId)

        @Suppress("DEPRECATION", "HardwareIds")
        val number = telephony?.line1Number ?: card.number
        return listOfNotNull(number?.takeIf(String::isNotEmpty)?.let { CardNumber(it, NumberFrom.CARD, name) })
    }
}
