package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.text.InputFilter
import android.view.View
import android.view.ViewGroup
import android.widget.ArrayAdapter
import android.widget.AutoCompleteTextView
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.TextView
import org.offhook.app.R
import org.offhook.app.core.PlatformRefusal
import org.offhook.core.Contact
import org.offhook.core.ContactNumber
import org.offhook.core.PhoneException

/** A contact that is kept in the app alone: typed in, or changed. What was typed outlives a rotation. */
class ContactEditActivity : Screen() {
    private lateinit var numbers: LinearLayout

    /** As it was before; null: it is new, or not read yet. */
    private var before: Contact? = null

    /** What is kept of it stands in the fields, or there is nothing. */
    private var filled = false
    private val id get() = intent.getLongExtra(ID, NONE).takeIf { it != NONE }?.toULong()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.contact_edit)
        findViewById<TextView>(R.id.title).setText(if (id == null) R.string.contact_new else R.string.contact_edit)
        numbers = findViewById(R.id.numbers)
        edit(R.id.name).filters = LENGTH
        edit(R.id.other_name).filters = LENGTH
        findViewById<View>(R.id.add_number).setOnClickListener { add("", "").requestFocus() }
        findViewById<View>(R.id.save).setOnClickListener { save() }
        if (savedInstanceState != null) restore(savedInstanceState) else begin()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(FILLED, filled)
        outState.putStringArrayList(TEXTS, ArrayList(rows().map { text(it, R.id.number) }))
        outState.putStringArrayList(KINDS, ArrayList(rows().map { text(it, R.id.kind) }))
    }

    override fun show() {
        val id = id ?: return
        read({ contact(id) }) { contact ->
            if (contact == null) return@read finish()
            before = contact
            if (!filled) fill(contact)
        }
    }

    private fun begin() {
        if (id != null) return
        filled = true
        edit(R.id.name).setText(intent.getStringExtra(NAME))
        add(intent.getStringExtra(NUMBER).orEmpty(), "")
    }

    private fun restore(state: Bundle) {
        filled = state.getBoolean(FILLED)
        val kinds = state.getStringArrayList(KINDS).orEmpty()
        state.getStringArrayList(TEXTS).orEmpty().zip(kinds).forEach { (text, kind) -> add(text, kind) }
    }

    private fun fill(contact: Contact) {
        filled = true
        edit(R.id.name).setText(contact.names.firstOrNull())
        edit(R.id.other_name).setText(contact.names.getOrNull(1))
        numbers.removeAllViews()
        contact.numbers.forEach { add(it.text, Kinds.shown(this, it.kind)) }
        if (contact.numbers.isEmpty()) add("", "")
    }

    /** Another row for a number; its field. */
    private fun add(text: String, kind: String): View {
        val row = layoutInflater.inflate(R.layout.contact_edit_number, numbers, false)
        // There are several of each id, which the platform would mix up.
        listOf(R.id.number, R.id.kind).forEach { row.findViewById<View>(it).isSaveEnabled = false }
        row.findViewById<EditText>(R.id.number).apply {
            filters = LENGTH
            setText(text)
        }
        row.findViewById<AutoCompleteTextView>(R.id.kind).apply {
            filters = LENGTH
            setText(kind)
            val offered = Kinds.offered(this@ContactEditActivity)
            setAdapter(ArrayAdapter(context, android.R.layout.simple_list_item_1, offered))
            setOnFocusChangeListener { view, on -> if (on && view.isShown && this.text.isEmpty()) showDropDown() }
        }
        row.findViewById<View>(R.id.remove).setOnClickListener { numbers.removeView(row) }
        numbers.addView(row)
        return row.findViewById(R.id.number)
    }

    private fun rows(): List<ViewGroup> = (0 until numbers.childCount).map { numbers.getChildAt(it) as ViewGroup }

    private fun save() {
        right()
        val names = listOf(R.id.name, R.id.other_name).map { edit(it).text.toString().trim() } +
            before?.names.orEmpty().drop(2)
        val typed = rows().map { ContactNumber(text(it, R.id.number).trim(), Kinds.kept(this, text(it, R.id.kind))) }
        val keptNames = names.filter(String::isNotEmpty)
        val keptNumbers = typed.filter { it.text.isNotEmpty() }
        val known = id
        val photo = before?.photo
        app.core.later({
            if (known == null) {
                addContact(keptNames, keptNumbers, photo) > 0u
            } else {
                changeContact(known, keptNames, keptNumbers, photo)
            }
        }) { result -> if (!isDestroyed) result.onSuccess(::saved).onFailure(::notSaved) }
    }

    private fun saved(there: Boolean) =
        if (there) finish() else wrong(PlatformRefusal(getString(R.string.contact_gone)))

    /** The core takes any contact but one that is nobody. */
    private fun notSaved(failure: Throwable) = wrong(
        if (failure is PhoneException.BadArgument) PlatformRefusal(getString(R.string.contact_empty)) else failure
    )

    private fun text(row: View, id: Int) = row.findViewById<EditText>(id).text.toString()

    companion object {
        private const val ID = "id"
        private const val NAME = "name"
        private const val NUMBER = "number"
        private const val NONE = -1L
        private const val FILLED = "filled"
        private const val TEXTS = "texts"
        private const val KINDS = "kinds"

        /** Longer than anything that works. */
        private val LENGTH = arrayOf(InputFilter.LengthFilter(255))

        /** A new one. */
        fun adding(context: Context, name: String = "", number: String = ""): Intent =
            Intent(context, ContactEditActivity::class.java).putExtra(NAME, name).putExtra(NUMBER, number)

        /** One that is kept here. */
        fun editing(context: Context, id: ULong): Intent =
            Intent(context, ContactEditActivity::class.java).putExtra(ID, id.toLong())
    }
}
