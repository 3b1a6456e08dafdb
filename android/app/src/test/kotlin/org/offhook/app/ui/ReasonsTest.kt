package org.offhook.app.ui

import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.offhook.core.Field
import org.offhook.core.PhoneException
import org.offhook.core.Refused
import org.offhook.core.SettingFault
import org.offhook.core.TargetFault
import org.offhook.core.Why
import org.offhook.core.whySentence
import org.robolectric.RobolectricTestRunner
import org.robolectric.RuntimeEnvironment
import org.robolectric.annotation.Config

@RunWith(RobolectricTestRunner::class)
class ReasonsTest {
    private val context = RuntimeEnvironment.getApplication()

    @Test
    fun in_english_a_reason_says_what_the_core_says() =
        Why.entries.forEach { assertEquals(whySentence(it), context.getString(it.sentence)) }

    @Test
    @Config(qualifiers = "zh-rCN")
    fun in_chinese_every_reason_is_a_chinese_sentence_of_its_own() {
        val sentences = Why.entries.map { context.getString(it.sentence) }
        sentences.forEach { assertTrue(it, it.endsWith("。") && it.any { c -> c in '一'..'龥' }) }
        assertEquals(sentences.size, sentences.toSet().size)
    }

    @Test
    fun what_is_wrong_with_a_number_is_said_as_the_core_says_it() {
        val said = wrongTargets().map { it.sentence(context) }
        assertTrue(said.toString(), "That is neither a number nor an address." in said)
        assertTrue(said.toString(), "Only sip:, sips: and tel: addresses can be called." in said)
        assertEquals(TargetFault.entries.size, said.toSet().size)
    }

    @Test
    fun what_is_wrong_with_an_account_names_the_field() {
        val missing = PhoneException.BadSetting(Field.SERVER, SettingFault.MISSING, "this is missing")
        assertEquals("The server is missing.", missing.sentence(context))
        val long = PhoneException.BadSetting(Field.DISPLAY_NAME, SettingFault.TOO_LONG, "that is too long")
        assertEquals("Your name is too long.", long.sentence(context))
        everyFaultOfEveryFieldHasASentenceOfItsOwn()
    }

    @Test
    @Config(qualifiers = "zh-rCN")
    fun a_chinese_app_says_nothing_in_english() {
        everyFaultOfEveryFieldHasASentenceOfItsOwn()
        val wrongs = wrongTargets() + wrongSettings() + listOf(
            PhoneException.BadArgument("a bug"),
            PhoneException.NoAccount(),
            PhoneException.TooLong(),
            PhoneException.Secrets("keystore"),
            IllegalStateException("a bug")
        )
        wrongs.map { it.sentence(context) }.forEach { said ->
            // What is typed is typed like this in every language.
            val words = said.replace(Regex("(sips?|tel):"), "")
            assertFalse(said, words.any { c -> c in 'a'..'z' })
        }
    }

    private fun everyFaultOfEveryFieldHasASentenceOfItsOwn() {
        val said = wrongSettings().map { it.sentence(context) }
        assertEquals(Field.entries.size * SettingFault.entries.size, said.toSet().size)
    }

    private fun wrongTargets() = TargetFault.entries.map { PhoneException.BadTarget(it, "in English") }

    private fun wrongSettings() = Field.entries.flatMap { field ->
        SettingFault.entries.map { PhoneException.BadSetting(field, it, "in English") }
    }

    @Test
    fun a_command_that_came_a_moment_too_late_is_passed_over() {
        assertNull(Refused.WRONG_STATE.sentence)
        assertEquals("There are too many calls. End one first.", context.getString(Refused.TOO_MANY_CALLS.sentence!!))
    }
}
