package org.offhook.app.ui

import android.content.Context
import org.offhook.app.R

/** What a number is (mobile, work), in the language of the device; a person's own word stays as it is. */
object Kinds {
    private val words = mapOf(
        "mobile" to R.string.kind_mobile,
        "home" to R.string.kind_home,
        "work" to R.string.kind_work,
        "main" to R.string.kind_main,
        "fax" to R.string.kind_fax,
        "pager" to R.string.kind_pager,
        "other" to R.string.kind_other
    )

    /** Those that are offered where one is typed. */
    fun offered(context: Context): List<String> = listOf("mobile", "home", "work", "other").map { shown(context, it) }

    /** As it is read. */
    fun shown(context: Context, kind: String): String = words[kind]?.let(context::getString) ?: Numbers.clean(kind)

    /** As it is kept, so that another language shows it in its own word. */
    fun kept(context: Context, typed: String): String {
        val word = typed.trim()
        return words.entries.find { context.getString(it.value).equals(word, ignoreCase = true) }?.key ?: word
    }
}
