package org.offhook.app.ui

import android.annotation.SuppressLint
import android.view.View
import android.view.ViewGroup
import android.view.accessibility.AccessibilityNodeInfo
import org.offhook.app.R

/**
 * Rows in an order that the user changes by two buttons on each, up and down: so that screen readers and keyboards reach
 * them as fingers do.
 */
class Order(private val rows: ViewGroup, private val move: (from: Int, to: Int) -> Unit) {
    private class Moved(val to: Int, val button: Int, val focused: Boolean)

    private var moved: Moved? = null

    /** The rows are drawn, and called so. What was moved is where the user still is. */
    fun drawn(names: List<String>) {
        names.forEachIndexed { at, name ->
            wire(at, R.id.move_up, at - 1, names.indices, rows.context.getString(R.string.move_up, name))
            wire(at, R.id.move_down, at + 1, names.indices, rows.context.getString(R.string.move_down, name))
        }
        moved?.let(::follow)
        moved = null
    }

    private fun wire(at: Int, id: Int, to: Int, places: IntRange, heard: String) {
        rows.getChildAt(at).findViewById<View>(id).apply {
            contentDescription = heard
            isEnabled = to in places
            alpha = if (isEnabled) 1f else FAINT
            setOnClickListener {
                moved = Moved(to, id, isFocused)
                move(at, to)
            }
        }
    }

    @SuppressLint("AccessibilityFocus") // that of a screen reader went with the button pressed, which was drawn anew
    private fun follow(moved: Moved) {
        val row = rows.getChildAt(moved.to) ?: return
        val button = (listOf(moved.button) + BUTTONS).map { row.findViewById<View>(it) }.firstOrNull { it.isEnabled }
        button?.performAccessibilityAction(AccessibilityNodeInfo.ACTION_ACCESSIBILITY_FOCUS, null)
        if (moved.focused) button?.requestFocus()
    }

    companion object {
        private const val FAINT = 0.3f
        private val BUTTONS = listOf(R.id.move_up, R.id.move_down)

        fun <T> moved(list: List<T>, from: Int, to: Int): List<T> =
            list.toMutableList().apply { if (from in indices && to in indices) add(to, removeAt(from)) }
    }
}
