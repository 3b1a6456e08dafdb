package org.offhook.app.share

import android.app.Activity
import android.content.ActivityNotFoundException
import android.content.ClipData
import android.content.Intent
import android.net.Uri
import java.io.ByteArrayOutputStream
import java.io.File
import java.io.IOException
import java.io.InputStream
import org.offhook.app.OffhookApp
import org.offhook.app.R
import org.offhook.app.core.PlatformRefusal
import org.offhook.core.PhoneInterface

/**
 * Files that leave the app: handed to another app, or written to where the user says; and one that comes in.
 *
 * All work is done beside the main thread. What the platform's picker answers comes to `onActivityResult` of the
 * activity, maybe in another process, so that it knows by the code alone what was to be done.
 */
class Handout(private val activity: Activity, private val wrong: (Throwable) -> Unit) {
    private val core get() = OffhookApp.of(activity).core

    /** Makes a file of that name by [write] and offers it to other apps. */
    fun share(name: String, write: PhoneInterface.(File) -> Unit) = made(name, write) { file ->
        val uri = Shared.uriOf(activity, file)
        val send = Intent(Intent.ACTION_SEND).setType(Shared.typeOf(name)).putExtra(Intent.EXTRA_STREAM, uri)
        start(Intent.createChooser(send.granted(uri), null))
    }

    /** Lets another app show, or play, what is in that file. */
    fun open(from: File) = made(from.name, { from.copyTo(it) }) { file ->
        val uri = Shared.uriOf(activity, file)
        start(Intent(Intent.ACTION_VIEW).setDataAndType(uri, Shared.typeOf(file.name)).granted(uri))
    }

    /** Asks where a file of that name is to be. */
    fun save(name: String, code: Int) = pick(
        Intent(Intent.ACTION_CREATE_DOCUMENT).setType(Shared.typeOf(name)).putExtra(Intent.EXTRA_TITLE, name),
        code
    )

    /** It is to be there: makes it by [write], as for [share]. */
    fun saved(to: Uri, write: PhoneInterface.(File) -> Unit, done: () -> Unit) = made(SAVED, {
        try {
            write(it)
            val out = activity.contentResolver.openOutputStream(to, "wt") ?: throw IOException("nobody takes it")
            out.use { stream -> it.inputStream().use { made -> made.copyTo(stream) } }
        } finally {
            it.delete()
        }
    }) { done() }

    /** Asks for a file of these types. */
    fun choose(types: List<String>, code: Int) = pick(
        Intent(Intent.ACTION_OPEN_DOCUMENT).setType("*/*").putExtra(Intent.EXTRA_MIME_TYPES, types.toTypedArray()),
        code
    )

    /** Reads a file that was chosen, so much of it at most, and gives it to the core. */
    fun <T> take(from: Uri, mostBytes: Int, give: PhoneInterface.(ByteArray) -> T, done: (T) -> Unit) = aside({
        val stream = activity.contentResolver.openInputStream(from) ?: throw IOException("nobody has it")
        give(stream.use { it.upTo(mostBytes) })
    }, done)

    private fun made(name: String, write: PhoneInterface.(File) -> Unit, then: (File) -> Unit) =
        aside({ Shared.fresh(activity, name).also { write(it) } }, then)

    private fun <T> aside(work: PhoneInterface.() -> T, done: (T) -> Unit) = core.later({
        try {
            Result.success(work())
        } catch (_: IOException) {
            Result.failure(refusal())
        } catch (_: SecurityException) {
            Result.failure(refusal())
        }
    }) { result ->
        if (!activity.isDestroyed) result.mapCatching { it.getOrThrow() }.onSuccess(done).onFailure(wrong)
    }

    private fun refusal() = PlatformRefusal(activity.getString(R.string.file_fails))

    private fun pick(intent: Intent, code: Int) = try {
        // What answers is looked at in `onActivityResult`, where a process that begins anew gets it, too.
        @Suppress("DEPRECATION")
        activity.startActivityForResult(intent.addCategory(Intent.CATEGORY_OPENABLE), code)
    } catch (_: ActivityNotFoundException) {
        wrong(PlatformRefusal(activity.getString(R.string.file_no_app)))
    }

    private fun start(intent: Intent) = try {
        activity.startActivity(intent)
    } catch (_: ActivityNotFoundException) {
        wrong(PlatformRefusal(activity.getString(R.string.file_no_app)))
    }

    /** Whoever is chosen may read that, and nothing else. */
    private fun Intent.granted(uri: Uri): Intent {
        clipData = ClipData.newRawUri(null, uri)
        return addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION)
    }

    private fun InputStream.upTo(most: Int): ByteArray {
        val all = ByteArrayOutputStream()
        val part = ByteArray(PART_BYTES)
        while (all.size() <= most) {
            val many = read(part)
            if (many < 0) break
            all.write(part, 0, many)
        }
        return all.toByteArray()
    }

    private companion object {
        const val SAVED = "saved"
        const val PART_BYTES = 64 * 1024
    }
}
