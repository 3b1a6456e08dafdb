package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import org.offhook.app.R
import org.offhook.core.Event
import org.offhook.core.Why

/** Shows a certificate that is not accepted, and asks whether it is the server's all the same. */
object CertificateQuestion {
    fun ask(activity: Activity, shown: Event.Certificate, trust: () -> Unit): AlertDialog =
        AlertDialog.Builder(activity)
            .setTitle(R.string.certificate_title)
            .setMessage(text(activity, shown))
            .setNegativeButton(R.string.cancel, null)
            .setPositiveButton(R.string.certificate_trust) { _, _ -> trust() }
            .show()

    private fun text(activity: Activity, shown: Event.Certificate): String {
        val why = listOfNotNull(
            activity.getString(shown.why.sentence),
            activity.getString(R.string.certificate_changed).takeIf { shown.why == Why.CERTIFICATE_CHANGED }
        ).joinToString("\n")
        val nothing = activity.getString(R.string.certificate_nothing)
        return activity.getString(
            R.string.certificate_text,
            why,
            shown.names.joinToString().ifEmpty { nothing },
            shown.subject.ifEmpty { nothing },
            shown.issuer.ifEmpty { nothing },
            shown.notBefore,
            shown.notAfter,
            shown.fingerprint
        )
    }
}
