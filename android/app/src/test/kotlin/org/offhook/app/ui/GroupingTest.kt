package org.offhook.app.ui

import android.text.Selection
import android.text.SpannableStringBuilder
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class GroupingTest {
    private fun grouped(text: String, cursor: Int = text.length, typed: String): Pair<String, Int> {
        val field = SpannableStringBuilder(text)
        Selection.setSelection(field, cursor)
        Grouping.apply(field) { typed }
        return field.toString() to Selection.getSelectionEnd(field)
    }

    @Test
    fun digits_move_apart_and_the_cursor_stays_behind_its_digit() {
        assertEquals("030 123" to 7, grouped("030123", typed = "030 123"))
        assertEquals("030 123" to 2, grouped("030123", 2, "030 123"))
        assertEquals("+49 30 1" to 3, grouped("+49 301", 4, "+49 30 1"))
    }

    @Test
    fun what_is_no_number_stays_as_it_is() {
        assertEquals("*31#030123" to 10, grouped("*31#030123", typed = "x"))
        assertEquals("bob@example.com" to 3, grouped("bob@example.com", 3, "x"))
    }

    @Test
    fun an_answer_with_other_digits_is_not_taken() {
        assertEquals("0301" to 4, grouped("0301", typed = "030 2"))
    }

    @Test
    fun deleting_back_passes_over_what_stands_between_digits() {
        assertEquals(3, Grouping.before("030 1", 4))
        assertEquals(5, Grouping.before("030 1", 5))
    }
}
