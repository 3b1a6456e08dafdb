package org.offhook.app.notify

import android.app.PendingIntent
import android.content.BroadcastReceiver
import android.content.Context
import android.content.Intent
import org.offhook.app.OffhookApp
import org.offhook.app.ui.CallActivity

/** The buttons of a call's notification. */
class CallActions : BroadcastReceiver() {
    override fun onReceive(context: Context, intent: Intent) {
        val call = intent.getIntExtra(EXTRA_CALL, 0).toUInt()
        val desk = OffhookApp.of(context).calls
        when (intent.action) {
            DECLINE -> desk.decline(call)
            END -> desk.hangUp(call)
        }
    }

    companion object {
        /** Opens the call's screen, which answers: it may have to ask for the microphone first. */
        const val ANSWER = "org.offhook.app.ANSWER"
        const val EXTRA_CALL = "call"
        private const val DECLINE = "org.offhook.app.DECLINE"
        private const val END = "org.offhook.app.END"

        fun decline(context: Context, call: UInt) = button(context, call, DECLINE)

        fun end(context: Context, call: UInt) = button(context, call, END)

        fun answer(context: Context, call: UInt): PendingIntent = screen(context, call, ANSWER)

        fun open(context: Context, call: UInt): PendingIntent = screen(context, call, Intent.ACTION_VIEW)

        private fun screen(context: Context, call: UInt, action: String) = PendingIntent.getActivity(
            context,
            call.toInt(),
            Intent(context, CallActivity::class.java).setAction(action).putExtra(EXTRA_CALL, call.toInt())
                .addFlags(Intent.FLAG_ACTIVITY_NEW_TASK),
            FLAGS
        )

        private fun button(context: Context, call: UInt, action: String) = PendingIntent.getBroadcast(
            context,
            call.toInt(),
            Intent(context, CallActions::class.java).setAction(action).putExtra(EXTRA_CALL, call.toInt()),
            FLAGS
        )

        private const val FLAGS = PendingIntent.FLAG_IMMUTABLE or PendingIntent.FLAG_UPDATE_CURRENT
    }
}
