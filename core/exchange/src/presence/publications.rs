//! The event state compositor: what users publish of themselves, kept until it is replaced, taken back or runs out.
//!
//! RFC 3903 section 6. Composition is plain: of a user's several phones the one that spoke last is believed. What a document
//! says is not read here. Who may publish has been settled before.

use std::collections::BTreeMap;
use std::time::Duration;

use base::{Instant, Rng};
use bytes::Bytes;
use sip::message::{Message, Name};

/// Publications of one user; one more takes the place of the oldest.
const MOST_OF_ONE: usize = 10;
/// Longest document, in bytes.
pub(super) const LONGEST: usize = 8 * 1024;
/// Seconds, when the PUBLISH names none; and the most that is granted.
pub(super) const USUAL_EXPIRES: u32 = 3600;
/// A shorter wish (and not zero) is answered 423.
pub(super) const MIN_EXPIRES: u32 = 60;

#[derive(Debug)]
struct Publication {
    tag: String,
    document: Bytes,
    until: Instant,
}

/// Why a PUBLISH fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unpublished {
    /// 400: neither a document nor one that is meant.
    Empty,
    /// 412.
    NoSuch,
    /// 413.
    TooLong,
    /// 423.
    TooBrief,
}

/// What is said in the 200.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Granted {
    pub(super) tag: String,
    pub(super) expires: u32,
}

/// All publications, by user.
#[derive(Debug, Default)]
pub(super) struct Publications {
    users: BTreeMap<String, Vec<Publication>>,
    /// When to look for what has run out; nothing does before.
    next: Option<Instant>,
}

impl Publications {
    /// What stands of a user: what was said last.
    pub(super) fn of(&self, user: &str) -> Option<&Bytes> {
        self.users.get(user)?.last().map(|it| &it.document)
    }

    /// Carries a PUBLISH out. RFC 3903 section 6, steps 4 to 8: initial, refresh, modify or remove, all or nothing.
    pub(super) fn publish(
        &mut self,
        user: &str,
        request: &Message,
        rng: &mut Rng,
        now: Instant,
    ) -> Result<Granted, Unpublished> {
        let asked = request.expires().unwrap_or(USUAL_EXPIRES);
        if asked > 0 && asked < MIN_EXPIRES {
            return Err(Unpublished::TooBrief);
        }
        if request.body().len() > LONGEST {
            return Err(Unpublished::TooLong);
        }
        let document = Some(request.body_bytes()).filter(|body| !body.is_empty());
        let meant = request.text(Name::SipIfMatch).map(str::trim);
        let known = self.users.get(user).map_or(&[][..], Vec::as_slice);
        let before = match meant {
            Some(tag) => Some(known.iter().position(|it| it.tag == tag).ok_or(Unpublished::NoSuch)?),
            None => None,
        };
        if before.is_none() && document.is_none() && asked > 0 {
            return Err(Unpublished::Empty);
        }
        let expires = asked.min(USUAL_EXPIRES);
        // Another one each time: whoever holds an older one speaks of what is no more. Section 6 step 7.
        let tag = format!("{:016x}", rng.below(u64::MAX));
        let those = self.users.entry(user.to_owned()).or_default();
        let old = before.map(|at| those.remove(at));
        let document = document.or(old.map(|old| old.document)).filter(|_| expires > 0);
        if let Some(document) = document {
            if those.len() >= MOST_OF_ONE {
                those.remove(0);
            }
            let until = now + Duration::from_secs(expires.into());
            self.next = Some(self.next.map_or(until, |next| next.min(until)));
            those.push(Publication { tag: tag.clone(), document, until });
        }
        if those.is_empty() {
            self.users.remove(user);
        }
        Ok(Granted { tag, expires })
    }

    /// When the first runs out.
    pub(super) fn next_end(&self) -> Option<Instant> {
        self.next
    }

    /// Forgets what has run out; says whose that was.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<String> {
        let mut whose = Vec::new();
        self.users.retain(|user, those| {
            let before = those.len();
            those.retain(|it| it.until > now);
            if those.len() < before {
                whose.push(user.clone());
            }
            !those.is_empty()
        });
        self.next = self.users.values().flatten().map(|it| it.until).min();
        whose
    }
}
