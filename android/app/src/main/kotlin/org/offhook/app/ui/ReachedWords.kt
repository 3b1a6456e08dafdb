package org.offhook.app.ui

import android.content.Context
import org.offhook.app.R
import org.offhook.core.OwnPresence
import org.offhook.core.Reach

/** How the user is reached, in words for where they should not forget it. */
object ReachedWords {
    /** Empty while all is as usual. [seen]: others are told how the user is. */
    fun said(context: Context, reach: Reach, seen: () -> Boolean): String {
        val own = when (reach.presence) {
            OwnPresence.AUTOMATIC -> null
            OwnPresence.BUSY -> R.string.reached_is_busy
            OwnPresence.AWAY -> R.string.reached_is_away
            OwnPresence.OFFLINE -> R.string.reached_is_offline
        }
        return listOfNotNull(
            context.getString(R.string.reached_is_quiet).takeIf { reach.doNotDisturb },
            // Nobody is sent on who does not get so far.
            reach.forwardTo?.takeUnless { reach.doNotDisturb }
                ?.let { context.getString(R.string.reached_is_elsewhere, Numbers.shown(it)) },
            own?.takeIf { seen() }?.let(context::getString)
        ).joinToString("\n")
    }
}
