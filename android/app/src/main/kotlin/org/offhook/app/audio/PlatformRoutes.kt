package org.offhook.app.audio

import android.annotation.TargetApi
import android.content.Context
import android.media.AudioDeviceInfo
import android.media.AudioManager
import android.os.Build
import org.offhook.app.audio.AudioRoutes.Kind
import org.offhook.app.audio.AudioRoutes.Route

/** Routes of a call that telecom does not know of: devices for communication from Android 12 on, before it the speaker. */
internal class PlatformRoutes(context: Context, private val changed: () -> Unit) : AudioRoutes.Source {
    private val sound = context.getSystemService(AudioManager::class.java)
    private var begun = false

    override val routes: List<Route> get() = when {
        !begun -> emptyList()
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.S -> devices().map(::of).sortedBy { it.kind }
        else -> listOf(EARPIECE, SPEAKER)
    }

    override val current: Route? get() = when {
        !begun -> null
        Build.VERSION.SDK_INT >= Build.VERSION_CODES.S -> sound.communicationDevice?.let(::of)
        else -> if (speaker) SPEAKER else EARPIECE
    }

    @Suppress("DEPRECATION") // until Android 11
    private var speaker: Boolean
        get() = sound.isSpeakerphoneOn
        set(on) {
            sound.isSpeakerphoneOn = on
        }

    override fun choose(route: Route) {
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            devices().find { of(it) == route }?.let(sound::setCommunicationDevice)
        } else {
            speaker = route == SPEAKER
        }
        changed()
    }

    fun begin() {
        if (begun) return
        begun = true
        sound.mode = AudioManager.MODE_IN_COMMUNICATION
        changed()
    }

    fun end() {
        if (!begun) return
        begun = false
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) sound.clearCommunicationDevice() else speaker = false
        sound.mode = AudioManager.MODE_NORMAL
        changed()
    }

    @TargetApi(Build.VERSION_CODES.S)
    private fun devices() = sound.availableCommunicationDevices

    @TargetApi(Build.VERSION_CODES.S)
    private fun of(device: AudioDeviceInfo): Route {
        val kind = when (device.type) {
            AudioDeviceInfo.TYPE_BUILTIN_EARPIECE -> Kind.EARPIECE
            AudioDeviceInfo.TYPE_BUILTIN_SPEAKER -> Kind.SPEAKER
            AudioDeviceInfo.TYPE_WIRED_HEADSET,
            AudioDeviceInfo.TYPE_WIRED_HEADPHONES,
            AudioDeviceInfo.TYPE_USB_HEADSET -> Kind.WIRED
            AudioDeviceInfo.TYPE_BLUETOOTH_SCO,
            AudioDeviceInfo.TYPE_BLE_HEADSET,
            AudioDeviceInfo.TYPE_HEARING_AID -> Kind.BLUETOOTH
            else -> Kind.OTHER
        }
        val named = kind == Kind.BLUETOOTH || kind == Kind.OTHER
        return Route("device ${device.id}", kind, if (named) device.productName.toString() else "")
    }

    private companion object {
        val EARPIECE = Route("earpiece", Kind.EARPIECE, "")
        val SPEAKER = Route("speaker", Kind.SPEAKER, "")
    }
}
