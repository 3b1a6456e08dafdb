package org.offhook.app.ui

import android.app.Activity
import android.os.Build
import android.view.View
import android.view.WindowInsets

/** Draws behind the system's bars, and keeps [content] clear of them, of cut-outs and of the keyboard. */
fun Activity.edgeToEdge(content: View) {
    if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
        // From the level on that has it deprecated it is so anyway.
        @Suppress("DEPRECATION")
        window.setDecorFitsSystemWindows(false)
    } else {
        @Suppress("DEPRECATION")
        content.systemUiVisibility = content.systemUiVisibility or View.SYSTEM_UI_FLAG_LAYOUT_STABLE or
            View.SYSTEM_UI_FLAG_LAYOUT_FULLSCREEN or View.SYSTEM_UI_FLAG_LAYOUT_HIDE_NAVIGATION
    }
    content.setOnApplyWindowInsetsListener { view, insets ->
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            val around = insets.getInsets(
                WindowInsets.Type.systemBars() or WindowInsets.Type.displayCutout() or WindowInsets.Type.ime()
            )
            view.setPadding(around.left, around.top, around.right, around.bottom)
        } else {
            @Suppress("DEPRECATION")
            view.setPadding(
                insets.systemWindowInsetLeft,
                insets.systemWindowInsetTop,
                insets.systemWindowInsetRight,
                insets.systemWindowInsetBottom
            )
        }
        insets
    }
}
