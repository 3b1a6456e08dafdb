package org.offhook.app.ui

import android.annotation.SuppressLint
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.media.AudioManager
import android.os.Build
import android.os.Bundle
import android.os.Handler
import android.os.Looper
import android.view.View
import android.view.WindowManager
import android.window.OnBackInvokedCallback
import android.window.OnBackInvokedDispatcher
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.audio.AudioRoutes
import org.offhook.app.core.Core
import org.offhook.app.telecom.CallDesk
import org.offhook.core.AccountView
import org.offhook.core.CallState
import org.offhook.core.CallView
import org.offhook.core.Event
import org.offhook.core.Quality
import org.offhook.core.Subject

/**
 * The calls there are: who rings, who is talked to, who waits. Over the lock screen too.
 *
 * All it shows comes from the core's views ([CallScreen]), so a rotation and the process's end lose nothing of a call. Its
 * own are only what the user opened and typed.
 */
class CallActivity :
    Activity(),
    Core.Listener,
    CallDesk.Listener,
    AudioRoutes.Listener {
    private val app get() = OffhookApp.of(this)
    private val core get() = app.core
    private val desk get() = app.calls
    private val main = Handler(Looper.getMainLooper())
    private val close = Runnable { if (CallScreen.foremost(core.calls) == null) finish() else show() }
    private lateinit var face: CallFace
    private lateinit var panels: CallPanels
    private lateinit var proximity: Proximity

    /** The call that this screen was opened for; another may matter more by now. */
    private var wanted: UInt? = null

    /** A call that the user has answered, until the core says so too. */
    private var answering: UInt? = null

    /** The last call, over since a moment. */
    private var ended: CallView? = null
    private var quality: Pair<UInt, Quality>? = null

    /** A command that came too late, or a call beside this one that ended: to be read once. */
    private var told: String? = null

    /** The call in which nothing is heard though it should be, and the words for it. */
    private var silent: Pair<UInt, Int>? = null
    private var refused: Permission? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        overLockScreen()
        volumeControlStream = AudioManager.STREAM_VOICE_CALL
        setContentView(R.layout.call)
        edgeToEdge(findViewById(R.id.root))
        face = CallFace(this)
        proximity = Proximity(this)
        panels = CallPanels(this, desk, app.audio) { show() }
        wanted = wantedOf(savedInstanceState) ?: wantedOf(intent)
        @Suppress("DEPRECATION")
        ended = lastNonConfigurationInstance as? CallView
        savedInstanceState?.let(panels::restore)
        findViewById<View>(R.id.answer).setOnClickListener { answer() }
        findViewById<View>(R.id.decline).setOnClickListener { shown()?.let { tell(desk.decline(it.call)) } }
        findViewById<View>(R.id.end).setOnClickListener { shown()?.let { tell(desk.hangUp(it.call)) } }
        findViewById<View>(R.id.mute).setOnClickListener { shown()?.let { tell(desk.mute(it.call, !it.muted)) } }
        findViewById<View>(R.id.hold).setOnClickListener { shown()?.let(::holdOrResume) }
        findViewById<View>(R.id.swap).setOnClickListener { tell(desk.swap()) }
        findViewById<View>(R.id.add).setOnClickListener { startActivity(Intent(this, DialActivity::class.java)) }
        listenForBack()
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        wanted = wantedOf(intent)
        show()
    }

    override fun onStart() {
        super.onStart()
        core.listen(this)
        desk.listen(this)
        app.audio.listen(this)
        if (refused?.given(this) == true) allowed()
        show()
        // A call that was just dialled may not be told of yet; one that is over is not going to be.
        if (shown() == null) main.postDelayed(close, if (ended == null) NEWS_MILLIS else ENDED_MILLIS)
    }

    override fun onStop() {
        super.onStop()
        core.ignore(this)
        desk.ignore(this)
        app.audio.ignore(this)
        main.removeCallbacks(close)
        proximity.release()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        wanted?.let { outState.putInt(CALL, it.toInt()) }
        panels.save(outState)
    }

    @Deprecated("The platform has nothing else that stays in memory")
    override fun onRetainNonConfigurationInstance(): Any? = ended

    override fun accountChanged(view: AccountView) = Unit

    override fun callChanged(view: CallView) {
        if (view.state == CallState.ENDED) over(view)
        if (view.call == answering && !CallScreen.waits(view)) answering = null
        if (view.state != CallState.ENDED) told = null
        show()
    }

    override fun qualityChanged(call: UInt, quality: Quality) {
        this.quality = call to quality
        show()
    }

    override fun moment(event: Event) {
        when (event) {
            is Event.SilenceBegan ->
                silent = event.call to if (event.heardBefore) R.string.silence_since else R.string.silence_ever

            is Event.SilenceEnded -> silent = null

            is Event.EncryptionLost -> Unit

            else -> return refusal(event)
        }
        show()
    }

    private fun refusal(event: Event) {
        val sentence = when {
            event is Event.DigitsLost -> R.string.digits_lost
            event is Event.Refused && event.subject is Subject.Call -> event.why.sentence
            else -> null
        }
        told = getString(sentence ?: return)
        show()
    }

    override fun troubleChanged(trouble: String?) = show()

    override fun routesChanged() = show()

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        val permission = Permission.of(code) ?: return
        if (results.isEmpty()) return
        if (!permission.given(this)) refused = permission
        when (permission) {
            // Who calls is answered all the same: hearing them is better than not.
            Permission.MICROPHONE -> answerNow()

            Permission.BLUETOOTH -> panels.chooseAsked()

            Permission.NOTIFICATIONS, Permission.CONTACTS, Permission.PHONE_NUMBERS, Permission.CAMERA -> Unit
        }
        show()
    }

    private fun answer() {
        if (Permission.MICROPHONE.given(this)) answerNow() else Permission.MICROPHONE.ask(this)
    }

    private fun answerNow() {
        val call = shown()?.takeIf(CallScreen::waits)?.call ?: return
        answering = call
        tell(desk.answer(call))
        show()
    }

    private fun holdOrResume(view: CallView) =
        tell(if (view.state == CallState.HELD) desk.resume(view.call) else desk.hold(view.call))

    /** The settings were visited, and what was refused is allowed now. */
    private fun allowed() {
        if (refused == Permission.MICROPHONE) core.ask { restartAudio() }
        refused = null
    }

    private fun over(view: CallView) {
        if (answering == view.call) answering = null
        if (core.calls.isEmpty()) {
            ended = view
            panels.close()
            main.removeCallbacks(close)
            main.postDelayed(close, ENDED_MILLIS)
        } else {
            val why = view.why?.let { getString(it.sentence) } ?: getString(R.string.call_ended)
            told = listOf(Numbers.title(view), why).filter { it.isNotEmpty() }.joinToString(": ")
        }
    }

    private fun tell(result: Result<Unit>) {
        told = result.exceptionOrNull()?.sentence(this)
        show()
    }

    /** Of the calls that are not over, the one on the screen. */
    private fun shown(): CallView? = CallScreen.foremost(core.calls, wanted)

    private fun show() {
        val view = shown()
        if (view != null) {
            ended = null
            main.removeCallbacks(close)
        }
        val picture = view ?: ended
        if (picture == null) {
            face.showDialling(intent.getStringExtra(TO).orEmpty())
            return
        }
        val heard = quality?.takeIf { it.first == picture.call }?.second
        val screen = CallScreen.of(picture, core.calls, heard, answering == picture.call)
        face.show(screen)
        panels.show(screen)
        face.makeRoom(panels.open)
        face.notice.show(card())
        proximity.follow(screen.up && app.audio.current?.kind == AudioRoutes.Kind.EARPIECE)
    }

    private fun card(): Notice.Card? {
        val told = told
        val refused = refused
        val trouble = desk.trouble
        val active = shown()?.takeIf { it.state == CallState.ACTIVE }?.call
        val silence = silent?.takeIf { it.first == active }?.second
        return when {
            told != null -> Notice.Card(told)

            refused != null -> {
                val words = if (refused ==
                    Permission.MICROPHONE
                ) {
                    R.string.permission_microphone_call
                } else {
                    refused.refused
                }
                Notice.Card(getString(words), button = R.string.permission_settings) {
                    startActivity(Permission.settings(this))
                }
            }

            shown()?.let { core.isBare(it.call) } == true -> Notice.Card(getString(R.string.encryption_lost))

            silence != null -> Notice.Card(getString(silence))

            trouble != null -> Notice.Card(trouble)

            else -> null
        }
    }

    private fun overLockScreen() {
        // From the next level on the manifest says so.
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.O_MR1) return
        @Suppress("DEPRECATION")
        window.addFlags(
            WindowManager.LayoutParams.FLAG_SHOW_WHEN_LOCKED or WindowManager.LayoutParams.FLAG_TURN_SCREEN_ON
        )
    }

    private fun listenForBack() {
        if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return
        val back = OnBackInvokedCallback { panels.close() }
        panels.onOpened = { open ->
            val dispatcher = onBackInvokedDispatcher
            dispatcher.unregisterOnBackInvokedCallback(back)
            if (open) dispatcher.registerOnBackInvokedCallback(OnBackInvokedDispatcher.PRIORITY_DEFAULT, back)
        }
    }

    @Deprecated("Below the level that has a dispatcher")
    @SuppressLint("GestureBackNavigation")
    override fun onBackPressed() {
        @Suppress("DEPRECATION")
        if (panels.open) panels.close() else super.onBackPressed()
    }

    companion object {
        private const val CALL = "call"
        private const val TO = "to"
        private const val NONE = -1

        /** For how long a call that is over still says why. */
        const val ENDED_MILLIS = 2_000L

        /** The core tells of a new call within some milliseconds; what it does not tell of is over. */
        private const val NEWS_MILLIS = 1_000L

        /** The screen of a call; [to]: what was dialled, until more is known. */
        fun intent(context: Context, call: UInt, to: String = "") =
            Intent(context, CallActivity::class.java).putExtra(CALL, call.toInt()).putExtra(TO, to)

        private fun wantedOf(state: Bundle?) = state?.getInt(CALL, NONE)?.takeIf { it != NONE }?.toUInt()

        private fun wantedOf(intent: Intent) = wantedOf(intent.extras)
    }
}
