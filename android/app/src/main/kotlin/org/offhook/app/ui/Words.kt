package org.offhook.app.ui

import android.content.Context

/** A sentence that is not yet in anybody's language: a string resource and what stands in it. */
data class Words(val id: Int, val args: List<String> = emptyList()) {
    constructor(id: Int, vararg args: String) : this(id, args.toList())

    /** In the language of the day. */
    fun said(context: Context): String = context.getString(id, *args.toTypedArray())
}
