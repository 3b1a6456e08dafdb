package org.offhook.app.core

import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.offhook.core.Event
import org.robolectric.RobolectricTestRunner

/** How long an event takes from the core's thread to the app's. */
@RunWith(RobolectricTestRunner::class)
class HandoverCoreTest {
    @get:Rule val folders = TemporaryFolder()

    @Test
    fun of_a_thousand_moments_a_second_none_is_lost(): Unit = TestPhone(folders.newFolder()).use { ours ->
        // Some first, for the JVM to have compiled what is measured.
        for (count in listOf(WARM_UP, COUNT)) {
            assertTrue(TestPhone.testing("offhook_testing_flood", ours.folder.path, count, A_SECOND))
            val took = LongArray(count)
            for (expected in 0 until count) {
                val text = ours.until("moment $expected") { (it as? Event.Message)?.text }
                val (number, toldNanos) = text.split(' ').map(String::toLong)
                took[expected] = System.nanoTime() - toldNanos
                assertEquals("in order, and none lost", expected.toLong(), number)
            }
            if (count == COUNT) report(took.apply(LongArray::sort))
        }
    }

    private fun report(took: LongArray) {
        val (half, most) = listOf(0.5, 0.99).map { took[(took.size * it).toInt()] / 1_000 }
        System.err.println("yardstick: event hand-over p50 $half us, p99 $most us, wanted p99 at most 1000")
    }

    private companion object {
        const val A_SECOND = 1_000
        const val WARM_UP = 1_000
        const val COUNT = 5_000
    }
}
