package org.offhook.app.ui

import android.app.Activity
import android.os.Bundle
import android.text.Editable
import android.text.InputFilter
import android.text.TextWatcher
import android.view.View
import android.widget.AbsListView
import android.widget.EditText
import android.widget.ImageButton
import android.widget.ListView
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.core.PhoneException
import org.offhook.core.PhoneInterface

/**
 * A screen that is a list of what the core remembers, with a field to search it.
 *
 * What is read comes from beside the main thread, and what was asked for first and answered last is not shown.
 */
abstract class ListScreen(private val heading: Int) :
    Activity(),
    Core.Listener {
    protected val app get() = OffhookApp.of(this)
    protected lateinit var list: ListView
    protected lateinit var search: EditText
    protected lateinit var notice: Notice
    protected lateinit var caller: Caller
    private var reading = 0

    /** What stands in the field. */
    protected val typed get() = search.text.toString()

    /** Shows what is to be shown now: the screen came up, or something was typed. */
    protected abstract fun show()

    /** The list was scrolled to its end. */
    protected open fun more() {}

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.list)
        edgeToEdge(findViewById(R.id.root))
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<TextView>(R.id.title).setText(heading)
        list = findViewById(R.id.rows)
        search = findViewById(R.id.search)
        notice = Notice(this)
        caller = Caller(this, ::wrong)
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

    override fun onStart() {
        super.onStart()
        app.core.listen(this)
        show()
    }

    override fun onStop() {
        super.onStop()
        app.core.ignore(this)
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        if (!caller.refused(code, results)) return
        notice.show(
            Notice.Card(getString(Permission.MICROPHONE.refused), button = R.string.permission_settings) {
                startActivity(Permission.settings(this))
            }
        )
    }

    /** Reads what the list shows, in place of what it was to show before. */
    protected fun <T> read(command: PhoneInterface.() -> T, then: (T) -> Unit) {
        val mine = ++reading
        app.core.later(command) { result ->
            if (mine == reading && !isDestroyed) result.onSuccess(then).onFailure(::wrong)
        }
    }

    /** Changes something that is remembered. The core tells of it where that changes the list. */
    protected fun change(command: PhoneInterface.() -> Unit) = app.core.later(command) { result ->
        if (!isDestroyed) result.onFailure(::wrong)
    }

    protected fun wrong(failure: Throwable) = findViewById<TextView>(R.id.mistake).let {
        it.text = if (failure is PhoneException.Store) getString(R.string.list_fails) else failure.sentence(this)
        it.visibility = View.VISIBLE
    }

    /** The list was read: nothing is wrong with it, and where there is no row it says [nothing]. */
    protected fun shown(rows: Rows<*>, nothing: Int) {
        findViewById<View>(R.id.mistake).visibility = View.GONE
        list.visibility = if (rows.isEmpty) View.GONE else View.VISIBLE
        findViewById<TextView>(R.id.nothing).apply {
            visibility = if (rows.isEmpty) View.VISIBLE else View.GONE
            if (text.toString() != getString(nothing)) setText(nothing)
        }
    }

    /** The button beside the title. */
    protected fun aside(icon: Int, words: Int, press: () -> Unit) = findViewById<ImageButton>(R.id.aside).apply {
        setImageResource(icon)
        contentDescription = getString(words)
        visibility = View.VISIBLE
        setOnClickListener { press() }
    }

    private companion object {
        /** As the core: no number, name or address that works is longer. */
        const val LONGEST_LENGTH = 255

        /** So many rows before its end more of the list is read. */
        const val NEAR_THE_END = 8
    }
}
