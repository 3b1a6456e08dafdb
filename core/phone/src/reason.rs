//! Why a call or a registration came to nothing: a word for the app to translate, and a sentence for a person.
//!
//! RFC 3261 section 21 and the IANA registry for the statuses. Knows no language but English: the app translates by
//! [`Why`] and falls back on its sentence.

use base::Untrusted;
use sip::ua::{Cause, Party};

use crate::negotiate::Disagreement;
use crate::{Dropped, Side, Step};

/// Why a call has ended, or a registration failed. `Display` is a sentence for a person, in English.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each says of itself, in its sentence, what it is")]
pub enum Why {
    #[error("The call was transferred.")]
    Transferred,
    #[error("You ended the call.")]
    YouEnded,
    #[error("The other side ended the call.")]
    TheyEnded,
    #[error("The other side could no longer be reached.")]
    NoLongerReached,
    #[error("The connection was lost.")]
    ConnectionLost,
    #[error("You declined the call.")]
    YouDeclined,
    #[error("The call was answered on another device.")]
    AnsweredElsewhere,
    #[error("The call was declined on another device.")]
    DeclinedElsewhere,
    #[error("The caller gave up.")]
    CallerGaveUp,
    #[error("The caller could no longer be reached.")]
    CallerLost,
    #[error("Nobody picked up here.")]
    NobodyHere,
    #[error("You gave up the call.")]
    YouGaveUp,
    #[error("The other side gave up the call.")]
    TheyGaveUp,
    #[error("The other side could not be reached.")]
    NotReached,
    #[error("The call was forwarded.")]
    Forwarded,
    #[error("Do not disturb was on.")]
    DoNotDisturb,
    #[error("You have blocked this caller.")]
    YouBlocked,
    #[error("You take no anonymous calls.")]
    YouRefuseAnonymous,
    #[error("You were in another call.")]
    InAnotherCall,
    #[error("The call did not reach this phone after it was announced.")]
    NeverCame,
    #[error("The other side and this phone have no codec in common.")]
    NoCommonCodec,
    #[error("The person has moved to another address.")]
    Moved,
    #[error("The person can be reached in other ways.")]
    OtherWays,
    #[error("The user name or the password is wrong.")]
    BadCredentials,
    #[error("The provider wants to be paid for this call.")]
    PaymentWanted,
    #[error("The provider does not allow this call.")]
    NotAllowed,
    #[error("There is no such number.")]
    NoSuchNumber,
    #[error("Nobody answered in time.")]
    NobodyAnswered,
    #[error("The number is no longer in use.")]
    NumberGone,
    #[error("The call request was too large for the other side.")]
    TooLarge,
    #[error("The other side cannot be called by this kind of address.")]
    BadAddressKind,
    #[error("The other side wants a feature that this phone has not switched on, or the reverse.")]
    FeatureMissing,
    #[error("The other side wants longer session times.")]
    LongerSessions,
    #[error("Anonymous calls are not accepted.")]
    AnonymousRefused,
    #[error("The caller's identity was not accepted.")]
    IdentityRefused,
    #[error("The person cannot be reached at the moment.")]
    Unavailable,
    #[error("The other side no longer knows this call.")]
    Forgotten,
    #[error("The call went round in circles.")]
    InCircles,
    #[error("The number is incomplete.")]
    NumberIncomplete,
    #[error("The number is ambiguous.")]
    NumberAmbiguous,
    #[error("The line is busy.")]
    Busy,
    #[error("The call was given up.")]
    GivenUp,
    #[error("Both sides changed the call at the same time.")]
    BothChanged,
    #[error("The other side could not decrypt the call request.")]
    Undecipherable,
    #[error("The server had an internal error.")]
    ServerError,
    #[error("The other side cannot do that.")]
    CannotDoThat,
    #[error("The provider could not reach the other side.")]
    NotForwarded,
    #[error("The provider is overloaded or out of service.")]
    ProviderOverloaded,
    #[error("The other side speaks another version of SIP.")]
    OtherVersion,
    #[error("The network has no room for this call.")]
    NoRoom,
    #[error("The call was declined.")]
    Declined,
    #[error("The person does not want this call.")]
    Unwanted,
    #[error("The provider has blocked this call.")]
    Blocked,
    #[error("The call should go to another address.")]
    Redirected,
    #[error("The call could not be completed.")]
    NotCompleted,
    #[error("The provider has a fault.")]
    ProviderFault,
    #[error("The call is not wanted anywhere.")]
    NotWantedAnywhere,
    #[error("The call failed.")]
    Failed,
    #[error("The phone had to restart itself.")]
    PhoneRestarted,
    #[error("This phone was switched off.")]
    SwitchedOff,
    #[error("There is no network.")]
    NoNetwork,
    #[error("This account uses Wi-Fi only, and there is none.")]
    WifiOnly,
    #[error("This account waits until you allow roaming.")]
    RoamingNotAllowed,
    #[error("The server's name cannot be found.")]
    NameNotFound,
    #[error("The server does not answer.")]
    ServerSilent,
    #[error("The server cannot be reached.")]
    ServerUnreachable,
    #[error("The server's certificate is not trusted.")]
    NotTrusted,
    #[error("The server's certificate is for another name.")]
    OtherName,
    #[error("The server's certificate is out of date.")]
    OutOfDate,
    #[error("The server's certificate is another than before.")]
    CertificateChanged,
    #[error("The password or the encryption setting does not match the server's.")]
    OtherKey,
    #[error("The server does not answer: its port, the password or the encryption setting may be wrong.")]
    SealedSilence,
    #[error("The provider refuses this account.")]
    AccountRefused,
    #[error("The provider does not know this account.")]
    AccountUnknown,
    #[error("The server takes too long.")]
    ServerSlow,
    #[error("The provider wants longer registrations than can be asked for.")]
    LongerRegistrations,
    #[error("The provider asks to slow down.")]
    SlowDown,
    #[error("The server is overloaded or out of service.")]
    ServerOverloaded,
    #[error("The server has a fault.")]
    ServerFault,
    #[error("The provider turned the registration down.")]
    RegistrationRefused,
    #[error("There is no sound for the call.")]
    Audio,
    #[error("The other side does not encrypt calls, and this account insists on it.")]
    NotEncrypted,
    #[error("The other side insists on encrypted calls, and this account has them switched off.")]
    EncryptionOff,
    #[error("The keys for encryption would have to be sent in clear: this account needs TLS.")]
    KeysInClear,
    #[error("The other side's keys for encryption cannot be used.")]
    BadKeys,
    #[error("The other side did not take an encrypted call.")]
    EncryptionRefused,
    #[error("The other side ended the encryption of the call, and this account insists on it.")]
    EncryptionEnded,
    #[error("No keys for encryption could be agreed on with the other side.")]
    KeysNotAgreed,
    #[error(
        "Somebody else answered where the other side was to agree on keys: the call may have been listened to."
    )]
    WrongCertificate,
    #[error("You took the message back.")]
    TakenBack,
    #[error("It could not be sent for three days.")]
    WaitedTooLong,
    #[error("Its account was removed.")]
    AccountRemoved,
}

/// Why what the other side described cannot be agreed to.
pub(crate) fn of_disagreement(why: Disagreement) -> Why {
    match why {
        Disagreement::Unreadable(_) | Disagreement::NothingInCommon | Disagreement::LinesMissing => {
            Why::NoCommonCodec
        }
        Disagreement::NotEncrypted => Why::NotEncrypted,
        Disagreement::WantsEncryption => Why::EncryptionOff,
        Disagreement::KeysInClear => Why::KeysInClear,
        Disagreement::BadKeys => Why::BadKeys,
    }
}

/// Why a call that was up has ended.
pub(crate) fn of_end(by: Party, cause: &Cause, transferred: bool) -> Why {
    match (by, transferred) {
        (_, true) => Why::Transferred,
        (Party::Us, _) => Why::YouEnded,
        (Party::Them, _) if cause.status < 300 => Why::TheyEnded,
        (Party::Them, _) => of_status(cause.status),
        (Party::Network, _) if cause.status == 408 => Why::NoLongerReached,
        // It hung up and its BYE is late, or it has begun anew.
        (Party::Network, _) if cause.status == 481 => of_status(481),
        (Party::Network, _) => Why::ConnectionLost,
    }
}

/// Why a call to us has ended before it was answered.
pub(crate) fn of_missed(by: Party, cause: &Cause) -> Why {
    match by {
        Party::Us => Why::YouDeclined,
        // A proxy tells the other branches so with the Reason field of its CANCEL: RFC 3326 section 2.
        Party::Them if cause.status == 200 => Why::AnsweredElsewhere,
        Party::Them if cause.status / 100 == 6 => Why::DeclinedElsewhere,
        Party::Them => Why::CallerGaveUp,
        Party::Network => Why::CallerLost,
    }
}

/// Why a call of ours has ended before it was answered, other than by a final response.
pub(crate) fn of_abandoned(by: Party) -> Why {
    match by {
        Party::Us => Why::YouGaveUp,
        Party::Them => Why::TheyGaveUp,
        Party::Network => Why::NotReached,
    }
}

/// Why a call of ours was not put through.
pub(crate) fn of_failure(status: u16, local: bool) -> Why {
    match (status, local) {
        (408, true) => Why::ServerSilent,
        (404, true) => Why::NameNotFound,
        (503, true) => Why::ServerUnreachable,
        _ => of_status(status),
    }
}

/// Why we turned a caller away without ringing.
pub(crate) fn of_refusal(side: Side, status: u16) -> Why {
    match (side, status) {
        (Side::In, 302) => Why::Forwarded,
        (Side::In, 480) => Why::DoNotDisturb,
        (Side::In, 486) => Why::InAnotherCall,
        (Side::In, 488) => Why::NoCommonCodec,
        (Side::In | Side::Out, _) => of_status(status),
    }
}

/// What a final SIP status of a call means to the caller.
fn of_status(status: u16) -> Why {
    match status {
        301 | 302 | 305 => Why::Moved,
        300 | 380 => Why::OtherWays,
        401 | 407 => Why::BadCredentials,
        402 => Why::PaymentWanted,
        403 => Why::NotAllowed,
        404 | 604 => Why::NoSuchNumber,
        408 => Why::NobodyAnswered,
        410 => Why::NumberGone,
        413 | 513 => Why::TooLarge,
        406 | 415 | 488 | 606 => Why::NoCommonCodec,
        416 => Why::BadAddressKind,
        420 | 421 | 494 => Why::FeatureMissing,
        422 => Why::LongerSessions,
        433 => Why::AnonymousRefused,
        437 | 438 | 428 | 436 => Why::IdentityRefused,
        480 => Why::Unavailable,
        481 => Why::Forgotten,
        482 | 483 => Why::InCircles,
        484 => Why::NumberIncomplete,
        485 => Why::NumberAmbiguous,
        486 | 600 => Why::Busy,
        487 => Why::GivenUp,
        491 => Why::BothChanged,
        493 => Why::Undecipherable,
        500 => Why::ServerError,
        501 | 405 => Why::CannotDoThat,
        502 | 504 => Why::NotForwarded,
        503 => Why::ProviderOverloaded,
        505 => Why::OtherVersion,
        580 => Why::NoRoom,
        603 => Why::Declined,
        607 => Why::Unwanted,
        608 => Why::Blocked,
        _ => match status / 100 {
            3 => Why::Redirected,
            4 => Why::NotCompleted,
            5 => Why::ProviderFault,
            6 => Why::NotWantedAnywhere,
            _ => Why::Failed,
        },
    }
}

/// Why a server under TLS was not spoken to.
pub(crate) const fn of_certificate(why: Untrusted) -> Why {
    match why {
        Untrusted::Issuer => Why::NotTrusted,
        Untrusted::Name => Why::OtherName,
        Untrusted::Date => Why::OutOfDate,
        Untrusted::Changed => Why::CertificateChanged,
    }
}

/// Why a server that is spoken to by sealed messages is not reached. One that has another key drops ours, and says nothing.
pub(crate) const fn of_seal(dropped: &Dropped) -> Why {
    if dropped.is_mismatch() { Why::OtherKey } else { Why::SealedSilence }
}

/// Why a registration failed, and at which step; only at the last is the status anybody's answer.
pub(crate) fn of_registration(status: u16, at: Step) -> Why {
    match (status, at) {
        (_, Step::Find) => Why::NameNotFound,
        (408, Step::Reach) => Why::ServerSilent,
        (_, Step::Reach) => Why::ServerUnreachable,
        (401 | 407, _) => Why::BadCredentials,
        (403, _) => Why::AccountRefused,
        (404, _) => Why::AccountUnknown,
        (408 | 504, _) => Why::ServerSlow,
        (423, _) => Why::LongerRegistrations,
        (429, _) => Why::SlowDown,
        (503, _) => Why::ServerOverloaded,
        _ if status / 100 == 5 => Why::ServerFault,
        _ => Why::RegistrationRefused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_sentence() {
        for status in 0..1000 {
            for why in
                [of_status(status), of_registration(status, Step::Register), of_refusal(Side::In, status)]
            {
                let sentence = why.to_string();
                assert!(
                    sentence.ends_with('.') && sentence.starts_with(char::is_uppercase),
                    "{status}: {sentence}"
                );
            }
        }
    }

    #[test]
    fn an_answer_elsewhere_is_told_from_a_caller_who_gave_up() {
        let cause = |status| Cause { status, text: String::new(), q850: None };
        assert_ne!(of_missed(Party::Them, &cause(200)), of_missed(Party::Them, &cause(487)));
    }

    #[test]
    fn a_call_that_the_other_side_has_forgotten_was_not_lost_by_the_network() {
        let cause = |status| Cause { status, text: String::new(), q850: None };
        let told = |status| of_end(Party::Network, &cause(status), false);
        assert_eq!(told(481), Why::Forgotten);
        assert_ne!(told(408), told(500));
    }

    #[test]
    fn silence_is_told_from_a_refusal_of_the_same_number() {
        assert_ne!(of_failure(503, true), of_failure(503, false));
        assert_ne!(of_registration(408, Step::Reach), of_registration(408, Step::Register));
    }
}
