package org.offhook.app.core

import org.offhook.core.About
import org.offhook.core.NoHandle
import org.offhook.core.Proposal
import org.offhook.core.ProposalLine
import org.offhook.core.Proposed

/** An offered account without a core: these lines are to be known of it; the last is dangerous. */
class FakeProposal(vararg lines: Pair<About, String>, password: Boolean = true) : Proposal(NoHandle) {
    private val shown = Proposed(
        name = "Work",
        address = "sip:1001@example.com",
        from = "example.com",
        provider = null,
        hasPassword = password,
        wantsDefault = false,
        lines = lines.mapIndexed { at, (about, subject) ->
            ProposalLine(about, subject, at > 0 && at == lines.lastIndex, "$about")
        },
        leftOut = listOf("codecs")
    )

    /** Nobody needs it any more. */
    var destroyed = false
        private set

    override fun shown() = shown

    override fun destroy() {
        destroyed = true
    }
}
