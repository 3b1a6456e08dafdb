package org.offhook.app.contacts

import android.content.Context
import android.database.ContentObserver
import android.os.Handler
import android.os.Looper
import android.provider.ContactsContract.Contacts
import android.util.Log
import java.util.concurrent.Executor
import org.offhook.app.core.Core
import org.offhook.app.ui.Permission

/**
 * Hands the device's contacts to the core, page by page: when the app starts, when it may first, and whenever they change.
 *
 * In a thread of its own, for it takes seconds where there are many. Without the permission nothing is read. Main thread.
 */
class DeviceContacts(private val context: Context, private val core: Core, private val aside: Executor) {
    private val main = Handler(Looper.getMainLooper())
    private var watches = false
    private var reads = false

    /** They changed while they were read. */
    private var again = false

    private val change = Runnable { read() }

    /** The last reading failed: what is shown may be old. */
    var failed = false
        private set

    /** Reads them where that is allowed, and again after each change. */
    fun watch() {
        if (watches || !Permission.CONTACTS.given(context)) return
        watches = true
        val observer = object : ContentObserver(main) {
            override fun onChange(selfChange: Boolean) {
                main.removeCallbacks(change)
                main.postDelayed(change, QUIET_MILLIS)
            }
        }
        context.contentResolver.registerContentObserver(Contacts.CONTENT_URI, true, observer)
        read()
    }

    /** Reads them now. */
    fun read() {
        again = reads
        if (reads) return
        reads = true
        aside.execute {
            val done = attempt()
            main.post {
                reads = false
                failed = !done
                if (again) read()
            }
        }
    }

    private fun attempt(): Boolean = try {
        core.ask {
            val reading = beginContacts()
            DevicePages(context).each { putContacts(reading, it) }
            endContacts(reading)
        }.onFailure { Log.w(TAG, "the contacts were not taken: ${it.javaClass.simpleName}") }.isSuccess
    } catch (refused: RuntimeException) {
        // The permission was taken back meanwhile, or the platform's provider of contacts has died: whole another time.
        Log.w(TAG, "the contacts were not read: ${refused.javaClass.simpleName}")
        false
    }

    private companion object {
        const val TAG = "offhook"

        /** A synchronisation changes them one by one. */
        const val QUIET_MILLIS = 3_000L
    }
}
