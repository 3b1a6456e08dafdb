package org.offhook.app.share

import android.net.Uri
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.Robolectric
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment

@RunWith(RobolectricTestRunner::class)
class SharedTest {
    private val app = RuntimeEnvironment.getApplication()
    private val shared = Robolectric.setupContentProvider(Shared::class.java, "org.offhook.app.shared")

    private fun uri(path: String) = Uri.parse("content://org.offhook.app.shared/$path")

    @Test
    fun a_shared_file_has_a_name_a_size_a_type_and_is_read() {
        val file = Shared.fresh(app, "calls.csv").apply { writeText("a,b") }
        val uri = Shared.uriOf(app, file)
        assertEquals("text/csv", shared.getType(uri))
        shared.query(uri, null, null, null, null).use {
            assertTrue(it.moveToFirst())
            assertEquals("calls.csv", it.getString(it.getColumnIndexOrThrow(OpenableColumns.DISPLAY_NAME)))
            assertEquals(3L, it.getLong(it.getColumnIndexOrThrow(OpenableColumns.SIZE)))
        }
        shared.openFile(uri, "r").use { assertEquals(3L, it.statSize) }
    }

    @Test
    fun nothing_else_of_the_app_is_read_and_nothing_is_written() {
        Shared.fresh(app, "calls.csv").writeText("a")
        File(app.cacheDir, "secret").writeText("s")
        for (path in listOf("..%2Fsecret", "%2e%2e%2fsecret", "", "..", "other.csv", "..%2F..%2Ffiles%2Fphone")) {
            assertThrows(path, FileNotFoundException::class.java) { shared.openFile(uri(path), "r") }
        }
        assertThrows(SecurityException::class.java) { shared.openFile(uri("calls.csv"), "rw") }
        assertThrows(UnsupportedOperationException::class.java) { shared.delete(uri("calls.csv"), null, null) }
    }

    @Test
    fun the_file_before_is_gone_when_another_is_made() {
        val first = Shared.fresh(app, "calls.csv").apply { writeText("a") }
        Shared.fresh(app, "calls.json").writeText("b")
        assertFalse(first.exists())
    }
}
