package org.offhook.app.core

import java.io.File
import java.io.IOException
import java.io.InputStream
import org.offhook.core.BackupException
import org.offhook.core.BackupReport
import org.offhook.core.PhoneInterface

/**
 * A backup on its way from a file that was chosen to what came of it; it outlives a rotation.
 *
 * ```text
 *  Asked --look--> Reading --> Found --take--> Taking --> Taken
 *    ^                |        |   ^  ^          |
 *    '--- trouble ----'   unlock   |  '- trouble-'
 *                              v   |
 *                            Opening
 * ```
 * The core reads by paths, so what was chosen is copied to [file], which is there no longer than it is needed. Nothing is
 * changed before `take`. Main thread.
 */
class Restore(private val core: Core, private val file: File) {
    sealed interface State {
        /** A file is wanted; [trouble]: what was wrong with the one before. */
        class Asked(val trouble: Throwable?) : State

        /** It is copied and read. */
        data object Reading : State

        /** This is what it would add; [passphrase]: what its passwords were opened by. */
        class Found(val report: BackupReport, val passphrase: String?, val trouble: Throwable?) : State

        /** Its passwords are being opened. */
        class Opening(val found: Found) : State

        class Taking(val found: Found) : State

        /** This is what it has added. */
        class Taken(val report: BackupReport) : State
    }

    var state: State = State.Asked(null)
        private set(value) {
            field = value
            changed?.invoke()
        }

    /** Told of each other [state]. */
    var changed: (() -> Unit)? = null

    init {
        // A process that was killed has left it.
        remove()
    }

    fun look(open: () -> InputStream) {
        if (state !is State.Asked) return
        state = State.Reading
        aside({
            copy(open)
            previewBackup(file.path, null)
        }) { result ->
            result.onSuccess { state = State.Found(it, null, null) }.onFailure {
                remove()
                state = State.Asked(it)
            }
        }
    }

    /** Whether its passwords open by that. */
    fun unlock(passphrase: String) {
        val found = state as? State.Found ?: return
        state = State.Opening(found)
        aside({ previewBackup(file.path, passphrase) }) { result ->
            state = result.fold({ State.Found(it, passphrase, null) }, { State.Found(found.report, null, it) })
        }
    }

    fun take() {
        val found = state as? State.Found ?: return
        state = State.Taking(found)
        aside({ restore(file.path, found.passphrase) }) { result ->
            result.onSuccess {
                remove()
                state = State.Taken(it)
            }.onFailure { state = State.Found(found.report, found.passphrase, it) }
        }
    }

    /** Back to where a file is wanted, with nothing wrong. */
    fun refuse() {
        if (state !is State.Found && state !is State.Asked) return
        remove()
        state = State.Asked(null)
    }

    /** Nobody looks any more. */
    fun forget() {
        changed = null
        remove()
    }

    private fun copy(open: () -> InputStream) {
        file.parentFile?.mkdirs()
        open().use { from ->
            file.outputStream().use { to ->
                val part = ByteArray(PART_BYTES)
                var all = 0L
                while (true) {
                    val many = from.read(part)
                    if (many < 0) break
                    all += many
                    if (all > MOST_BYTES) throw BackupException.TooLong()
                    to.write(part, 0, many)
                }
            }
        }
    }

    /** Behind what is under way. */
    private fun remove() = core.later({ file.delete() })

    private fun <T> aside(work: PhoneInterface.() -> T, then: (Result<T>) -> Unit) = core.later({
        try {
            Result.success(work())
        } catch (wrong: IOException) {
            Result.failure(wrong)
        } catch (wrong: SecurityException) {
            Result.failure(wrong)
        }
    }) { result -> then(result.mapCatching { it.getOrThrow() }) }

    private companion object {
        /** As the core: no backup is longer. */
        const val MOST_BYTES = 128L * 1024 * 1024
        const val PART_BYTES = 64 * 1024
    }
}
