package org.offhook.app.core

import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Side

/** It comes in and waits for an answer. */
val CallView.waits: Boolean
    get() = side == Side.IN && (state == CallState.RINGING || state == CallState.ANNOUNCED)

/** What one call says of who calls, in spite of its account; null: as the account has it. */
data class SeenAs(val number: String?, val hide: Boolean?)
