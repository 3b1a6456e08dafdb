package org.offhook.app.core

import android.content.Context
import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyPermanentlyInvalidatedException
import android.security.keystore.KeyProperties
import java.io.File
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.InvalidKeyException
import java.security.KeyStore
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.AEADBadTagException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec
import org.offhook.core.SecretException
import org.offhook.core.SecretStore

/**
 * Passwords, sealed by a key that never leaves the device's Keystore: AES in Galois/Counter Mode, a file each, outside of
 * backups. A file says: version, length of the nonce, nonce, sealed text; its name is sealed in, so that files cannot be
 * exchanged.
 *
 * A file that the key does not open is lost, and so is all when the key was invalidated or the app moved to another
 * device; the core then asks for the password. Knows nothing of what a secret is for. Any thread.
 */
class Secrets(private val folder: File, private val keys: Keys) : SecretStore {
    /** Where the key is: the Keystore, which no JVM but Android's has. */
    interface Keys {
        /** The key, made if there is none. */
        fun key(): SecretKey

        /** Forgets it, for a new one to be made. */
        fun forget()
    }

    @Synchronized
    override fun get(name: String): String? {
        val file = file(name)
        if (!file.exists()) return null
        return guarded { open(name, file.readBytes()) }
    }

    @Synchronized
    override fun put(name: String, value: String) = guarded {
        val sealed =
            try {
                seal(name, value)
            } catch (_: InvalidKeyException) {
                // What it had sealed is lost either way; the new secret need not be.
                keys.forget()
                seal(name, value)
            }
        check(folder.isDirectory || folder.mkdirs()) { "the folder cannot be made" }
        val new = File(folder, file(name).name + ".new")
        new.writeBytes(sealed)
        if (!new.renameTo(file(name))) throw IOException("the file cannot be replaced")
    }

    @Synchronized
    override fun remove(name: String) {
        file(name).delete()
    }

    private fun seal(name: String, value: String): ByteArray {
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.ENCRYPT_MODE, keys.key())
        cipher.updateAAD(name.toByteArray())
        val sealed = cipher.doFinal(value.toByteArray())
        return byteArrayOf(VERSION, cipher.iv.size.toByte()) + cipher.iv + sealed
    }

    private fun open(name: String, bytes: ByteArray): String {
        val nonceEnd = if (bytes.size > 2 && bytes[0] == VERSION) 2 + bytes[1] else throw lost("it is damaged")
        if (bytes[1] <= 0 || bytes.size <= nonceEnd) throw lost("it is damaged")
        val cipher = Cipher.getInstance(CIPHER)
        cipher.init(Cipher.DECRYPT_MODE, keys.key(), GCMParameterSpec(TAG_BITS, bytes, 2, nonceEnd - 2))
        cipher.updateAAD(name.toByteArray())
        return String(cipher.doFinal(bytes, nonceEnd, bytes.size - nonceEnd))
    }

    /** The platform's many ways to fail, as the two that matter. */
    private fun <T> guarded(act: () -> T): T = try {
        act()
    } catch (_: KeyPermanentlyInvalidatedException) {
        throw lost("its key was invalidated")
    } catch (_: UnrecoverableKeyException) {
        throw lost("its key is gone")
    } catch (_: AEADBadTagException) {
        throw lost("it is not what was kept")
    } catch (failed: GeneralSecurityException) {
        throw unavailable(failed)
    } catch (failed: ProviderException) {
        throw unavailable(failed)
    } catch (failed: IllegalStateException) {
        throw unavailable(failed)
    } catch (failed: IOException) {
        throw unavailable(failed)
    }

    private fun lost(why: String) = SecretException.Lost(why)

    private fun unavailable(why: Exception) = SecretException.Unavailable(why.message ?: why.javaClass.simpleName)

    /** Names have slashes and are the core's to choose. */
    private fun file(name: String) = File(folder, name.toByteArray().joinToString("") { "%02x".format(it) })

    companion object {
        private const val CIPHER = "AES/GCM/NoPadding"
        private const val TAG_BITS = 128
        private const val VERSION: Byte = 1

        fun of(context: Context) = Secrets(File(context.noBackupFilesDir, "secrets"), DeviceKeys)
    }
}

/** The Keystore's. */
private object DeviceKeys : Secrets.Keys {
    private const val STORE = "AndroidKeyStore"
    private const val ALIAS = "offhook.secrets"
    private const val KEY_BITS = 256

    override fun key(): SecretKey = store().getKey(ALIAS, null) as SecretKey? ?: made()

    override fun forget() = store().deleteEntry(ALIAS)

    private fun store() = KeyStore.getInstance(STORE).apply { load(null) }

    /** Usable while the device is locked, for a phone that registers by itself after a start. */
    private fun made(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder(ALIAS, purposes)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(KEY_BITS)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, STORE).apply { init(spec) }.generateKey()
    }
}
