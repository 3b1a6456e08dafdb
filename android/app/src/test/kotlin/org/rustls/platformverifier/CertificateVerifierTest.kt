package org.rustls.platformverifier

import android.content.Context
import java.security.cert.CertPathValidatorException
import java.security.cert.CertPathValidatorException.BasicReason
import java.security.cert.CertificateException
import java.security.cert.CertificateExpiredException
import java.util.Base64
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

@RunWith(RobolectricTestRunner::class)
class CertificateVerifierTest {
    private val platform = CertificateVerifier.platform

    @After
    fun asItWas() {
        CertificateVerifier.platform = platform
    }

    private fun ask(chain: Array<ByteArray> = arrayOf(SERVER), time: Long = NOW, refusal: Exception? = null): Int {
        CertificateVerifier.platform = { _, _, name ->
            assertEquals("sip.offhook.test", name)
            refusal?.let { throw it }
        }
        val context: Context = RuntimeEnvironment.getApplication()
        return CertificateVerifier
            .verifyCertificateChain(context, "sip.offhook.test", "RSA", arrayOf(FOR_SERVERS), null, time, chain)
            .code
    }

    @Test
    fun what_the_platform_trusts_is_trusted() = assertEquals(0, ask())

    @Test
    fun what_it_refuses_is_refused_with_its_reason() {
        val old = CertificateException("chain", CertificateExpiredException())
        val revoked = CertPathValidatorException("no", null, null, -1, BasicReason.REVOKED)
        assertEquals(3, ask(refusal = CertificateException("nobody knows it")))
        assertEquals(2, ask(refusal = old))
        assertEquals(4, ask(refusal = CertificateException(revoked)))
        assertEquals(1, ask(refusal = IllegalArgumentException("there is no platform")))
    }

    @Test
    fun one_that_is_out_of_date_not_for_servers_or_unreadable_never_gets_there() {
        val never = CertificateException("it did")
        assertEquals(2, ask(time = 0, refusal = never))
        assertEquals(2, ask(time = Long.MAX_VALUE, refusal = never))
        assertEquals(6, ask(arrayOf(CODE), refusal = never))
        assertEquals(5, ask(arrayOf(SERVER.copyOf(100)), refusal = never))
        assertEquals(5, ask(arrayOf(SERVER, ByteArray(0)), refusal = never))
    }

    /** The core looks for these by name, and only when a server is to be trusted. */
    @Test
    fun the_core_finds_it_by_the_names_and_types_that_it_looks_for() {
        val loaded = Class.forName("org.rustls.platformverifier.CertificateVerifier")
        val text = String::class.java
        val bytes = ByteArray::class.java
        val method = loaded.getMethod(
            "verifyCertificateChain",
            Context::class.java,
            text,
            text,
            Array<String>::class.java,
            bytes,
            Long::class.javaPrimitiveType,
            Array<ByteArray>::class.java
        )
        assertEquals("org.rustls.platformverifier.VerificationResult", method.returnType.name)
        val fields = method.returnType.fields.associate { it.name to it.type }
        assertEquals(Int::class.javaPrimitiveType to text, fields["code"] to fields["message"])
    }

    private companion object {
        const val FOR_SERVERS = "1.3.6.1.5.5.7.3.1"
        const val NOW = 1_900_000_000_000

        /** sip.offhook.test's own, for servers, of a hundred years. */
        val SERVER = der(
            """
            MIIBvzCCAWSgAwIBAgIUB+1EQ56yK00PGaSjN7h9H2pfV4EwCgYIKoZIzj0EAwIwGzEZMBcGA1UEAwwQc2lwLm9mZmhvb2sudGVz
            dDAgFw0yNjExMjcxODQwMDRaGA8yMTI2MTEwMzE4NDAwNFowGzEZMBcGA1UEAwwQc2lwLm9mZmhvb2sudGVzdDBZMBMGByqGSM49
            AgEGCCqGSM49AwEHA0IABNI8EHjKXhGkG+sm2XfU6tIy/8pgze6/hT7tNohtRyv/rhvaiBmcW4toiKJusk3wuRV9+ECPhCMCpCvy
            HF5/DiWjgYMwgYAwHQYDVR0OBBYEFHSAbtcdmD7cxK6ruM1zOWAj5PiOMB8GA1UdIwQYMBaAFHSAbtcdmD7cxK6ruM1zOWAj5PiO
            MBsGA1UdEQQUMBKCEHNpcC5vZmZob29rLnRlc3QwEwYDVR0lBAwwCgYIKwYBBQUHAwEwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQD
            AgNJADBGAiEAp8ClexrOAUbVQMb+fnx7d22bMezEn1ga6gzJmqeeRAkCIQCI54xalThbSCData1tIoIi/Wly/7JHdkRazMIownv0
            Ww==
            """
        )

        /** For who signs programs. */
        val CODE = der(
            """
            MIIBljCCAT2gAwIBAgIUB9xc3O7Rkhywg1C1u9ckRG1HVEYwCgYIKoZIzj0EAwIwFzEVMBMGA1UEAwwMb2ZmaG9vay50ZXN0MCAX
            DTI2MTEyNzE4NDAwNFoYDzIxMjYxMTAzMTg0MDA0WjAXMRUwEwYDVQQDDAxvZmZob29rLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
            PQMBBwNCAATys6skMsQbRzJ/pS1Pz/UDAhjGPrlsYVTA7ZELZPTlIsx1tP3feDuMFwEAnVWtlHteTcQ6oJlldbvRHEQFY+Rzo2Uw
            YzAdBgNVHQ4EFgQURT0P7I+Us7gqSu8WjxyKdcLBusMwHwYDVR0jBBgwFoAURT0P7I+Us7gqSu8WjxyKdcLBusMwEwYDVR0lBAww
            CgYIKwYBBQUHAwMwDAYDVR0TAQH/BAIwADAKBggqhkjOPQQDAgNHADBEAiAKQzmb79xcvtydQmKsybSoU11bX1ZoAW6sWvyvOCYC
            0AIgH4TsH4utpqVNPSt5b47Sla2xBh7pD7RCQ7pyoWj/J40=
            """
        )

        fun der(text: String): ByteArray = Base64.getDecoder().decode(text.filterNot(Char::isWhitespace))
    }
}
