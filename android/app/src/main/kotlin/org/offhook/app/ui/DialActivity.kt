package org.offhook.app.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.text.Editable
import android.text.InputFilter
import android.text.TextWatcher
import android.view.View
import android.view.inputmethod.InputMethodManager
import android.widget.EditText
import android.widget.ImageView
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.app.notify.CallNotice
import org.offhook.core.AccountView
import org.offhook.core.CallView
import org.offhook.core.Event
import org.offhook.core.PhoneException

/** The dialpad, with how the phone is registered at its head. The first screen; `tel:` and `sip:` links lead here too. */
class DialActivity :
    Activity(),
    Core.Listener {
    private lateinit var number: EditText
    private lateinit var mistake: TextView
    private lateinit var notice: Notice
    private lateinit var around: DialAround
    private lateinit var money: DialMoney
    private lateinit var seenAs: SeenAsChoice
    private val app get() = OffhookApp.of(this)

    /** There is no account at all, not even one that is not in use. */
    private val none get() = app.core.kept.isEmpty() && app.core.accounts.isEmpty()

    /** By which account the user wanted to call, for when the microphone is allowed. */
    private var by: UInt? = null

    /** The user refused the microphone a moment ago. */
    private var refused: Permission? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.dial)
        edgeToEdge(findViewById(R.id.root))
        number = findViewById(R.id.number)
        mistake = findViewById(R.id.mistake)
        notice = Notice(this)
        around = DialAround(this)
        money = DialMoney(this)
        seenAs = SeenAsChoice(this)
        savedInstanceState?.let(seenAs::restore)
        by = savedInstanceState?.getInt(BY, NOBODY)?.takeIf { it != NOBODY }?.toUInt()
        prepareNumber()
        // The plans of the world's numbers are read when first needed, and that is not while somebody types.
        app.core.later({ asTyped(ANY_NUMBER) })
        findViewById<View>(R.id.header).setOnClickListener { openAccount() }
        findViewById<View>(R.id.set_up).setOnClickListener { openAccount() }
        findViewById<View>(R.id.offer).setOnClickListener { startActivity(OfferActivity.intent(this)) }
        findViewById<View>(R.id.first_restore).setOnClickListener { startActivity(BackupActivity.intent(this)) }
        findViewById<View>(R.id.call).setOnClickListener { call(null) }
        CallBy(this, ::call)
        findViewById<View>(R.id.to_call).setOnClickListener { returnToCall() }
        findViewById<View>(R.id.voicemail).setOnClickListener { hearMessages() }
        if (savedInstanceState == null) take(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        take(intent)
    }

    override fun onStart() {
        super.onStart()
        app.core.listen(this)
        app.core.ask { cameToFront() }
        refused?.let { if (it.given(this)) refused = null }
        show()
    }

    override fun onStop() {
        super.onStop()
        app.core.ignore(this)
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        seenAs.save(outState)
        by?.let { outState.putInt(BY, it.toInt()) }
    }

    override fun accountChanged(view: AccountView) = show()

    override fun callChanged(view: CallView) = show()

    override fun moment(event: Event) {
        if (event is Event.PasswordLost || event is Event.Accounts || around.concerns(event) ||
            money.concerns(event)
        ) {
            show()
        }
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        val permission = Permission.of(code) ?: return
        // Nothing in it: the question was broken off, by a rotation say.
        if (results.isEmpty()) return
        if (permission.given(this)) call(by) else refused = permission
        show()
    }

    private fun prepareNumber() {
        number.showSoftInputOnFocus = false
        number.filters = arrayOf(
            InputFilter { source, from, to, before, start, end ->
                val length = before.length - (end - start) + (to - from)
                if (length <= LONGEST_LENGTH) return@InputFilter null
                // All or nothing: the beginning of a number is another number.
                fail(getString(R.string.dial_too_long))
                before.subSequence(start, end)
            }
        )
        val backspace = findViewById<View>(R.id.backspace)
        number.addTextChangedListener(object : TextWatcher {
            override fun beforeTextChanged(text: CharSequence, start: Int, count: Int, after: Int) = Unit

            override fun onTextChanged(text: CharSequence, start: Int, before: Int, count: Int) {
                if (before != count || count > 0) mistake.visibility = View.GONE
            }

            override fun afterTextChanged(text: Editable) {
                backspace.visibility = if (text.isEmpty()) View.INVISIBLE else View.VISIBLE
                Grouping.apply(text) { app.core.ask { asTyped(it) }.getOrDefault(it) }
                money.typed()
            }
        })
        backspace.setOnClickListener { deleteBack() }
        backspace.setOnLongClickListener {
            number.setText("")
            true
        }
        findViewById<View>(R.id.keyboard).setOnClickListener { letters(!number.showSoftInputOnFocus) }
        findViewById<Keypad>(R.id.keys).apply {
            onKey = { key ->
                val at = selection()
                number.text.replace(at.first, at.last, key.toString())
            }
            onHold = { digit -> number.text.isEmpty().also { if (it) callBySpeed(digit) } }
        }
    }

    /** What a digit calls that was held down; while that is nothing, the first calls the mailbox, and it is asked for. */
    private fun callBySpeed(digit: Int) = app.core.later({ speedDials().find { it.digit.toInt() == digit }?.number }) {
        if (isDestroyed) return@later
        it.onSuccess { set ->
            val mailbox = mailbox().takeIf { digit == VOICEMAIL }
            when {
                set != null -> dial(null, set)
                mailbox != null -> dial(mailbox.first, mailbox.second)
                else -> startActivity(SpeedDialActivity.setting(this, digit))
            }
        }.onFailure(::wrong)
    }

    /** Calls the mailbox; where nobody has said what that is, as the first digit does. */
    private fun hearMessages() = mailbox()?.let { (account, to) -> dial(account, to) } ?: callBySpeed(VOICEMAIL)

    /** The account at the head, and what it calls to hear the messages that wait; null: nobody has said it. */
    private fun mailbox(): Pair<UInt, String>? {
        val account = Registration.first(app.core.accounts, app.core.usual)?.account ?: return null
        // Told with what waits; a provider that never tells of messages has a mailbox all the same.
        val to = app.core.around.voicemail(account)?.mailbox
            ?: app.core.ask { accountSettings(account).mailbox }.getOrNull()?.ifBlank { null }
        return to?.let { account to it }
    }

    private fun dial(account: UInt?, to: String) {
        number.setText(to)
        call(account)
    }

    /** The platform's keyboard beside the keys, for addresses with letters in them. */
    private fun letters(on: Boolean) {
        val keyboard = getSystemService(InputMethodManager::class.java)
        number.showSoftInputOnFocus = on
        number.requestFocus()
        if (on) keyboard.showSoftInput(number, 0) else keyboard.hideSoftInputFromWindow(number.windowToken, 0)
    }

    /** As the keyboard's own key would: what is marked, or the whole character before the cursor. */
    private fun deleteBack() {
        val at = selection()
        val from = if (at.first < at.last || at.first == 0) {
            at.first
        } else {
            Character.offsetByCodePoints(number.text, Grouping.before(number.text, at.first), -1)
        }
        number.text.delete(from, at.last)
    }

    /** Where typing goes: the cursor, or the end where there is none. */
    private fun selection(): IntRange {
        val start = number.selectionStart
        val end = number.selectionEnd
        if (start < 0 || end < 0) return number.length()..number.length()
        return minOf(start, end)..maxOf(start, end)
    }

    private fun take(intent: Intent) {
        intent.getStringExtra(TYPED)?.let(::type)
        val data = intent.data ?: return
        if (data.scheme !in setOf("tel", "sip", "sips")) return
        // Nobody can be called without an account, and that may be one.
        if (data.scheme != "tel" && none) {
            return startActivity(OfferActivity.intent(this, intent.dataString.orEmpty()))
        }
        type(data.schemeSpecificPart.orEmpty())
    }

    /** Puts it where the keys go. */
    private fun type(text: String) {
        number.setText(text)
        number.setSelection(number.length())
    }

    /** [account]: by which; null: by the one that calls go by. */
    private fun call(account: UInt?) {
        by = account
        val to = number.text.toString()
        if (to.isBlank()) return recall()
        // A number that cannot be called is no reason to ask for anything.
        app.core.ask { check(account, to) }.onFailure {
            if (!Emergency.handOn(this, it, to)) wrong(it)
            return
        }
        if (!Permission.MICROPHONE.given(this)) return Permission.MICROPHONE.ask(this)
        app.calls.place(account, to, seenAs.chosen).onSuccess { call ->
            seenAs.asUsual()
            remembered().edit().putString(LAST, to).apply()
            number.setText("")
            startActivity(CallActivity.intent(this, call, to))
        }.onFailure(::wrong)
    }

    /** The call button without a number brings back the last one called. */
    private fun recall() {
        val last = remembered().getString(LAST, null) ?: return fail(getString(R.string.dial_nothing_yet))
        type(last)
    }

    private fun wrong(failure: Throwable) {
        if (failure is PhoneException.NoAccount) openAccount() else fail(failure.sentence(this))
    }

    private fun fail(sentence: String) {
        mistake.text = sentence
        mistake.visibility = View.VISIBLE
    }

    private fun show() {
        findViewById<View>(R.id.first).visibility = if (none) View.VISIBLE else View.GONE
        findViewById<View>(R.id.dial).visibility = if (none) View.GONE else View.VISIBLE
        if (!none) {
            val account = Registration.first(app.core.accounts, app.core.usual)
            showRegistration(account?.let(Registration::of) ?: Registration.NONE)
            val foremost = (account?.account ?: app.core.usual) ?: app.core.kept.first().account
            around.show(foremost)
            money.show(foremost)
        }
        showCall(CallScreen.foremost(app.core.calls))
    }

    private fun showRegistration(registration: Registration) {
        val words = registration.words.said(this)
        val name = app.core.kept.takeIf { it.size > 1 }?.find { it.account == registration.account }
            ?.let(AccountFace::title)
        findViewById<TextView>(R.id.registration).text =
            if (name == null) words else getString(R.string.accounts_head, name, words)
        findViewById<View>(R.id.header).contentDescription = if (name == null) {
            getString(R.string.state_opens_account, words)
        } else {
            getString(R.string.accounts_head_heard, name, words)
        }
        findViewById<ImageView>(R.id.dot).setColorFilter(getColor(registration.colour))
        val trouble = registration.trouble
        val refused = refused
        val lost = app.core.passwordsLost.firstOrNull()
        val fills = CallNotice.mayFillScreen(this)
        // It was allowed since: should it be forbidden once more, that is news.
        if (fills && remembered().contains(DARK)) remembered().edit().remove(DARK).apply()
        notice.show(
            when {
                refused != null -> settings(refused)

                lost != null -> Notice.Card(
                    getString(R.string.account_password_lost),
                    button = R.string.account_edit
                ) { startActivity(AccountActivity.intent(this, lost)) }

                trouble != null -> Notice.of(this, trouble) {
                    registration.account?.let { app.core.ask { register(it) } }
                }

                registration.off -> Notice.Card(getString(R.string.state_off), button = R.string.account_edit) {
                    openAccount()
                }

                Permission.NOTIFICATIONS.wasAsked(this) && !Permission.NOTIFICATIONS.given(this) ->
                    settings(Permission.NOTIFICATIONS)

                !fills && !remembered().getBoolean(DARK, false) -> darkScreen()

                else -> null
            }
        )
    }

    private fun settings(permission: Permission) =
        Notice.Card(getString(permission.refused), button = R.string.permission_settings) {
            startActivity(Permission.settings(this))
        }

    private fun darkScreen() = Notice.Card(
        getString(R.string.permission_full_screen),
        button = R.string.permission_settings,
        dismiss = {
            remembered().edit().putBoolean(DARK, true).apply()
            show()
        }
    ) {
        try {
            startActivity(Permission.fullScreenSettings(this))
        } catch (_: ActivityNotFoundException) {
            startActivity(Permission.settings(this))
        }
    }

    private fun showCall(call: CallView?) {
        val bar = findViewById<TextView>(R.id.to_call)
        bar.visibility = if (call == null) View.GONE else View.VISIBLE
        val title = call?.let(Numbers::title).orEmpty()
        bar.text = if (title.isEmpty()) getString(R.string.dial_return) else getString(R.string.dial_return_with, title)
    }

    /** The account there is; the list, where there are several or one that is not in use. */
    private fun openAccount() {
        val one = none || (app.core.kept.size < 2 && app.core.accounts.size == 1)
        startActivity(if (one) AccountActivity.intent(this) else AccountsActivity.intent(this))
    }

    private fun returnToCall() {
        val call = CallScreen.foremost(app.core.calls) ?: return
        startActivity(CallActivity.intent(this, call.call))
    }

    private fun remembered() = getSharedPreferences("dial", Context.MODE_PRIVATE)

    companion object {
        fun intent(context: Context) = Intent(context, DialActivity::class.java)

        /** With that number typed in; null: with none. */
        fun typed(context: Context, number: String?): Intent = intent(context).putExtra(TYPED, number)

        /** As the core: no number or address that works is longer. */
        private const val LONGEST_LENGTH = 255
        private const val LAST = "last"
        private const val ANY_NUMBER = "+493"
        private const val BY = "by"
        private const val NOBODY = -1
        private const val TYPED = "typed"

        /** The digit that calls the mailbox, as on telephones. */
        private const val VOICEMAIL = 1

        /** The user leaves the screen dark when a call comes in. */
        private const val DARK = "dark"
    }
}
