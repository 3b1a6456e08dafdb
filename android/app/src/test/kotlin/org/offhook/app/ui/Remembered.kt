package org.offhook.app.ui

import org.offhook.core.BackupPart
import org.offhook.core.BackupPasswords
import org.offhook.core.BackupReport
import org.offhook.core.BackupTally
import org.offhook.core.CallGroup
import org.offhook.core.CallRecord
import org.offhook.core.Contact
import org.offhook.core.ContactNumber
import org.offhook.core.Delivered
import org.offhook.core.Encrypted
import org.offhook.core.MessageRecord
import org.offhook.core.Side
import org.offhook.core.Why

/** Friday, 27 November 2026, 14:05 in UTC. */
const val NOW_MS = 1_795_788_300_000L

/** The day of [NOW_MS]. */
const val TODAY = 20_784L

private const val MINUTE_MS = 60_000L

/** A call that was, so many minutes ago. */
fun record(
    id: Long,
    number: String,
    name: String? = null,
    side: Side = Side.IN,
    missed: Boolean = false,
    seen: Boolean = true,
    minutes: Long = 10,
    why: Why? = Why.THEY_ENDED
) = CallRecord(
    id = id,
    account = "sip:1001@offhook.test",
    side = side,
    remote = "sip:$number@offhook.test",
    number = number,
    name = name,
    known = name != null,
    startedMs = NOW_MS - minutes * MINUTE_MS,
    answeredMs = if (missed) null else NOW_MS - minutes * MINUTE_MS + 5_000,
    endedMs = NOW_MS - (minutes - 2) * MINUTE_MS,
    talkedMs = if (missed) null else 95_000L,
    missed = missed,
    seen = seen,
    why = why,
    sentence = null,
    status = null,
    codec = "G722/16000",
    path = "host",
    encrypted = Encrypted.DTLS,
    networks = listOf("wifi", "cellular"),
    mos = 4.2f,
    loss = 0f,
    recording = null,
    saidBy = null,
    verified = null,
    signature = null
)

/** What becomes of a backup of yesterday: of two accounts one is new, and all contacts. */
fun backup(passwords: BackupPasswords) = BackupReport(
    NOW_MS - 1_440 * MINUTE_MS,
    listOf(
        BackupTally(BackupPart.ACCOUNTS, 1u, 1u, 0u, 0u, 0u, 0u),
        BackupTally(BackupPart.CONTACTS, 40u, 0u, 0u, 0u, 0u, 0u),
        BackupTally(BackupPart.SPEED_DIAL, 2u, 1u, 1u, 0u, 0u, 0u),
        BackupTally(BackupPart.CALLS, 1_204u, 0u, 0u, 3u, 0u, 0u),
        BackupTally(BackupPart.MESSAGES, 0u, 0u, 0u, 0u, 0u, 0u)
    ),
    passwords
)

/** The calls of a day with one number. */
fun group(newest: CallRecord, calls: UInt = 1u, day: Long = TODAY) =
    CallGroup(day, newest, calls, if (newest.missed) calls else 0u)

/** A contact. */
fun contact(
    id: ULong,
    name: String?,
    vararg numbers: String,
    favourite: Boolean = false,
    also: List<ULong> = emptyList(),
    own: Boolean = false
) = Contact(
    id = id,
    names = listOfNotNull(name),
    numbers = numbers.map { ContactNumber(it, "mobile", it.filterNot(Char::isWhitespace)) },
    photo = null,
    own = own,
    key = if (own) "" else "key-$id",
    account = null,
    favourite = favourite,
    also = also
)

/** A message with Ann; what came is hers. */
fun written(id: Long, text: String, delivered: Delivered, side: Side? = null) = MessageRecord(
    id = id,
    account = "sip:1001@offhook.test",
    side = side ?: if (delivered == Delivered.CAME) Side.IN else Side.OUT,
    remote = "sip:1002@offhook.test",
    number = "1002",
    name = "Ann",
    known = true,
    text = text,
    atMs = NOW_MS - (10 - id) * MINUTE_MS,
    delivered = delivered,
    sentence = null,
    seen = delivered != Delivered.CAME
)
