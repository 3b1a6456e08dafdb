package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.graphics.Rect
import android.graphics.Typeface
import android.os.Bundle
import android.text.InputFilter
import android.text.method.PasswordTransformationMethod
import android.view.View
import android.view.inputmethod.InputMethodManager
import android.widget.Button
import android.widget.ImageButton
import android.widget.TextView
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.core.AccountSettings
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.Encryption
import org.offhook.core.Event
import org.offhook.core.Field
import org.offhook.core.MediaEncryption
import org.offhook.core.MediaKeys
import org.offhook.core.PhoneException
import org.offhook.core.Transport

/**
 * An account: typed in, saved, and tested by registering it while the user looks on.
 *
 * The password is never shown again, and not kept with the screen's state either: it outlives a rotation in memory only.
 */
class AccountActivity :
    Activity(),
    Core.Listener {
    private val app get() = OffhookApp.of(this)
    private val core get() = app.core
    private lateinit var notice: Notice
    private lateinit var test: SelfTestView
    private val parts by lazy { AccountParts(this) }

    /** Which account; null while there is none yet. */
    private var account: UInt? = null

    /** It was saved from here, and what the core has said of it since then counts. */
    private var tested = false
    private var begun = false
    private var moreOpen = false
    private val passwordLost get() = account in core.passwordsLost

    /** It is kept, and neither registers nor calls. */
    private val idle get() = core.kept.any { it.account == account && !it.enabled }

    /** Asks whether the server's certificate is to be trusted. */
    private var asking: AlertDialog? = null

    /** What was saved last; some of it this screen does not show. */
    private var kept: AccountSettings? = null

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.account)
        edgeToEdge(findViewById(R.id.root))
        notice = Notice(this)
        test = SelfTestView(findViewById(R.id.test)) { account?.let { core.ask { register(it) } } }
        FIELDS.values.forEach { edit(it.edit).filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH)) }
        if (savedInstanceState == null) begin() else restore(savedInstanceState)
        // The platform writes passwords, and so their hint, like a typewriter.
        PASSWORDS.forEach { edit(it).typeface = Typeface.DEFAULT }
        wire()
    }

    override fun onStart() {
        super.onStart()
        core.listen(this)
        // A part of it may have been changed on its own screen.
        kept = settings() ?: kept
        showForm()
        show()
    }

    override fun onStop() {
        super.onStop()
        core.ignore(this)
        asking?.dismiss()
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        account?.let { outState.putInt(ACCOUNT, it.toInt()) }
        outState.putBoolean(TESTED, tested)
        outState.putBoolean(BEGUN, begun)
        outState.putBoolean(MORE_OPEN, moreOpen)
    }

    @Deprecated("The platform has nothing else that stays in memory")
    override fun onRetainNonConfigurationInstance(): Any = PASSWORDS.map { edit(it).text.toString() }

    override fun accountChanged(view: AccountView) {
        if (view.account != account) return
        begun = true
        show()
        // Calls reach us from now on, and should be seen.
        val ask = tested && view.state == AccountState.REGISTERED && !Permission.NOTIFICATIONS.given(this)
        if (ask && !Permission.NOTIFICATIONS.wasAsked(this)) Permission.NOTIFICATIONS.ask(this)
    }

    override fun moment(event: Event) {
        if (event is Event.PasswordLost && event.account == account) {
            showForm()
            show()
        }
        if (event is Event.Certificate && event.account == account) {
            show()
            ask(event)
        }
        if (event is Event.Accounts) show()
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) = show()

    private fun begin() {
        val asked = intent.getIntExtra(ACCOUNT, NONE).takeIf { it != NONE }?.toUInt()
        account = asked ?: Registration.first(core.accounts)?.account?.takeIf { intent.action != NEW }
        val settings = settings()
        if (settings == null) {
            account = null
            return
        }
        kept = settings
        val form = AccountForm.of(settings)
        form.texts.forEach { (field, text) -> edit(FIELDS.getValue(field).edit).setText(text) }
        radios(R.id.transports).check(TRANSPORTS.getValue(form.transport))
        radios(R.id.encryptions).check(ENCRYPTIONS.getValue(form.mediaEncryption))
        radios(R.id.media_keys).check(KEYS.getValue(form.mediaKeys))
        switch(R.id.ice).isChecked = form.ice
        switch(R.id.vos).isChecked = form.encryption == Encryption.VOS
        switch(R.id.presence).isChecked = form.publishPresence
        moreOpen = form.transport != Transport.AUTOMATIC || !form.ice || form.encryption != null ||
            form.mediaEncryption != null || form.publishPresence ||
            AccountForm.MORE.any { !form.texts[it].isNullOrEmpty() }
    }

    private fun restore(state: Bundle) {
        account = state.getInt(ACCOUNT, NONE).takeIf { it != NONE }?.toUInt()
        tested = state.getBoolean(TESTED)
        begun = state.getBoolean(BEGUN)
        moreOpen = state.getBoolean(MORE_OPEN)
        kept = settings()
        @Suppress("DEPRECATION")
        val typed = lastNonConfigurationInstance as? List<*> ?: return
        PASSWORDS.zip(typed) { id, text -> edit(id).setText(text as? String) }
    }

    private fun settings() = account?.let { id -> core.ask { accountSettings(id) }.getOrNull() }

    private fun wire() {
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<View>(R.id.more).setOnClickListener {
            moreOpen = !moreOpen
            showForm()
        }
        findViewById<View>(R.id.save).setOnClickListener { save() }
        findViewById<View>(R.id.remove).setOnClickListener { askToRemove() }
        findViewById<View>(R.id.offer).setOnClickListener { offer() }
        findViewById<View>(R.id.to_balance).setOnClickListener {
            account?.let { startActivity(BalanceActivity.intent(this, it)) }
        }
        findViewById<View>(R.id.to_reached).setOnClickListener { startActivity(ReachedActivity.intent(this)) }
        findViewById<View>(R.id.numbers).setOnClickListener { startActivity(NumbersActivity.intent(this)) }
        findViewById<View>(R.id.accounts).setOnClickListener { startActivity(AccountsActivity.intent(this)) }
        findViewById<View>(R.id.done).setOnClickListener { finish() }
        val reveal = findViewById<ImageButton>(R.id.reveal)
        reveal.setOnClickListener {
            val password = edit(R.id.password)
            reveal.isSelected = !reveal.isSelected
            password.transformationMethod = if (reveal.isSelected) null else PasswordTransformationMethod.getInstance()
            password.setSelection(password.length())
        }
    }

    private fun save() {
        FIELDS.values.forEach { findViewById<View>(it.mistake).visibility = View.GONE }
        FIELDS.values.forEach { edit(it.edit).isActivated = false }
        val form = form()
        val settings = form.settings()
        val password = form.password(account != null)
        val ofRelay = form.relayPassword()
        // What the core says from here on is of what was saved now; it may say it at once.
        begun = false
        val known = account
        val saved = if (known == null) {
            core.ask { addAccount(settings, password.orEmpty()) }
        } else {
            core.changeAccount(known, settings, password).map { known }
        }
        saved.onSuccess {
            account = it
            kept = settings
            tested = true
            edit(R.id.password).setText("")
            hideKeyboard()
            showForm()
            show()
            findViewById<View>(R.id.test).let { card -> card.post { card.requestRectangleOnScreen(bounds(card)) } }
            if (settings.relays.isNotEmpty()) saveRelayPassword(it, ofRelay)
        }.onFailure(::wrong)
    }

    /** What was typed here is not wanted then. */
    private fun offer() {
        startActivity(OfferActivity.intent(this))
        finish()
    }

    private fun saveRelayPassword(account: UInt, password: String?) {
        core.ask { setRelayPassword(account, 0u, password) }
            .onSuccess {
                edit(R.id.relay_password).setText("")
                showForm()
            }
            .onFailure { wrong(it, Field.RELAY_PASSWORD) }
    }

    /** [secret]: what the platform's store would not take. */
    private fun wrong(failure: Throwable, secret: Field = Field.PASSWORD) {
        val sentence = failure.sentence(this)
        val field = when (failure) {
            is PhoneException.BadSetting -> failure.field
            is PhoneException.Secrets -> secret
            else -> null
        }
        if (field == null) return notice.show(Notice.Card(sentence))
        if (field in AccountForm.MORE && !moreOpen) {
            moreOpen = true
            showForm()
        }
        val row = FIELDS.getValue(field)
        findViewById<TextView>(row.mistake).apply {
            text = sentence
            visibility = View.VISIBLE
        }
        edit(row.edit).isActivated = true
        edit(row.edit).requestFocus()
    }

    private fun askToRemove() {
        val known = account ?: return
        AlertDialog.Builder(this)
            .setMessage(R.string.account_remove_ask)
            .setNegativeButton(R.string.cancel, null)
            .setPositiveButton(R.string.account_remove_yes) { _, _ ->
                core.removeAccount(known).onSuccess { finish() }.onFailure(::wrong)
            }
            .show()
    }

    private fun use() {
        val idle = account ?: return
        core.later({ enableAccount(idle, true) }) { if (!isDestroyed) it.onFailure(::wrong) }
    }

    private fun ask(shown: Event.Certificate) {
        asking?.dismiss()
        asking = CertificateQuestion.ask(this, shown) { core.trust(shown).onSuccess { show() }.onFailure(::wrong) }
    }

    private fun form() = AccountForm(
        FIELDS.mapValues { edit(it.value.edit).text.toString() },
        chosen(R.id.transports, TRANSPORTS),
        switch(R.id.ice).isChecked,
        if (switch(R.id.vos).isChecked) Encryption.VOS else null,
        chosen(R.id.encryptions, ENCRYPTIONS),
        chosen(R.id.media_keys, KEYS),
        switch(R.id.presence).isChecked,
        kept
    )

    /** What does not depend on how the account fares. */
    private fun showForm() {
        val editing = account != null
        findViewById<TextView>(R.id.title).setText(if (editing) R.string.account_edit else R.string.account_new)
        edit(R.id.password).hint = if (editing && !passwordLost) getString(R.string.account_password_kept) else null
        parts.show(account, kept)
        val hasRelay = !kept?.relays.isNullOrEmpty()
        edit(R.id.relay_password).hint = if (hasRelay) getString(R.string.account_password_kept) else null
        listOf(R.id.remove, R.id.accounts, R.id.to_balance).forEach {
            findViewById<View>(it).visibility = if (editing) View.VISIBLE else View.GONE
        }
        findViewById<View>(R.id.offer).visibility = if (editing) View.GONE else View.VISIBLE
        findViewById<View>(R.id.more_fields).visibility = if (moreOpen) View.VISIBLE else View.GONE
        findViewById<Button>(R.id.more).apply {
            setText(if (moreOpen) R.string.account_less else R.string.account_more)
            val icon = if (moreOpen) R.drawable.ic_less else R.drawable.ic_more
            setCompoundDrawablesRelativeWithIntrinsicBounds(icon, 0, 0, 0)
        }
    }

    private fun show() {
        val view = core.accounts.find { it.account == account }
        val result = SelfTest.of(view.takeIf { begun || !tested })
        // An account that is looked at shows how it stands, too.
        findViewById<View>(R.id.test).visibility = if ((tested && !idle) || view != null) View.VISIBLE else View.GONE
        test.show(result)
        findViewById<View>(R.id.done).visibility = if (result.passed && tested) View.VISIBLE else View.GONE
        val shown = core.certificates[account]
        val refused = Permission.NOTIFICATIONS.wasAsked(this) && !Permission.NOTIFICATIONS.given(this)
        notice.show(
            when {
                idle -> Notice.Card(getString(R.string.account_idle), button = R.string.accounts_take_in) { use() }

                passwordLost -> Notice.Card(getString(R.string.account_password_lost))

                shown != null -> Notice.Card(getString(shown.why.sentence), button = R.string.certificate_look) {
                    ask(shown)
                }

                refused -> Notice.Card(
                    getString(Permission.NOTIFICATIONS.refused),
                    button = R.string.permission_settings
                ) { startActivity(Permission.settings(this)) }

                else -> null
            }
        )
        edit(R.id.password).isActivated = passwordLost
    }

    private fun hideKeyboard() {
        val focused = currentFocus ?: return
        getSystemService(InputMethodManager::class.java).hideSoftInputFromWindow(focused.windowToken, 0)
        focused.clearFocus()
    }

    private fun bounds(view: View) = Rect(0, 0, view.width, view.height)

    private data class FieldViews(val edit: Int, val mistake: Int)

    companion object {
        private const val ACCOUNT = "account"
        private const val TESTED = "tested"
        private const val BEGUN = "begun"
        private const val MORE_OPEN = "more_open"
        private const val NONE = -1
        private const val NEW = "org.offhook.app.NEW"

        /** Longer than anything that works; the core says so of what is only a little too long. */
        private const val LONGEST_LENGTH = 300

        private val FIELDS = mapOf(
            Field.SERVER to FieldViews(R.id.server, R.id.server_mistake),
            Field.NUMBER to FieldViews(R.id.number, R.id.number_mistake),
            Field.PASSWORD to FieldViews(R.id.password, R.id.password_mistake),
            Field.PROXY to FieldViews(R.id.proxy, R.id.proxy_mistake),
            Field.AUTH_USER to FieldViews(R.id.auth_user, R.id.auth_user_mistake),
            Field.DISPLAY_NAME to FieldViews(R.id.display_name, R.id.display_name_mistake),
            Field.STUN to FieldViews(R.id.stun, R.id.stun_mistake),
            Field.RELAY to FieldViews(R.id.relay, R.id.relay_mistake),
            Field.RELAY_USER to FieldViews(R.id.relay_user, R.id.relay_user_mistake),
            Field.RELAY_PASSWORD to FieldViews(R.id.relay_password, R.id.relay_password_mistake)
        )

        private val PASSWORDS = listOf(R.id.password, R.id.relay_password)

        private val ENCRYPTIONS = mapOf(
            null to R.id.encryption_off,
            MediaEncryption.OPTIONAL to R.id.encryption_optional,
            MediaEncryption.REQUIRED to R.id.encryption_required
        )

        private val KEYS = mapOf(
            null to R.id.keys_automatic,
            MediaKeys.SDES to R.id.keys_sdes,
            MediaKeys.DTLS to R.id.keys_dtls
        )

        private val TRANSPORTS = mapOf(
            Transport.AUTOMATIC to R.id.transport_automatic,
            Transport.UDP to R.id.transport_udp,
            Transport.TCP to R.id.transport_tcp,
            Transport.TLS to R.id.transport_tls
        )

        /** The account there is, or a new one. */
        fun intent(context: Context) = Intent(context, AccountActivity::class.java)

        /** One more account. */
        fun another(context: Context) = intent(context).setAction(NEW)

        /** A certain account. */
        fun intent(context: Context, account: UInt) = intent(context).putExtra(ACCOUNT, account.toInt())
    }
}
