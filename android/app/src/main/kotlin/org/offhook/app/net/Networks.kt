package org.offhook.app.net

import android.content.Context
import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import android.net.NetworkRequest
import android.os.Build
import android.os.Handler
import android.os.Looper
import android.telephony.SubscriptionManager
import android.telephony.TelephonyManager
import org.offhook.app.core.Binder
import org.offhook.app.core.Core
import org.offhook.core.NetworkKind

/**
 * Tells the core of the networks that lead to the internet, and of each again when it changes.
 *
 * The platform tells a network's abilities and its addresses apart and often; the core is told once both are known, and
 * then only of what differs. Which of them is used, and what a change means for calls, is the core's. Beside Wi-Fi a mobile
 * network is there only while somebody asks for it: see [Standby].
 */
class Networks(context: Context, private val core: Core, private val binder: Binder = Binder.OF_PROCESS) {
    private val connectivity = context.getSystemService(ConnectivityManager::class.java)
    private val telephony: TelephonyManager? = context.getSystemService(TelephonyManager::class.java)
    private val seen = LinkedHashMap<Network, Seen>()
    private val told = LinkedHashMap<Network, org.offhook.core.Network>()

    private class Seen(var abilities: NetworkCapabilities? = null, var link: LinkProperties? = null) {
        fun has(ability: Int) = abilities?.hasCapability(ability) == true

        val isVpn get() = abilities?.hasTransport(NetworkCapabilities.TRANSPORT_VPN) == true
    }

    fun watch() {
        val request = NetworkRequest.Builder()
            .addCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET)
            .removeCapability(NetworkCapabilities.NET_CAPABILITY_NOT_VPN)
            .build()
        connectivity.registerNetworkCallback(request, Callback(), Handler(Looper.getMainLooper()))
        // Of having none, a callback says nothing.
        if (connectivity.activeNetwork == null) core.ask { networkDown() }
    }

    private inner class Callback : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) {
            binder.remember(network)
            seen[network] = Seen()
        }

        override fun onCapabilitiesChanged(network: Network, networkCapabilities: NetworkCapabilities) {
            seen[network]?.abilities = networkCapabilities
            tell()
        }

        override fun onLinkPropertiesChanged(network: Network, linkProperties: LinkProperties) {
            seen[network]?.link = linkProperties
            tell()
        }

        override fun onLost(network: Network) {
            binder.forget(network)
            seen -= network
            tell()
        }
    }

    private fun tell() {
        val there = usable().mapNotNull { (network, it) ->
            network to picture(network, it.abilities ?: return@mapNotNull null, it.link ?: return@mapNotNull null)
        }.toMap()
        // What comes is told before what goes: calls move from the one to the other.
        for ((network, picture) in there) {
            if (told.put(network, picture) != picture) core.ask { networkAppeared(picture) }
        }
        for (gone in told.keys - there.keys) {
            told -= gone
            core.ask { networkVanished(gone.networkHandle) }
        }
    }

    /**
     * Only a VPN that is for this app is seen, and then it is the app's default network: while one is there it counts alone,
     * and what carries it does not. To go round it would show to the world the address that its user hides, and one that
     * may not be gone round refuses the sockets.
     *
     * Behind a log-in page there is no internet, whatever was promised: such a network counts once the page is passed.
     */
    private fun usable(): Map<Network, Seen> {
        val open = seen.filterValues { !it.has(NetworkCapabilities.NET_CAPABILITY_CAPTIVE_PORTAL) }
        return open.filterValues { it.isVpn && it.link != null }.ifEmpty { open }
    }

    private fun picture(network: Network, abilities: NetworkCapabilities, link: LinkProperties) =
        org.offhook.core.Network(
            handle = network.networkHandle,
            kind = when {
                // A VPN over Wi-Fi has both transports.
                abilities.hasTransport(NetworkCapabilities.TRANSPORT_VPN) -> NetworkKind.OTHER
                abilities.hasTransport(NetworkCapabilities.TRANSPORT_WIFI) -> NetworkKind.WIFI
                abilities.hasTransport(NetworkCapabilities.TRANSPORT_CELLULAR) -> NetworkKind.CELLULAR
                abilities.hasTransport(NetworkCapabilities.TRANSPORT_ETHERNET) -> NetworkKind.ETHERNET
                else -> NetworkKind.OTHER
            },
            addresses = link.linkAddresses.mapNotNull { it.address.hostAddress },
            nameServers = link.dnsServers.mapNotNull { it.hostAddress },
            metered = !abilities.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED),
            roaming = Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
                !abilities.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_ROAMING),
            nat64 = nat64(link),
            gateways = link.routes.filter { it.isDefaultRoute }.mapNotNull { it.gateway?.hostAddress }.distinct(),
            domain = link.domains.orEmpty(),
            operator = if (abilities.hasTransport(NetworkCapabilities.TRANSPORT_CELLULAR)) operator() else ""
        )

    /** The code of the operator whose card data goes by: nobody has to permit that. The name of a Wi-Fi is a place. */
    private fun operator(): String {
        val card = SubscriptionManager.getDefaultDataSubscriptionId()
        return telephony?.createForSubscriptionId(card)?.simOperator.orEmpty()
    }

    /** How IPv4 is reached from a network that has none; empty: the platform has found no way, or does not say. */
    private fun nat64(link: LinkProperties): String {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.R) return ""
        return link.nat64Prefix?.let { "${it.address.hostAddress}/${it.prefixLength}" }.orEmpty()
    }
}
