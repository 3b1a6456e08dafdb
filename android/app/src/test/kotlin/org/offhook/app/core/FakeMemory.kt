package org.offhook.app.core

import java.io.File
import java.util.concurrent.CopyOnWriteArrayList
import org.offhook.core.Balance
import org.offhook.core.BalanceSettings
import org.offhook.core.CallFilter
import org.offhook.core.CallGroups
import org.offhook.core.CallRecord
import org.offhook.core.CardNumber
import org.offhook.core.Contact
import org.offhook.core.ContactGroup
import org.offhook.core.ContactHit
import org.offhook.core.ContactNumber
import org.offhook.core.DeviceContact
import org.offhook.core.ExportFormat
import org.offhook.core.ForgetCalls
import org.offhook.core.ImportedContacts
import org.offhook.core.MessageDraft
import org.offhook.core.MessageRecord
import org.offhook.core.MessageThread
import org.offhook.core.OwnNumber
import org.offhook.core.Proposal
import org.offhook.core.ProposalException
import org.offhook.core.SpeedDial
import org.offhook.core.TypedNumber
import org.offhook.core.WatchedFavourite
import org.offhook.core.WhichCalls

/** What a [FakePhone] remembers: nothing, but what a test puts here. Changes are noted down and change nothing. */
abstract class FakeMemory : FakeAccounts() {
    /** The call log, the newest first. */
    var rows = listOf<CallRecord>()

    /** The call log by day and number. */
    var groups = CallGroups(listOf(), null)

    /** The phone book by name. */
    var book = listOf<Contact>()

    /** What any search finds. */
    var hits = listOf<ContactHit>()

    /** Kept messages, the newest first. */
    var kept = listOf<MessageRecord>()

    /** The newest message of each thread. */
    var threads = listOf<MessageThread>()

    /** What was begun and not sent. */
    var begun = listOf<MessageDraft>()

    /** What is left on accounts. */
    val balances = sortedMapOf<UInt, Balance>()

    /** How accounts' balances are asked for. */
    val asked = sortedMapOf<UInt, BalanceSettings>()

    /** How numbers are moved apart, while they are typed and where they are shown; others are not. */
    val apart = sortedMapOf<String, String>()

    /** Groups of contacts. */
    var circles = listOf<ContactGroup>()

    /** What digits call. */
    var speed = listOf<SpeedDial>()

    /** What becomes of any file of contacts. */
    var imported = ImportedContacts(0u, 0u)

    /** Numbers that do not ring. */
    var noRing = listOf<String>()

    /** Where the phone was said to be, in order: what is set, the card's country, the network's. */
    val regions = CopyOnWriteArrayList<String>()

    /** Favourites that are watched. */
    var watched = listOf<WatchedFavourite>()

    /** How often it was asked who they are. */
    var watchAsked = 0
        private set

    /** The user's own numbers. */
    var own = listOf<OwnNumber>()

    /** What the platform said of cards, in order. */
    val cards = CopyOnWriteArrayList<CardNumber>()

    /** What any text offers; null: nothing. */
    var proposal: Proposal? = null

    /** What was last asked of the call log. */
    var filter = CallFilter()

    override fun callLog(filter: CallFilter, before: Long?, rows: UInt) =
        this.rows.filter { (before == null || it.id < before) && (filter.which != WhichCalls.MISSED || it.missed) }
            .take(rows.toInt())

    override fun callGroups(filter: CallFilter, before: Long?, least: UInt, utcOffsetMs: Long): CallGroups {
        this.filter = filter
        return groups
    }

    override fun callRecord(id: Long) = rows.find { it.id == id }

    override fun callsSeen() = note("callsSeen")

    override fun forgetCalls(which: ForgetCalls): UInt {
        note("forgetCalls $which")
        return 0u
    }

    override fun exportCalls(filter: CallFilter, format: ExportFormat) = ""

    override fun exportCallsTo(filter: CallFilter, format: ExportFormat, path: String) {
        this.filter = filter
        note("exportCallsTo $format ${File(path).name}")
        File(path).writeText("calls as $format")
    }

    override fun beginContacts(): Long {
        note("beginContacts")
        return 1L
    }

    override fun putContacts(reading: Long, page: List<DeviceContact>) = note("putContacts ${page.map { it.key }}")

    override fun endContacts(reading: Long): UInt {
        note("endContacts")
        return 0u
    }

    override fun prepareContacts() = note("prepareContacts")

    override fun searchContacts(typed: String, most: UInt) = hits.take(most.toInt())

    override fun contactList(from: UInt, most: UInt) = book.drop(from.toInt()).take(most.toInt())

    override fun contactCount() = book.size.toUInt()

    override fun contact(id: ULong) = book.find { it.id == id }

    override fun contactOf(number: String, remote: String) =
        book.find { contact -> contact.numbers.any { it.text == number } }

    override fun person(id: ULong) = book.find { it.id == id || id in it.also }
        ?.let { first -> book.filter { it.id == first.id || it.id in first.also } }.orEmpty()

    override fun favourites() = book.filter { it.favourite }

    override fun addContact(names: List<String>, numbers: List<ContactNumber>, photo: String?): ULong {
        note("addContact $names ${numbers.map { it.text to it.kind }}")
        return 1uL
    }

    override fun changeContact(id: ULong, names: List<String>, numbers: List<ContactNumber>, photo: String?): Boolean {
        note("changeContact $id $names ${numbers.map { it.text to it.kind }}")
        return true
    }

    override fun removeContact(id: ULong): Boolean {
        note("removeContact $id")
        return true
    }

    override fun setFavourite(id: ULong, on: Boolean): Boolean {
        note("setFavourite $id $on")
        return true
    }

    override fun contactGroups() = circles

    override fun groupMembers(group: String): List<Contact> {
        val ids = circles.find { it.name == group }?.contacts.orEmpty()
        return book.filter { it.id in ids }
    }

    override fun renameGroup(group: String, name: String) = note("renameGroup $group $name")

    override fun removeGroup(group: String) = note("removeGroup $group")

    override fun setInGroup(group: String, id: ULong, within: Boolean) = note("setInGroup $group $id $within")

    override fun speedDials() = speed

    override fun setSpeedDial(digit: UByte, number: String?) = note("setSpeedDial $digit $number")

    override fun blocked() = noRing

    override fun blocking(numbers: List<String>) = noRing.filter { it in numbers }

    override fun block(number: String, on: Boolean) = note("block $number $on")

    override fun importContacts(vcard: ByteArray): ImportedContacts {
        note("importContacts ${vcard.size}")
        return imported
    }

    override fun exportContacts(ids: List<ULong>) = "contacts $ids"

    override fun messageThreads(most: UInt) = threads.take(most.toInt())

    override fun keptMessages(number: String?, before: Long?, rows: UInt) =
        kept.filter { (number == null || it.number == number) && (before == null || it.id < before) }
            .take(rows.toInt())

    override fun messagesSeen(number: String) = note("messagesSeen $number")

    override fun forgetMessages(number: String?): UInt {
        note("forgetMessages $number")
        return 0u
    }

    override fun forgetMessage(id: Long): Boolean {
        note("forgetMessage $id")
        return true
    }

    override fun setRegion(setting: String, card: String, network: String) {
        regions += "$setting,$card,$network"
    }

    override fun asTyped(typed: String) = apart[typed] ?: typed

    override fun shownNumber(number: String) = apart[number] ?: number

    override fun explain(account: UInt?, typed: String) =
        TypedNumber(typed, false, typed, null, null, null, typed, listOf())

    override fun setBalance(account: UInt, settings: BalanceSettings?, secret: String?) =
        note("setBalance $account ${secret ?: "as it was"}").also {
            if (settings == null) asked.remove(account) else asked[account] = settings
        }

    override fun balanceSettings(account: UInt) = asked[account]

    override fun balance(account: UInt) = balances[account]

    override fun refreshBalance(account: UInt) = note("refreshBalance $account")

    override fun cameToFront() = note("cameToFront")

    override fun watch(account: UInt?, who: String, lamp: Boolean) = note("watch $account $who $lamp")

    override fun unwatch(account: UInt?, who: String) = note("unwatch $account $who")

    override fun watchFavourites(): List<WatchedFavourite> {
        watchAsked++
        return watched
    }

    override fun drafts() = begun

    override fun keepDraft(number: String, text: String) = note("keepDraft $number $text")

    override fun setOwnNumbers(numbers: List<CardNumber>) {
        cards += numbers
    }

    override fun ownNumbers() = own

    override fun preview(text: String): Proposal {
        note("preview $text")
        return proposal ?: throw ProposalException.Unusable("nothing is offered")
    }

    override fun take(proposal: Proposal, password: String?): UInt {
        note("take ${password ?: "as it is"}")
        return 1u
    }
}
