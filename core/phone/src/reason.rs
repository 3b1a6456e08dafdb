//! Why a call or a registration came to nothing, in words a person understands.
//!
//! RFC 3261 section 21 and the IANA registry for the statuses. Knows no language but English: the app translates by
//! status and falls back on these.

use sip::ua::{Cause, Party};

use crate::Side;

/// Why a call that was up has ended.
pub(crate) fn of_end(by: Party, cause: &Cause, transferred: bool) -> String {
    match (by, transferred) {
        (_, true) => "The call was transferred.".into(),
        (Party::Us, _) => "You ended the call.".into(),
        (Party::Them, _) if cause.status < 300 => "The other side ended the call.".into(),
        (Party::Them, _) => of_status(cause.status).into(),
        (Party::Network, _) if cause.status == 408 => "The other side could no longer be reached.".into(),
        // It hung up and its BYE is late, or it has begun anew.
        (Party::Network, _) if cause.status == 481 => of_status(481).into(),
        (Party::Network, _) => "The connection was lost.".into(),
    }
}

/// Why a call to us has ended before it was answered.
pub(crate) fn of_missed(by: Party, cause: &Cause) -> &'static str {
    match by {
        Party::Us => "You declined the call.",
        // A proxy tells the other branches so with the Reason field of its CANCEL: RFC 3326 section 2.
        Party::Them if cause.status == 200 => "The call was answered on another device.",
        Party::Them if cause.status / 100 == 6 => "The call was declined on another device.",
        Party::Them => "The caller gave up.",
        Party::Network => "The caller could no longer be reached.",
    }
}

/// Why a call of ours has ended before it was answered, other than by a final response.
pub(crate) fn of_abandoned(by: Party) -> &'static str {
    match by {
        Party::Us => "You gave up the call.",
        Party::Them => "The other side gave up the call.",
        Party::Network => "The other side could not be reached.",
    }
}

/// Why a call of ours was not put through.
pub(crate) fn of_failure(status: u16, local: bool) -> &'static str {
    match (status, local) {
        (408, true) => "The server did not answer.",
        (503, true) => "The server could not be reached.",
        _ => of_status(status),
    }
}

/// Why we turned a caller away without ringing.
pub(crate) fn of_refusal(side: Side, status: u16) -> &'static str {
    match (side, status) {
        (Side::In, 302) => "The call was forwarded.",
        (Side::In, 480) => "Do not disturb was on.",
        (Side::In, 486) => "You were in another call.",
        (Side::In, 488) => "The caller and this phone have no codec in common.",
        (Side::In | Side::Out, _) => of_status(status),
    }
}

/// What a final SIP status of a call means to the caller.
fn of_status(status: u16) -> &'static str {
    match status {
        301 | 302 | 305 => "The person has moved to another address.",
        300 | 380 => "The person can be reached in other ways.",
        401 | 407 => "The user name or the password is wrong.",
        402 => "The provider wants to be paid for this call.",
        403 => "The provider does not allow this call.",
        404 | 604 => "There is no such number.",
        408 => "Nobody answered in time.",
        410 => "The number is no longer in use.",
        413 | 513 => "The call request was too large for the other side.",
        406 | 415 | 488 | 606 => "The other side and this phone have no codec in common.",
        416 => "The other side cannot be called by this kind of address.",
        420 | 421 | 494 => {
            "The other side wants a feature that this phone has not switched on, or the reverse."
        }
        422 => "The other side wants longer session times.",
        433 => "Anonymous calls are not accepted.",
        437 | 438 | 428 | 436 => "The caller's identity was not accepted.",
        480 => "The person cannot be reached at the moment.",
        481 => "The other side no longer knows this call.",
        482 | 483 => "The call went round in circles.",
        484 => "The number is incomplete.",
        485 => "The number is ambiguous.",
        486 | 600 => "The line is busy.",
        487 => "The call was given up.",
        491 => "Both sides changed the call at the same time.",
        493 => "The other side could not decrypt the call request.",
        500 => "The server had an internal error.",
        501 | 405 => "The other side cannot do that.",
        502 | 504 => "The provider could not reach the other side.",
        503 => "The provider is overloaded or out of service.",
        505 => "The other side speaks another version of SIP.",
        580 => "The network has no room for this call.",
        603 => "The call was declined.",
        607 => "The person does not want this call.",
        608 => "The provider has blocked this call.",
        _ => match status / 100 {
            3 => "The call should go to another address.",
            4 => "The call could not be completed.",
            5 => "The provider has a fault.",
            6 => "The call is not wanted anywhere.",
            _ => "The call failed.",
        },
    }
}

/// Why a registration failed.
pub(crate) fn of_registration(status: u16, local: bool) -> &'static str {
    match (status, local) {
        (408, true) => "The server does not answer.",
        (503, true) => "The server cannot be reached.",
        (401 | 407, _) => "The user name or the password is wrong.",
        (403, _) => "The provider refuses this account.",
        (404, _) => "The provider does not know this account.",
        (408 | 504, _) => "The server takes too long.",
        (423, _) => "The provider wants longer registrations than can be asked for.",
        (429, _) => "The provider asks to slow down.",
        (503, _) => "The server is overloaded or out of service.",
        _ if status / 100 == 5 => "The server has a fault.",
        _ => "The provider turned the registration down.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_a_sentence() {
        for status in 0..1000 {
            for sentence in [of_status(status), of_registration(status, false), of_refusal(Side::In, status)]
            {
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
        assert_eq!(told(481), "The other side no longer knows this call.");
        assert_ne!(told(408), told(500));
    }

    #[test]
    fn silence_is_told_from_a_refusal_of_the_same_number() {
        assert_ne!(of_failure(503, true), of_failure(503, false));
        assert_ne!(of_registration(408, true), of_registration(408, false));
    }
}
