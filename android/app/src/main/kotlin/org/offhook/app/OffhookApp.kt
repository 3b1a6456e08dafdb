package org.offhook.app

import android.app.Application
import android.content.Context
import java.util.concurrent.Executor
import org.offhook.app.audio.AudioRoutes
import org.offhook.app.contacts.DeviceContacts
import org.offhook.app.core.Core
import org.offhook.app.core.Start
import org.offhook.app.core.Watch
import org.offhook.app.net.Cards
import org.offhook.app.net.Networks
import org.offhook.app.net.Regions
import org.offhook.app.net.Standby
import org.offhook.app.net.Wakes
import org.offhook.app.notify.CallNotice
import org.offhook.app.notify.Channels
import org.offhook.app.notify.MessageNotice
import org.offhook.app.notify.MissedNotice
import org.offhook.app.notify.VoicemailNotice
import org.offhook.app.telecom.CallDesk
import org.offhook.app.telecom.PhoneAccounts
import org.offhook.app.telecom.Ringer
import org.offhook.core.PhoneInterface

/**
 * The process: one core and what connects it to the platform, made when first asked for.
 *
 * Whatever the platform starts the process for (a screen, an alarm, the boot, telecom) asks for [core] or [calls], and
 * so the phone runs. Main thread only.
 */
class OffhookApp : Application() {
    /** How the core is begun; tests put another in its place before anything asks for [core]. */
    var startCore: (Context) -> PhoneInterface = { Start.phone(it) }

    /** What time it is, in milliseconds since 1970; tests have a day of their own. */
    var now: () -> Long = System::currentTimeMillis

    /** Threads for what waits for a disk, by name; tests put the caller's own in their place, as for [startCore]. */
    var aside: (String) -> Executor = { Core.aside(it) }

    /** Why there is no phone in this process, as a sentence for a person; null while all is well. Asks for [core]. */
    val trouble: String? get() = begun.trouble

    val core: Core get() = begun.core

    val calls: CallDesk get() = begun.calls

    val audio: AudioRoutes get() = begun.audio

    /** The device's phone book, for the core's. */
    val contacts: DeviceContacts get() = begun.contacts

    val messageNotice: MessageNotice get() = begun.messageNotice

    /** In which countries the phone is. */
    val regions: Regions get() = begun.regions

    /** The user's own numbers, for the core. */
    val cards: Cards get() = begun.cards

    /** How the favourites are. */
    val watch: Watch get() = begun.watch

    /** A thread for what waits for a network. */
    val beside: Executor get() = begun.beside

    private val begun by lazy(LazyThreadSafetyMode.NONE) { Begun(this) }

    override fun onCreate() {
        super.onCreate()
        Channels.make(this)
    }

    /** Everything that lives as long as the core. */
    private class Begun(app: OffhookApp) {
        private val outcome = Start.attempt(app) { app.startCore(app) }
        val trouble = outcome.trouble
        val core = Core(outcome.phone, app.aside("offhook-memory"))
        val audio = AudioRoutes(app)
        val calls = CallDesk(app, core, audio)
        val contacts = DeviceContacts(app, core, app.aside("offhook-contacts"))
        val messageNotice = MessageNotice(app, core)
        val watch = Watch(core)
        val regions = Regions(app, core)
        val cards = Cards(app, core)
        val beside = app.aside("offhook-network")

        init {
            PhoneAccounts.register(app)
            // Each takes its place before the core says its first word.
            Wakes.of(app, core)
            Ringer(app, core, calls)
            CallNotice(app, core, calls)
            MissedNotice(app, core)
            VoicemailNotice(app, core)
            Standby(app, core)
            core.start()
            Networks(app, core).watch()
            regions.watch()
            cards.read()
            contacts.watch()
            watch.begin()
        }
    }

    companion object {
        fun of(context: Context) = context.applicationContext as OffhookApp
    }
}
