package org.offhook.app.ui

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.BaseAdapter
import android.widget.TextView
import org.offhook.app.R

/** What a list shows: rows to press, and days between them. */
class Rows<T : Any>(private val inflater: LayoutInflater, private val kind: Kind<T>) : BaseAdapter() {
    /** How rows of one list are drawn. */
    interface Kind<T> {
        /** The text of a day between rows; null: it is a row to press. */
        fun day(item: T): String?

        /** Stays the same when the list is read anew. */
        fun id(item: T): Long

        fun draw(row: View, item: T)
    }

    var items: List<T> = emptyList()
        set(value) {
            field = value
            notifyDataSetChanged()
        }

    override fun getCount() = items.size

    override fun getItem(position: Int): T = items[position]

    override fun getItemId(position: Int) = kind.id(items[position])

    override fun hasStableIds() = true

    override fun getViewTypeCount() = 2

    override fun getItemViewType(position: Int) = if (kind.day(items[position]) == null) ROW else DAY

    override fun areAllItemsEnabled() = false

    override fun isEnabled(position: Int) = getItemViewType(position) == ROW

    override fun getView(position: Int, old: View?, parent: ViewGroup): View {
        val item = items[position]
        val day = kind.day(item)
        val layout = if (day == null) R.layout.list_row else R.layout.list_day
        val view = old ?: inflater.inflate(layout, parent, false)
        if (day == null) kind.draw(view, item) else (view as TextView).text = day
        return view
    }

    private companion object {
        const val ROW = 0
        const val DAY = 1
    }
}
