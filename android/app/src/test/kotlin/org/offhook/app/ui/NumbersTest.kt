package org.offhook.app.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.app.core.FakePhone
import org.offhook.core.CallState
import org.robolectric.RobolectricTestRunner

@RunWith(RobolectricTestRunner::class)
class NumbersTest {
    private fun from(name: String?, number: String = "1002") =
        FakePhone().view(state = CallState.ACTIVE, name = name, number = number)

    @Test
    fun a_number_keeps_its_direction_among_letters_of_another() =
        assertEquals("\u20661002\u2069", Numbers.shown("1002"))

    @Test
    fun an_international_number_is_grouped() = assertEquals("+49 30 123456", Numbers.shown("+4930123456").bare())

    @Test
    fun a_name_comes_before_its_number_and_a_number_stands_for_a_missing_name() {
        assertEquals("Bob", Numbers.title(from("Bob")).bare())
        assertEquals("1002", Numbers.below(from("Bob"))?.bare())
        assertEquals("1002", Numbers.title(from(" ")).bare())
        assertNull(Numbers.below(from(" ")))
        assertNull(Numbers.below(from("1002")))
    }

    @Test
    fun nobody_at_all_is_empty() = assertEquals("", Numbers.title(from(null, "")))

    @Test
    fun a_stranger_s_name_cannot_turn_the_line_break_it_or_fill_the_screen() {
        assertEquals("Bob Police", Numbers.clean("Bob\u202E\nPolice\u0000"))
        assertEquals("Bob", Numbers.clean("Bob\uD83D"))
        assertTrue(Numbers.clean("x".repeat(1_000_000)).length < 100)
    }

    @Test
    fun a_face_has_the_name_s_first_letter_if_it_is_one() {
        assertEquals("B", Numbers.initial(from("bob")))
        assertEquals("李", Numbers.initial(from("李雷")))
        assertNull(Numbers.initial(from("+49")))
        assertNull(Numbers.initial(from(null)))
    }
}
