package org.offhook.app.ui

import android.app.Activity
import android.os.Bundle
import android.text.InputFilter
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.InputMethodManager
import android.widget.Button
import android.widget.EditText
import android.widget.TextView
import org.offhook.app.R
import org.offhook.app.audio.AudioRoutes
import org.offhook.app.telecom.CallDesk

/** The lower half of the call screen: its controls, or in their place the keypad, the transfer, or where sound goes. */
class CallPanels(
    private val activity: Activity,
    private val desk: CallDesk,
    private val audio: AudioRoutes,
    private val changed: () -> Unit
) {
    private enum class Panel(val id: Int) {
        CONTROLS(R.id.controls),
        KEYPAD(R.id.keypad_panel),
        TRANSFER(R.id.transfer_panel),
        ROUTES(R.id.routes_panel)
    }

    /** Told whenever something was opened or closed. */
    var onOpened: (Boolean) -> Unit = {}

    /** Whether something lies in the controls' place. */
    val open: Boolean get() = panel != Panel.CONTROLS

    private var panel = Panel.CONTROLS
        set(value) {
            field = value
            onOpened(open)
            changed()
        }

    private var call: UInt? = null

    /** The call that the digits went to, and they. */
    private var digitsOf: UInt? = null
    private var digits = ""
    private var wanted: AudioRoutes.Route? = null
    private val transferTo: EditText = activity.findViewById(R.id.transfer_to)
    private val mistake: TextView = activity.findViewById(R.id.transfer_mistake)

    init {
        click(R.id.keypad) { panel = Panel.KEYPAD }
        click(R.id.keypad_hide) { close() }
        click(R.id.transfer) { panel = Panel.TRANSFER }
        click(R.id.transfer_close) { close() }
        click(R.id.transfer_go) { transfer() }
        click(R.id.audio) { pressAudio() }
        click(R.id.routes_close) { close() }
        transferTo.filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH))
        activity.findViewById<Keypad>(R.id.keys).apply {
            plus = false
            onKey = ::send
        }
    }

    fun close() {
        if (!open) return
        val typing = panel == Panel.TRANSFER
        panel = Panel.CONTROLS
        if (!typing) return
        transferTo.setText("")
        mistake.visibility = View.GONE
        activity.getSystemService(InputMethodManager::class.java)
            .hideSoftInputFromWindow(transferTo.windowToken, 0)
    }

    fun save(state: Bundle) {
        state.putString(PANEL, panel.name)
        state.putString(DIGITS, digits)
        digitsOf?.let { state.putInt(DIGITS_OF, it.toInt()) }
    }

    fun restore(state: Bundle) {
        digits = state.getString(DIGITS).orEmpty()
        if (state.containsKey(DIGITS_OF)) digitsOf = state.getInt(DIGITS_OF).toUInt()
        panel = Panel.entries.find { it.name == state.getString(PANEL) } ?: Panel.CONTROLS
    }

    fun show(screen: CallScreen) {
        call = screen.call
        val possible = when (panel) {
            Panel.CONTROLS -> true
            Panel.KEYPAD -> screen.keypad
            Panel.TRANSFER -> screen.up
            Panel.ROUTES -> screen.buttons == CallScreen.Buttons.END
        }
        // The call has become another: what was opened for it is no use any more.
        if (!possible) return close()
        val none = screen.buttons != CallScreen.Buttons.END
        for (each in Panel.entries) {
            activity.findViewById<View>(each.id).visibility = when {
                each != panel -> View.GONE
                none -> View.INVISIBLE
                else -> View.VISIBLE
            }
        }
        showControls(screen)
        showDigits(screen)
        showJoin(screen.other)
        if (panel == Panel.ROUTES) showRoutes()
    }

    /** The permission for it was asked for, and the user has answered. */
    fun chooseAsked() {
        val route = wanted ?: return
        wanted = null
        if (Permission.BLUETOOTH.given(activity)) take(route)
    }

    private fun showControls(screen: CallScreen) {
        val mute = if (screen.muted) R.drawable.ic_mic_off else R.drawable.ic_mic
        control(R.id.mute).show(mute, text(R.string.call_mute), screen.up, on = screen.muted)
        control(R.id.keypad).show(R.drawable.ic_dialpad, text(R.string.call_keypad), screen.keypad)
        val hold = if (screen.held) R.string.call_resume else R.string.call_hold
        control(R.id.hold).show(
            if (screen.held) R.drawable.ic_play else R.drawable.ic_pause,
            text(hold),
            screen.up,
            on = screen.held
        )
        control(R.id.add).show(R.drawable.ic_add_call, text(R.string.call_add), screen.up && screen.other == null)
        control(R.id.transfer).show(R.drawable.ic_transfer, text(R.string.call_transfer), screen.up)
        showAudio()
    }

    /** Two ways to hear are a switch between ear and room; more are a list to choose from. */
    private fun showAudio() {
        val current = audio.current
        val routes = audio.routes
        val speaker = current?.kind == AudioRoutes.Kind.SPEAKER
        val control = control(R.id.audio)
        if (routes.size > 2) {
            val kind = current?.kind ?: AudioRoutes.Kind.EARPIECE
            control.show(CallScreen.iconOf(kind), text(CallScreen.nameOf(kind)))
        } else {
            control.show(R.drawable.ic_speaker, text(R.string.route_speaker), routes.size > 1, on = speaker)
        }
    }

    private fun pressAudio() {
        val routes = audio.routes
        if (routes.size > 2) {
            panel = Panel.ROUTES
        } else {
            routes.firstOrNull { it != audio.current }?.let(::choose)
        }
    }

    private fun showRoutes() {
        val list = activity.findViewById<ViewGroup>(R.id.routes)
        list.removeAllViews()
        for (route in audio.routes) {
            val row = activity.layoutInflater.inflate(R.layout.route, list, false) as TextView
            val current = route.id == audio.current?.id
            val name = Numbers.clean(route.name).ifEmpty { text(CallScreen.nameOf(route.kind)) }
            row.text = name
            row.tag = route.id
            row.contentDescription = if (current) "$name, ${text(R.string.route_current)}" else name
            row.isSelected = current
            row.setCompoundDrawablesRelativeWithIntrinsicBounds(
                CallScreen.iconOf(route.kind),
                0,
                if (current) R.drawable.ic_done else 0,
                0
            )
            row.setOnClickListener {
                choose(route)
                close()
            }
            list.addView(row)
        }
    }

    private fun choose(route: AudioRoutes.Route) {
        if (route.kind == AudioRoutes.Kind.BLUETOOTH && !Permission.BLUETOOTH.given(activity)) {
            wanted = route
            return Permission.BLUETOOTH.ask(activity)
        }
        take(route)
    }

    private fun take(route: AudioRoutes.Route) {
        audio.choose(route)
        changed()
    }

    private fun showDigits(screen: CallScreen) {
        if (digitsOf != screen.call) digits = ""
        activity.findViewById<TextView>(R.id.digits).apply {
            text = digits
            contentDescription = if (digits.isEmpty()) null else "${text(R.string.call_digits)}: $digits"
        }
    }

    private fun send(key: Char) {
        val to = call ?: return
        if (digitsOf != to) digits = ""
        digitsOf = to
        desk.digits(to, key.toString()).onSuccess { digits = (digits + key).takeLast(DIGITS_LENGTH) }
        changed()
    }

    private fun showJoin(other: CallScreen.Other?) {
        val join = activity.findViewById<Button>(R.id.join)
        join.visibility = if (other?.join == true) View.VISIBLE else View.GONE
        if (other == null) return
        join.text = activity.getString(
            R.string.transfer_to_other,
            other.title.ifEmpty { activity.getString(R.string.call_unknown) }
        )
        join.setOnClickListener {
            val from = call ?: return@setOnClickListener
            desk.join(from, other.call).onSuccess { close() }.onFailure(::wrong)
        }
    }

    private fun transfer() {
        val from = call ?: return
        desk.transfer(from, transferTo.text.toString()).onSuccess { close() }.onFailure(::wrong)
    }

    private fun wrong(failure: Throwable) {
        mistake.text = failure.sentence(activity)
        mistake.visibility = View.VISIBLE
        transferTo.isActivated = true
    }

    private fun click(id: Int, act: () -> Unit) = activity.findViewById<View>(id).setOnClickListener { act() }

    private fun control(id: Int): Control = activity.findViewById(id)

    private fun text(id: Int) = activity.getString(id)

    private companion object {
        /** Longer than any number or address that works; the core says what is wrong with those. */
        const val LONGEST_LENGTH = 300

        /** No screen shows more. */
        const val DIGITS_LENGTH = 100
        const val PANEL = "panel"
        const val DIGITS = "digits"
        const val DIGITS_OF = "digits_of"
    }
}
