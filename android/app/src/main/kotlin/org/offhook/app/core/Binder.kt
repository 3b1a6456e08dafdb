package org.offhook.app.core

import android.net.Network
import android.os.Build
import android.os.ParcelFileDescriptor
import java.io.IOException
import java.util.concurrent.ConcurrentHashMap
import org.offhook.core.SocketBinder

/**
 * Binds the core's sockets to the network that it uses, by the handle it was told. Called from the core's threads.
 *
 * Before Android 9 a handle cannot be turned into a network, so those of the day are remembered.
 */
class Binder : SocketBinder {
    private val known = ConcurrentHashMap<Long, Network>()

    fun remember(network: Network) {
        known[network.networkHandle] = network
    }

    fun forget(network: Network) {
        known.remove(network.networkHandle)
    }

    override fun bind(socket: Int, network: Long): Boolean {
        val bound = known[network] ?: if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) {
            Network.fromNetworkHandle(network)
        } else {
            return false
        }
        return try {
            // A copy of the descriptor: the socket stays the core's to close.
            ParcelFileDescriptor.fromFd(socket).use { bound.bindSocket(it.fileDescriptor) }
            true
        } catch (_: IOException) {
            false
        }
    }

    companion object {
        val OF_PROCESS = Binder()
    }
}
