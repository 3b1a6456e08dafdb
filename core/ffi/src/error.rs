//! What an app did wrong. The world's troubles are events, never errors.

pub use phone::BadTarget;
use phone::Refusal;

/// Why what was typed cannot be called.
#[uniffi::remote(Enum)]
pub enum BadTarget {
    Empty,
    TooLong,
    Scheme,
    Emergency,
    NotDialable,
}

/// A command that was called wrongly; nothing was done. The sentence is English and for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
pub enum PhoneError {
    /// Not dialable: say why beside the text field.
    #[error("{sentence}")]
    BadTarget {
        /// Why, to be translated.
        why: BadTarget,
        /// The same in English.
        sentence: String,
    },
    /// There is no such account: send the user to account set-up.
    #[error("there is no such account")]
    NoAccount,
    /// A setting of an account cannot be used: mark the field and say why.
    #[error("{sentence}")]
    BadSetting {
        /// Which field.
        field: Field,
        /// Why, to be translated.
        why: BadSetting,
        /// The same in English.
        sentence: String,
    },
    /// The call is over, or never was: take its screen away.
    #[error("there is no such call")]
    NoSuchCall,
    /// The text is longer than is ever needed: refuse it where it is typed.
    #[error("that is too long")]
    TooLong,
    /// An argument makes no sense, and the sentence says why: a bug of the app, worth a log line.
    #[error("{sentence}")]
    BadArgument {
        /// For the app's makers.
        sentence: String,
    },
    /// Two threads wait for events, and only one may: the second one ends itself.
    #[error("another thread waits for events already")]
    TwoListeners,
    /// The secret store said no and nothing was changed: say so, and let the user try again.
    #[error("the password cannot be kept: {sentence}")]
    Secrets {
        /// What the store said.
        sentence: String,
    },
    /// The phone's folder cannot be written and nothing was changed: say so.
    #[error("this cannot be remembered: {sentence}")]
    Store {
        /// What the system said.
        sentence: String,
    },
    /// The phone was shut down: start a new one.
    #[error("the phone was shut down")]
    ShutDown,
}

/// A field of the account screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Field {
    /// The number or user name.
    Number,
    /// The server.
    Server,
    /// The outbound proxy.
    Proxy,
    /// The digest user name.
    AuthUser,
    /// The name shown to others.
    DisplayName,
    /// The password.
    Password,
    /// The STUN server.
    Stun,
    /// The relay.
    Relay,
    /// The user name at the relay.
    RelayUser,
    /// The password at the relay.
    RelayPassword,
    /// How the balance is asked for.
    Balance,
    /// The codecs.
    Codecs,
    /// The dial plan.
    DialPlan,
    /// What the people called are to see.
    CallerId,
    /// How long a registration is asked for.
    Expires,
    /// What is called to hear messages that wait.
    Mailbox,
    /// Something that the screen does not have; the sentence names it.
    Other,
}

/// Why a phone cannot begin. Show the sentence; start again when its cause is mended.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum StartError {
    /// The folder cannot be used.
    #[error("the phone's folder cannot be used: {sentence}")]
    Folder {
        /// What the system said.
        sentence: String,
    },
    /// No socket, thread, timer or randomness, or a file that cannot be opened.
    #[error("{sentence}")]
    System {
        /// For a person.
        sentence: String,
    },
    /// An argument makes no sense: a bug of the app.
    #[error("{sentence}")]
    BadArgument {
        /// For the app's makers.
        sentence: String,
    },
}

/// Why a setting cannot be used. `Display` is a sentence for a person, in English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, uniffi::Enum)]
pub enum BadSetting {
    /// It is needed.
    #[error("this is missing")]
    Missing,
    /// Longer than any that works.
    #[error("that is too long")]
    TooLong,
    /// It is not what it should be.
    #[error("that cannot be used")]
    Unusable,
}

impl From<BadTarget> for PhoneError {
    fn from(why: BadTarget) -> Self {
        Self::BadTarget { why, sentence: why.to_string() }
    }
}

/// Why a command that was well formed was refused: its call was in another state by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Refused {
    /// The call is over: take its screen away.
    NoSuchCall,
    /// The account is gone: send the user to account set-up.
    NoAccount,
    /// Not dialable: show it beside the text field.
    BadTarget,
    /// The call cannot do that now: show nothing, the next view says how it stands.
    WrongState,
    /// Too many calls: ask the user to end one.
    TooManyCalls,
    /// The last change is still being agreed, or too many messages wait: try again in a moment.
    Busy,
    /// The text is too long.
    TooLong,
    /// The other side takes no keypad digits: say so, and show no keypad.
    NoKeypad,
    /// The other side does not take all of these digits: say so.
    DigitsNotTaken,
    /// The phone is shutting down.
    ShuttingDown,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NoSuchCall => Self::NoSuchCall,
            Refusal::NoAccount => Self::NoAccount,
            Refusal::BadTarget(_) => Self::BadTarget,
            // Accounts are checked before: see `AccountSettings`.
            Refusal::CannotSeal(_) | Refusal::SealedOnlyByUdp => Self::WrongState,
            Refusal::CallExists
            | Refusal::WrongState
            | Refusal::BadStatus
            | Refusal::BadDigits
            | Refusal::NoSuchMessage
            // A newer one was shown, or none.
            | Refusal::NotShown => Self::WrongState,
            Refusal::NoKeypad => Self::NoKeypad,
            Refusal::DigitsNotTaken => Self::DigitsNotTaken,
            Refusal::TooManyCalls => Self::TooManyCalls,
            Refusal::Busy | Refusal::TooManyMessages => Self::Busy,
            Refusal::TextTooLong => Self::TooLong,
            Refusal::TooManyWatched => Self::Busy,
            Refusal::ShuttingDown => Self::ShuttingDown,
        }
    }
}
