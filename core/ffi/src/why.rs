//! Why a call ended or a registration failed, as a word for the app to translate.

pub use phone::Why;

/// The enum for the bindings, and its words as the call log has them.
macro_rules! words {
    ($($word:ident,)*) => {
        /// Why a call has ended, or a registration failed. Translate it; [`crate::why_sentence`] has it in English.
        #[uniffi::remote(Enum)]
        pub enum Why {
            $($word,)*
        }

        /// What the call log means by a word; none: another version's.
        pub(crate) fn of_word(word: &str) -> Option<Why> {
            match word {
                $(stringify!($word) => Some(Why::$word),)*
                // A phone that died is to a person one that was started again.
                "PhoneDied" => Some(Why::PhoneRestarted),
                _ => None,
            }
        }
    };
}

words! {
    Transferred,
    YouEnded,
    TheyEnded,
    NoLongerReached,
    ConnectionLost,
    YouDeclined,
    AnsweredElsewhere,
    DeclinedElsewhere,
    CallerGaveUp,
    CallerLost,
    NobodyHere,
    YouGaveUp,
    TheyGaveUp,
    NotReached,
    Forwarded,
    DoNotDisturb,
    YouBlocked,
    YouRefuseAnonymous,
    InAnotherCall,
    NeverCame,
    NoCommonCodec,
    Moved,
    OtherWays,
    BadCredentials,
    PaymentWanted,
    NotAllowed,
    NoSuchNumber,
    NobodyAnswered,
    NumberGone,
    TooLarge,
    BadAddressKind,
    FeatureMissing,
    LongerSessions,
    AnonymousRefused,
    IdentityRefused,
    Unavailable,
    Forgotten,
    InCircles,
    NumberIncomplete,
    NumberAmbiguous,
    Busy,
    GivenUp,
    BothChanged,
    Undecipherable,
    ServerError,
    CannotDoThat,
    NotForwarded,
    ProviderOverloaded,
    OtherVersion,
    NoRoom,
    Declined,
    Unwanted,
    Blocked,
    Redirected,
    NotCompleted,
    ProviderFault,
    NotWantedAnywhere,
    Failed,
    PhoneRestarted,
    SwitchedOff,
    NoNetwork,
    WifiOnly,
    RoamingNotAllowed,
    NameNotFound,
    ServerSilent,
    ServerUnreachable,
    NotTrusted,
    OtherName,
    OutOfDate,
    CertificateChanged,
    OtherKey,
    SealedSilence,
    AccountRefused,
    AccountUnknown,
    ServerSlow,
    LongerRegistrations,
    SlowDown,
    ServerOverloaded,
    ServerFault,
    RegistrationRefused,
    Audio,
    NotEncrypted,
    EncryptionOff,
    KeysInClear,
    BadKeys,
    EncryptionRefused,
    EncryptionEnded,
    KeysNotAgreed,
    WrongCertificate,
    TakenBack,
    WaitedTooLong,
    AccountRemoved,
}
