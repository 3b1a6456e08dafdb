package org.offhook.app.core

/** The platform said no, not the core. [message] is a sentence for a person, in the user's language. */
class PlatformRefusal(override val message: String) : Exception(message)
