package org.offhook.app.core

import android.content.Context
import android.util.Log
import java.io.File
import org.offhook.app.R
import org.offhook.core.Audio
import org.offhook.core.Phone
import org.offhook.core.PhoneConfig
import org.offhook.core.PhoneInterface
import org.offhook.core.StartException

/** How a process comes by its phone. What fails here is told to the user; the app opens all the same. */
object Start {
    private const val LIBRARY = "offhook_ffi"
    private const val TAG = "offhook"

    /** A phone, or why there is none. */
    class Outcome(val phone: PhoneInterface?, val trouble: String?)

    /** The phone of this process, over the device's microphone and the app's folder. */
    fun phone(context: Context): PhoneInterface {
        System.loadLibrary(LIBRARY)
        Native.init(context.applicationContext)
        return Phone.start(config(context, Audio.Device), Secrets.of(context), Binder.OF_PROCESS)
    }

    fun config(context: Context, audio: Audio) =
        PhoneConfig(File(context.noBackupFilesDir, "phone").path, audio, agent(context))

    /**
     * Begins, and turns what can go wrong into a sentence. An APK for another processor has no library for this one, which
     * shows as a LinkageError of one kind or another, first here and then wherever a binding is touched.
     */
    fun attempt(context: Context, start: () -> PhoneInterface): Outcome = try {
        Outcome(start(), null)
    } catch (missing: LinkageError) {
        Log.e(TAG, "the core cannot be loaded", missing)
        Outcome(null, context.getString(R.string.no_core))
    } catch (refused: StartException) {
        Log.e(TAG, "the core does not start: ${refused.message}")
        Outcome(null, context.getString(R.string.no_start))
    } catch (unforeseen: RuntimeException) {
        Log.e(TAG, "the core does not start", unforeseen)
        Outcome(null, context.getString(R.string.no_start))
    }

    private fun agent(context: Context): String {
        val version = context.packageManager.getPackageInfo(context.packageName, 0).versionName
        return "Offhook/${version ?: "0"}"
    }
}
