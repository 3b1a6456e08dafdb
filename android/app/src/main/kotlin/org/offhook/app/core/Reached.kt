package org.offhook.app.core

import android.content.Context
import org.offhook.core.OwnPresence

/**
 * How the user is reached, and how others see them, where that is not as usual.
 *
 * The core knows it as long as it runs. It is kept here, and told to each core that begins.
 */
class Reached(context: Context, private val core: Core) {
    private val kept = context.getSharedPreferences("reached", Context.MODE_PRIVATE)

    /** No caller gets through. */
    val quiet get() = kept.getBoolean(QUIET, false)

    /** Where every caller is sent on to; null: nowhere. */
    var elsewhere: String? = null
        private set

    /** A second call may ring. */
    val waiting get() = kept.getBoolean(WAITING, true)

    /** How others see the user, where an account tells them. */
    val own: OwnPresence
        get() = kept.getString(OWN, null).let { name -> OwnPresence.entries.find { it.name == name } }
            ?: OwnPresence.AUTOMATIC

    /** What others read beside that; empty: nothing. */
    val note: String get() = kept.getString(NOTE, null).orEmpty()

    /** Tells the core. */
    fun begin() {
        if (quiet) core.ask { doNotDisturb(true) }
        if (!waiting) core.ask { callWaiting(false) }
        if (own != OwnPresence.AUTOMATIC || note.isNotEmpty()) core.ask { setPresence(own, note) }
        // What cannot be called any more is not shown as if it were.
        kept.getString(ELSEWHERE, null)?.let(::sendOn)
    }

    fun beQuiet(on: Boolean): Result<Unit> =
        core.ask { doNotDisturb(on) }.onSuccess { kept.edit().putBoolean(QUIET, on).apply() }

    fun letWait(on: Boolean): Result<Unit> =
        core.ask { callWaiting(on) }.onSuccess { kept.edit().putBoolean(WAITING, on).apply() }

    /** Null: nowhere any more. */
    fun sendOn(to: String?): Result<Unit> = core.ask { forwardTo(to) }.onSuccess {
        elsewhere = to
        kept.edit().putString(ELSEWHERE, to).apply()
    }

    fun beSeen(own: OwnPresence, note: String): Result<Unit> = core.ask { setPresence(own, note) }.onSuccess {
        kept.edit().putString(OWN, own.name).putString(NOTE, note).apply()
    }

    private companion object {
        const val QUIET = "quiet"
        const val WAITING = "waiting"
        const val ELSEWHERE = "elsewhere"
        const val OWN = "own"
        const val NOTE = "note"
    }
}
