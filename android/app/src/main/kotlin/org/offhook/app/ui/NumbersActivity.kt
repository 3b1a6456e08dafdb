package org.offhook.app.ui

import android.app.Activity
import android.app.AlertDialog
import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import java.text.Collator
import java.util.Locale
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.net.Regions
import org.offhook.core.NumberFrom
import org.offhook.core.OwnNumber

/** The user's own numbers as far as this phone knows them, and the region by which numbers are read. */
class NumbersActivity : Activity() {
    private val app get() = OffhookApp.of(this)
    private lateinit var notice: Notice

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        setContentView(R.layout.numbers)
        edgeToEdge(findViewById(R.id.root))
        notice = Notice(this)
        findViewById<View>(R.id.back).setOnClickListener { finish() }
        findViewById<View>(R.id.region).setOnClickListener { chooseRegion() }
    }

    override fun onStart() {
        super.onStart()
        read()
        showRegion()
    }

    override fun onRequestPermissionsResult(code: Int, permissions: Array<String>, results: IntArray) {
        if (Permission.of(code) == Permission.PHONE_NUMBERS) read()
    }

    private fun read() {
        val given = Permission.PHONE_NUMBERS.given(this)
        val card = when {
            given -> null

            Permission.PHONE_NUMBERS.wasAsked(this) ->
                Notice.Card(getString(Permission.PHONE_NUMBERS.refused), button = R.string.permission_settings) {
                    startActivity(Permission.settings(this))
                }

            else -> Notice.Card(getString(R.string.numbers_why), button = R.string.numbers_allow) {
                Permission.PHONE_NUMBERS.ask(this)
            }
        }
        notice.show(card)
        app.cards.read {
            app.core.later({ ownNumbers() }) { if (!isDestroyed) show(it.getOrDefault(emptyList()), given) }
        }
    }

    private fun show(own: List<OwnNumber>, given: Boolean) {
        findViewById<View>(R.id.nothing).visibility = if (given && own.isEmpty()) View.VISIBLE else View.GONE
        val rows = findViewById<ViewGroup>(R.id.own)
        rows.removeAllViews()
        own.forEach { number ->
            val row = layoutInflater.inflate(R.layout.own_number, rows, false)
            row.findViewById<TextView>(R.id.row_title).text = Numbers.leftToRight(number.shown)
            row.findViewById<TextView>(R.id.row_below).text = number.source(this)
            rows.addView(row)
        }
    }

    private fun showRegion() {
        val set = app.regions.setting
        findViewById<TextView>(R.id.region).text = if (set.isEmpty()) automatic() else country(set)
    }

    private fun automatic(): String {
        val (region, from) = app.regions.automatic
        if (region.isEmpty()) return getString(R.string.region_unknown)
        return getString(words(from), country(region))
    }

    private fun chooseRegion() {
        val order = Collator.getInstance()
        val regions = Locale.getISOCountries().sortedWith(compareBy(order, ::country))
        val entries = listOf(automatic()) + regions.map(::country)
        val now = regions.indexOf(app.regions.setting) + 1
        AlertDialog.Builder(this)
            .setTitle(R.string.region_title)
            .setSingleChoiceItems(entries.toTypedArray(), now) { dialog, at ->
                app.regions.setting = regions.getOrElse(at - 1) { "" }
                showRegion()
                dialog.dismiss()
            }
            .setNegativeButton(R.string.cancel, null)
            .show()
    }

    private fun country(region: String): String = Locale.forLanguageTag("und-$region").displayCountry.ifEmpty { region }

    private fun words(from: Regions.From): Int = when (from) {
        Regions.From.CARD -> R.string.region_of_card
        Regions.From.NETWORK -> R.string.region_of_network
        Regions.From.LANGUAGE -> R.string.region_of_language
    }

    companion object {
        fun intent(context: Context) = Intent(context, NumbersActivity::class.java)
    }
}

/** On which card it is, and how that is known. */
fun OwnNumber.source(context: Context): String {
    val known = from.joinToString(", ") { context.getString(words(it)) }
    return listOf(Numbers.clean(card), known).filter(String::isNotEmpty)
        .joinToString(" · ", transform = Numbers::isolated)
}

private fun words(from: NumberFrom): Int = when (from) {
    NumberFrom.NETWORK -> R.string.number_from_network
    NumberFrom.CARRIER -> R.string.number_from_carrier
    NumberFrom.CARD -> R.string.number_from_card
}
