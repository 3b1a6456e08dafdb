package org.offhook.app.net

import android.content.Context
import android.net.ConnectivityManager
import android.net.NetworkCapabilities
import android.net.NetworkRequest
import org.offhook.app.core.Core
import org.offhook.core.CallView

/**
 * Keeps a mobile network beside the Wi-Fi while people talk: a call that walks out of the door has somewhere to go at once.
 *
 * Outside of calls none is asked for, as it costs battery. Whether it is used is the core's to say, which hears of it from
 * [Networks]; where the user has switched mobile data off, none comes.
 */
class Standby(context: Context, private val core: Core) : Core.Listener {
    private val connectivity = context.getSystemService(ConnectivityManager::class.java)
    private var asked: ConnectivityManager.NetworkCallback? = null

    init {
        core.listen(this)
    }

    override fun callChanged(view: CallView) {
        val talking = core.calls.any { it.answeredMs != null }
        if (talking && asked == null) ask()
        if (!talking) release()
    }

    private fun ask() {
        val mobile = NetworkRequest.Builder()
            .addTransportType(NetworkCapabilities.TRANSPORT_CELLULAR)
            .addCapability(NetworkCapabilities.NET_CAPABILITY_INTERNET)
            .build()
        // What comes of it is told where all networks are.
        asked = ConnectivityManager.NetworkCallback().also { connectivity.requestNetwork(mobile, it) }
    }

    private fun release() {
        asked?.let(connectivity::unregisterNetworkCallback)
        asked = null
    }
}
