package org.offhook.app.core

import java.io.File
import java.util.concurrent.CopyOnWriteArrayList
import org.offhook.core.AccountInfo
import org.offhook.core.BackupContents
import org.offhook.core.BackupException
import org.offhook.core.BackupReport
import org.offhook.core.DialRule
import org.offhook.core.MoneyOffers
import org.offhook.core.OwnPresence
import org.offhook.core.PhoneInterface
import org.offhook.core.PlanStep
import org.offhook.core.Reach
import org.offhook.core.TypedNumber

/** A [FakePhone]'s accounts, their money and backups: what a test puts here. Changes are noted down and change nothing. */
abstract class FakeAccounts : PhoneInterface {
    /** All accounts, in order; those that register are in it by themselves. */
    @Volatile var list = listOf<AccountInfo>()

    /** What any account's provider can be asked. */
    var offers = MoneyOffers(balance = false, minutes = false, topUp = false, callBack = false)

    /** What is in a backup that is written. */
    var contents = BackupContents(listOf(), 0u)

    /** Numbers that were being typed, and by which account they would be called. */
    val typedNumbers = CopyOnWriteArrayList<String>()

    /** How the user is reached: as the commands have it. */
    @Volatile var reach = Reach(false, null, true, false, OwnPresence.AUTOMATIC, "")

    /** What any backup would add; null: it is none. */
    var backup: BackupReport? = null

    /** Thrown when a backup is written or read next, once. */
    @Volatile var backupTrouble: BackupException? = null

    /** What rules make of a number; of themselves, nothing. */
    @Volatile var tried: (List<DialRule>, String) -> TypedNumber = { _, typed -> unchanged(typed) }

    /** Notes a command down. */
    protected abstract fun note(command: String)

    /** It is in the list from now on; the first one is the default. */
    protected fun list(account: UInt, number: String) {
        if (list.any { it.account == account }) return
        val address = "$number@offhook.test"
        list += AccountInfo(account, address, "sip:$address", number, list.isEmpty(), true, null)
    }

    override fun accountList() = list

    override fun renameAccount(account: UInt, name: String) = note("renameAccount $account $name")

    override fun moveAccount(account: UInt, place: UInt) = note("moveAccount $account $place")

    override fun setDefaultAccount(account: UInt) = note("setDefaultAccount $account")

    override fun enableAccount(account: UInt, on: Boolean) = note("enableAccount $account $on")

    override fun allowRoaming(on: Boolean) = note("allowRoaming $on")

    override fun tryPlan(rules: List<DialRule>, typed: String) = tried(rules, typed)

    override fun moneyOffers(account: UInt) = offers

    override fun numberTyped(account: UInt?, typed: String) {
        typedNumbers += "${account ?: "-"} $typed"
    }

    override fun minutesTo(account: UInt?, typed: String) = note("minutesTo ${account ?: "-"} $typed")

    override fun topUp(account: UInt, card: String, pin: String) = note("topUp $account $card $pin")

    override fun callBack(account: UInt?, to: String) = note("callBack ${account ?: "-"} $to")

    override fun backUp(path: String, passphrase: String?): BackupContents {
        fail()
        note("backUp ${passphrase ?: "-"}")
        File(path).writeText("a backup")
        return contents
    }

    override fun previewBackup(path: String, passphrase: String?): BackupReport {
        fail()
        return backup ?: throw BackupException.NotABackup()
    }

    override fun restore(path: String, passphrase: String?): BackupReport {
        fail()
        note("restore ${passphrase ?: "-"}")
        return previewBackup(path, passphrase)
    }

    private fun fail() = backupTrouble?.let {
        backupTrouble = null
        throw it
    }

    override fun setPushToken(service: String, token: String): UInt {
        note("setPushToken $service")
        return 0u
    }

    override fun reach() = reach

    override fun doNotDisturb(on: Boolean) {
        note("doNotDisturb $on")
        reach = reach.copy(doNotDisturb = on)
    }

    override fun forwardTo(to: String?) {
        note("forwardTo $to")
        reach = reach.copy(forwardTo = to)
    }

    override fun callWaiting(on: Boolean) {
        note("callWaiting $on")
        reach = reach.copy(callWaiting = on)
    }

    override fun refuseAnonymous(on: Boolean) {
        note("refuseAnonymous $on")
        reach = reach.copy(refuseAnonymous = on)
    }

    override fun setPresence(own: OwnPresence, note: String) {
        note("setPresence $own $note")
        reach = reach.copy(presence = own, note = note)
    }
}

/** A number that goes as it is. */
fun unchanged(typed: String, emergency: Boolean = false, steps: List<PlanStep> = listOf()) =
    TypedNumber(typed, emergency, typed, null, null, null, typed, steps)
