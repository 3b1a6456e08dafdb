package org.offhook.app.ui

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipboardManager
import android.content.ContentResolver
import android.content.Context
import android.content.Intent
import android.net.Uri
import android.os.Bundle
import android.os.Parcelable
import android.text.InputFilter
import android.view.View
import android.view.ViewGroup
import android.view.inputmethod.InputMethodManager
import android.widget.EditText
import android.widget.TextView
import java.io.IOException
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.Offer
import org.offhook.app.core.PlatformRefusal
import org.offhook.app.scan.ScanActivity
import org.offhook.app.share.QrPicture
import org.offhook.core.PhoneException
import org.offhook.core.ProposalException
import org.offhook.core.Proposed

/**
 * An account by a link, an address or the text of a QR code: shown first, taken only when the user says so.
 *
 * Such a text may hold a password, so neither it nor what was typed is kept with the screen's state: both outlive a
 * rotation in memory only.
 */
class OfferActivity : Activity() {
    private val app get() = OffhookApp.of(this)
    private lateinit var offer: Offer
    private lateinit var text: EditText
    private lateinit var password: EditText

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.offer)
        edgeToEdge(findViewById(R.id.root))
        text = findViewById(R.id.text)
        password = findViewById(R.id.password)
        listOf(text to LONGEST_TEXT_LENGTH, password to LONGEST_LENGTH).forEach { (edit, length) ->
            edit.filters = arrayOf(InputFilter.LengthFilter(length))
        }
        @Suppress("DEPRECATION")
        val kept = lastNonConfigurationInstance as? Kept
        offer = kept?.offer ?: Offer(app.core, app.beside)
        offer.changed = ::show
        offer.found = ::take
        kept?.let {
            text.setText(it.text)
            password.setText(it.password)
        }
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<View>(R.id.paste).setOnClickListener { paste() }
        findViewById<View>(R.id.picture).setOnClickListener { choosePicture() }
        findViewById<View>(R.id.look).setOnClickListener { look() }
        findViewById<View>(R.id.take).setOnClickListener { offer.take(password.text.toString().ifEmpty { null }) }
        findViewById<View>(R.id.refuse).setOnClickListener { offer.refuse() }
        findViewById<View>(R.id.scan).apply {
            visibility = if (ScanActivity.isPossible(context)) View.VISIBLE else View.GONE
            setOnClickListener { startActivityForResult(ScanActivity.intent(context), SCAN) }
        }
        show()
        if (savedInstanceState == null) take(intent)
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        setIntent(intent)
        offer.refuse()
        take(intent)
    }

    override fun onDestroy() {
        super.onDestroy()
        offer.changed = null
        offer.found = null
        if (!isChangingConfigurations) offer.forget()
    }

    @Deprecated("The platform has nothing else that stays in memory")
    override fun onRetainNonConfigurationInstance(): Any = Kept(offer, text.text.toString(), password.text.toString())

    override fun onActivityResult(request: Int, result: Int, data: Intent?) {
        if (result != RESULT_OK) return
        when (request) {
            SCAN -> take(ScanActivity.textOf(data))
            PICTURE -> data?.data?.let(::find)
        }
    }

    /** A link was opened, a text shared, or a picture. */
    private fun take(intent: Intent) {
        @Suppress("DEPRECATION") // what says the class as well is Android 13's
        val shared = intent.getParcelableExtra<Parcelable>(Intent.EXTRA_STREAM) as? Uri
        // Another app's to hand out; a path would be opened as this app's own.
        val picture = shared?.takeIf { it.scheme == ContentResolver.SCHEME_CONTENT }
        if (picture == null) take(intent.dataString ?: intent.getStringExtra(Intent.EXTRA_TEXT)) else find(picture)
    }

    private fun choosePicture() = try {
        val pictures = Intent(Intent.ACTION_GET_CONTENT).setType("image/*").addCategory(Intent.CATEGORY_OPENABLE)
        startActivityForResult(pictures, PICTURE)
    } catch (_: ActivityNotFoundException) {
        mistake(R.id.text_mistake, PlatformRefusal(getString(R.string.file_no_app)))
    }

    /** What the code in a picture says goes where a text that is pasted goes. */
    private fun find(picture: Uri) {
        // It may outlive this screen.
        val app = app
        offer.find {
            try {
                QrPicture.read(app, picture) ?: throw PlatformRefusal(app.getString(R.string.offer_no_code))
            } catch (_: IOException) {
                throw PlatformRefusal(app.getString(R.string.file_fails))
            }
        }
    }

    private fun take(given: String?) {
        if (given.isNullOrBlank()) return
        text.setText(given)
        look()
    }

    private fun paste() {
        val clip = getSystemService(ClipboardManager::class.java).primaryClip?.takeIf { it.itemCount > 0 } ?: return
        take(clip.getItemAt(0).coerceToText(this)?.toString())
    }

    private fun look() {
        getSystemService(InputMethodManager::class.java).hideSoftInputFromWindow(text.windowToken, 0)
        offer.look(text.text.toString())
    }

    private fun show() {
        val state = offer.state
        val offered = (state as? Offer.State.Taking)?.offered ?: state as? Offer.State.Offered
        visible(R.id.ask, state is Offer.State.Asked)
        visible(R.id.reading, state is Offer.State.Reading || state is Offer.State.Taking)
        visible(R.id.offered, state is Offer.State.Offered)
        findViewById<TextView>(R.id.reading_text)
            .setText(if (state is Offer.State.Taking) R.string.offer_taking else R.string.offer_reading)
        mistake(R.id.text_mistake, (state as? Offer.State.Asked)?.trouble)
        mistake(R.id.offer_mistake, (state as? Offer.State.Offered)?.trouble)
        offered?.let { show(it.shown) }
        if (state is Offer.State.Taken) {
            startActivity(AccountActivity.intent(this, state.account))
            finish()
        }
    }

    private fun show(shown: Proposed) {
        findViewById<TextView>(R.id.offer_name).text = Numbers.isolated(Numbers.clean(shown.name))
        val of = findViewById<ViewGroup>(R.id.lines)
        of.removeAllViews()
        shown.lines.forEach { line(of, OfferWords.of(this, it), it.danger) }
        if (shown.leftOut.isNotEmpty()) {
            val names = Numbers.isolated(Numbers.clean(shown.leftOut.joinToString(", ")))
            line(of, getString(R.string.offer_left_out, names), false)
        }
        visible(R.id.password_label, !shown.hasPassword)
        visible(R.id.password, !shown.hasPassword)
    }

    private fun line(of: ViewGroup, words: String, danger: Boolean) {
        val row = layoutInflater.inflate(R.layout.offer_line, of, false) as TextView
        val icon = if (danger) R.drawable.ic_warn else R.drawable.ic_waiting
        row.text = words
        row.setTextColor(getColor(if (danger) R.color.error else R.color.text))
        row.setCompoundDrawablesRelativeWithIntrinsicBounds(icon, 0, 0, 0)
        row.compoundDrawableTintList = getColorStateList(if (danger) R.color.error else R.color.text_soft)
        if (danger) row.contentDescription = getString(R.string.offer_danger, words)
        of.addView(row)
    }

    private fun mistake(id: Int, failure: Throwable?) = findViewById<TextView>(id).let {
        visible(id, failure != null)
        it.text = when (failure) {
            null -> null
            // Why a stranger's text is none, the core says in English alone.
            is ProposalException.Unusable -> getString(R.string.offer_unusable, failure.sentence)
            is ProposalException.NotFetched -> getString(R.string.offer_not_fetched, failure.sentence)
            is PhoneException, is PlatformRefusal -> failure.sentence(this)
            else -> getString(R.string.wrong_argument)
        }
    }

    private class Kept(val offer: Offer, val text: String, val password: String)

    companion object {
        private const val SCAN = 1
        private const val PICTURE = 2

        /** Longer than any document; the core says so of what is only a little too long. */
        private const val LONGEST_TEXT_LENGTH = 100_000
        private const val LONGEST_LENGTH = 300

        fun intent(context: Context) = Intent(context, OfferActivity::class.java)

        /** What somebody hands out is in [link] already. */
        fun intent(context: Context, link: String) = intent(context).putExtra(Intent.EXTRA_TEXT, link)
    }
}
