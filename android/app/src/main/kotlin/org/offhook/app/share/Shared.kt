package org.offhook.app.share

import android.content.ContentProvider
import android.content.ContentValues
import android.content.Context
import android.database.Cursor
import android.database.MatrixCursor
import android.net.Uri
import android.os.ParcelFileDescriptor
import android.provider.OpenableColumns
import java.io.File
import java.io.FileNotFoundException

/**
 * Hands the files that a person shares to the app that they chose, and to no other: it is not exported, and each file
 * is granted by the intent that names it. Files lie in one folder of the cache; the one before goes when another is made.
 */
class Shared : ContentProvider() {
    override fun onCreate() = true

    override fun openFile(uri: Uri, mode: String): ParcelFileDescriptor {
        if (mode != "r") throw SecurityException("it can be read only")
        return ParcelFileDescriptor.open(fileOf(uri), ParcelFileDescriptor.MODE_READ_ONLY)
    }

    override fun getType(uri: Uri): String = typeOf(uri.lastPathSegment.orEmpty())

    override fun query(
        uri: Uri,
        projection: Array<String>?,
        selection: String?,
        selectionArgs: Array<String>?,
        sortOrder: String?
    ): Cursor {
        val file = fileOf(uri)
        val columns = (projection ?: KNOWN).filter { it in KNOWN }
        val values = columns.map { if (it == OpenableColumns.SIZE) file.length() else file.name }
        return MatrixCursor(columns.toTypedArray(), 1).apply { addRow(values) }
    }

    override fun insert(uri: Uri, values: ContentValues?): Uri? = throw UnsupportedOperationException()

    override fun update(uri: Uri, values: ContentValues?, selection: String?, selectionArgs: Array<String>?) =
        throw UnsupportedOperationException()

    override fun delete(uri: Uri, selection: String?, selectionArgs: Array<String>?) =
        throw UnsupportedOperationException()

    /** A file of that folder; a name that leads out of it is none. */
    private fun fileOf(uri: Uri): File {
        val context = context ?: throw FileNotFoundException()
        val file = File(folder(context), uri.lastPathSegment.orEmpty()).canonicalFile
        if (file.parentFile != folder(context).canonicalFile || !file.isFile) throw FileNotFoundException()
        return file
    }

    companion object {
        private val KNOWN = arrayOf(OpenableColumns.DISPLAY_NAME, OpenableColumns.SIZE)

        private val TYPES = mapOf(
            "csv" to "text/csv",
            "json" to "application/json",
            "vcf" to "text/x-vcard",
            "wav" to "audio/x-wav"
        )

        fun typeOf(name: String): String = TYPES[name.substringAfterLast('.')] ?: "application/octet-stream"

        /** Where a file of that name is to be written; those before it are gone. Waits for a disk. */
        fun fresh(context: Context, name: String): File {
            val folder = folder(context)
            folder.deleteRecursively()
            folder.mkdirs()
            return File(folder, name)
        }

        fun uriOf(context: Context, file: File): Uri = Uri.Builder().scheme("content")
            .authority("${context.packageName}.shared").appendPath(file.name).build()

        private fun folder(context: Context) = File(context.cacheDir, "shared")
    }
}
