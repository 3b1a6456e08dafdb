package org.offhook.app.notify

import android.Manifest
import android.app.NotificationManager
import android.content.pm.PackageManager
import android.os.Build
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Implementation
import org.robolectric.annotation.Implements
import org.robolectric.shadows.ShadowNotificationManager

/** Robolectric's own says no to everybody; this goes by the permission, as a phone does. For all tests. */
@Implements(NotificationManager::class)
class FullScreenShadow : ShadowNotificationManager() {
    @Implementation(minSdk = Build.VERSION_CODES.UPSIDE_DOWN_CAKE)
    fun canUseFullScreenIntent(): Boolean = RuntimeEnvironment.getApplication()
        .checkSelfPermission(Manifest.permission.USE_FULL_SCREEN_INTENT) == PackageManager.PERMISSION_GRANTED
}
