package org.offhook.app.ui

import org.offhook.core.AccountSettings
import org.offhook.core.Encryption
import org.offhook.core.Field
import org.offhook.core.MediaEncryption
import org.offhook.core.MediaKeys
import org.offhook.core.RelaySettings
import org.offhook.core.Transport

/**
 * What is typed on the account screen, and the settings it stands for. The core judges them, not this.
 *
 * What the screen does not show stays as it is [kept]; null: there is no account yet.
 */
data class AccountForm(
    val texts: Map<Field, String>,
    val transport: Transport,
    val ice: Boolean = true,
    val encryption: Encryption? = null,
    val mediaEncryption: MediaEncryption? = null,
    val mediaKeys: MediaKeys? = null,
    val publishPresence: Boolean = false,
    val kept: AccountSettings? = null
) {
    /** Without the passwords, which go their own way. */
    fun settings() = (kept ?: NEW).copy(
        number = text(Field.NUMBER),
        server = text(Field.SERVER),
        proxy = text(Field.PROXY),
        authUser = text(Field.AUTH_USER),
        displayName = text(Field.DISPLAY_NAME),
        transport = transport,
        ice = ice,
        stun = text(Field.STUN),
        publishPresence = publishPresence,
        encryption = encryption,
        mediaEncryption = mediaEncryption,
        mediaKeys = mediaKeys,
        relays = relays()
    )

    /** The password as typed; null where an account that is there keeps its own. */
    fun password(editing: Boolean): String? = text(Field.PASSWORD).takeIf { it.isNotEmpty() || !editing }

    /** The relay's password as typed; null: as it was. */
    fun relayPassword(): String? = text(Field.RELAY_PASSWORD).takeIf { it.isNotEmpty() }

    /** Of several, the screen has the first. */
    private fun relays(): List<RelaySettings> {
        val kept = kept?.relays.orEmpty()
        if (RELAY.all { text(it).isBlank() }) return kept.drop(1)
        val transport = kept.firstOrNull()?.transport ?: Transport.AUTOMATIC
        return listOf(RelaySettings(text(Field.RELAY), transport, text(Field.RELAY_USER))) + kept.drop(1)
    }

    private fun text(field: Field) = texts[field].orEmpty()

    companion object {
        private val NEW = AccountSettings(number = "", server = "", transport = Transport.AUTOMATIC)

        private val RELAY = setOf(Field.RELAY, Field.RELAY_USER, Field.RELAY_PASSWORD)

        /** Which fields lie behind "more settings". */
        val MORE = setOf(Field.PROXY, Field.AUTH_USER, Field.DISPLAY_NAME, Field.STUN) + RELAY

        /** An account that is there; its passwords stay where they are. */
        fun of(settings: AccountSettings) = AccountForm(
            mapOf(
                Field.NUMBER to settings.number,
                Field.SERVER to settings.server,
                Field.PROXY to settings.proxy,
                Field.AUTH_USER to settings.authUser,
                Field.DISPLAY_NAME to settings.displayName,
                Field.STUN to settings.stun,
                Field.RELAY to settings.relays.firstOrNull()?.server.orEmpty(),
                Field.RELAY_USER to settings.relays.firstOrNull()?.user.orEmpty()
            ),
            settings.transport,
            settings.ice,
            settings.encryption,
            settings.mediaEncryption,
            settings.mediaKeys,
            settings.publishPresence,
            settings
        )
    }
}
