package org.offhook.app.core

import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder

/** The core as it was built for Android's x86_64, in a JVM of its own with what it takes from Android in a shim. */
class CallOnAndroidLibraryTest {
    @get:Rule val folders = TemporaryFolder()

    @Test
    fun the_library_for_phones_registers_and_makes_a_call() = RealCall.walk(folders.root)
}
