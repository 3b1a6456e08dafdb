package org.offhook.app.core

import java.io.File
import java.io.IOException
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import kotlin.concurrent.thread

/** One of our programs that speaks JSON lines, as a process of its own: commands in, events out. */
open class Talker(private val name: String, vararg args: String) : AutoCloseable {
    private val process = ProcessBuilder(listOf(checkNotNull(System.getProperty("offhook.bin"))) + args)
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start()
    private val lines = LinkedBlockingQueue<String>()
    private val passedOver = mutableListOf<String>()

    init {
        thread(isDaemon = true) {
            try {
                process.inputStream.bufferedReader().forEachLine(lines::add)
            } catch (_: IOException) {
                // It was killed in the middle of a line.
            }
        }
    }

    fun say(line: String) {
        process.outputStream.write("$line\n".toByteArray())
        process.outputStream.flush()
    }

    /** The next line with all of [parts] in it; those before it are passed over. */
    fun expect(vararg parts: String): String {
        val end = System.nanoTime() + PATIENCE_NANOS
        while (true) {
            val line = lines.poll(end - System.nanoTime(), TimeUnit.NANOSECONDS)
                ?: throw AssertionError("$name did not say ${parts.toList()}, but\n" + passedOver.joinToString("\n"))
            if (parts.all { it in line }) return line
            passedOver += line
        }
    }

    /** The number that stands behind a word in a line. */
    protected fun number(line: String, word: String) = Regex("\"$word\":(\\d+)").find(line)!!.groupValues[1]

    fun kill() {
        process.destroyForcibly().waitFor()
    }

    override fun close() = kill()
}

/** The pocket exchange, with its users 1001 to 1009 of domain offhook.test, who have the passwords secret-1001 and so on. */
class Exchange(listen: String = "127.0.0.1:0") : Talker("exchange", "exchange", "--json", "--listen", listen) {
    val address = Regex("\"udp\":\"([^\"]+)\"").find(expect("\"listening\""))!!.groupValues[1]
}

/** `offhook phone --json`: another program than the one under test, that says a tone and writes down what it hears. */
class Peer(number: String, exchange: Exchange, folder: File) :
    Talker(number, "phone", "--json", "--config", config(number, exchange, folder).path) {
    init {
        expect("\"registration\"", "\"registered\"")
    }

    /** Waits for the next call and returns its number. */
    fun ringing() = number(expect("\"call\"", "\"state\":\"ringing\"", "\"direction\":\"in\""), "call")

    private companion object {
        fun config(number: String, exchange: Exchange, folder: File): File {
            val tone = File(folder, "tone-$number.wav").apply { writeBytes(Sound.tone()) }
            return File(folder, "$number.toml").apply {
                writeText(
                    """
                    bind = "127.0.0.1:0"
                    [account]
                    uri = "sip:$number@offhook.test"
                    password = "secret-$number"
                    proxy = "sip:${exchange.address}"
                    [audio]
                    play = "$tone"
                    record = "${File(folder, "heard-$number.wav")}"
                    """.trimIndent()
                )
            }
        }
    }
}

/** Generous: a busy machine is slow, and nothing here waits in vain for long. */
const val PATIENCE_NANOS = 30_000_000_000L
