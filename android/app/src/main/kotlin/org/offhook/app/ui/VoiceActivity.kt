package org.offhook.app.ui

import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.CheckBox
import org.offhook.app.R
import org.offhook.core.AccountSettings
import org.offhook.core.KeypadBy
import org.offhook.core.codecs

/** How an account's calls carry sound and digits. Which codecs there are is the core's to say. */
class VoiceActivity : PartScreen(R.string.voice_title, R.layout.voice) {
    private lateinit var order: Order
    private lateinit var rows: ViewGroup
    private var listed = emptyList<VoiceForm.Codec>()

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        rows = findViewById(R.id.codecs)
        order = Order(rows) { from, to -> list(Order.moved(listed, from, to)) }
        findViewById<View>(R.id.codecs_usual).setOnClickListener {
            say(R.id.codecs_mistake, null)
            list(VoiceForm.codecs(emptyList(), codecs()))
        }
        val chosen = savedInstanceState?.getStringArrayList(CHOSEN).orEmpty()
        list(savedInstanceState?.getStringArrayList(LISTED).orEmpty().map { VoiceForm.Codec(it, it in chosen) })
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putStringArrayList(LISTED, ArrayList(listed.map { it.name }))
        outState.putStringArrayList(CHOSEN, ArrayList(listed.filter { it.on }.map { it.name }))
    }

    override fun fill(settings: AccountSettings) {
        val form = VoiceForm.of(settings, codecs())
        list(form.codecs)
        radios(R.id.keypads).check(KEYPADS.getValue(form.keypad))
        button(R.id.voice_silence).isChecked = form.silence
        button(R.id.voice_streams).isChecked = form.streams
    }

    override fun typed(): ((AccountSettings) -> AccountSettings)? {
        val form = VoiceForm(
            listed,
            chosen(R.id.keypads, KEYPADS),
            button(R.id.voice_silence).isChecked,
            button(R.id.voice_streams).isChecked
        )
        say(R.id.codecs_mistake, null)
        if (form.mute) return null.also { refuse(R.id.codecs_mistake, R.string.voice_no_codec) }
        val all = codecs()
        return { form.settings(it, all) }
    }

    private fun list(codecs: List<VoiceForm.Codec>) {
        listed = codecs
        rows.removeAllViews()
        codecs.forEachIndexed { at, codec ->
            val row = layoutInflater.inflate(R.layout.codec, rows, false)
            row.findViewById<CheckBox>(R.id.codec).apply {
                text = codec.name
                isChecked = codec.on
                setOnCheckedChangeListener { _, on ->
                    listed = listed.mapIndexed { each, it -> if (each == at) it.copy(on = on) else it }
                }
            }
            rows.addView(row)
        }
        order.drawn(codecs.map { it.name })
    }

    private companion object {
        const val LISTED = "listed"
        const val CHOSEN = "chosen"

        val KEYPADS = mapOf(
            null to R.id.keypad_automatic,
            KeypadBy.EVENTS to R.id.keypad_events,
            KeypadBy.INFO to R.id.keypad_info,
            KeypadBy.TONES to R.id.keypad_tones
        )
    }
}
