package org.offhook.app.ui

import org.offhook.core.AccountSettings
import org.offhook.core.Field
import org.offhook.core.Transport

/** What is typed on the account screen, and the settings it stands for. The core judges them, not this. */
data class AccountForm(val texts: Map<Field, String>, val transport: Transport, val register: Boolean) {
    /** Without the password, which goes its own way. */
    fun settings() = AccountSettings(
        number = text(Field.NUMBER),
        server = text(Field.SERVER),
        proxy = text(Field.PROXY),
        authUser = text(Field.AUTH_USER),
        displayName = text(Field.DISPLAY_NAME),
        transport = transport,
        register = register
    )

    /** The password as typed; null where an account that is there keeps its own. */
    fun password(editing: Boolean): String? = text(Field.PASSWORD).takeIf { it.isNotEmpty() || !editing }

    private fun text(field: Field) = texts[field].orEmpty()

    companion object {
        /** Which fields lie behind "more settings". */
        val MORE = setOf(Field.PROXY, Field.AUTH_USER, Field.DISPLAY_NAME)

        /** An account that is there; its password stays where it is. */
        fun of(settings: AccountSettings) = AccountForm(
            mapOf(
                Field.NUMBER to settings.number,
                Field.SERVER to settings.server,
                Field.PROXY to settings.proxy,
                Field.AUTH_USER to settings.authUser,
                Field.DISPLAY_NAME to settings.displayName
            ),
            settings.transport,
            settings.register
        )
    }
}
