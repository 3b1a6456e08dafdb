package org.offhook.app.core

import java.util.concurrent.Executor
import org.offhook.core.Proposal
import org.offhook.core.Proposed

/**
 * An account that somebody hands out, on its way from a text to an account of this phone; it outlives a rotation.
 *
 * ```text
 *  Asked --look--> Reading --> Offered --take--> Taking --> Taken
 *    ^                |           ^                 |
 *    '--- trouble ----'           '---- trouble ----'
 * ```
 * Nothing is changed before `take`. Main thread.
 */
class Offer(private val core: Core, private val beside: Executor) {
    sealed interface State {
        /** A text is wanted; [trouble]: what was wrong with the one before. */
        data class Asked(val trouble: Throwable?) : State

        /** It is read, and perhaps fetched: some seconds. */
        data object Reading : State

        /** This is what it would be; [trouble]: why it could not be taken. */
        data class Offered(val proposal: Proposal, val shown: Proposed, val trouble: Throwable?) : State

        data class Taking(val offered: Offered) : State

        data class Taken(val account: UInt) : State
    }

    var state: State = State.Asked(null)
        private set(value) {
            field = value
            changed?.invoke()
        }

    /** Told of each other [state]. */
    var changed: (() -> Unit)? = null

    /** Told of a text that was found, which goes where one that is typed goes. */
    var found: ((String) -> Unit)? = null

    private var gone = false

    fun look(text: String) {
        if (state !is State.Asked) return
        state = State.Reading
        core.later({ preview(text).let { State.Offered(it, it.shown(), null) } }, beside) { result ->
            result.onFailure { state = State.Asked(it) }
            result.onSuccess { offered ->
                if (gone) {
                    offered.proposal.destroy()
                } else {
                    state = offered
                }
            }
        }
    }

    /** Finds a text by [read], beside the main thread, for somebody to look at; fails as [PlatformRefusal]. */
    fun find(read: () -> String) {
        if (state !is State.Asked) return
        state = State.Reading
        core.later({
            try {
                Result.success(read())
            } catch (refused: PlatformRefusal) {
                Result.failure(refused)
            }
        }, beside) { result ->
            val text = result.mapCatching { it.getOrThrow() }
            state = State.Asked(text.exceptionOrNull())
            text.onSuccess { found?.invoke(it) }
        }
    }

    fun take(password: String?) {
        val offered = state as? State.Offered ?: return
        state = State.Taking(offered)
        core.later({ take(offered.proposal, password) }, beside) { result ->
            if (gone || result.isSuccess) offered.proposal.destroy()
            result.onSuccess { state = State.Taken(it) }.onFailure { state = offered.copy(trouble = it) }
        }
    }

    /** Back to the text. */
    fun refuse() {
        val offered = state as? State.Offered ?: return
        offered.proposal.destroy()
        state = State.Asked(null)
    }

    /** Nobody looks any more. */
    fun forget() {
        gone = true
        changed = null
        found = null
        (state as? State.Offered)?.proposal?.destroy()
    }
}
