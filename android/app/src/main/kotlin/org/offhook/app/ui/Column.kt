package org.offhook.app.ui

import android.content.Context
import android.util.AttributeSet
import android.widget.LinearLayout
import org.offhook.app.R

/** A column of fields or text that stays narrow enough to be read on a wide screen. */
class Column(context: Context, attrs: AttributeSet?) : LinearLayout(context, attrs) {
    override fun onMeasure(widthMeasureSpec: Int, heightMeasureSpec: Int) {
        val widest = resources.getDimensionPixelSize(R.dimen.form_width)
        val width = minOf(MeasureSpec.getSize(widthMeasureSpec), widest)
        super.onMeasure(MeasureSpec.makeMeasureSpec(width, MeasureSpec.EXACTLY), heightMeasureSpec)
    }
}
