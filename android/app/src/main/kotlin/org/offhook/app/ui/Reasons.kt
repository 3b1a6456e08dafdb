package org.offhook.app.ui

import android.content.Context
import java.io.IOException
import org.offhook.app.R
import org.offhook.app.core.PlatformRefusal
import org.offhook.core.BackupException
import org.offhook.core.Field
import org.offhook.core.PhoneException
import org.offhook.core.Refused
import org.offhook.core.SettingFault
import org.offhook.core.TargetFault
import org.offhook.core.Why

/*
 * What the core says no with, in the user's language.
 *
 * Every `when` names every word, so that a new one in the core does not compile here before it can be said. The
 * sentences that the core writes itself are English, and are for its log.
 */

/** The sentence of a reason. */
val Why.sentence: Int get() = when (this) {
    Why.TRANSFERRED -> R.string.why_transferred
    Why.YOU_ENDED -> R.string.why_you_ended
    Why.THEY_ENDED -> R.string.why_they_ended
    Why.NO_LONGER_REACHED -> R.string.why_no_longer_reached
    Why.CONNECTION_LOST -> R.string.why_connection_lost
    Why.YOU_DECLINED -> R.string.why_you_declined
    Why.ANSWERED_ELSEWHERE -> R.string.why_answered_elsewhere
    Why.DECLINED_ELSEWHERE -> R.string.why_declined_elsewhere
    Why.CALLER_GAVE_UP -> R.string.why_caller_gave_up
    Why.CALLER_LOST -> R.string.why_caller_lost
    Why.NOBODY_HERE -> R.string.why_nobody_here
    Why.YOU_GAVE_UP -> R.string.why_you_gave_up
    Why.THEY_GAVE_UP -> R.string.why_they_gave_up
    Why.NOT_REACHED -> R.string.why_not_reached
    Why.FORWARDED -> R.string.why_forwarded
    Why.DO_NOT_DISTURB -> R.string.why_do_not_disturb
    Why.YOU_BLOCKED -> R.string.why_you_blocked
    Why.YOU_REFUSE_ANONYMOUS -> R.string.why_you_refuse_anonymous
    Why.IN_ANOTHER_CALL -> R.string.why_in_another_call
    Why.NEVER_CAME -> R.string.why_never_came
    Why.NO_COMMON_CODEC -> R.string.why_no_common_codec
    Why.MOVED -> R.string.why_moved
    Why.OTHER_WAYS -> R.string.why_other_ways
    Why.BAD_CREDENTIALS -> R.string.why_bad_credentials
    Why.PAYMENT_WANTED -> R.string.why_payment_wanted
    Why.NOT_ALLOWED -> R.string.why_not_allowed
    Why.NO_SUCH_NUMBER -> R.string.why_no_such_number
    Why.NOBODY_ANSWERED -> R.string.why_nobody_answered
    Why.NUMBER_GONE -> R.string.why_number_gone
    Why.TOO_LARGE -> R.string.why_too_large
    Why.BAD_ADDRESS_KIND -> R.string.why_bad_address_kind
    Why.FEATURE_MISSING -> R.string.why_feature_missing
    Why.LONGER_SESSIONS -> R.string.why_longer_sessions
    Why.ANONYMOUS_REFUSED -> R.string.why_anonymous_refused
    Why.IDENTITY_REFUSED -> R.string.why_identity_refused
    Why.UNAVAILABLE -> R.string.why_unavailable
    Why.FORGOTTEN -> R.string.why_forgotten
    Why.IN_CIRCLES -> R.string.why_in_circles
    Why.NUMBER_INCOMPLETE -> R.string.why_number_incomplete
    Why.NUMBER_AMBIGUOUS -> R.string.why_number_ambiguous
    Why.BUSY -> R.string.why_busy
    Why.GIVEN_UP -> R.string.why_given_up
    Why.BOTH_CHANGED -> R.string.why_both_changed
    Why.UNDECIPHERABLE -> R.string.why_undecipherable
    Why.SERVER_ERROR -> R.string.why_server_error
    Why.CANNOT_DO_THAT -> R.string.why_cannot_do_that
    Why.NOT_FORWARDED -> R.string.why_not_forwarded
    Why.PROVIDER_OVERLOADED -> R.string.why_provider_overloaded
    Why.OTHER_VERSION -> R.string.why_other_version
    Why.NO_ROOM -> R.string.why_no_room
    Why.DECLINED -> R.string.why_declined
    Why.UNWANTED -> R.string.why_unwanted
    Why.BLOCKED -> R.string.why_blocked
    Why.REDIRECTED -> R.string.why_redirected
    Why.NOT_COMPLETED -> R.string.why_not_completed
    Why.PROVIDER_FAULT -> R.string.why_provider_fault
    Why.NOT_WANTED_ANYWHERE -> R.string.why_not_wanted_anywhere
    Why.FAILED -> R.string.why_failed
    Why.PHONE_RESTARTED -> R.string.why_phone_restarted
    Why.SWITCHED_OFF -> R.string.why_switched_off
    Why.NO_NETWORK -> R.string.why_no_network
    Why.WIFI_ONLY -> R.string.why_wifi_only
    Why.ROAMING_NOT_ALLOWED -> R.string.why_roaming_not_allowed
    Why.NAME_NOT_FOUND -> R.string.why_name_not_found
    Why.SERVER_SILENT -> R.string.why_server_silent
    Why.SERVER_UNREACHABLE -> R.string.why_server_unreachable
    Why.NOT_TRUSTED -> R.string.why_not_trusted
    Why.OTHER_NAME -> R.string.why_other_name
    Why.OUT_OF_DATE -> R.string.why_out_of_date
    Why.CERTIFICATE_CHANGED -> R.string.why_certificate_changed
    Why.OTHER_KEY -> R.string.why_other_key
    Why.SEALED_SILENCE -> R.string.why_sealed_silence
    Why.ACCOUNT_REFUSED -> R.string.why_account_refused
    Why.ACCOUNT_UNKNOWN -> R.string.why_account_unknown
    Why.SERVER_SLOW -> R.string.why_server_slow
    Why.LONGER_REGISTRATIONS -> R.string.why_longer_registrations
    Why.SLOW_DOWN -> R.string.why_slow_down
    Why.SERVER_OVERLOADED -> R.string.why_server_overloaded
    Why.SERVER_FAULT -> R.string.why_server_fault
    Why.REGISTRATION_REFUSED -> R.string.why_registration_refused
    Why.AUDIO -> R.string.why_audio
    Why.NOT_ENCRYPTED -> R.string.why_not_encrypted
    Why.ENCRYPTION_OFF -> R.string.why_encryption_off
    Why.KEYS_IN_CLEAR -> R.string.why_keys_in_clear
    Why.BAD_KEYS -> R.string.why_bad_keys
    Why.ENCRYPTION_REFUSED -> R.string.why_encryption_refused
    Why.ENCRYPTION_ENDED -> R.string.why_encryption_ended
    Why.KEYS_NOT_AGREED -> R.string.why_keys_not_agreed
    Why.WRONG_CERTIFICATE -> R.string.why_wrong_certificate
    Why.TAKEN_BACK -> R.string.why_taken_back
    Why.WAITED_TOO_LONG -> R.string.why_waited_too_long
    Why.ACCOUNT_REMOVED -> R.string.why_account_removed
}

/** What to show when a command came too late; null: nothing, the next picture of the call says how it stands. */
val Refused.sentence: Int? get() = when (this) {
    Refused.NO_SUCH_CALL, Refused.WRONG_STATE, Refused.SHUTTING_DOWN -> null
    Refused.NO_ACCOUNT -> R.string.wrong_no_account
    Refused.BAD_TARGET -> R.string.dial_not_callable
    Refused.TOO_MANY_CALLS -> R.string.refused_too_many
    Refused.BUSY -> R.string.refused_busy
    Refused.TOO_LONG -> R.string.refused_too_long
    Refused.NO_KEYPAD -> R.string.refused_no_keypad
    Refused.DIGITS_NOT_TAKEN -> R.string.refused_digits
}

/** What to show when a command was called wrongly, or failed in another way. */
fun Throwable.sentence(context: Context): String = when (this) {
    is PhoneException.BadTarget -> context.getString(why.sentence)

    is PhoneException.BadSetting -> context.getString(why.sentence, context.getString(field.words))

    is PhoneException.NoAccount -> context.getString(R.string.wrong_no_account)

    is PhoneException.NoSuchCall -> context.getString(R.string.wrong_no_call)

    is PhoneException.TooLong -> context.getString(R.string.refused_too_long)

    is PhoneException.Secrets -> context.getString(R.string.account_not_kept)

    is PhoneException.Store -> context.getString(R.string.account_not_stored)

    is PhoneException.ShutDown -> context.getString(R.string.wrong_shut_down)

    is PlatformRefusal -> message

    is BackupException -> context.getString(sentence)

    // A file of somebody else's.
    is IOException, is SecurityException -> context.getString(R.string.file_fails)

    // A bug of ours, half an emoji among them: nothing that a person could do about.
    else -> context.getString(R.string.wrong_argument)
}

/** Why there is no backup, or nothing came of one. */
private val BackupException.sentence: Int get() = when (this) {
    is BackupException.NotABackup -> R.string.backup_none
    is BackupException.Newer -> R.string.backup_newer
    is BackupException.TooLong -> R.string.backup_too_long
    is BackupException.NoPassphrase -> R.string.backup_passphrase_missing
    is BackupException.WrongPassphrase -> R.string.backup_passphrase_wrong
    is BackupException.UnknownLock -> R.string.backup_unknown_lock
    is BackupException.NoMemory -> R.string.backup_no_memory
    is BackupException.File -> R.string.file_fails
    is BackupException.Store -> R.string.list_fails
    is BackupException.Secrets -> R.string.backup_secrets
    is BackupException.ShutDown -> R.string.wrong_shut_down
}

/** Why what was typed cannot be called. */
private val TargetFault.sentence: Int get() = when (this) {
    TargetFault.EMPTY -> R.string.dial_nothing_yet
    TargetFault.TOO_LONG -> R.string.dial_too_long
    TargetFault.SCHEME -> R.string.dial_scheme
    TargetFault.EMERGENCY -> R.string.target_emergency
    TargetFault.NOT_DIALABLE -> R.string.dial_not_callable
}

/** What is wrong with a field of the account; takes its name. */
private val SettingFault.sentence: Int get() = when (this) {
    SettingFault.MISSING -> R.string.setting_missing
    SettingFault.TOO_LONG -> R.string.setting_too_long
    SettingFault.UNUSABLE -> R.string.setting_unusable
}

private val Field.words: Int get() = when (this) {
    Field.NUMBER -> R.string.field_number
    Field.SERVER -> R.string.field_server
    Field.PROXY -> R.string.field_proxy
    Field.AUTH_USER -> R.string.field_auth_user
    Field.DISPLAY_NAME -> R.string.field_display_name
    Field.PASSWORD -> R.string.field_password
    Field.STUN -> R.string.field_stun
    Field.RELAY -> R.string.field_relay
    Field.RELAY_USER -> R.string.field_relay_user
    Field.RELAY_PASSWORD -> R.string.field_relay_password
    Field.BALANCE -> R.string.field_balance
    Field.CODECS -> R.string.field_codecs
    Field.DIAL_PLAN -> R.string.field_dial_plan
    Field.CALLER_ID -> R.string.field_caller_id
    Field.MAILBOX -> R.string.field_mailbox
    Field.EXPIRES -> R.string.field_expires
    Field.OTHER -> R.string.field_other
}
