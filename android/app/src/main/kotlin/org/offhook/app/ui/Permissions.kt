package org.offhook.app.ui

import android.Manifest
import android.annotation.TargetApi
import android.app.Activity
import android.content.Context
import android.content.Intent
import android.content.pm.PackageManager
import android.net.Uri
import android.os.Build
import android.provider.Settings
import org.offhook.app.R

/**
 * What the user has to allow, asked for when it is first needed and never before.
 *
 * A refusal is an answer: it is not asked again in the same breath, but told with a way to the settings.
 */
enum class Permission(val permission: String, private val since: Int, val refused: Int, val code: Int) {
    /** At the first call. */
    MICROPHONE(Manifest.permission.RECORD_AUDIO, 0, R.string.permission_microphone, 1),

    /** At the first registration. */
    NOTIFICATIONS(
        "android.permission.POST_NOTIFICATIONS",
        Build.VERSION_CODES.TIRAMISU,
        R.string.permission_notifications,
        2
    ),

    /** When sound is first to go to a headset of that kind. */
    BLUETOOTH("android.permission.BLUETOOTH_CONNECT", Build.VERSION_CODES.S, R.string.permission_bluetooth, 3),

    /** On the screen of contacts, by a button beside the reason. */
    CONTACTS(Manifest.permission.READ_CONTACTS, 0, R.string.permission_contacts, 4),

    /** On the screen of one's own numbers, by a button beside the reason. */
    PHONE_NUMBERS(Manifest.permission.READ_PHONE_NUMBERS, 0, R.string.permission_phone_numbers, 5) {
        // Which cards there are.
        override val all = listOf(Manifest.permission.READ_PHONE_STATE, permission)
    },

    /** When a QR code is first to be scanned. */
    CAMERA(Manifest.permission.CAMERA, 0, R.string.permission_camera, 6);

    /** What it takes: of one group, so that the user is asked once. */
    protected open val all get() = listOf(permission)

    /** Whether there is nothing left to ask for. */
    fun given(context: Context): Boolean = Build.VERSION.SDK_INT < since ||
        all.all { context.checkSelfPermission(it) == PackageManager.PERMISSION_GRANTED }

    /** Asks; the answer comes to the activity's `onRequestPermissionsResult` with [code]. */
    fun ask(activity: Activity) {
        asked(activity).edit().putBoolean(name, true).apply()
        activity.requestPermissions(all.toTypedArray(), code)
    }

    /** Whether the user was asked at any time, and so has refused if it is not [given]. */
    fun wasAsked(context: Context): Boolean = asked(context).getBoolean(name, false)

    private fun asked(context: Context) = context.getSharedPreferences("permissions", Context.MODE_PRIVATE)

    companion object {
        fun of(code: Int): Permission? = entries.find { it.code == code }

        /** Where the user can change a refusal. */
        fun settings(context: Context) = Intent(Settings.ACTION_APPLICATION_DETAILS_SETTINGS, ofApp(context))

        /** Where calls are allowed to come up over the lock screen; nothing that can be asked for. */
        @TargetApi(Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
        fun fullScreenSettings(context: Context) =
            Intent(Settings.ACTION_MANAGE_APP_USE_FULL_SCREEN_INTENT, ofApp(context))

        private fun ofApp(context: Context) = Uri.fromParts("package", context.packageName, null)
    }
}
