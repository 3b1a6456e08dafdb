package org.offhook.app.ui

import org.offhook.app.R
import org.offhook.core.AccountState
import org.offhook.core.AccountView
import org.offhook.core.Step

/** What account set-up shows of its own test: the steps of a registration in their order, and how far it has got. */
data class SelfTest(val rows: List<Row>, val passed: Boolean, val trouble: Registration.Trouble?) {
    enum class State(val words: Int) {
        WAITING(R.string.test_waiting),
        RUNNING(R.string.test_running),
        DONE(R.string.test_done),
        FAILED(R.string.test_failed)
    }

    /** One step; of a failed one, why. */
    data class Row(val label: Int, val state: State, val why: Words?)

    companion object {
        private val steps = listOf(
            Step.FIND to R.string.test_find,
            Step.REACH to R.string.test_reach,
            Step.REGISTER to R.string.test_register
        )

        /** Null: what was saved has not been begun yet. */
        fun of(view: AccountView?): SelfTest {
            val trouble = view?.let(Registration::troubleOf)
            val rows = steps.map { (step, label) ->
                val state = if (view == null) State.WAITING else stateOf(step, view)
                Row(label, state, trouble?.sentence.takeIf { state == State.FAILED })
            }
            return SelfTest(rows, view?.state == AccountState.REGISTERED, trouble)
        }

        private fun stateOf(step: Step, view: AccountView): State = when {
            view.state == AccountState.REGISTERED || step < view.step -> State.DONE
            view.state == AccountState.UNREGISTERED || step > view.step -> State.WAITING
            view.state == AccountState.FAILED -> State.FAILED
            else -> State.RUNNING
        }
    }
}
