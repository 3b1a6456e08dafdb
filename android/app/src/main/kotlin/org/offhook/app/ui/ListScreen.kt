package org.offhook.app.ui

import android.os.Bundle
import android.text.Editable
import android.text.InputFilter
import android.text.TextWatcher
import android.view.View
import android.widget.AbsListView
import android.widget.EditText
import android.widget.ListView
import android.widget.TextView
import org.offhook.app.R

/** A screen that is a list of what the core remembers, with a field to search it. */
abstract class ListScreen(private val heading: Int) : Screen() {
    protected lateinit var list: ListView
    protected lateinit var search: EditText

    /** What stands in the field. */
    protected val typed get() = search.text.toString()

    /** The list was scrolled to its end. */
    protected open fun more() {}

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.list)
        findViewById<TextView>(R.id.title).setText(heading)
        list = findViewById(R.id.rows)
        search = findViewById(R.id.search)
        search.filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH))
        search.addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit

            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) = Unit

            override fun afterTextChanged(text: Editable) = show()
        })
        list.setOnScrollListener(object : AbsListView.OnScrollListener {
            override fun onScrollStateChanged(view: AbsListView, state: Int) = Unit

            override fun onScroll(view: AbsListView, first: Int, seen: Int, all: Int) {
                if (all > 0 && first + seen >= all - NEAR_THE_END) more()
            }
        })
    }

    /** The list was read: nothing is wrong with it, and where there is no row it says [nothing]. */
    protected fun shown(rows: Rows<*>, nothing: Int) {
        right()
        list.visibility = if (rows.isEmpty) View.GONE else View.VISIBLE
        findViewById<TextView>(R.id.nothing).apply {
            visibility = if (rows.isEmpty) View.VISIBLE else View.GONE
            if (text.toString() != getString(nothing)) setText(nothing)
        }
    }

    private companion object {
        /** As the core: no number, name or address that works is longer. */
        const val LONGEST_LENGTH = 255

        /** So many rows before its end more of the list is read. */
        const val NEAR_THE_END = 8
    }
}
