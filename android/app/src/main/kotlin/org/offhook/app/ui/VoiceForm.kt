package org.offhook.app.ui

import org.offhook.core.AccountSettings
import org.offhook.core.KeypadBy

/** What is chosen on the screen of sound and keypad, and the settings it stands for. */
data class VoiceForm(
    val codecs: List<Codec>,
    val keypad: KeypadBy? = null,
    val silence: Boolean = false,
    val streams: Boolean = false
) {
    data class Codec(val name: String, val on: Boolean)

    /** None is chosen. To the core that would be all. */
    val mute get() = codecs.none(Codec::on)

    /** [all]: those there are, in the usual order. As usual they are not named, so that new ones are among them one day. */
    fun settings(of: AccountSettings, all: List<String>) = of.copy(
        codecs = codecs.filter(Codec::on).map(Codec::name).takeIf { it != all }.orEmpty(),
        keypad = keypad,
        silenceSuppression = silence,
        mediaUdp = !streams
    )

    companion object {
        fun of(settings: AccountSettings, all: List<String>) = VoiceForm(
            codecs(settings.codecs, all),
            settings.keypad,
            settings.silenceSuppression,
            !settings.mediaUdp
        )

        /** The chosen ones, then the others; none: as usual. */
        fun codecs(chosen: List<String>, all: List<String>) =
            (chosen + (all - chosen.toSet())).map { Codec(it, chosen.isEmpty() || it in chosen) }
    }
}
