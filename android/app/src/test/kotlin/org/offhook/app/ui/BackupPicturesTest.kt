package org.offhook.app.ui

import android.app.Activity
import android.content.Intent
import android.net.Uri
import java.util.TimeZone
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.R
import org.offhook.core.BackupPasswords
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class BackupPicturesTest {
    private val screens by lazy { Screens() }

    @Before
    fun it_is_friday() = TimeZone.setDefault(TimeZone.getTimeZone("UTC"))

    private fun open(): BackupActivity = Robolectric.buildActivity(BackupActivity::class.java).setup().get()

    private fun found(passwords: BackupPasswords): BackupActivity {
        screens.phone.backup = backup(passwords)
        val document = Uri.parse("content://documents/1")
        shadowOf(screens.app.contentResolver).registerInputStream(document, "a backup".byteInputStream())
        val activity = open()
        activity.press(R.id.choose)
        val asked = shadowOf(activity).nextStartedActivityForResult
        shadowOf(activity).receiveResult(asked.intent, Activity.RESULT_OK, Intent().setData(document))
        shadowOf(activity.mainLooper).idle()
        return activity
    }

    @Test
    fun with_passwords() {
        val activity = open()
        activity.choose(R.id.with_passwords)
        activity.type(R.id.passphrase, "horse")
        activity.press(R.id.save)
        Pictures.check("backup", activity)
    }

    @Test
    @Config(qualifiers = "+zh-rCN-night")
    fun chinese_and_dark() = Pictures.check("backup-dark-zh", open())

    @Test
    fun locked() = Pictures.check("backup-found", found(BackupPasswords.Locked))

    @Test
    @Config(qualifiers = "+ar-ldrtl")
    fun large_and_right_to_left() {
        RuntimeEnvironment.setFontScale(2f)
        val activity = found(BackupPasswords.Unlocked(1u, 0u))
        activity.press(R.id.take)
        Pictures.check("backup-done-large-rtl", activity)
    }
}
