package org.offhook.app.ui

import android.app.Activity
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.Gravity
import android.view.View
import android.view.ViewGroup
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
    private lateinit var input: EditText

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.thread)
        edgeToEdge(findViewById(R.id.root))
        findViewById<TextView>(R.id.title).text = intent.getStringExtra(TITLE)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        input = findViewById(R.id.text)
        findViewById<View>(R.id.send).setOnClickListener { send() }
        findViewById<ListView>(R.id.rows).apply {
            adapter = messages
            setOnItemClickListener { _, _, at, _ -> again(messages.getItem(at)) }
        }
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

    override fun moment(event: Event) {
        if (event is Event.Messages) show()
    }

    private fun show() {
        val mine = ++reading
        val with = number
        app.core.later({ keptMessages(with, null, MOST) }) { result ->
            if (mine != reading || isDestroyed) return@later
            result.onSuccess(::take).onFailure(::wrong)
        }
    }

    private fun take(newestFirst: List<MessageRecord>) {
        messages.items = newestFirst.asReversed()
        val with = number
        if (newestFirst.any { it.side == Side.IN && !it.seen }) app.core.later({ messagesSeen(with) })
    }

    private fun send() {
        val text = input.text.toString()
        if (text.isBlank()) return
        send(text) { input.setText("") }
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
            val state = listOfNotNull(words.whenOf(message.atMs), stateOf(message)?.let(::getString))
                .joinToString(" · ", transform = Numbers::isolated)
            view.gravity = if (ours) Gravity.END else Gravity.START
            view.findViewById<TextView>(R.id.message_text).apply {
                text = message.text
                setBackgroundResource(if (ours) R.drawable.bubble_ours else R.drawable.bubble_theirs)
            }
            view.findViewById<TextView>(R.id.message_state).apply {
                text = state
                setTextColor(getColor(if (message.delivered == Delivered.FAILED) R.color.error else R.color.text_soft))
            }
            view.contentDescription =
                getString(if (ours) R.string.message_ours else R.string.message_theirs, message.text, state)
        }

        private fun stateOf(message: MessageRecord): Int? = when (message.delivered) {
            Delivered.CAME -> null
            Delivered.ON_ITS_WAY -> R.string.message_on_its_way
            Delivered.SENT -> R.string.message_sent
            Delivered.FAILED -> R.string.message_failed
        }
    }

    companion object {
        private const val MOST = 450u
        private const val NUMBER = "number"
        private const val REMOTE = "remote"
        private const val TITLE = "title"

        /** The thread with a [number], which is written to by [remote] and shown as [title]. */
        fun intent(context: Context, number: String, remote: String, title: String) =
            Intent(context, ThreadActivity::class.java)
                .putExtra(NUMBER, number).putExtra(REMOTE, remote).putExtra(TITLE, title)
    }
}
