package org.offhook.app.core

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.offhook.core.Audio
import org.offhook.core.CallState
import org.offhook.core.Event
import org.offhook.core.Why

/** A call from the core under test to another program of ours, from registering to its end. */
object RealCall {
    fun walk(folder: File) {
        val heard = File(folder, "heard.wav")
        Exchange().use { exchange ->
            Peer("1002", exchange, folder).use { peer ->
                TestPhone(File(folder, "phone"), Audio.Files("", heard.path)).registered("1001", exchange).use { ours ->
                    val call = ours.phone.call(null, "1002")
                    val theirs = peer.ringing()
                    assertEquals(call, ours.call(CallState.RINGING).call)
                    peer.say("""{"cmd":"answer","call":$theirs}""")
                    ours.call(CallState.ACTIVE, call)
                    ours.hears(heard)

                    ours.phone.hold(call)
                    ours.call(CallState.HELD, call)
                    peer.expect("\"call\"", "held")
                    ours.phone.resume(call)
                    ours.call(CallState.ACTIVE, call)
                    ours.phone.dtmf(call, "1#")

                    ours.phone.hangUp(call)
                    val ended = ours.call(CallState.ENDED, call)
                    assertEquals(Why.YOU_ENDED, ended.why)
                    assertTrue("it was answered before it ended", ended.answeredMs!! <= ended.endedMs!!)
                    peer.expect("\"call\"", "\"state\":\"ended\"")
                }
            }
        }
    }

    /** Each report of how a call sounds comes after more of it was heard. */
    private fun TestPhone.hears(file: File) {
        until("sound") { event -> Unit.takeIf { event is Event.Quality && Sound.loudest(file) > 1_000 } }
    }
}
