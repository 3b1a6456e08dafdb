package org.offhook.app.audio

import android.content.Context

/**
 * By which ways a call can be heard, and which it is heard by: told by telecom for a call that it knows of, else by the
 * platform's sound itself. Chooses nothing: the platform prefers what was plugged in last, the user has the last word.
 */
class AudioRoutes(context: Context) {
    enum class Kind { EARPIECE, SPEAKER, WIRED, BLUETOOTH, OTHER }

    /** One way to hear a call. [name] is the device's own, empty where it has none or may not be known. */
    data class Route(val id: String, val kind: Kind, val name: String)

    fun interface Listener {
        fun routesChanged()
    }

    /** Somebody who knows routes. */
    interface Source {
        val routes: List<Route>
        val current: Route?

        fun choose(route: Route)
    }

    /** Who has the calls, and so deals with sound that another app takes. */
    interface Owner {
        /** Another app has the sound for good. */
        fun soundLost()

        /** It is back after a moment. */
        fun soundBack()
    }

    var owner: Owner? = null

    /** For telecom's connections to tell of theirs. */
    val ofTelecom = TelecomRoutes(context) { tell() }
    private val ofPlatform = PlatformRoutes(context) { tell() }
    private val focus = Focus(context, { owner?.soundLost() }, { owner?.soundBack() })
    private val listeners = LinkedHashSet<Listener>()

    private val source: Source get() = if (ofTelecom.routes.isNotEmpty()) ofTelecom else ofPlatform

    val routes: List<Route> get() = source.routes

    val current: Route? get() = source.current

    fun choose(route: Route) = source.choose(route)

    fun listen(listener: Listener) {
        listeners += listener
    }

    fun ignore(listener: Listener) {
        listeners -= listener
    }

    /** Whether a call is heard, and whether telecom knows it and so holds the sound for it. */
    fun callsChanged(heard: Boolean, byTelecom: Boolean) {
        if (heard && !byTelecom) focus.take() else focus.give()
        if (heard && !byTelecom) ofPlatform.begin() else ofPlatform.end()
    }

    private fun tell() = listeners.toList().forEach { it.routesChanged() }
}
