//! Keys that are agreed on the media path: whose certificate, who begins, and whether it is the same association as before.
//!
//! RFC 5763 section 5, RFC 8842 section 5, RFC 8122. Our offers leave it to the answer who begins; our answers begin, for
//! that is a way there and back sooner. Knows no datagram of it.

use base::Rng;
use dtls::{Fingerprint, Fingerprints, Hash};
use sip::sdp::{self, Media, Setup, Writer};

/// An association that both sides described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// We say hello.
    pub begins: bool,
    /// The certificates that the other side may have.
    pub peer: Fingerprints,
    /// Its name for it, where it has said one.
    pub name: Option<String>,
}

impl Association {
    /// Whether a later description means the same one. Who says no name means none by it: RFC 5763 section 6.6 goes by the
    /// rest.
    pub(crate) fn is(&self, later: &Self) -> bool {
        let renamed = self.name.as_ref().zip(later.name.as_ref()).is_some_and(|(a, b)| a != b);
        self.begins == later.begins && self.peer == later.peer && !renamed
    }
}

/// What a line of theirs says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Theirs {
    peer: Fingerprints,
    setup: Option<Setup>,
    name: Option<String>,
}

impl Theirs {
    /// `None`: nothing, or nothing that we can use: hashes that are too weak, or nobody who begins.
    pub(super) fn of(media: &Media<'_, '_>) -> Option<Self> {
        let known =
            media.fingerprints().filter_map(|line| Fingerprint::new(Hash::read(line.hash)?, line.digest));
        let peer = Fingerprints::new(known)?;
        let setup = media.setup();
        let name = media.tls_id().map(str::to_owned);
        (setup != Some(Setup::Holdconn)).then_some(Self { peer, setup, name })
    }
}

/// What one line of ours says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    setup: Setup,
    /// Our name for it. Said to those who have said one: an INVITE that must fit a datagram has better use for 31 bytes.
    name: Option<String>,
}

impl Said {
    /// Writes it.
    pub(super) fn write(&self, ours: &Fingerprint, text: &mut Writer) {
        let line = sdp::Fingerprint { hash: ours.hash().name(), digest: ours.digest().to_vec() };
        text.attribute("setup", self.setup).attribute("fingerprint", line);
        if let Some(name) = &self.name {
            text.attribute("tls-id", name);
        }
    }

    /// What their answer to this agrees to; `None`: both would wait, or both would begin.
    pub(super) fn answered(&self, theirs: Theirs) -> Option<Association> {
        let Theirs { peer, setup, name } = theirs;
        // Who says nothing in an answer is passive.
        let begins = self.setup.begins(setup.unwrap_or(Setup::Passive))?;
        Some(Association { begins, peer, name })
    }
}

/// Our side of one line.
#[derive(Clone, Debug, Default)]
pub(super) struct Ours {
    /// Our name for the association, since when there is one.
    name: Option<String>,
    agreed: Option<Association>,
}

impl Ours {
    /// For an offer.
    pub(super) fn offer(&self) -> Said {
        Said { setup: Setup::Actpass, name: self.name.clone() }
    }

    /// For our answer to this.
    pub(super) fn answer(&mut self, theirs: Theirs, rng: &mut Rng) -> (Said, Association) {
        let Theirs { peer, setup, name: theirs } = theirs;
        let same = self.agreed.as_ref().filter(|agreed| {
            let later = Association { begins: agreed.begins, peer: peer.clone(), name: theirs.clone() };
            agreed.is(&later)
        });
        let kept = same.map(|agreed| if agreed.begins { Setup::Active } else { Setup::Passive });
        if kept.is_none() {
            self.name = None;
        }
        if theirs.is_some() {
            self.name.get_or_insert_with(|| name(rng));
        }
        let name = self.name.clone();
        // Who says nothing in an offer is active: RFC 4145 section 4.
        let setup = setup.unwrap_or(Setup::Active).answered(kept);
        (Said { setup, name }, Association { begins: setup == Setup::Active, peer, name: theirs })
    }

    /// What is done from now on.
    pub(super) fn agreed(&mut self, association: Option<&Association>) {
        self.agreed = association.cloned();
    }

    /// Whether the line goes by such keys now.
    pub(super) const fn is_agreed(&self) -> bool {
        self.agreed.is_some()
    }
}

/// A name for an association: 20 characters, the fewest there may be. RFC 8842 section 4.
fn name(rng: &mut Rng) -> String {
    rng.token::<20>().into_iter().map(char::from).collect()
}
