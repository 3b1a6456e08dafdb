//! A call whose account has moved to another network, or is seen under another address on the same.
//!
//! RFC 3261 sections 12.2.1.2 and 14, RFC 3665 section 3.7: a re-INVITE tells the other side our new Contact. It says our
//! last description again; where media moves, too, that is another exchange. What nobody has answered yet is `ringing`'s.
//! Knows nothing of networks.

use std::net::IpAddr;

use base::NetworkId;
use sip::transaction::Source;
use sip::ua::By;

use super::{Call, Phase};
use crate::desk::Desk;

/// Where a call's account is now.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    /// What is sent for it goes by this network.
    pub(crate) network: NetworkId,
    /// The address that is reached there, as far as it is known.
    pub(crate) toward: Option<IpAddr>,
    /// The way to its registrar there, once that has answered.
    pub(crate) way: Option<&'a Source>,
}

impl Call {
    /// What is sent for it goes another way from now on: so does its media, and the offer that tells of it tells our Contact
    /// as well.
    pub(crate) fn network_changed(&mut self, place: &Place<'_>, desk: &mut Desk) {
        match self.phase {
            Phase::Up => {
                self.moved = true;
                self.move_media(place.network, place.toward, desk);
                self.settle(desk);
            }
            Phase::Dialling(_) | Phase::Outgoing(_) => self.calls_from(place, desk),
            Phase::Incoming(_) => self.rings_at(place, desk),
            // Its INVITE comes by the new network.
            Phase::Announced(_) | Phase::Over => {}
        }
    }

    /// Its account is seen under another address on the same network: a router has forgotten us, or is another. Media finds
    /// its own way.
    pub(crate) fn contact_changed(&mut self, desk: &mut Desk) {
        if !self.is_over() {
            self.moved = true;
            self.say_again(desk);
            self.settle(desk);
        }
    }

    /// Tells the other side where we are now, as soon as no other exchange is under way: an offer of ours tells it as well.
    pub(super) fn tell_contact(&mut self, desk: &mut Desk) {
        if let (true, Ok(session)) = (self.moved && !self.streams.is_moving(), self.require_up()) {
            // Busy: the next news brings us back here.
            let asked = desk.agent.refresh(session, By::Reinvite, desk.now, &mut desk.orders);
            self.moved = asked.is_err();
            if asked.is_ok() {
                self.tells_move(session, desk);
            }
        }
    }
}
