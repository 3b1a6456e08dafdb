package org.offhook.app.core

import android.content.Context

/** The one way into the core that is not the bindings': JNA never lets the library know the JVM it runs in. */
internal object Native {
    /** Hands over the app's class loader, for the core to ask the platform whom it trusts. */
    @JvmStatic
    external fun init(context: Context)
}
