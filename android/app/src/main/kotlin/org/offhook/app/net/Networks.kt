package org.offhook.app.net

import android.content.Context
import android.net.ConnectivityManager
import android.net.LinkProperties
import android.net.Network
import android.net.NetworkCapabilities
import android.os.Build
import android.os.Handler
import android.os.Looper
import org.offhook.app.core.Binder
import org.offhook.app.core.Core
import org.offhook.core.NetworkKind

/**
 * Tells the core which network the device uses, whenever that changes.
 *
 * The platform tells a network's abilities and its addresses apart and often; the core is told once both are known, and
 * then only of what differs. What a change means for calls is the core's.
 */
class Networks(context: Context, private val core: Core, private val binder: Binder = Binder.OF_PROCESS) {
    private val connectivity = context.getSystemService(ConnectivityManager::class.java)
    private var network: Network? = null
    private var abilities: NetworkCapabilities? = null
    private var link: LinkProperties? = null
    private var told: org.offhook.core.Network? = null

    fun watch() {
        connectivity.registerDefaultNetworkCallback(Callback(), Handler(Looper.getMainLooper()))
        // Of having none, a callback says nothing.
        if (connectivity.activeNetwork == null) core.ask { networkDown() }
    }

    private inner class Callback : ConnectivityManager.NetworkCallback() {
        override fun onAvailable(network: Network) = begin(network)

        override fun onCapabilitiesChanged(network: Network, networkCapabilities: NetworkCapabilities) {
            begin(network)
            abilities = networkCapabilities
            tell()
        }

        override fun onLinkPropertiesChanged(network: Network, linkProperties: LinkProperties) {
            begin(network)
            link = linkProperties
            tell()
        }

        override fun onLost(network: Network) {
            binder.forget(network)
            // The successor may have been told of already.
            if (network != this@Networks.network) return
            this@Networks.network = null
            told = null
            core.ask { networkDown() }
        }
    }

    private fun begin(new: Network) {
        if (new == network) return
        network = new
        abilities = null
        link = null
        binder.remember(new)
    }

    private fun tell() {
        val picture = picture(network ?: return, abilities ?: return, link ?: return)
        if (picture == told) return
        told = picture
        core.ask { networkUp(picture) }
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
                !abilities.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_ROAMING)
        )
}
