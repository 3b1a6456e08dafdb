package org.offhook.app.core

import android.security.keystore.KeyPermanentlyInvalidatedException
import java.io.File
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.offhook.core.SecretException
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class SecretsTest {
    @get:Rule val folders = TemporaryFolder()
    private val keys = TestKeys()
    private val secrets by lazy { Secrets(folders.root, keys) }

    @Test
    fun a_secret_outlives_the_process_and_is_not_to_be_read_in_the_file() {
        secrets.put(NAME, "sesame \ud83d\udd11")
        assertEquals("sesame \ud83d\udd11", Secrets(folders.root, keys).get(NAME))
        assertFalse(file().readBytes().decodeToString().contains("sesame"))
        secrets.put(NAME, "")
        assertEquals("", secrets.get(NAME))
    }

    @Test
    fun what_was_never_kept_or_was_removed_is_nothing() {
        assertNull(secrets.get(NAME))
        secrets.put(NAME, "x")
        secrets.remove(NAME)
        secrets.remove(NAME)
        assertNull(secrets.get(NAME))
    }

    @Test
    fun an_invalidated_key_has_lost_the_secret_and_keeps_the_next() {
        secrets.put(NAME, "old")
        keys.invalid = true
        assertThrows(SecretException.Lost::class.java) { secrets.get(NAME) }
        secrets.put(NAME, "new")
        assertEquals("new", secrets.get(NAME))
    }

    @Test
    fun another_key_has_lost_the_secret() {
        secrets.put(NAME, "old")
        keys.forget()
        assertThrows(SecretException.Lost::class.java) { secrets.get(NAME) }
    }

    @Test
    fun a_damaged_file_is_a_lost_secret() {
        secrets.put(NAME, "x")
        val whole = file().readBytes()
        for (length in whole.indices) {
            file().writeBytes(whole.copyOf(length))
            assertThrows("$length bytes", SecretException.Lost::class.java) { secrets.get(NAME) }
        }
        for (at in whole.indices) {
            file().writeBytes(whole.clone().also { it[at] = (it[at] + 1).toByte() })
            assertThrows("byte $at", SecretException.Lost::class.java) { secrets.get(NAME) }
        }
    }

    @Test
    fun one_secret_is_not_another() {
        secrets.put("account/2/password", "bob's")
        secrets.put(NAME, "ann's")
        val (one, other) = folders.root.listFiles()!!
        other.copyTo(one, overwrite = true)
        val read = listOf(NAME, "account/2/password").map { runCatching { secrets.get(it) } }
        assertEquals(1, read.count { it.exceptionOrNull() is SecretException.Lost })
    }

    @Test
    fun a_busy_keystore_is_not_a_lost_secret() {
        secrets.put(NAME, "x")
        keys.busy = true
        assertThrows(SecretException.Unavailable::class.java) { secrets.get(NAME) }
        assertThrows(SecretException.Unavailable::class.java) { secrets.put(NAME, "y") }
        keys.busy = false
        assertEquals("x", secrets.get(NAME))
    }

    private fun file(): File = folders.root.listFiles()!!.single()

    private companion object {
        const val NAME = "account/1/password"
    }
}

/** A key as the device's Keystore has it, without the device. */
class TestKeys : Secrets.Keys {
    var invalid = false
    var busy = false
    private var key = new()

    override fun key(): SecretKey {
        if (busy) throw java.security.KeyStoreException("busy")
        if (invalid) throw KeyPermanentlyInvalidatedException("the user has another lock")
        return key
    }

    override fun forget() {
        invalid = false
        key = new()
    }

    private fun new() = KeyGenerator.getInstance("AES").apply { init(256) }.generateKey()
}
