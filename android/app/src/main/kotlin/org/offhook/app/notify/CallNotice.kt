package org.offhook.app.notify

import android.annotation.TargetApi
import android.app.Notification
import android.app.NotificationManager
import android.app.PendingIntent
import android.app.Person
import android.content.Context
import android.graphics.drawable.Icon
import android.os.Build
import android.os.SystemClock
import org.offhook.app.R
import org.offhook.app.core.Core
import org.offhook.app.core.waits
import org.offhook.app.telecom.CallDesk
import org.offhook.app.ui.Trust
import org.offhook.core.CallState
import org.offhook.core.CallView

/**
 * The notifications of calls: one for a call that comes in, over the whole screen where the phone is not in use, and one
 * for the call there is, which the foreground service stands behind.
 *
 * In the call style from Android 12 on. That style without a foreground service or a full screen is an exception of the
 * platform's, so a call whose service was refused has an ordinary notification.
 */
class CallNotice(private val context: Context, private val core: Core, private val desk: CallDesk) :
    Core.Listener,
    CallDesk.Bell,
    CallDesk.Listener {
    private val notices = context.getSystemService(NotificationManager::class.java)
    private val service = CallForeground.Switch(context) { desk.report(context.getString(R.string.no_service)) }
    private var shownIncoming: UInt? = null

    init {
        core.listen(this)
        desk.ringBy(this)
        desk.listen(this)
    }

    override fun present(view: CallView) = update()

    override fun silence() = Unit

    override fun callChanged(view: CallView) = update()

    override fun troubleChanged(trouble: String?) = update()

    private fun update() {
        val incoming = core.calls.find { it.waits && desk.isPresented(it.call) }
        when {
            incoming != null -> notices.notify(INCOMING_ID, incoming(incoming))
            shownIncoming != null -> notices.cancel(INCOMING_ID)
        }
        shownIncoming = incoming?.call

        val ongoing = ongoingCall(core)
        if (ongoing == null) {
            service.off()
            notices.cancel(ONGOING_ID)
        } else if (service.on()) {
            // The service shows it itself when it starts; here it learns of a change.
            if (CallForeground.isShown) notices.notify(ONGOING_ID, ongoing(context, ongoing, desk.trouble, true))
        } else {
            notices.notify(ONGOING_ID, ongoing(context, ongoing, desk.trouble, false))
        }
    }

    private fun incoming(view: CallView): Notification {
        val trust = Trust.of(view)
        val open = CallActions.open(context, view.call)
        val decline = CallActions.decline(context, view.call)
        val answer = CallActions.answer(context, view.call)
        val builder = builder(context, Channels.INCOMING, view)
            .setContentText(context.getString(trust?.takeIf { it == Trust.FORGED }?.words ?: R.string.notice_incoming))
            .setContentIntent(open)
            .setFullScreenIntent(open, true)
        if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S) {
            builder.style = Notification.CallStyle.forIncomingCall(person(view), decline, answer).apply {
                if (trust == null) return@apply
                setVerificationText(context.getString(trust.words))
                setVerificationIcon(Icon.createWithResource(context, trust.icon))
            }
        } else {
            builder.addAction(action(context, R.drawable.ic_call_end, R.string.notice_decline, decline))
            builder.addAction(action(context, R.drawable.ic_call, R.string.notice_answer, answer))
        }
        return builder.build()
    }

    companion object {
        private const val INCOMING_ID = 1
        const val ONGOING_ID = 2

        /** The one that is up, else one on hold; not one that still waits for an answer. */
        fun ongoingCall(core: Core): CallView? {
            val answered = core.calls.filterNot { it.waits }
            return answered.find { it.state != CallState.HELD } ?: answered.firstOrNull()
        }

        fun ongoing(context: Context, view: CallView, trouble: String?, byService: Boolean): Notification {
            val end = CallActions.end(context, view.call)
            val builder = builder(context, Channels.ONGOING, view)
                .setContentText(trouble ?: context.getString(state(view)))
                .setContentIntent(CallActions.open(context, view.call))
            view.answeredMs?.let {
                val ago = SystemClock.elapsedRealtime() - it.toLong()
                builder.setWhen(System.currentTimeMillis() - ago).setShowWhen(true).setUsesChronometer(true)
            }
            if (Build.VERSION.SDK_INT >= Build.VERSION_CODES.S && byService) {
                builder.style = Notification.CallStyle.forOngoingCall(person(view), end)
            } else {
                builder.addAction(action(context, R.drawable.ic_call_end, R.string.notice_end, end))
            }
            return builder.build()
        }

        /** Whether a call may come up over the lock screen: from Android 14 on the user may say no. */
        fun mayFillScreen(context: Context): Boolean = Build.VERSION.SDK_INT < Build.VERSION_CODES.UPSIDE_DOWN_CAKE ||
            context.getSystemService(NotificationManager::class.java).canUseFullScreenIntent()

        private fun state(view: CallView): Int = when (view.state) {
            CallState.HELD -> R.string.notice_held
            CallState.CALLING, CallState.RINGING, CallState.EARLY, CallState.ANNOUNCED -> R.string.notice_calling
            CallState.ACTIVE, CallState.REMOTE_HELD, CallState.ENDED -> R.string.notice_ongoing
        }

        private fun builder(context: Context, channel: String, view: CallView) = Notification.Builder(context, channel)
            .setSmallIcon(R.drawable.ic_call)
            .setContentTitle(name(view))
            .setCategory(Notification.CATEGORY_CALL)
            .setVisibility(Notification.VISIBILITY_PUBLIC)
            .setOnlyAlertOnce(true)
            .setOngoing(true)

        private fun name(view: CallView) = view.name ?: view.number

        @TargetApi(Build.VERSION_CODES.P)
        private fun person(view: CallView) = Person.Builder().setName(name(view)).setImportant(true).build()

        private fun action(context: Context, icon: Int, text: Int, intent: PendingIntent) =
            Notification.Action.Builder(Icon.createWithResource(context, icon), context.getString(text), intent).build()
    }
}
