package org.offhook.app.core

import org.offhook.core.AccountInfo
import org.offhook.core.DialRule
import org.offhook.core.PhoneInterface
import org.offhook.core.TypedNumber

/** The list of a [FakePhone]'s accounts: what a test puts here. Changes are noted down and change nothing. */
abstract class FakeAccounts : PhoneInterface {
    /** All accounts, in order. */
    var list = listOf<AccountInfo>()

    /** Notes a command down. */
    protected abstract fun note(command: String)

    override fun accountList() = list

    override fun renameAccount(account: UInt, name: String) = note("renameAccount $account $name")

    override fun moveAccount(account: UInt, place: UInt) = note("moveAccount $account $place")

    override fun setDefaultAccount(account: UInt) = note("setDefaultAccount $account")

    override fun enableAccount(account: UInt, on: Boolean) = note("enableAccount $account $on")

    override fun allowRoaming(on: Boolean) = note("allowRoaming $on")

    override fun tryPlan(rules: List<DialRule>, typed: String) =
        TypedNumber(typed, false, typed, null, null, null, typed, listOf())
}
