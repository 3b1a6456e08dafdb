package org.offhook.app.ui

import android.content.Context
import android.content.Intent
import android.os.Bundle
import android.view.View
import android.view.ViewGroup
import android.widget.TextView
import org.offhook.app.R
import org.offhook.core.DialRule

/** An account's dial plan: its rules in order, and a box that shows what they make of a number. */
class PlanActivity : Screen() {
    private val account get() = PartScreen.accountOf(intent)
    private var rules = emptyList<DialRule>()
    private lateinit var rows: ViewGroup
    private lateinit var order: Order
    private lateinit var tried: PlanTry

    override fun onCreate(savedInstanceState: Bundle?) {
        super.onCreate(savedInstanceState)
        open(R.layout.part)
        findViewById<TextView>(R.id.title).setText(R.string.plan_title)
        layoutInflater.inflate(R.layout.plan, findViewById<ViewGroup>(R.id.fields))
        // Each rule is kept on its own screen.
        findViewById<View>(R.id.save).visibility = View.GONE
        rows = findViewById(R.id.rules)
        order = Order(rows) { from, to -> move(from, to) }
        tried = PlanTry(this, { rules }) { if (it == null) right() else wrong(it) }
        findViewById<View>(R.id.add_rule).setOnClickListener { openRule(rules.size) }
    }

    override fun show() = read({ accountSettings(account).dialPlan }) {
        rules = it
        draw()
        tried.run()
    }

    private fun move(from: Int, to: Int) =
        app.core.changePart(account, { it.copy(dialPlan = Order.moved(it.dialPlan, from, to)) }) { result ->
            if (!isDestroyed) result.onSuccess { show() }.onFailure(::wrong)
        }

    private fun draw() {
        rows.removeAllViews()
        rules.forEachIndexed { at, rule ->
            val row = layoutInflater.inflate(R.layout.plan_rule, rows, false)
            val title = getString(R.string.plan_row, "${at + 1}", RuleWords.which(this, rule))
            row.findViewById<TextView>(R.id.row_title).text = title
            row.findViewById<TextView>(R.id.row_below).text = RuleWords.what(this, rule)
            row.findViewById<View>(R.id.rule).setOnClickListener { openRule(at) }
            rows.addView(row)
        }
        order.drawn(rules.indices.map { getString(R.string.plan_rule, "${it + 1}") })
    }

    private fun openRule(at: Int) = startActivity(RuleActivity.intent(this, account, at))

    companion object {
        fun intent(context: Context, account: UInt): Intent =
            PartScreen.of(Intent(context, PlanActivity::class.java), account)
    }
}
