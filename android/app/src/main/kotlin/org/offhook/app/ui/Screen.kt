package org.offhook.app.ui

import android.app.Activity
import android.os.Bundle
import android.view.View
import android.widget.ImageButton
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.core.Event
import org.offhook.core.PhoneException
import org.offhook.core.PhoneInterface

/**
 * A screen of what the core remembers: a title with buttons beside it, a line for what went wrong, a notice, and a question
 * for a line of text.
 *
 * What is read comes from beside the main thread, and what was asked for first and answered last is not shown.
 */
abstract class Screen :
    Activity(),
    Core.Listener {
    protected val app get() = OffhookApp.of(this)
    protected lateinit var notice: Notice
    protected lateinit var caller: Caller
    protected val prompt = Prompt(this) { what, text -> answered(what, text) }
    private var reading = 0

    /** Shows what is to be shown now: the screen came up, or what it shows has changed. */
    protected abstract fun show()

    /** What is shown may be another since that. */
    protected open fun concerns(event: Event) = false

    /** The [prompt] was answered. */
    protected open fun answered(what: String, text: String) {}

    /** Lays the screen out, of which `list_title`, `mistake` and `notice` are part. */
    protected fun open(layout: Int) {
        setContentView(layout)
        edgeToEdge(findViewById(R.id.root))
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        notice = Notice(this)
        caller = Caller(this, ::wrong)
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

    override fun onRestoreInstanceState(state: Bundle) {
        super.onRestoreInstanceState(state)
        prompt.restore(state)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        prompt.save(outState)
    }

    override fun onDestroy() {
        super.onDestroy()
        prompt.close()
    }

    override fun moment(event: Event) {
        if (concerns(event)) show()
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        if (!caller.refused(code, results)) return
        notice.show(
            Notice.Card(getString(Permission.MICROPHONE.refused), button = R.string.permission_settings) {
                startActivity(Permission.settings(this))
            }
        )
    }

    /** Reads what is shown, in place of what was to be shown before. */
    protected fun <T> read(command: PhoneInterface.() -> T, then: (T) -> Unit) {
        val mine = ++reading
        app.core.later(command) { result ->
            if (mine == reading && !isDestroyed) result.onSuccess(then).onFailure(::wrong)
        }
    }

    /** Changes something that is remembered. The core tells of it where that changes a list of calls or contacts. */
    protected fun <T> change(command: PhoneInterface.() -> T, then: (T) -> Unit) = app.core.later(command) { result ->
        if (!isDestroyed) result.onSuccess(then).onFailure(::wrong)
    }

    protected fun change(command: PhoneInterface.() -> Unit) = change(command) {}

    protected fun wrong(failure: Throwable) = findViewById<TextView>(R.id.mistake).let {
        it.text = if (failure is PhoneException.Store) getString(R.string.list_fails) else failure.sentence(this)
        it.visibility = View.VISIBLE
    }

    /** What went wrong is so no longer. */
    protected fun right() {
        findViewById<View>(R.id.mistake).visibility = View.GONE
    }

    /** The button beside the title. */
    protected fun aside(icon: Int, words: Int, press: () -> Unit) = findViewById<ImageButton>(R.id.aside).apply {
        setImageResource(icon)
        contentDescription = getString(words)
        visibility = View.VISIBLE
        setOnClickListener { press() }
    }

    /** What else can be done here, behind the three dots; asked for when they are pressed. */
    protected fun menu(entries: () -> List<Choices.Entry>) = findViewById<View>(R.id.menu).apply {
        visibility = View.VISIBLE
        setOnClickListener { Choices.show(this@Screen, null, entries()) }
    }
}
