package org.offhook.app.scan

import android.Manifest
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.Pictures
import org.offhook.app.core.FakePhone
import org.offhook.app.ui.PHONE
import org.offhook.app.ui.Screens
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.annotation.Config
import org.robolectric.annotation.GraphicsMode

/** Without what the camera sees. */
@RunWith(RobolectricTestRunner::class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = [35], qualifiers = PHONE)
class ScanPicturesTest {
    private val screens by lazy { Screens(FakePhone()) }

    @Test
    fun refused() {
        screens.deny(Manifest.permission.CAMERA)
        val screen = Robolectric.buildActivity(ScanActivity::class.java).setup()
        Pictures.check("scan-refused", screen.pause().resume().get())
    }
}
