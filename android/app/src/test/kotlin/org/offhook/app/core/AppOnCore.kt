package org.offhook.app.core

import android.app.Activity
import android.content.Intent
import android.os.Looper
import org.junit.After
import org.junit.Rule
import org.junit.rules.TemporaryFolder
import org.offhook.app.OffhookApp
import org.robolectric.Robolectric
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf

/** The app with one phone of the real core, which begins when it is first asked for and ends with the test. */
abstract class AppOnCore {
    @get:Rule val folders = TemporaryFolder()
    protected val ours by lazy { TestPhone(folders.newFolder()) }
    protected val app = (RuntimeEnvironment.getApplication() as OffhookApp).apply { startCore = { ours.phone } }
    private val before = listeners()

    /** The app's thread pulls until it is told that the phone is gone. */
    @After
    fun stop() {
        ours.phone.shutdown()
        until("heard to its end") { (listeners() - before).isEmpty() }
        ours.phone.destroy()
    }

    protected inline fun <reified T : Activity> screen(intent: Intent = Intent(app, T::class.java)): T =
        Robolectric.buildActivity(T::class.java, intent).setup().get()

    protected fun until(what: String, reached: () -> Boolean) {
        val end = System.nanoTime() + PATIENCE_NANOS
        while (!reached()) {
            shadowOf(Looper.getMainLooper()).idle()
            if (System.nanoTime() > end) throw AssertionError("not $what")
            Thread.yield()
        }
    }

    private fun listeners() = Thread.getAllStackTraces().keys.filter { it.name == "offhook-events" }.toSet()
}
