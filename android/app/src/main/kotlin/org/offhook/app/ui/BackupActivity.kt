package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.graphics.Typeface
import android.net.Uri
import android.os.Bundle
import android.text.InputFilter
import android.view.View
import android.view.ViewGroup
import android.widget.Switch
import android.widget.TextView
import java.io.File
import java.io.IOException
import org.offhook.app.R
import org.offhook.app.core.Restore
import org.offhook.app.share.Handout
import org.offhook.core.BackupContents
import org.offhook.core.BackupPasswords
import org.offhook.core.BackupReport
import org.offhook.core.PhoneInterface

/**
 * All that is the user's as one file, and back: a backup is shown before it is restored.
 *
 * Passphrases are not kept with the screen's state: they outlive a rotation in memory only.
 */
class BackupActivity : Screen() {
    private val words = BackupWords(this)
    private val handout = Handout(this, ::failed)
    private lateinit var restore: Restore

    /** A backup is being written. */
    private var making = false

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.backup)
        findViewById<TextView>(R.id.title).setText(R.string.backup_title)
        PASSPHRASES.forEach {
            edit(it).filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH))
            // The platform writes passwords like a typewriter.
            edit(it).typeface = Typeface.DEFAULT
        }
        @Suppress("DEPRECATION")
        val kept = lastNonConfigurationInstance as? Kept
        restore = kept?.restore ?: Restore(app.core, File(File(cacheDir, FOLDER), FILE))
        restore.changed = ::show
        kept?.typed?.zip(PASSPHRASES) { text, id -> edit(id).setText(text) }
        wire()
    }

    override fun onDestroy() {
        super.onDestroy()
        restore.changed = null
        if (!isChangingConfigurations) restore.forget()
    }

    @Deprecated("The platform has nothing else that stays in memory")
    override fun onRetainNonConfigurationInstance(): Any = Kept(restore, PASSPHRASES.map { textIn(it) })

    override fun onActivityResult(code: Int, result: Int, data: Intent?) {
        super.onActivityResult(code, result, data)
        val uri = data?.data ?: return
        if (result != RESULT_OK) return
        when (code) {
            // In another process the passphrase is gone.
            SAVE -> if (isReady()) save(uri)

            CHOOSE -> look(uri)
        }
    }

    private fun wire() {
        findViewById<Switch>(R.id.with_passwords).setOnCheckedChangeListener { _, _ -> show() }
        findViewById<View>(R.id.save).setOnClickListener { if (isReady()) handout.save(name(), SAVE) }
        findViewById<View>(R.id.share).setOnClickListener { if (isReady()) share() }
        findViewById<View>(R.id.choose).setOnClickListener { handout.choose(TYPES, CHOOSE) }
        findViewById<View>(R.id.unlock).setOnClickListener { unlock() }
        findViewById<View>(R.id.take).setOnClickListener { take() }
        findViewById<View>(R.id.refuse).setOnClickListener { restore.refuse() }
        findViewById<View>(R.id.done).setOnClickListener { finish() }
    }

    /** Passwords go with it only under a passphrase that was typed twice. */
    private fun isReady(): Boolean {
        val why = when {
            !withPasswords() -> null
            textIn(R.id.passphrase).isEmpty() -> R.string.backup_passphrase_missing
            textIn(R.id.passphrase) != textIn(R.id.passphrase_again) -> R.string.backup_passphrase_differs
            else -> null
        }
        mistake(R.id.passphrase_mistake, why?.let(::getString))
        return why == null
    }

    private fun save(to: Uri) {
        var contents: BackupContents? = null
        val write = writer { contents = it }
        begin()
        handout.saved(to, write) {
            end()
            val text = getString(R.string.backup_saved, "\n" + contents?.let(words::of).orEmpty())
            notice.show(Notice.Card(text, button = R.string.close) { notice.show(null) })
        }
    }

    private fun share() {
        val write = writer {}
        begin()
        handout.share(name()) {
            write(it)
            runOnUiThread { end() }
        }
    }

    private fun writer(done: (BackupContents) -> Unit): PhoneInterface.(File) -> Unit {
        val passphrase = if (withPasswords()) textIn(R.id.passphrase) else null
        return { done(backUp(it.path, passphrase)) }
    }

    private fun begin() {
        making = true
        notice.show(null)
        // What was wrong with a file that was chosen is no matter any more.
        restore.refuse()
    }

    private fun end() {
        making = false
        PASSPHRASES.forEach { edit(it).setText("") }
        show()
    }

    private fun failed(failure: Throwable) {
        making = false
        show()
        wrong(failure)
    }

    private fun look(uri: Uri) {
        notice.show(null)
        val resolver = app.contentResolver
        restore.look { resolver.openInputStream(uri) ?: throw IOException("nobody has it") }
    }

    private fun unlock() {
        val passphrase = textIn(R.id.unlock_passphrase)
        if (passphrase.isNotEmpty()) return restore.unlock(passphrase)
        mistake(R.id.found_mistake, getString(R.string.backup_passphrase_missing))
    }

    private fun take() {
        val found = restore.state as? Restore.State.Found ?: return
        if (found.report.passwords !is BackupPasswords.Locked) return restore.take()
        Choices.ask(this, getString(R.string.restore_locked_ask), R.string.restore_take) { restore.take() }
    }

    override fun show() {
        val state = restore.state
        val busy = when {
            making -> R.string.backup_making
            state is Restore.State.Reading || state is Restore.State.Opening -> R.string.restore_reading
            state is Restore.State.Taking -> R.string.restore_taking
            else -> null
        }
        visible(R.id.busy, busy != null)
        busy?.let { findViewById<TextView>(R.id.busy_text).setText(it) }
        visible(R.id.make, busy == null && state is Restore.State.Asked)
        visible(R.id.passphrases, withPasswords())
        val trouble = (state as? Restore.State.Asked)?.trouble
        if (trouble == null) right() else wrong(trouble)
        val found = when (state) {
            is Restore.State.Found -> state
            is Restore.State.Opening -> state.found
            is Restore.State.Taking -> state.found
            else -> null
        }
        val taken = state as? Restore.State.Taken
        visible(R.id.found, found != null || taken != null)
        mistake(R.id.found_mistake, (state as? Restore.State.Found)?.trouble?.sentence(this))
        found?.let { show(it.report, words.title(it.report), false) }
        taken?.let {
            edit(R.id.unlock_passphrase).setText("")
            show(it.report, getString(R.string.restore_done), true)
        }
    }

    private fun show(report: BackupReport, title: String, done: Boolean) {
        findViewById<TextView>(R.id.found_title).let {
            if (it.text.toString() == title) return@let
            it.text = title
            // From its beginning, wherever the page before it was.
            findViewById<View>(R.id.scroll).scrollTo(0, 0)
        }
        val of = findViewById<ViewGroup>(R.id.parts)
        of.removeAllViews()
        words.of(report, done).forEach { (part, becomes) ->
            val view = layoutInflater.inflate(R.layout.fact, of, false)
            view.findViewById<TextView>(R.id.fact_label).text = part
            view.findViewById<TextView>(R.id.fact_value).text = becomes
            view.contentDescription = "$part: $becomes"
            of.addView(view)
        }
        findViewById<TextView>(R.id.found_passwords).text = words.of(report.passwords)
        val locked = !done && report.passwords is BackupPasswords.Locked
        visible(R.id.locked, locked)
        visible(R.id.unlock, locked)
        visible(R.id.take, !done)
        visible(R.id.refuse, !done)
        visible(R.id.done, done)
    }

    private fun mistake(id: Int, words: String?) = findViewById<TextView>(id).let {
        it.text = words
        visible(id, words != null)
    }

    private fun name() = "offhook-backup-${LogWords(this).stamp}.json"

    private fun withPasswords() = findViewById<Switch>(R.id.with_passwords).isChecked

    private class Kept(val restore: Restore, val typed: List<String>)

    companion object {
        /** The codes by which the platform's picker answers. */
        private const val SAVE = 31
        private const val CHOOSE = 32

        /** Where a backup lies while it is looked at, in the cache. */
        private const val FOLDER = "restore"
        private const val FILE = "backup.json"

        /** Many an app that keeps files knows no better what it is. */
        private val TYPES = listOf("application/json", "application/octet-stream", "text/plain", "*/*")
        private val PASSPHRASES = listOf(R.id.passphrase, R.id.passphrase_again, R.id.unlock_passphrase)

        /** Longer than anybody types. */
        private const val LONGEST_LENGTH = 1_000

        fun intent(context: Context) = Intent(context, BackupActivity::class.java)
    }
}
