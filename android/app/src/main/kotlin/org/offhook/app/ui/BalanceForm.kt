package org.offhook.app.ui

import org.offhook.core.BalanceField
import org.offhook.core.BalanceFormat
import org.offhook.core.BalanceSettings
import org.offhook.core.BalanceSign

/** What is typed on the screen of a balance, and the settings it stands for. The core judges them, not this. */
data class BalanceForm(
    val by: By = By.VOS,
    val vos: String = "",
    val url: String = "",
    val body: Body = Body.NONE,
    val bodyText: String = "",
    val format: BalanceFormat? = null,
    val amount: String = "",
    val currency: String = "",
    val headers: String = "",
    val sign: BalanceSign? = null,
    val user: String = "",
    val allowClear: Boolean = false
) {
    enum class By { VOS, WEB }

    enum class Body { NONE, JSON, FORM }

    /** Without the secret, which goes its own way. What the choices leave out is not among them. */
    fun settings(): BalanceSettings {
        val web = by == By.WEB
        return BalanceSettings(
            vos = if (web) "" else vos.trim(),
            url = if (web) url.trim() else "",
            json = if (web && body == Body.JSON) bodyText else "",
            form = if (web && body == Body.FORM) fields(bodyText, '=') else emptyList(),
            headers = fields(headers, ':'),
            sign = sign,
            user = if (sign == null) "" else user.trim(),
            format = if (web) format else null,
            amount = if (web && reads) amount.trim() else "",
            currency = if (web && reads) currency.trim() else "",
            allowClear = allowClear
        )
    }

    /** It is to be said where the amount is. */
    val reads get() = format in PLACES

    companion object {
        private val PLACES = setOf(BalanceFormat.JSON, BalanceFormat.XML, BalanceFormat.TEXT)

        fun of(settings: BalanceSettings) = BalanceForm(
            by = if (settings.vos.isEmpty()) By.WEB else By.VOS,
            vos = settings.vos,
            url = settings.url,
            body = when {
                settings.json.isNotEmpty() -> Body.JSON
                settings.form.isNotEmpty() -> Body.FORM
                else -> Body.NONE
            },
            bodyText = settings.json.ifEmpty { lines(settings.form, "=") },
            format = settings.format,
            amount = settings.amount,
            currency = settings.currency,
            headers = lines(settings.headers, ": "),
            sign = settings.sign,
            user = settings.user,
            allowClear = settings.allowClear
        )

        /** A field a line; what has no [mark] in it is a name without a value. */
        private fun fields(text: String, mark: Char) = text.lines().filter(String::isNotBlank).map {
            BalanceField(it.substringBefore(mark).trim(), it.substringAfter(mark, "").trim())
        }

        private fun lines(fields: List<BalanceField>, mark: String) =
            fields.joinToString("\n") { "${it.name}$mark${it.value}" }
    }
}
