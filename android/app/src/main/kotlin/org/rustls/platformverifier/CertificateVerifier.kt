package org.rustls.platformverifier

import android.content.Context
import android.net.http.X509TrustManagerExtensions
import java.security.GeneralSecurityException
import java.security.KeyStore
import java.security.cert.CertPathValidatorException
import java.security.cert.CertificateException
import java.security.cert.CertificateExpiredException
import java.security.cert.CertificateFactory
import java.security.cert.CertificateNotYetValidException
import java.security.cert.X509Certificate
import java.util.Date
import javax.net.ssl.TrustManagerFactory
import javax.net.ssl.X509TrustManager

/**
 * Whether this device trusts a server's certificate: asked by the core's TLS, which looks for a class and a method of these
 * very names and reads the result's fields by theirs.
 *
 * The platform answers, with the authorities and rules that all apps have. Nobody is asked over the network: the thread that
 * waits here is one of a call's. Whether the name is the server's is the core's to see, and which authorities an account
 * has of its own never comes here.
 */
object CertificateVerifier {
    private const val OK = 0
    private const val UNAVAILABLE = 1
    private const val EXPIRED = 2
    private const val UNKNOWN = 3
    private const val REVOKED = 4
    private const val BAD_ENCODING = 5
    private const val BAD_EXTENSION = 6

    /** Throws what the platform throws; another one in tests, whose JVM is no device. */
    internal var platform: (Array<X509Certificate>, String, String) -> Unit = ::askPlatform

    @JvmStatic
    @Suppress("LongParameterList", "UNUSED_PARAMETER") // as the core calls it
    fun verifyCertificateChain(
        context: Context,
        serverName: String,
        authMethod: String,
        allowedEkus: Array<String>,
        ocspResponse: ByteArray?,
        time: Long,
        certChain: Array<ByteArray>
    ): VerificationResult = try {
        val read = CertificateFactory.getInstance("X.509")
        val chain = certChain.map { read.generateCertificate(it.inputStream()) as X509Certificate }.toTypedArray()
        val own = chain.first()
        val uses = own.extendedKeyUsage
        if (uses != null && uses.none { it in allowedEkus }) {
            VerificationResult(BAD_EXTENSION, "it is not for servers")
        } else {
            own.checkValidity(Date(time))
            judged(chain, authMethod, serverName)
        }
    } catch (_: CertificateExpiredException) {
        VerificationResult(EXPIRED, "its time is over")
    } catch (_: CertificateNotYetValidException) {
        VerificationResult(EXPIRED, "its time has not come")
    } catch (unreadable: CertificateException) {
        VerificationResult(BAD_ENCODING, unreadable.toString())
    }

    private fun judged(chain: Array<X509Certificate>, authMethod: String, serverName: String) = try {
        platform(chain, authMethod, serverName)
        VerificationResult(OK, null)
    } catch (refused: CertificateException) {
        val causes = generateSequence<Throwable>(refused) { it.cause }.take(LONGEST_STORY).toList()
        val code = when {
            causes.any { it is CertificateExpiredException || it is CertificateNotYetValidException } -> EXPIRED
            causes.any { (it as? CertPathValidatorException)?.reason in REVOKED_REASONS } -> REVOKED
            else -> UNKNOWN
        }
        VerificationResult(code, refused.toString())
    } catch (none: GeneralSecurityException) {
        VerificationResult(UNAVAILABLE, none.toString())
    } catch (none: IllegalArgumentException) {
        VerificationResult(UNAVAILABLE, none.toString())
    }

    private fun askPlatform(chain: Array<X509Certificate>, authMethod: String, serverName: String) {
        val factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm())
        factory.init(null as KeyStore?)
        val manager = factory.trustManagers.filterIsInstance<X509TrustManager>().first()
        X509TrustManagerExtensions(manager).checkServerTrusted(chain, authMethod, serverName)
    }

    private const val LONGEST_STORY = 8
    private val REVOKED_REASONS = setOf(CertPathValidatorException.BasicReason.REVOKED)
}

/** What the core reads. */
class VerificationResult(@JvmField val code: Int, @JvmField val message: String?)
