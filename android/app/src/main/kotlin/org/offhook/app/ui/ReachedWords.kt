package org.offhook.app.ui

import android.content.Context
import org.offhook.app.R
import org.offhook.app.core.Reached
import org.offhook.core.OwnPresence

/** How the user is reached, in words for where they should not forget it. */
object ReachedWords {
    /** Empty while all is as usual. [seen]: others are told how the user is. */
    fun said(context: Context, reached: Reached, seen: () -> Boolean): String {
        val own = when (reached.own) {
            OwnPresence.AUTOMATIC -> null
            OwnPresence.BUSY -> R.string.reached_is_busy
            OwnPresence.AWAY -> R.string.reached_is_away
            OwnPresence.OFFLINE -> R.string.reached_is_offline
        }
        return listOfNotNull(
            context.getString(R.string.reached_is_quiet).takeIf { reached.quiet },
            // Nobody is sent on who does not get so far.
            reached.elsewhere?.takeUnless { reached.quiet }
                ?.let { context.getString(R.string.reached_is_elsewhere, Numbers.shown(it)) },
            own?.takeIf { seen() }?.let(context::getString)
        ).joinToString("\n")
    }
}
