package org.offhook.app.ui

import android.Manifest
import android.app.Activity
import android.app.Application
import android.content.Intent
import android.os.Looper
import android.os.SystemClock
import android.telecom.CallAudioState
import android.telecom.Connection
import android.telecom.TelecomManager
import android.view.View
import android.view.ViewGroup
import android.widget.CompoundButton
import android.widget.EditText
import android.widget.RadioButton
import android.widget.TextView
import java.time.Duration
import java.util.concurrent.Executor
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.FakePhone
import org.offhook.core.AccountInfo
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.Event
import org.offhook.core.Step
import org.offhook.core.Why
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.shadows.ShadowAlertDialog

/** An ordinary phone; there are many pictures of it, so not at its finest. */
const val PHONE = "w411dp-h731dp-hdpi"

/** The same, so high that a long screen is on one picture. */
const val TALL = "w411dp-h1300dp-hdpi"

/** To come up over the lock screen; the user may take it back from Android 14 on. */
const val FULL_SCREEN = Manifest.permission.USE_FULL_SCREEN_INTENT

/** The app's screens over a core that does as the test says. */
class Screens(val phone: FakePhone = FakePhone().withAccount()) {
    val app = RuntimeEnvironment.getApplication() as OffhookApp

    init {
        app.startCore = { phone }
        app.aside = { Executor(Runnable::run) }
        app.now = { NOW_MS }
        // The platform's stand-in allows none by itself.
        shadowOf(app.getSystemService(TelecomManager::class.java)).setIsOutgoingCallPermitted(true)
        allow(Manifest.permission.RECORD_AUDIO, "android.permission.POST_NOTIFICATIONS", FULL_SCREEN)
    }

    fun dial(): ActivityController<DialActivity> = Robolectric.buildActivity(DialActivity::class.java).setup()

    fun account(): ActivityController<AccountActivity> = Robolectric.buildActivity(AccountActivity::class.java).setup()

    fun accounts(): ActivityController<AccountsActivity> =
        Robolectric.buildActivity(AccountsActivity::class.java).setup()

    fun log(): ActivityController<LogActivity> = Robolectric.buildActivity(LogActivity::class.java).setup()

    fun contacts(): ActivityController<ContactsActivity> =
        Robolectric.buildActivity(ContactsActivity::class.java).setup()

    fun record(id: Long): ActivityController<RecordActivity> =
        Robolectric.buildActivity(RecordActivity::class.java, RecordActivity.intent(app, id)).setup()

    fun contact(id: ULong): ActivityController<ContactActivity> =
        Robolectric.buildActivity(ContactActivity::class.java, ContactActivity.intent(app, id)).setup()

    /** A new contact, or the one of the intent. */
    fun contactEdit(intent: Intent = ContactEditActivity.adding(app)): ActivityController<ContactEditActivity> =
        Robolectric.buildActivity(ContactEditActivity::class.java, intent).setup()

    fun blocked(): ActivityController<BlockedActivity> = Robolectric.buildActivity(BlockedActivity::class.java).setup()

    /** The list, or with the question for one digit. */
    fun speedDial(intent: Intent = SpeedDialActivity.intent(app)): ActivityController<SpeedDialActivity> =
        Robolectric.buildActivity(SpeedDialActivity::class.java, intent).setup()

    /** The money of account 1, or as the intent has it. */
    fun money(intent: Intent = MoneyActivity.intent(app, 1u)): ActivityController<MoneyActivity> =
        Robolectric.buildActivity(MoneyActivity::class.java, intent).setup()

    fun reached(): ActivityController<ReachedActivity> = Robolectric.buildActivity(ReachedActivity::class.java).setup()

    /** Call 1, or the one of the id. */
    fun call(id: UInt = 1u): ActivityController<CallActivity> =
        Robolectric.buildActivity(CallActivity::class.java, CallActivity.intent(app, id)).setup()

    fun allow(vararg permissions: String) = shadowOf(app as Application).grantPermissions(*permissions)

    fun deny(vararg permissions: String) = shadowOf(app as Application).denyPermissions(*permissions)

    /** Sound can go these ways, and goes the first. */
    @Suppress("DEPRECATION")
    fun routes(vararg masks: Int) = app.audio.ofTelecom.stateOf(
        object : Connection() {},
        CallAudioState(false, masks.first(), masks.reduce(Int::or))
    )
}

/** An account that could not be registered, and is tried again so much later; null: never by itself. */
fun failed(step: Step, why: Why, again: Duration?): Event.Account {
    val retry = again?.let { (SystemClock.elapsedRealtime() + it.toMillis()).toULong() }
    return Event.Account(
        AccountView(1u, 9u, "sip:1001@sip.example.com", "1001", AccountState.FAILED, step, why, null, retry, null)
    )
}

/** Work, which calls go by, home, one that is not in use, and one that is damaged. */
val fourAccounts = listOf(
    AccountInfo(1u, "Work", "sip:1001@offhook.test", "1001", true, true, null),
    AccountInfo(2u, "Home", "sip:2001@offhook.test", "2001", false, true, null),
    AccountInfo(3u, "3001@sip.example.com", "sip:3001@sip.example.com", "3001", false, false, null),
    AccountInfo(4u, "Old office", "", "", false, true, "it is of a newer version")
)

/** What the server of account 1 shows, and why it is not accepted. */
fun certificate(why: Why, fingerprint: String = "AB:CD", subject: String = "") = Event.Certificate(
    account = 1u,
    fingerprint = fingerprint,
    subject = subject,
    issuer = "CN=Office authority",
    names = listOf("sip.example.com", "example.com"),
    notBefore = "2026-01-01 00:00:00 UTC",
    notAfter = "2027-01-01 00:00:00 UTC",
    why = why
)

fun pass(time: Duration) = shadowOf(Looper.getMainLooper()).idleFor(time)

fun Activity.text(id: Int): String = findViewById<TextView>(id).text.toString()

fun Activity.type(id: Int, text: String) = findViewById<EditText>(id).setText(text)

fun Activity.press(id: Int) {
    val view = findViewById<View>(id)
    check(view.isShown) { "it is not to be seen: $view" }
    check(view.performClick()) { "it does nothing: $view" }
    shadowOf(Looper.getMainLooper()).idle()
}

/** A radio button or a switch. */
fun Activity.choose(id: Int) {
    val view = findViewById<CompoundButton>(id)
    check(view.isShown) { "it is not to be seen: $view" }
    view.toggle()
}

fun Activity.key(keys: String) = keys.forEach {
    findViewById<View>(R.id.keys).findViewWithTag<View>("$it").performClick()
}

fun Activity.sees(id: Int): Boolean = findViewById<View>(id).isShown

/** What a dialog offers, in order. */
fun offered(): List<String> = shadowOf(ShadowAlertDialog.getLatestAlertDialog()).items.map { it.toString().bare() }

/** Takes what a dialog offers under that name. */
fun take(words: String) {
    val dialog = ShadowAlertDialog.getLatestAlertDialog()
    val at = offered().indexOf(words)
    check(at >= 0) { "not offered: $words, but ${offered()}" }
    shadowOf(dialog).clickOnItem(at)
    shadowOf(Looper.getMainLooper()).idle()
}

/** Answers a dialog by one of its buttons. */
fun answer(button: Int) {
    ShadowAlertDialog.getLatestAlertDialog().getButton(button).performClick()
    shadowOf(Looper.getMainLooper()).idle()
}

/** Types into the field of a dialog. */
fun typeThere(text: String) {
    val field = ShadowAlertDialog.getLatestAlertDialog().window!!.decorView.all().filterIsInstance<EditText>().single()
    field.setText(text)
}

/** Its text as a person reads it: without marks that isolate, and with an ordinary blank before a clock's AM and PM. */
private fun TextView.read() = text.toString().bare().replace('\u202f', ' ')

/** All that an activity shows as text, from top to bottom. */
fun Activity.shownTexts(): List<String> {
    shadowOf(Looper.getMainLooper()).idle()
    return window.decorView.all().filter { it is TextView && it.isShown && it.text.isNotEmpty() }
        .map { (it as TextView).read() }
}

/** Presses the button beside the title, or an action, whatever shows these words. */
fun Activity.pressWords(words: String) {
    shadowOf(Looper.getMainLooper()).idle()
    val view = window.decorView.all().first { it is TextView && it.isShown && it.read() == words }
    generateSequence(view) { it.parent as? View }.first { it.hasOnClickListeners() || it is RadioButton }.performClick()
    shadowOf(Looper.getMainLooper()).idle()
}

/** Without the marks that isolate a number or a name from the text around it. */
fun String.bare() = filter { it !in "\u2066\u2068\u2069" }

fun View.all(): List<View> =
    listOf(this) + ((this as? ViewGroup)?.let { group -> (0 until group.childCount).map(group::getChildAt) }.orEmpty())
        .flatMap(View::all)
