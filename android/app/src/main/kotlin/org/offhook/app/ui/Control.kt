package org.offhook.app.ui

import android.content.Context
import android.os.Build
import android.util.AttributeSet
import android.view.Gravity
import android.view.LayoutInflater
import android.view.accessibility.AccessibilityNodeInfo
import android.widget.Button
import android.widget.ImageView
import android.widget.LinearLayout
import android.widget.TextView
import org.offhook.app.R

/** A round button with its name below: what a call can be done with. One thing to touch, and one to a screen reader. */
class Control(context: Context, attrs: AttributeSet?) : LinearLayout(context, attrs) {
    private val icon: ImageView
    private val label: TextView

    init {
        orientation = VERTICAL
        gravity = Gravity.CENTER_HORIZONTAL
        isClickable = true
        isFocusable = true
        LayoutInflater.from(context).inflate(R.layout.control, this, true)
        icon = findViewById(R.id.control_icon)
        label = findViewById(R.id.control_label)
    }

    /** [on]: null for what is pressed and not switched. */
    fun show(image: Int, name: String, enabled: Boolean = true, on: Boolean? = null) {
        icon.setImageResource(image)
        icon.isActivated = on == true
        if (label.text.toString() != name) label.text = name
        isEnabled = enabled
        alpha = if (enabled) 1f else FADED_ALPHA
        val state = on?.let { context.getString(if (it) R.string.call_on else R.string.call_off) }
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.R) {
            contentDescription = name
            stateDescription = state
        } else {
            contentDescription = if (state == null) name else "$name, $state"
        }
    }

    /** Colours of its own, where it is no control among others. */
    fun paint(background: Int, tint: Int) {
        icon.setBackgroundResource(background)
        icon.setColorFilter(context.getColor(tint))
        val size = resources.getDimensionPixelSize(R.dimen.answer)
        val around = resources.getDimensionPixelSize(R.dimen.answer_padding)
        icon.setPadding(around, around, around, around)
        icon.layoutParams = icon.layoutParams.apply {
            width = size
            height = size
        }
    }

    override fun onInitializeAccessibilityNodeInfo(info: AccessibilityNodeInfo) {
        super.onInitializeAccessibilityNodeInfo(info)
        info.className = Button::class.java.name
    }

    private companion object {
        const val FADED_ALPHA = 0.38f
    }
}
