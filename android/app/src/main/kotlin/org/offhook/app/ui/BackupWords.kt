package org.offhook.app.ui

import android.content.Context
import org.offhook.app.R
import org.offhook.core.BackupContents
import org.offhook.core.BackupPart
import org.offhook.core.BackupPasswords
import org.offhook.core.BackupReport
import org.offhook.core.BackupTally

/** What is in a backup, and what becomes of it, in words. */
class BackupWords(private val context: Context) {
    /** What one has that was written. */
    fun of(contents: BackupContents): String {
        val parts = contents.parts.filter { it.records > 0u }
            .map { context.getString(R.string.backup_count, label(it.part), it.records.toInt()) }
        val passwords = contents.passwords.toInt()
        val locked = context.getString(R.string.backup_with_passwords, passwords).takeIf { passwords > 0 }
        return (parts + listOfNotNull(locked)).joinToString("\n")
    }

    /** Each part that it has, and what becomes of that. [done]: it was restored. */
    fun of(report: BackupReport, done: Boolean): List<Pair<String, String>> =
        report.parts.map { label(it.part) to of(it, done) }.filter { it.second.isNotEmpty() }

    /** From when it is, as it says. */
    fun title(report: BackupReport): String = if (report.madeMs in BELIEVED_MILLIS) {
        context.getString(R.string.restore_of, LogWords(context).moment(report.madeMs))
    } else {
        context.getString(R.string.restore_of_some_day)
    }

    fun of(passwords: BackupPasswords): String = when (passwords) {
        is BackupPasswords.None -> context.getString(R.string.restore_no_passwords)

        is BackupPasswords.Locked -> context.getString(R.string.restore_locked)

        is BackupPasswords.Unlocked -> lines(
            R.string.restore_passwords to passwords.accounts,
            R.string.restore_withheld to passwords.withheld
        )
    }

    private fun of(tally: BackupTally, done: Boolean) = lines(
        (if (done) R.string.restore_added else R.string.restore_new) to tally.taken,
        R.string.restore_same to tally.same,
        R.string.restore_kept to tally.kept,
        R.string.restore_orphaned to tally.orphaned,
        R.string.restore_bad to tally.bad,
        R.string.restore_beyond to tally.beyond
    )

    private fun lines(vararg counts: Pair<Int, UInt>) =
        counts.filter { it.second > 0u }.joinToString("\n") { context.getString(it.first, it.second.toInt()) }

    private fun label(part: BackupPart) = context.getString(
        when (part) {
            BackupPart.ACCOUNTS -> R.string.account_choose
            BackupPart.SETTINGS -> R.string.backup_settings
            BackupPart.CONTACTS -> R.string.contacts_title
            BackupPart.MARKS -> R.string.backup_marks
            BackupPart.SPEED_DIAL -> R.string.speed_title
            BackupPart.BLOCKED -> R.string.blocked_title
            BackupPart.CALLS -> R.string.log_title
            BackupPart.MESSAGES -> R.string.messages_title
            BackupPart.DRAFTS -> R.string.backup_drafts
        }
    )

    private companion object {
        /** From the year 2000 to 2999. */
        val BELIEVED_MILLIS = 946_684_800_000L..32_503_680_000_000L
    }
}
