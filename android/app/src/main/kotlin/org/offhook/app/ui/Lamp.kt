package org.offhook.app.ui

import android.view.View
import android.widget.ImageView
import org.offhook.app.R
import org.offhook.core.PresenceState

/** How somebody is, as a lamp beside them: its shape says it, and not its colour alone. */
enum class Lamp(private val picture: Int, val words: Int) {
    FREE(R.drawable.lamp_free, R.string.lamp_free),
    RINGING(R.drawable.lamp_busy, R.string.lamp_ringing),
    BUSY(R.drawable.lamp_busy, R.string.lamp_busy),
    AWAY(R.drawable.lamp_away, R.string.lamp_away),
    OFFLINE(R.drawable.lamp_offline, R.string.lamp_offline);

    companion object {
        /** Null: nobody says. */
        fun of(state: PresenceState?): Lamp? = when (state) {
            PresenceState.FREE -> FREE
            PresenceState.RINGING -> RINGING
            PresenceState.BUSY -> BUSY
            PresenceState.AWAY -> AWAY
            PresenceState.OFFLINE -> OFFLINE
            PresenceState.UNKNOWN, null -> null
        }

        /** Lights it in a row of a list, or none; the row has to say it in words. */
        fun show(row: View, lamp: Lamp?) = row.findViewById<ImageView>(R.id.row_lamp).let {
            it.visibility = if (lamp == null) View.GONE else View.VISIBLE
            if (lamp != null) it.setImageResource(lamp.picture)
        }
    }
}
