package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.ClipData
import android.content.ClipboardManager
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
import android.widget.AbsListView
import android.widget.BaseAdapter
import android.widget.EditText
import android.widget.LinearLayout
import android.widget.ListView
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.core.Delivered
import org.offhook.core.Event
import org.offhook.core.MessageRecord
import org.offhook.core.PhoneException
import org.offhook.core.PhoneInterface
import org.offhook.core.Side

/** The messages with one number, and a field to write another. Whether they arrived is the core's to say. */
class ThreadActivity :
    Activity(),
    Core.Listener {
    private val app get() = OffhookApp.of(this)
    private val words = LogWords(this)
    private val number get() = intent.getStringExtra(NUMBER).orEmpty()
    private val remote get() = intent.getStringExtra(REMOTE).orEmpty()
    private val messages = Messages()
    private var reading = 0

    /** There may be older ones than those that are shown, and nobody reads them yet. */
    private var older = false

    /** What is kept of what was begun and not sent; null: that is not known yet. */
    private var begun: String? = null
    private lateinit var input: EditText
    private lateinit var list: ListView

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.thread)
        edgeToEdge(findViewById(R.id.root))
        findViewById<TextView>(R.id.title).text = intent.getStringExtra(TITLE)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        input = findViewById(R.id.text)
        findViewById<View>(R.id.send).setOnClickListener { send() }
        list = findViewById<ListView>(R.id.rows).apply {
            adapter = messages
            setOnItemClickListener { _, _, at, _ -> again(messages.getItem(at)) }
            setOnItemLongClickListener { _, _, at, _ ->
                menu(messages.getItem(at))
                true
            }
            setOnScrollListener(object : AbsListView.OnScrollListener {
                override fun onScrollStateChanged(view: AbsListView, state: Int) = Unit

                override fun onScroll(view: AbsListView, first: Int, seen: Int, all: Int) {
                    if (all > 0 && first < NEAR_THE_BEGINNING) more()
                }
            })
        }
        // After a rotation what was typed is in the field again.
        if (savedInstanceState == null) readDraft()
    }

    override fun onStart() {
        super.onStart()
        app.core.listen(this)
        app.messageNotice.onScreen = number
        show()
    }

    override fun onPause() {
        super.onPause()
        // Not when it has stopped: the screen below reads what is begun before that.
        val text = input.text.toString().takeUnless(String::isBlank).orEmpty()
        if (begun != null || text.isNotEmpty()) keepDraft(text)
    }

    override fun onStop() {
        super.onStop()
        app.core.ignore(this)
        if (app.messageNotice.onScreen == number) app.messageNotice.onScreen = null
    }

    override fun moment(event: Event) {
        if (event is Event.Messages) show()
    }

    /** As many as were shown, or a page. */
    private fun show() {
        val with = number
        val many = maxOf(messages.count, PAGE)
        // Until it is known again.
        older = false
        read({ newest(with, many) }) { newestFirst ->
            older = newestFirst.size >= many
            messages.items = newestFirst.asReversed()
            if (newestFirst.any { it.side == Side.IN && !it.seen }) app.core.later({ messagesSeen(with) })
        }
    }

    /** The page before those that are shown. */
    private fun more() {
        val first = messages.items.firstOrNull() ?: return
        if (!older) return
        older = false
        val with = number
        read({ keptMessages(with, first.id, PAGE.toUInt()) }) { page ->
            older = page.size >= PAGE
            val at = list.firstVisiblePosition
            val top = list.getChildAt(0)?.top ?: 0
            messages.items = page.asReversed() + messages.items
            // Where the eye is.
            list.setSelectionFromTop(at + page.size, top)
        }
    }

    private fun <T> read(command: PhoneInterface.() -> T, then: (T) -> Unit) {
        val mine = ++reading
        app.core.later(command) { result ->
            if (mine == reading && !isDestroyed) result.onSuccess(then).onFailure(::wrong)
        }
    }

    private fun readDraft() {
        val with = number
        app.core.later({ drafts().find { it.number == with }?.text.orEmpty() }) { result ->
            if (begun != null || isDestroyed) return@later
            result.onSuccess { text ->
                begun = text
                if (input.text.isEmpty()) input.append(text)
            }.onFailure(::wrong)
        }
    }

    private fun keepDraft(text: String) {
        if (text == begun) return
        begun = text
        val with = number
        app.core.later({ keepDraft(with, text) }) { it.onFailure(::wrong) }
    }

    private fun send() {
        val text = input.text.toString()
        if (text.isBlank()) return
        send(text) {
            input.setText("")
            keepDraft("")
        }
    }

    /** One that did not arrive is written anew, and goes to the end. */
    private fun again(message: MessageRecord) {
        if (message.delivered != Delivered.FAILED) return
        send(message.text) { app.core.later({ forgetMessage(message.id) }) }
    }

    private fun send(text: String, sent: () -> Unit) {
        val account = messages.items.lastOrNull()?.let { last -> app.core.accounts.find { it.uri == last.account } }
        app.core.ask { message(account?.account, remote, text) }
            .onSuccess {
                findViewById<View>(R.id.mistake).visibility = View.GONE
                sent()
            }
            .onFailure(::wrong)
    }

    private fun menu(message: MessageRecord) {
        val failed = message.delivered == Delivered.FAILED
        val entries = listOfNotNull(
            (R.string.message_again to { again(message) }).takeIf { failed },
            R.string.message_copy to { copy(message.text) },
            R.string.log_forget to { app.core.later({ forgetMessage(message.id) }) { it.onFailure(::wrong) } }
        )
        AlertDialog.Builder(this)
            .setTitle(message.sentence?.takeIf { failed }?.let { getString(R.string.message_why, Numbers.clean(it)) })
            .setItems(entries.map { getString(it.first) }.toTypedArray()) { _, at -> entries[at].second() }
            .show()
    }

    private fun copy(text: String) =
        getSystemService(ClipboardManager::class.java).setPrimaryClip(ClipData.newPlainText(null, text))

    private fun wrong(failure: Throwable) = findViewById<TextView>(R.id.mistake).let {
        it.text =
            if (failure is PhoneException.Store) getString(R.string.list_fails) else failure.sentence(this)
        it.visibility = View.VISIBLE
    }

    private inner class Messages : BaseAdapter() {
        var items: List<MessageRecord> = emptyList()
            set(value) {
                field = value
                notifyDataSetChanged()
            }

        override fun getCount() = items.size

        override fun getItem(position: Int) = items[position]

        override fun getItemId(position: Int) = items[position].id

        override fun hasStableIds() = true

        override fun getView(position: Int, old: View?, parent: ViewGroup): View {
            val view = old ?: layoutInflater.inflate(R.layout.message, parent, false)
            draw(view as LinearLayout, items[position])
            return view
        }

        private fun draw(view: LinearLayout, message: MessageRecord) {
            val ours = message.side == Side.OUT
            val delivery = Delivery.of(message.delivered)
            val state = listOfNotNull(words.whenOf(message.atMs), delivery?.words?.let(::getString))
                .joinToString(" · ", transform = Numbers::isolated)
            view.gravity = if (ours) Gravity.END else Gravity.START
            view.findViewById<TextView>(R.id.message_text).apply {
                text = message.text
                setBackgroundResource(if (ours) R.drawable.bubble_ours else R.drawable.bubble_theirs)
            }
            view.findViewById<TextView>(R.id.message_state).apply {
                text = state
                setTextColor(getColor(delivery?.colour ?: R.color.text_soft))
                compoundDrawableTintList = getColorStateList(delivery?.colour ?: R.color.text_soft)
                setCompoundDrawablesRelative(delivery?.let { icon(it.icon) }, null, null, null)
            }
            view.contentDescription =
                getString(if (ours) R.string.message_ours else R.string.message_theirs, message.text, state)
        }

        /** As high as the words beside it. */
        private fun icon(id: Int) = getDrawable(id)?.apply {
            val size = (ICON_SP * resources.displayMetrics.density * resources.configuration.fontScale).toInt()
            setBounds(0, 0, size, size)
        }
    }

    /** What became of a message of ours: its shape says it, its words, and not its colour alone. */
    private enum class Delivery(val words: Int, val icon: Int, val colour: Int) {
        ON_ITS_WAY(R.string.message_on_its_way, R.drawable.ic_clock, R.color.text_soft),
        SENT(R.string.message_sent, R.drawable.ic_done, R.color.text_soft),
        FAILED(R.string.message_failed, R.drawable.ic_warn, R.color.error);

        companion object {
            fun of(delivered: Delivered): Delivery? = when (delivered) {
                Delivered.CAME -> null
                Delivered.ON_ITS_WAY -> ON_ITS_WAY
                Delivered.SENT -> SENT
                Delivered.FAILED -> FAILED
            }
        }
    }

    companion object {
        private const val PAGE = 60
        private const val NEAR_THE_BEGINNING = 5
        private const val ICON_SP = 16
        private const val NUMBER = "number"
        private const val REMOTE = "remote"
        private const val TITLE = "title"

        /** The thread with a [number], which is written to by [remote] and shown as [title]. */
        fun intent(context: Context, number: String, remote: String, title: String) =
            Intent(context, ThreadActivity::class.java)
                .putExtra(NUMBER, number).putExtra(REMOTE, remote).putExtra(TITLE, title)

        /** The newest messages with a number, so many; the core hands over a bounded page at a time. */
        private fun PhoneInterface.newest(with: String, many: Int): List<MessageRecord> {
            val all = mutableListOf<MessageRecord>()
            while (all.size < many) {
                val page = keptMessages(with, all.lastOrNull()?.id, minOf(many - all.size, PAGE).toUInt())
                if (page.isEmpty()) break
                all += page
            }
            return all
        }
    }
}
