package org.offhook.app.ui

import android.app.AlertDialog
import android.os.Bundle
import android.telephony.TelephonyManager
import android.text.InputFilter
import org.offhook.app.R
import org.offhook.core.AccountSettings
import org.offhook.core.AccountView
import org.offhook.core.Field
import org.offhook.core.NetworkLimit

/** Which networks an account may use, what it does about voicemail, and whether it may call for help. */
class NetworksActivity : PartScreen(R.string.networks_title, R.layout.networks) {
    override val places = mapOf(
        Field.EXPIRES to Place(R.id.expires, R.id.expires_mistake, R.string.expires_bad),
        Field.MAILBOX to Place(R.id.mailbox, R.id.mailbox_mistake)
    )

    /** This device calls for help by itself, and better. A tablet with mobile data alone does not. */
    private val isTelephone: Boolean
        @Suppress("DEPRECATION") // its successor is Android 15's
        get() = getSystemService(TelephonyManager::class.java)?.isVoiceCapable == true

    /** What it means that it is on. */
    private var told = false

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        edit(R.id.expires).filters = arrayOf(InputFilter.LengthFilter(LONGEST_SECONDS_LENGTH))
        edit(R.id.mailbox).filters = arrayOf(InputFilter.LengthFilter(LONGEST_LENGTH))
        told = savedInstanceState?.getBoolean(TOLD) == true
        // A switch that is slid is not clicked.
        button(R.id.emergency).setOnCheckedChangeListener { _, on ->
            if (!on) told = false
            if (on && !told) askForHelp()
            showHelp()
        }
    }

    override fun onSaveInstanceState(outState: Bundle) {
        super.onSaveInstanceState(outState)
        outState.putBoolean(TOLD, told)
    }

    override fun show() {
        super.show()
        showWaiting()
    }

    override fun accountChanged(view: AccountView) = showWaiting()

    override fun known(settings: AccountSettings) {
        // From a link or a tablet's backup it may be on: then its calls for help do go by it.
        val shown = !isTelephone || settings.emergency
        visible(R.id.help, shown)
        visible(R.id.help_by_itself, !shown)
        visible(R.id.help_is_telephone, isTelephone)
        visible(R.id.help_note, !isTelephone)
        showHelp()
    }

    override fun fill(settings: AccountSettings) {
        radios(R.id.networks).check(NETWORKS.getValue(settings.networks))
        edit(R.id.expires).setText(settings.expiresS?.toString())
        button(R.id.voicemail).isChecked = settings.voicemail
        edit(R.id.mailbox).setText(settings.mailbox)
        told = settings.emergency
        button(R.id.emergency).isChecked = told
    }

    override fun typed(): (AccountSettings) -> AccountSettings {
        val networks = chosen(R.id.networks, NETWORKS)
        val expires = textIn(R.id.expires).toUIntOrNull()
        val voicemail = button(R.id.voicemail).isChecked
        val mailbox = textIn(R.id.mailbox).trim()
        val emergency = button(R.id.emergency).isChecked
        return {
            it.copy(
                networks = networks,
                expiresS = expires,
                voicemail = voicemail,
                mailbox = mailbox,
                emergency = emergency
            )
        }
    }

    /** On a telephone it can be switched off alone. */
    private fun showHelp() {
        button(R.id.emergency).isEnabled = !isTelephone || button(R.id.emergency).isChecked
    }

    /** Off until the user has read what it means: over a rotation, too. */
    private fun askForHelp() {
        button(R.id.emergency).isChecked = false
        AlertDialog.Builder(this)
            .setTitle(R.string.emergency_title)
            .setMessage(R.string.emergency_warning)
            .setPositiveButton(R.string.emergency_yes) { _, _ ->
                told = true
                button(R.id.emergency).isChecked = true
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private fun showWaiting() {
        val view = app.core.accounts.find { it.account == account }
        val trouble = view?.let(Registration::troubleOf)?.takeIf { it.abroad }
        notice.show(trouble?.let { Notice.of(this, it) {} })
    }

    private companion object {
        const val TOLD = "told"

        /** More digits than the seconds of any registration. */
        const val LONGEST_SECONDS_LENGTH = 9

        /** As the core: no number or address that works is longer. */
        const val LONGEST_LENGTH = 255

        val NETWORKS = mapOf(
            null to R.id.networks_any,
            NetworkLimit.ASK_ROAMING to R.id.networks_ask,
            NetworkLimit.WIFI_ONLY to R.id.networks_wifi
        )
    }
}
