package org.offhook.app.ui

import org.offhook.core.CallerIdSettings
import org.offhook.core.Carry

/**
 * What is typed on the screen of the number that others see, and the settings it stands for. The core judges them, not this.
 *
 * [chosen]: the user says by which ways it is told, in place of the usual ones.
 */
data class CallerIdForm(
    val number: String = "",
    val hide: Boolean = false,
    val chosen: Boolean = false,
    val carry: Set<Carry> = emptySet()
) {
    /** Ways are to be chosen, and none is. To the core that would be the usual ones. */
    val nowhere get() = chosen && carry.isEmpty()

    /** Null: the account as it is. */
    fun settings() = CallerIdSettings(
        // As people write it, and as it comes out of another app.
        Numbers.clean(number).filterNot { it.isWhitespace() || it == '-' },
        if (chosen) Carry.entries.filter(carry::contains) else emptyList(),
        hide
    ).takeIf { it != CallerIdSettings() }

    companion object {
        fun of(settings: CallerIdSettings?) = if (settings == null) {
            CallerIdForm()
        } else {
            CallerIdForm(settings.number, settings.hide, settings.carry.isNotEmpty(), settings.carry.toSet())
        }
    }
}
