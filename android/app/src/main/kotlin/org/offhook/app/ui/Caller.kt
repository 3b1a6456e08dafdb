package org.offhook.app.ui

import android.app.Activity
import org.offhook.app.OffhookApp

/** Calls somebody from a list: the core is asked whether that can be called, then the user for the microphone. */
class Caller(private val activity: Activity, private val wrong: (Throwable) -> Unit) {
    private val app get() = OffhookApp.of(activity)

    /** Who is called once the microphone is allowed: by which account, and whom. */
    private var wanted: Pair<UInt?, String>? = null

    fun call(account: UInt?, to: String) {
        // A number that cannot be called is no reason to ask for anything.
        app.core.ask { check(account, to) }.onFailure {
            if (!Emergency.handOn(activity, it, to)) wrong(it)
            return
        }
        if (!Permission.MICROPHONE.given(activity)) {
            wanted = account to to
            return Permission.MICROPHONE.ask(activity)
        }
        app.calls.place(account, to)
            .onSuccess { activity.startActivity(CallActivity.intent(activity, it, to)) }
            .onFailure(wrong)
    }

    /** The user was asked; true: for the microphone, and said no. */
    fun refused(code: Int, results: IntArray): Boolean {
        if (Permission.of(code) != Permission.MICROPHONE || results.isEmpty()) return false
        val (account, to) = wanted ?: return false
        wanted = null
        if (!Permission.MICROPHONE.given(activity)) return true
        call(account, to)
        return false
    }
}
