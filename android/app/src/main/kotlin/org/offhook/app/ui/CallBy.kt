package org.offhook.app.ui

import android.app.Activity
import android.view.View
import android.view.accessibility.AccessibilityNodeInfo
import android.view.accessibility.AccessibilityNodeInfo.AccessibilityAction
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.core.AccountInfo

/** The call button held down, where several accounts are in use: by which of them this one call goes. */
class CallBy(private val activity: Activity, private val call: (UInt) -> Unit) {
    private val core get() = OffhookApp.of(activity).core
    private val button: View = activity.findViewById(R.id.call)
    private val usable get() = core.kept.filter { kept -> core.accounts.any { it.account == kept.account } }

    init {
        button.setOnLongClickListener { ask(usable) }
        button.accessibilityDelegate = object : View.AccessibilityDelegate() {
            override fun onInitializeAccessibilityNodeInfo(host: View, info: AccessibilityNodeInfo) {
                super.onInitializeAccessibilityNodeInfo(host, info)
                val long = AccessibilityAction(AccessibilityNodeInfo.ACTION_LONG_CLICK, words())
                // Else the platform says that it can be held down, and nothing would come of it.
                if (usable.size > 1) info.addAction(long) else info.removeAction(AccessibilityAction.ACTION_LONG_CLICK)
            }
        }
    }

    private fun ask(accounts: List<AccountInfo>): Boolean {
        if (accounts.size < 2) return false
        val entries = accounts.map { Choices.Entry(AccountFace.title(it)) { call(it.account) } }
        Choices.show(activity, words(), entries)
        return true
    }

    private fun words() = activity.getString(R.string.accounts_call_by)
}
