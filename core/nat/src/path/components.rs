//! One stream's way: RTP's component, and RTCP's own where the other side does not multiplex.
//!
//! RFC 8445 section 5.1.1.1, RFC 8839 section 4.2.1.2, RFC 5761 section 5.1.3. Our offers multiplex and describe one component:
//! a second one costs octets of an INVITE and questions to servers, and hardly anybody needs it. Who offers two without
//! multiplexing is answered with two; who answers so is checked from RTCP's socket, which is a new address to them. Both
//! components have the credentials and the role of the first, and begin anew together. What becomes of the second one changes no
//! call: without RTCP there is still sound.

use std::collections::VecDeque;
use std::net::SocketAddr;

use base::{Instant, Rng, Wake};

use super::machine::Component;
use super::{Description, Event, Leg, Order, RTCP, Reached, Report, Settings, control_of};
use crate::Carrier;

/// The way of one stream.
#[derive(Debug)]
pub struct Path {
    rtp: Component,
    /// RTCP's own component.
    rtcp: Option<Box<Component>>,
    ice: bool,
    controlling: bool,
    /// What is still to be done for a component that is no more.
    left: VecDeque<Order>,
}

impl Path {
    /// One without sockets. `controlling`: we make the offer.
    pub fn new(settings: Settings, controlling: bool, rng: Rng, now: Instant) -> Self {
        let ice = settings.ice;
        Self {
            rtp: Component::new(settings, controlling, rng, now),
            rtcp: None,
            ice,
            controlling,
            left: VecDeque::new(),
        }
    }

    /// There is a UDP socket, and RTCP's beside it; of several the latest is liked best. Servers are asked from it.
    pub fn socket(&mut self, leg: Leg, local: SocketAddr, now: Instant) {
        self.rtp.socket(leg, local, now);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.socket(leg.control(), control_of(local), now);
        }
    }

    /// Works with these servers from the next socket on: as they are reached from another network.
    pub fn work_with(&mut self, settings: &Settings) {
        self.rtp.work_with(settings);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.work_with(settings);
        }
    }

    /// A socket is left: nothing new goes by it. What goes by it already does so until another way carries; then, or when it
    /// is closed, tell [`Self::socket_gone`].
    pub fn retire(&mut self, leg: Leg) {
        self.rtp.retire(leg);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.retire(leg.control());
        }
    }

    /// A socket is no more: what was reached by it is not.
    pub fn socket_gone(&mut self, leg: Leg) {
        self.rtp.socket_gone(leg);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.socket_gone(leg.control());
        }
    }

    /// Whether a description can be made.
    pub fn is_gathered(&self) -> bool {
        self.rtp.is_gathered() && self.rtcp.as_ref().is_none_or(|rtcp| rtcp.is_gathered())
    }

    /// Our part of the next description: `None` where the other side was found to know no ICE.
    pub fn description(&self) -> Option<Description> {
        let mut ours = self.rtp.description()?;
        let of_rtcp = self.rtcp.as_ref().and_then(|rtcp| rtcp.description());
        ours.candidates.extend(of_rtcp.into_iter().flat_map(|rtcp| rtcp.candidates));
        Some(ours)
    }

    /// Where those send to who do not check: what a server saw, else our own. RFC 8445 section 5.1.1: the likeliest to be reached.
    pub fn default_address(&self) -> Option<SocketAddr> {
        self.rtp.default_address()
    }

    /// Where they send RTCP to, if that has a component of its own.
    pub fn default_control_address(&self) -> Option<SocketAddr> {
        self.rtcp.as_ref()?.default_address()
    }

    /// An offer of theirs came, and is not answered yet: whether RTCP is to have a component of its own, which the answer has to
    /// describe. [`Self::is_gathered`] says when it can.
    pub fn meet(&mut self, theirs: &Description, now: Instant) {
        let of_rtcp = |c: &crate::Candidate| c.component == RTCP && c.carrier == Carrier::Udp;
        let separate = self.ice && theirs.candidates.iter().any(of_rtcp);
        match (&mut self.rtcp, separate) {
            (None, true) => self.rtcp = Some(Box::new(self.rtp.beside(now))),
            (Some(rtcp), false) => {
                rtcp.plain(now);
                self.left.extend(std::iter::from_fn(|| rtcp.poll_order()).map(of_control));
                self.rtcp = None;
            }
            (None, false) | (Some(_), true) => {}
        }
    }

    /// The other side's part, from an offer or an answer. The same again changes nothing but adds what is new in it; other
    /// credentials are a restart of theirs (RFC 8445 section 9): [`Self::is_restarted_by`] says so before, and then ours
    /// are to be new as well.
    pub fn connect(&mut self, theirs: &Description, controlling: bool, now: Instant) {
        self.meet(theirs, now);
        self.rtp.connect(theirs, controlling, now);
        self.controlling = self.rtp.is_controlling();
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.connect(theirs, controlling, now);
            // Who chooses is not asked anew where nothing else is.
            rtcp.follow_role(self.controlling, now);
        }
    }

    /// What a message says of addresses of theirs that were found after their description. False: it says nothing of this
    /// stream, or of another generation than the present one, and is dropped. RFC 8840 section 4.4.
    pub fn add_late(&mut self, theirs: Option<&Description>, now: Instant) -> bool {
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.add_late(theirs, now);
        }
        self.rtp.add_late(theirs, now)
    }

    /// Whether this offer of theirs begins anew.
    pub fn is_restarted_by(&self, theirs: &Description) -> bool {
        self.rtp.is_restarted_by(theirs)
    }

    /// Whether both sides check: then the way can be asked.
    pub fn is_checked(&self) -> bool {
        self.rtp.is_checked()
    }

    /// The other side was found to know no ICE.
    pub fn is_plain(&self) -> bool {
        self.rtp.is_plain()
    }

    /// Begins anew: the next description has other credentials. What carries goes on until another way does.
    pub fn restart(&mut self, now: Instant) {
        self.rtp.restart(now);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.restart_with(&self.rtp, now);
        }
    }

    /// The other side knows no ICE, or has lost it on the way.
    pub fn plain(&mut self, now: Instant) {
        self.rtp.plain(now);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.plain(now);
        }
    }

    /// The stream ends: what was got is given back.
    pub fn close(&mut self, now: Instant) {
        self.rtp.close(now);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.close(now);
        }
    }

    fn of(&mut self, leg: Leg) -> Option<&mut Component> {
        if leg.is_control() { self.rtcp.as_deref_mut() } else { Some(&mut self.rtp) }
    }

    /// A stream that was ordered is open, or one was taken.
    pub fn stream_up(&mut self, leg: Leg, local: SocketAddr, remote: SocketAddr, now: Instant) {
        match self.of(leg) {
            Some(component) => component.stream_up(leg, local, remote, now),
            None => self.left.push_back(Order::Close { leg }),
        }
    }

    /// A stream is gone, or could not be had.
    pub fn stream_down(&mut self, leg: Leg, refused: bool, now: Instant) {
        if let Some(component) = self.of(leg) {
            component.stream_down(leg, refused, now);
        }
    }

    /// Media is silent, or could not be sent: is the way still there?
    pub fn suspect(&mut self, now: Instant) {
        self.rtp.suspect(now);
    }

    /// A message that is no media came to a socket or a stream. False: it is nobody's.
    pub fn heard(&mut self, leg: Leg, from: SocketAddr, bytes: &[u8], now: Instant) -> bool {
        let known = self.of(leg).is_some_and(|component| component.heard(leg, from, bytes, now));
        self.agree_on_role(now);
        known
    }

    /// Who chooses is one question for both: who has learnt of a conflict tells the other.
    fn agree_on_role(&mut self, now: Instant) {
        let Some(rtcp) = &mut self.rtcp else { return };
        if self.rtp.is_controlling() != rtcp.is_controlling() {
            self.controlling = !self.controlling;
            self.rtp.follow_role(self.controlling, now);
            rtcp.follow_role(self.controlling, now);
        }
    }

    /// The time has come.
    pub fn due(&mut self, now: Instant) {
        self.rtp.due(now);
        if let Some(rtcp) = &mut self.rtcp {
            rtcp.due(now);
        }
    }

    /// When it wants to be told the time, and why.
    pub fn next_wake(&self) -> Option<Wake> {
        Wake::earlier(self.rtp.next_wake(), self.rtcp.as_ref().and_then(|rtcp| rtcp.next_wake()))
    }

    /// The next thing to do.
    pub fn poll_order(&mut self) -> Option<Order> {
        let next = self.left.pop_front().or_else(|| self.rtp.poll_order());
        next.or_else(|| self.rtcp.as_mut()?.poll_order().map(of_control))
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        while let Some(event) = self.rtp.poll_event() {
            if event != Event::Gathered || self.is_gathered() {
                return Some(event);
            }
        }
        while let Some(event) = self.rtcp.as_mut()?.poll_event() {
            match event {
                Event::Gathered if !self.rtp.is_gathered() => {}
                Event::Gathered | Event::More => return Some(event),
                Event::Relay(_) | Event::Reached(_) | Event::Unreachable | Event::Lost => {}
            }
        }
        None
    }

    /// By which kind of way the other side is reached.
    pub fn reached(&self) -> Option<Reached> {
        self.rtp.reached()
    }

    /// How it stands, for diagnostics.
    pub fn report(&self) -> Report {
        self.rtp.report()
    }
}

fn of_control(order: Order) -> Order {
    match order {
        Order::Route(route) => Order::ControlRoute(route),
        order => order,
    }
}
