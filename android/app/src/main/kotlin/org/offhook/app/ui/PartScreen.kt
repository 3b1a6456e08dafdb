package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.graphics.Rect
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.CompoundButton
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.AccountSettings
import org.offhook.core.Field
import org.offhook.core.PhoneException

/**
 * A part of an account's settings, which has a screen of its own: it is read, changed and saved, and what else the account
 * is set to stays as it is by then.
 *
 * The platform keeps what stands in fields over a rotation, so they are filled once.
 */
abstract class PartScreen(private val heading: Int, private val layout: Int) : Screen() {
    /** Where it is said that a field cannot be used. [words]: why, where the core's sentence would be English. */
    protected class Place(val edit: Int, val mistake: Int, val words: Int? = null)

    protected val account get() = accountOf(intent)
    private var filled = false

    /** The fields that the core may not like. */
    protected open val places: Map<Field, Place> = emptyMap()

    /** Puts what is kept into the fields. */
    protected abstract fun fill(settings: AccountSettings)

    /** What is kept now, whatever stands in the fields. */
    protected open fun known(settings: AccountSettings) {}

    /** What stands in the fields, in place of that part; null: it was said why not. */
    protected abstract fun typed(): ((AccountSettings) -> AccountSettings)?

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.part)
        findViewById<TextView>(R.id.title).setText(heading)
        layoutInflater.inflate(layout, findViewById<ViewGroup>(R.id.fields))
        filled = savedInstanceState?.getBoolean(FILLED) == true
        findViewById<View>(R.id.save).setOnClickListener { save() }
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(FILLED, filled)
    }

    override fun show() = read({ accountSettings(account) }) {
        if (!filled) {
            filled = true
            fill(it)
        }
        known(it)
    }

    private fun save() {
        // What was not read would be kept as if it were nothing.
        if (!filled) return
        right()
        places.values.forEach { unmark(it) }
        val part = typed() ?: return
        app.core.changePart(account, part) { result ->
            if (!isDestroyed) result.onSuccess { finish() }.onFailure(::notSaved)
        }
    }

    protected open fun notSaved(failure: Throwable) {
        val place = (failure as? PhoneException.BadSetting)?.let { places[it.field] } ?: return wrong(failure)
        mark(place, place.words?.let(::getString) ?: failure.sentence(this))
        edit(place.edit).requestFocus()
    }

    protected fun mark(place: Place, words: String = getString(checkNotNull(place.words))) {
        say(place.mistake, words)
        edit(place.edit).isActivated = true
    }

    protected fun unmark(place: Place) {
        say(place.mistake, null)
        edit(place.edit).isActivated = false
    }

    /** What is wrong, below what it is wrong with; null: nothing. */
    protected fun say(mistake: Int, words: String?) {
        findViewById<TextView>(mistake).text = words
        visible(mistake, words != null)
    }

    /** The same, and that is seen, wherever the screen was scrolled to. */
    protected fun refuse(mistake: Int, words: Int) {
        say(mistake, getString(words))
        val view = findViewById<View>(mistake)
        view.post { view.requestRectangleOnScreen(Rect(0, 0, view.width, view.height)) }
    }

    protected fun button(id: Int): CompoundButton = findViewById(id)

    companion object {
        private const val FILLED = "filled"
        private const val ACCOUNT = "account"

        fun accountOf(intent: Intent) = intent.getIntExtra(ACCOUNT, 0).toUInt()

        /** That part of an account. */
        inline fun <reified T : PartScreen> intent(context: Context, account: UInt): Intent =
            of(Intent(context, T::class.java), account)

        fun of(intent: Intent, account: UInt): Intent = intent.putExtra(ACCOUNT, account.toInt())
    }
}
