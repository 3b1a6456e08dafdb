package org.offhook.app.audio

import android.annotation.TargetApi
import android.bluetooth.BluetoothDevice
import android.content.Context
import android.os.Build
import android.os.OutcomeReceiver
import android.telecom.CallAudioState
import android.telecom.CallEndpoint
import android.telecom.CallEndpointException
import android.telecom.Connection
import org.offhook.app.audio.AudioRoutes.Kind
import org.offhook.app.audio.AudioRoutes.Route

/** The routes of telecom's calls: a mask until Android 13, endpoints from 14 on. They are the same for all its calls. */
class TelecomRoutes(private val context: Context, private val changed: () -> Unit) : AudioRoutes.Source {
    override var routes = emptyList<Route>()
        private set
    override var current: Route? = null
        private set

    /** Whose word was last, and who takes a choice. */
    private var connection: Connection? = null
    private var choices = emptyMap<String, (Connection) -> Unit>()

    override fun choose(route: Route) {
        val connection = connection ?: return
        choices[route.id]?.invoke(connection)
    }

    fun gone(gone: Connection) {
        if (connection != gone) return
        connection = null
        set(emptyMap())
        current = null
        changed()
    }

    @Suppress("DEPRECATION") // until Android 13
    fun stateOf(from: Connection, state: CallAudioState) {
        connection = from
        val all = LinkedHashMap<Route, (Connection) -> Unit>()
        MASK.filterKeys { state.supportedRouteMask and it != 0 }.forEach { (mask, kind) ->
            all[Route("route $mask", kind, "")] = { it.setAudioRoute(mask) }
        }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P && state.supportedBluetoothDevices.isNotEmpty()) {
            all.keys.removeAll { it.kind == Kind.BLUETOOTH }
            state.supportedBluetoothDevices.forEach { device -> all[of(device)] = { it.requestBluetoothAudio(device) } }
        }
        set(all)
        val active = if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.P) state.activeBluetoothDevice else null
        val kind = MASK[state.route]
        current = routes.find { it.kind == kind && (active == null || kind != Kind.BLUETOOTH || it == of(active)) }
        changed()
    }

    @TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
    fun endpointsOf(from: Connection, endpoints: List<CallEndpoint>) {
        connection = from
        val before = current?.id
        set(endpoints.associate { of(it) to { connection -> request(connection, it) } })
        current = routes.find { it.id == before }
        changed()
    }

    @TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
    fun endpointOf(from: Connection, endpoint: CallEndpoint) {
        connection = from
        current = of(endpoint)
        changed()
    }

    private fun set(all: Map<Route, (Connection) -> Unit>) {
        routes = all.keys.sortedBy { it.kind }
        choices = all.mapKeys { it.key.id }
    }

    @TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
    private fun request(connection: Connection, endpoint: CallEndpoint) = connection.requestCallEndpointChange(
        endpoint,
        context.mainExecutor,
        object : OutcomeReceiver<Void, CallEndpointException> {
            override fun onResult(result: Void?) = Unit

            // Where it stays is shown as before.
            override fun onError(error: CallEndpointException) = changed()
        }
    )

    @TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
    private fun of(endpoint: CallEndpoint): Route {
        val kind = when (endpoint.endpointType) {
            CallEndpoint.TYPE_EARPIECE -> Kind.EARPIECE
            CallEndpoint.TYPE_SPEAKER -> Kind.SPEAKER
            CallEndpoint.TYPE_WIRED_HEADSET -> Kind.WIRED
            CallEndpoint.TYPE_BLUETOOTH -> Kind.BLUETOOTH
            else -> Kind.OTHER
        }
        val named = kind == Kind.BLUETOOTH || kind == Kind.OTHER
        return Route(endpoint.identifier.toString(), kind, if (named) endpoint.endpointName.toString() else "")
    }

    /** Its name needs a permission from Android 12 on, which the user may not have given. */
    private fun of(device: BluetoothDevice): Route {
        val name = try {
            device.name
        } catch (_: SecurityException) {
            null
        }
        return Route("bluetooth ${device.address}", Kind.BLUETOOTH, name.orEmpty())
    }

    private companion object {
        @Suppress("DEPRECATION")
        val MASK = mapOf(
            CallAudioState.ROUTE_EARPIECE to Kind.EARPIECE,
            CallAudioState.ROUTE_SPEAKER to Kind.SPEAKER,
            CallAudioState.ROUTE_WIRED_HEADSET to Kind.WIRED,
            CallAudioState.ROUTE_BLUETOOTH to Kind.BLUETOOTH
        )
    }
}
