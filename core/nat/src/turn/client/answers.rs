//! What a relay's answers and indications mean.
//!
//! RFC 8656 sections 7.3, 7.4, 8.3, 10.3, 11.4, 11.6 and 12.3, RFC 8016 section 3.1.4, RFC 6062 sections 4.3 and 4.4.
//! Whose answers they are has been seen to ([`super::super::ask`]).

use std::net::SocketAddr;
use std::time::Duration;

use base::Instant;
use bytes::Bytes;

use super::super::ask::{Answer, is_understood};
use super::super::peers::is_nobody;
use super::super::{ConnectionId, Event, Relaying, Why};
use super::{AGAIN, Client, Held, LIFETIMES, MAX_WAITING, State, What, write};
use crate::stun::{Message, Method, attribute};

impl Client {
    /// Data from a peer, handed on.
    pub(super) fn came(&mut self, peer: SocketAddr, data: &[u8]) {
        self.tell_bounded(Event::Data { peer, bytes: Bytes::copy_from_slice(data) });
    }

    fn tell_bounded(&mut self, event: Event) {
        if self.events.len() < MAX_WAITING {
            self.events.push_back(event);
        } else {
            self.dropped.overrun += 1;
        }
    }

    /// Nobody signs indications: only what is from a peer that we let in is taken. RFC 8656 section 11.4.
    pub(super) fn indicated(&mut self, message: &Message) -> bool {
        if !matches!(message.method(), Method::Data | Method::ConnectionAttempt) {
            return false;
        }
        let Some(peer) = message.hidden_address(attribute::XOR_PEER_ADDRESS) else {
            self.dropped.malformed += 1;
            return true;
        };
        if !is_understood(message) {
            self.dropped.malformed += 1;
        } else if !self.peers.permits(peer.ip()) {
            self.dropped.strangers += 1;
        } else if message.method() == Method::Data {
            if let Some(data) = message.value(attribute::DATA) {
                self.came(peer, data);
            } else if message.has(attribute::ICMP) {
                self.tell_bounded(Event::PeerUnreachable { peer });
            } else {
                self.dropped.malformed += 1;
            }
        } else {
            match message.number(attribute::CONNECTION_ID) {
                Some(id) if self.config.relaying == Relaying::Tcp => {
                    self.tell_bounded(Event::PeerConnects { peer, connection: ConnectionId(id) });
                }
                _ => self.dropped.malformed += 1,
            }
        }
        true
    }

    /// `false`: to no request of ours.
    pub(super) fn answered(&mut self, message: &Message, now: Instant) -> bool {
        let (config, held) = (&self.config, self.held.as_ref());
        match self.asker.heard(message, |what, id| write(config, held, what, id), now) {
            Answer::NotOurs => return false,
            Answer::Nothing => {}
            Answer::Success(what) => self.succeeded(what, message, now),
            Answer::Refused(What::Allocate, 300) => self.sent_elsewhere(message),
            // The ticket was forbidden, not the allocation: RFC 8016 section 3.1.4.
            Answer::Refused(What::Allocate, 405) if self.config.mobility => {
                self.config.mobility = false;
                self.ask(What::Allocate, now);
            }
            Answer::Refused(What::Allocate, 437) => self.failed(What::Allocate, Why::AddressTaken, now),
            Answer::Refused(what, code) => self.failed(what, Why::of(code), now),
            Answer::Failed(what, why) => self.failed(what, why, now),
        }
        true
    }

    /// 300: followed once. RFC 8489 section 10.
    fn sent_elsewhere(&mut self, message: &Message) {
        let server = self.config.server;
        let value = message.plain_address(attribute::ALTERNATE_SERVER);
        let named = value
            .filter(|it| it.is_ipv4() == server.is_ipv4() && !is_nobody(*it, server, self.config.loopback));
        match named {
            Some(named) if !self.config.redirected => self.end(Event::Elsewhere(named)),
            _ => self.failed_for_good(Why::Redirects),
        }
    }

    fn succeeded(&mut self, what: What, message: &Message, now: Instant) {
        match what {
            What::Allocate => self.allocated(message, now),
            What::Refresh { ticket } => {
                let lifetime = lifetime(message);
                let Some(held) = self.held.as_mut() else { return };
                held.refreshed(lifetime, now);
                self.anew = false;
                if let Some(ticket) = message.value(attribute::MOBILITY_TICKET) {
                    held.ticket = Some(ticket.to_vec());
                }
                if ticket {
                    held.moving = false;
                    self.events.push_back(Event::Moved);
                    self.ask_for_peers(false, now);
                }
            }
            What::GiveUp => self.left(now),
            What::Permit(peers) => {
                for peer in peers {
                    self.granted(peer, false, now);
                }
            }
            What::Bind(peer, _) => self.granted(peer, true, now),
            What::Connect(peer) => match message.number(attribute::CONNECTION_ID) {
                Some(id) => {
                    self.events.push_back(Event::Connected { peer, connection: ConnectionId(id) });
                }
                None => self.events.push_back(Event::ConnectFailed { peer, why: Why::NotUnderstood }),
            },
        }
    }

    fn allocated(&mut self, message: &Message, now: Instant) {
        let usable = |it: &SocketAddr| it.port() != 0 && !it.ip().is_unspecified() && !it.ip().is_multicast();
        let addresses: Vec<_> =
            message.hidden_addresses(attribute::XOR_RELAYED_ADDRESS).filter(usable).collect();
        let find = |four: bool| addresses.iter().copied().find(|it| it.is_ipv4() == four);
        let relayed = find(true).or(find(false)).zip(message.mapped());
        let mut held = Held {
            relayed: self.config.server,
            relayed6: None,
            lifetime: Duration::ZERO,
            fresh: now,
            due: now,
            ticket: message.value(attribute::MOBILITY_TICKET).filter(|it| !it.is_empty()).map(<[u8]>::to_vec),
            moving: false,
            failing: false,
        };
        held.refreshed(lifetime(message), now);
        let Some((relayed, mapped)) = relayed else {
            // Something is held for us, and we cannot use it: RFC 8656 section 7.3. Asked once, answered or not.
            self.ask(What::GiveUp, now);
            self.settle(now);
            return self.failed_for_good(Why::NotUnderstood);
        };
        held.relayed = relayed;
        held.relayed6 = find(false).filter(|it| *it != relayed);
        let (relayed6, lifetime) = (held.relayed6, held.lifetime);
        (self.held, self.state) = (Some(held), State::Held);
        if self.closing {
            return self.give_up(false, now);
        }
        self.told = true;
        self.events.push_back(Event::Allocated { relayed, relayed6, mapped, lifetime });
        self.ask_for_peers(false, now);
    }

    fn granted(&mut self, peer: SocketAddr, bound: bool, now: Instant) {
        if self.peers.granted(peer, bound, now) {
            let channel = self.peers.get(peer).and_then(|it| it.channel);
            self.events.push_back(Event::PeerReady { peer, channel });
        }
        self.ask_for_peers(false, now);
    }

    /// The server has let go of it.
    fn left(&mut self, now: Instant) {
        match self.state {
            State::Leaving { back: true } => self.begin_anew(now),
            State::Leaving { back: false } | State::Asking | State::Held | State::Gone => {
                self.end(Event::Closed);
            }
        }
    }

    /// What was asked for is not to be had.
    pub(super) fn failed(&mut self, what: What, why: Why, now: Instant) {
        match what {
            What::Allocate if self.closing => self.end(Event::Closed),
            What::Allocate => self.failed_for_good(why),
            What::GiveUp => self.left(now),
            // The ticket is worth nothing: as if there had been none. RFC 8016 section 3.2.2.
            What::Refresh { ticket: true } if why != Why::Silent => self.begin_anew(now),
            What::Refresh { ticket: true } => self.end(Event::Lost(why)),
            What::Refresh { ticket: false } => match why {
                Why::Forgotten => self.forgotten(now),
                Why::Silent | Why::Full | Why::Broken(_) | Why::Forged => {
                    let Some(held) = self.held.as_mut() else { return };
                    (held.due, held.failing) = (now + AGAIN, true);
                    if held.due >= held.expires() {
                        self.end(Event::Lost(why));
                    }
                }
                why => self.end(Event::Lost(why)),
            },
            _ if why == Why::Forgotten => {
                if let What::Connect(peer) = what {
                    self.events.push_back(Event::ConnectFailed { peer, why });
                }
                self.forgotten(now);
            }
            What::Permit(peers) if peers.len() > 1 && why != Why::Silent => {
                let plan = self.peers.one_by_one(&peers, now);
                self.carry_out(plan, now);
            }
            What::Permit(peers) => {
                for peer in peers {
                    self.refused(peer, why, now);
                }
            }
            What::Bind(peer, _) => {
                let bound = self.peers.get(peer).is_some_and(|it| it.ready);
                if bound && why == Why::NotUnderstood && !std::mem::replace(&mut self.anew, true) {
                    // Out of step about who has which channel: RFC 8656 section 12.3.
                    self.give_up(true, now);
                } else {
                    self.refused(peer, why, now);
                }
            }
            What::Connect(peer) => self.events.push_back(Event::ConnectFailed { peer, why }),
        }
    }

    fn refused(&mut self, peer: SocketAddr, why: Why, now: Instant) {
        let passing = matches!(why, Why::Silent | Why::Full | Why::Broken(_) | Why::Forged);
        if passing && !self.peers.unanswered(peer, now) {
            return;
        }
        if self.peers.forget(peer, now) {
            self.events.push_back(Event::PeerRefused { peer, why });
        }
    }

    fn failed_for_good(&mut self, why: Why) {
        self.end(if self.told { Event::Lost(why) } else { Event::Failed(why) });
    }
}

/// As the server says, within reason; its default when it says nothing.
fn lifetime(message: &Message) -> Duration {
    let seconds = message.number(attribute::LIFETIME).unwrap_or(600);
    Duration::from_secs(seconds.into()).clamp(LIFETIMES.0, LIFETIMES.1)
}
