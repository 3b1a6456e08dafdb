//! A call's media streams: one for each m-line that is alive, from the socket asked for to the socket given back.
//!
//! Today a call asks for one, of audio; what was agreed is a list all the same. Where the account checks its ways, each stream
//! has a [`nat::path::Path`]: what that wants done is done here, what it learns is told to the call. Knows nothing of SDP.

use std::net::{IpAddr, SocketAddr};

use base::NetworkId;
use bytes::Bytes;
use dtls::Certificate;
use media::{Codec, Direction, Plan, Protection};
use nat::path::{Description, Event as PathEvent, Leg, Order, Path, Reached, Report, Rung};
use nat::stun::{Class, Message, Method};

use crate::addresses::tellable;
use crate::desk::{Desk, Timer};
use crate::negotiate::{self, Agreed, Local};
use crate::{CallId, Encrypted, MediaId, MediaNews, MediaOrder};

use super::keying::{Keyed, Keying};
use super::path::Checks;

struct Stream {
    media: MediaId,
    /// Its address, once there is a socket.
    local: Option<SocketAddr>,
    /// What it was last told to do; `None`: not open.
    plan: Option<Plan>,
    /// How it gets through routers, where that is checked.
    path: Option<Path>,
    /// Its pair of sockets.
    leg: Leg,
    /// The network of those.
    network: NetworkId,
    /// The pair on another network that it is to move to.
    next: Option<Next>,
    /// The pair that it has left, for what is still on its way.
    left: Option<Leg>,
    /// Its keys, where they may be agreed on where it goes.
    keyed: Option<Keyed>,
}

/// Sockets that a stream is to move to.
#[derive(Clone, Copy)]
struct Next {
    leg: Leg,
    network: NetworkId,
    /// Their address, once they are there.
    local: Option<SocketAddr>,
}

/// What is asked for.
pub(super) struct Wanted {
    pub(super) call: CallId,
    /// The address that media will have to reach, as far as it is known.
    pub(super) toward: Option<IpAddr>,
    /// By which network.
    pub(super) network: NetworkId,
    /// The ways are checked, with this.
    pub(super) checks: Option<Checks>,
    /// We make the offer.
    pub(super) offers: bool,
    /// Packets are disguised.
    pub(super) disguised: bool,
}

/// The streams of one call, in the order of their m-lines.
pub(crate) struct Streams {
    list: Vec<Stream>,
    checks: Option<Checks>,
    silent: bool,
    mixed: bool,
    disguised: bool,
}

impl Streams {
    /// Asks for the socket of an audio stream.
    pub(super) fn prepare(wanted: Wanted, desk: &mut Desk) -> Self {
        let Wanted { call, toward, network, checks, offers, disguised } = wanted;
        let media = desk.next_media();
        let toward = toward.map(|ip| desk.addresses.on(network).toward(ip));
        desk.media(media, MediaOrder::Prepare { call, toward, network });
        let settings = checks.as_ref().map(|checks| checks.on(network, desk));
        let path = settings.map(|settings| Path::new(settings, offers, desk.rng.split(), desk.now));
        if path.is_some() {
            desk.media(media, MediaOrder::Listen);
        }
        let leg = Leg::FIRST;
        let stream = Stream {
            media,
            local: None,
            plan: None,
            path,
            leg,
            network,
            next: None,
            left: None,
            keyed: None,
        };
        Self { list: vec![stream], checks, silent: false, mixed: false, disguised }
    }

    /// For a call that never was to have any.
    pub(crate) const fn none() -> Self {
        Self { list: Vec::new(), checks: None, silent: false, mixed: false, disguised: false }
    }

    pub(crate) fn owns(&self, media: MediaId) -> bool {
        self.list.iter().any(|stream| stream.media == media)
    }

    /// A socket is there.
    pub(super) fn ready(&mut self, media: MediaId, local: SocketAddr, desk: &mut Desk) {
        self.at_path(media, desk, |path, desk| path.socket(Leg::FIRST, local, desk.now));
        for stream in self.list.iter_mut().filter(|stream| stream.media == media) {
            stream.local = Some(local);
        }
    }

    /// A message came that is no media.
    pub(super) fn told(
        &mut self,
        media: MediaId,
        leg: Leg,
        from: SocketAddr,
        bytes: &Bytes,
        desk: &mut Desk,
    ) {
        if dtls::is_dtls(bytes) {
            return self.at_keys(media, desk, |keyed, desk| keyed.heard(from, bytes, media, desk));
        }
        if is_knock(bytes) {
            self.at_keys(media, desk, |keyed, desk| keyed.knocked(from, media, desk));
        }
        self.at_path(media, desk, |path, desk| {
            path.heard(leg, from, bytes, desk.now);
        });
    }

    /// One more socket is there, or a stream is open.
    pub(super) fn up(&mut self, media: MediaId, news: &MediaNews, desk: &mut Desk) {
        let (mut old, mut settings) = (Leg::FIRST, None);
        if let MediaNews::StreamDown { leg, .. } = *news {
            // No socket can be had there: media stays where it is.
            for stream in
                self.list.iter_mut().filter(|stream| stream.next.is_some_and(|next| next.leg == leg))
            {
                stream.next = None;
            }
        }
        if let MediaNews::Socket { leg, local } = *news {
            for stream in self.list.iter_mut().filter(|stream| stream.media == media) {
                if let Some(next) = &mut stream.next
                    && next.leg == leg
                {
                    next.local = Some(local);
                    old = stream.leg;
                    settings = self.checks.as_ref().map(|checks| checks.on(next.network, desk));
                }
            }
        }
        self.at_path(media, desk, |path, desk| match *news {
            MediaNews::Socket { leg, local } => {
                path.retire(old);
                if let Some(settings) = &settings {
                    path.work_with(settings);
                }
                path.socket(leg, local, desk.now);
                path.restart(desk.now);
            }
            MediaNews::StreamUp { leg, local, remote } => path.stream_up(leg, local, remote, desk.now),
            MediaNews::StreamDown { leg, refused } => path.stream_down(leg, refused, desk.now),
            _ => {}
        });
    }

    /// Keys may be agreed on where media goes: under this certificate.
    pub(super) fn agree_on_keys(&mut self, certificate: &Certificate, desk: &mut Desk) {
        for stream in &mut self.list {
            if stream.path.is_none() {
                desk.media(stream.media, MediaOrder::Listen);
            }
            stream.keyed = Some(Keyed::new(certificate.clone()));
        }
    }

    /// The time of a stream's keys has come.
    pub(super) fn keys_due(&mut self, media: MediaId, desk: &mut Desk) {
        self.at_keys(media, desk, |keyed, desk| keyed.due(media, desk));
    }

    /// The next thing that came of agreeing on keys. New ones are used from now on.
    pub(super) fn poll_keys(&mut self, desk: &mut Desk) -> Option<Keying> {
        self.list.iter_mut().find_map(|stream| {
            let keyed = stream.keyed.as_mut()?;
            let news = keyed.poll()?;
            if let (Keying::Done, Some(plan)) = (&news, &mut stream.plan) {
                plan.protection = keyed.protection();
                desk.media(stream.media, MediaOrder::Change(plan.clone()));
            }
            Some(news)
        })
    }

    fn at_keys(&mut self, media: MediaId, desk: &mut Desk, act: impl FnOnce(&mut Keyed, &mut Desk)) {
        let stream = self.list.iter_mut().find(|stream| stream.media == media);
        if let Some(keyed) = stream.and_then(|stream| stream.keyed.as_mut()) {
            act(keyed, desk);
        }
    }

    /// Sound is overdue: is the way still there? False: it cannot be asked.
    pub(super) fn suspect(&mut self, media: MediaId, desk: &mut Desk) -> bool {
        let mut asks = false;
        self.at_path(media, desk, |path, desk| {
            asks = path.is_checked();
            path.suspect(desk.now);
        });
        asks
    }

    /// The ways are to be found anew: the next description says so. What carries goes on until others do.
    pub(super) fn renew(&mut self, desk: &mut Desk) {
        for stream in &mut self.list {
            if let Some(path) = &mut stream.path {
                path.restart(desk.now);
                stream.carry_out(desk);
            }
        }
    }

    /// The account goes by another network: each stream gets a pair of sockets there.
    pub(super) fn change_network(&mut self, network: NetworkId, toward: Option<IpAddr>, desk: &mut Desk) {
        let toward = toward.map(|ip| desk.addresses.on(network).toward(ip));
        for stream in &mut self.list {
            // A move that was overtaken by another.
            if let Some(before) = stream.next.take() {
                stream.give_back(before.leg, desk);
            }
            let leg = Leg(stream.leg.0.max(stream.left.map_or(0, |leg| leg.0)) + 2);
            stream.next = Some(Next { leg, network, local: None });
            desk.media(stream.media, MediaOrder::AddSocket { leg, toward, network });
        }
    }

    /// Whether sockets on another network are waited for, or not told of yet.
    pub(super) fn is_moving(&self) -> bool {
        self.list.iter().any(|stream| stream.next.is_some())
    }

    /// Whether that network's sockets are what is waited for, or not told of yet.
    pub(super) fn heads_for(&self, network: NetworkId) -> bool {
        self.list.iter().any(|stream| stream.next.is_some_and(|next| next.network == network))
    }

    /// Whether all sockets are there that a move waits for, and none was told of yet.
    pub(super) fn can_move(&self) -> bool {
        self.list.iter().any(|stream| stream.next.is_some())
            && self.list.iter().all(|stream| stream.next.is_none_or(|next| next.local.is_some()))
    }

    /// The other side was told of the new sockets, and has agreed: media goes by them. The old ones are still read.
    /// False: there was none to move to.
    pub(super) fn moved(&mut self, desk: &mut Desk) -> bool {
        let mut any = false;
        for stream in &mut self.list {
            let Some(Next { leg, network, local: Some(local) }) = stream.next else { continue };
            stream.next = None;
            if let Some(left) = stream.left.replace(stream.leg) {
                stream.give_back(left, desk);
            }
            (stream.leg, stream.network, stream.local) = (leg, network, Some(local));
            desk.media(stream.media, MediaOrder::GoBy(leg));
            any = true;
        }
        any
    }

    /// What was left behind is read no more.
    pub(super) fn settle_down(&mut self, desk: &mut Desk) {
        for stream in &mut self.list {
            if let Some(left) = stream.left.take() {
                stream.give_back(left, desk);
            }
        }
    }

    /// Nothing carries any more.
    pub(super) fn dead(&self, desk: &mut Desk) {
        for stream in self.list.iter().filter(|stream| stream.plan.is_some()) {
            desk.media(stream.media, MediaOrder::Dead);
        }
    }

    /// A way's time has come.
    pub(super) fn due(&mut self, media: MediaId, desk: &mut Desk) {
        self.at_path(media, desk, |path, desk| path.due(desk.now));
    }

    /// The next thing that happened to one of the ways.
    pub(super) fn poll_path(&mut self) -> Option<PathEvent> {
        self.list.iter_mut().find_map(|stream| stream.path.as_mut()?.poll_event())
    }

    /// A relay was reached so by the network that sockets were asked for on last.
    pub(super) fn relay_reached(&self, rung: Rung, desk: &mut Desk) {
        if let Some(stream) = self.list.first() {
            let network = stream.next.map_or(stream.network, |next| next.network);
            desk.known.relay_reached(network, rung);
        }
    }

    /// How the first way stands, for diagnostics.
    pub(super) fn report(&self) -> Option<Report> {
        self.list.iter().find_map(|stream| stream.path.as_ref()).map(Path::report)
    }

    /// Whether ways are checked, or one was found so.
    pub(super) fn checks(&self) -> bool {
        self.list.iter().any(|stream| stream.path.as_ref().is_some_and(|path| !path.is_plain()))
    }

    /// By which kind of way the other side is reached, where that is known.
    pub(super) fn reached(&self) -> Option<Reached> {
        self.list.iter().find_map(|stream| stream.path.as_ref()?.reached())
    }

    /// Where to write into a description that the streams are reached; `None` until that is known of each.
    pub(super) fn locals(&self) -> Option<Vec<Local>> {
        self.list.iter().map(Stream::described).collect()
    }

    /// The other side offers: where it begins its ways anew, so do we before we answer. RFC 8839 section 4.4.1.1.1. Where RTCP is
    /// to have a way of its own, that is described, too.
    /// True: so it is.
    pub(super) fn offered(&mut self, offer: &[u8], desk: &mut Desk) -> bool {
        let mut begun = false;
        let theirs = negotiate::offered(offer);
        for (stream, theirs) in self.list.iter_mut().zip(theirs) {
            let (Some(path), Some(theirs)) = (&mut stream.path, theirs) else { continue };
            path.meet(&theirs, desk.now);
            if path.is_restarted_by(&theirs) || path.is_plain() {
                path.restart(desk.now);
                begun = true;
            }
            stream.carry_out(desk);
        }
        begun
    }

    /// Addresses of theirs came, of each audio line in turn, that were found after their description.
    pub(super) fn told_late(&mut self, lines: &[Option<Description>], desk: &mut Desk) {
        for (at, stream) in self.list.iter_mut().enumerate() {
            let (network, local) = stream.place();
            let Some(path) = &mut stream.path else { continue };
            let theirs = lines.get(at).and_then(Option::as_ref);
            let theirs = theirs.map(|it| desk.addresses.on(network).theirs(local, it));
            path.add_late(theirs.as_ref(), desk.now);
            stream.carry_out(desk);
        }
    }

    /// What is agreed on next is with another session.
    pub(super) fn other_session(&mut self) {
        for keyed in self.list.iter_mut().filter_map(|stream| stream.keyed.as_mut()) {
            keyed.forget();
        }
    }

    /// Does what was agreed. An open stream whose m-line was switched off falls silent and stays.
    /// `call_id` is what a disguise is made from.
    pub(super) fn apply(
        &mut self,
        agreed: &Agreed,
        adapt: impl Fn(Plan) -> Plan,
        call_id: Option<&str>,
        desk: &mut Desk,
    ) {
        let disguise = call_id.and_then(|id| id.bytes().next()).filter(|_| self.disguised);
        let mut plans = agreed.plans().cloned().map(adapt);
        let mut associations = agreed.associations();
        let mut ways = agreed.ways.iter();
        for stream in &mut self.list {
            let idle = || stream.plan.clone().map(|plan| Plan { direction: Direction::Inactive, ..plan });
            let plan = plans.next();
            let way = plan.as_ref().map(|_| ways.next().and_then(Option::as_ref));
            let association = associations.next().flatten();
            if let (Some(keyed), Some(_)) = (&mut stream.keyed, &plan) {
                keyed.agree(association, stream.plan.as_ref().is_some_and(|plan| plan.early));
            }
            let Some(plan) = plan.or_else(idle) else { continue };
            let plan = match &stream.keyed {
                Some(keyed) if keyed.is_wanted() => {
                    // A port of their own would have an association of its own: RFC 5764 section 3. All offers of ours have RTCP
                    // on RTP's port, as RFC 8834 section 4.5 wants it of everybody; who has not gets no reports, and the view says so.
                    Plan { protection: keyed.protection(), reports: plan.rtcp_mux, ..plan }
                }
                Some(_) | None => plan,
            };
            let (network, local) = stream.place();
            let plan = desk.addresses.on(network).plan(local, plan);
            match stream.plan.replace(plan.clone()) {
                Some(before) if before == plan => {}
                Some(_) => desk.media(stream.media, MediaOrder::Change(plan)),
                None => {
                    if let Some(key) = disguise {
                        desk.media(stream.media, MediaOrder::Disguise(key));
                    }
                    desk.media(stream.media, MediaOrder::Open(plan));
                    if self.silent {
                        desk.media(stream.media, MediaOrder::Mute(true));
                    }
                    if self.mixed {
                        desk.media(stream.media, MediaOrder::Mix(true));
                    }
                }
            }
            if let Some(way) = way {
                stream.lead(way, agreed.ours, desk);
            }
            stream.may_agree(desk);
        }
    }

    /// Sends silence instead of the microphone, or the microphone.
    pub(crate) fn silence(&mut self, on: bool, desk: &mut Desk) {
        if self.silent != on {
            self.silent = on;
            for stream in self.list.iter().filter(|stream| stream.plan.is_some()) {
                desk.media(stream.media, MediaOrder::Mute(on));
            }
        }
    }

    /// Mixes it with the others that are, or no longer.
    pub(crate) fn mix(&mut self, on: bool, desk: &mut Desk) {
        if self.mixed != on {
            self.mixed = on;
            for stream in self.list.iter().filter(|stream| stream.plan.is_some()) {
                desk.media(stream.media, MediaOrder::Mix(on));
            }
        }
    }

    /// The stream that we may talk in.
    pub(crate) fn talking(&self) -> Option<(MediaId, &Plan)> {
        let open = self.list.iter().find_map(|stream| Some((stream.media, stream.plan.as_ref()?)));
        open.filter(|(_, plan)| plan.direction.sends())
    }

    /// How what is open is kept from others: the weakest of it counts.
    pub(crate) fn encrypted(&self) -> Encrypted {
        let open = self.list.iter().filter_map(|stream| {
            Some((stream.plan.as_ref()?, stream.keyed.as_ref().is_some_and(Keyed::is_wanted)))
        });
        let each = open.map(|(plan, by_dtls)| match plan.protection {
            Protection::Keyed { .. } if by_dtls => Encrypted::Dtls,
            Protection::Keyed { .. } => Encrypted::Sdes,
            Protection::Clear | Protection::Awaited if self.disguised => Encrypted::VosXor,
            Protection::Clear | Protection::Awaited => Encrypted::None,
        });
        each.min().unwrap_or(Encrypted::None)
    }

    /// Whether anything of what is open goes in clear.
    pub(super) fn is_clear(&self) -> bool {
        let mut open = self.list.iter().filter_map(|stream| stream.plan.as_ref());
        open.any(|plan| plan.protection == Protection::Clear)
    }

    /// Whether media is open that no reports go with.
    pub(super) fn lacks_reports(&self) -> bool {
        self.list.iter().filter_map(|stream| stream.plan.as_ref()).any(|plan| !plan.reports)
    }

    /// What we send, while anything is open.
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.list.iter().find_map(|stream| stream.plan.as_ref()).map(|plan| plan.codec_out.1)
    }

    /// Gives every socket back.
    pub(crate) fn close(&mut self, call: CallId, desk: &mut Desk) {
        for mut stream in self.list.drain(..) {
            if let Some(path) = &mut stream.path {
                path.close(desk.now);
                stream.carry_out(desk);
            }
            desk.timers.cancel(&Timer::Path(stream.media));
            desk.timers.cancel(&Timer::Keying(stream.media));
            desk.media(stream.media, MediaOrder::Close { call });
        }
    }

    fn at_path(&mut self, media: MediaId, desk: &mut Desk, act: impl FnOnce(&mut Path, &mut Desk)) {
        if let Some(stream) = self.list.iter_mut().find(|stream| stream.media == media)
            && let Some(path) = &mut stream.path
        {
            act(path, desk);
            stream.carry_out(desk);
        }
    }
}

/// Whether somebody opens his router: see [`Keyed`].
fn is_knock(bytes: &[u8]) -> bool {
    let message = Message::read(bytes);
    message.is_ok_and(|it| (it.class(), it.method()) == (Class::Indication, Method::Binding))
}

impl Stream {
    /// A pair of sockets is needed no more.
    fn give_back(&mut self, leg: Leg, desk: &mut Desk) {
        if let Some(path) = &mut self.path {
            path.socket_gone(leg);
        }
        desk.media(self.media, MediaOrder::CloseLeg(leg));
        self.carry_out(desk);
    }

    /// What the other side knows, or is being told: on which network we are, and where. A move ends with their answer, which is
    /// read here before it.
    fn place(&self) -> (NetworkId, Option<SocketAddr>) {
        let next = self.next.filter(|next| next.local.is_some());
        next.map_or((self.network, self.local), |next| (next.network, next.local))
    }

    fn described(&self) -> Option<Local> {
        // Nobody knows of the sockets of before: it need not be told of them any more.
        if self.plan.is_none() && self.next.is_some_and(|next| next.local.is_none()) {
            return None;
        }
        let address = self.next.and_then(|next| next.local).or(self.local)?;
        let Some(path) = &self.path else { return Some(address.into()) };
        path.is_gathered().then(|| match path.description() {
            Some(ice) => Local {
                address: path.default_address().unwrap_or(address),
                control: path.default_control_address(),
                ice: Some(tellable(ice)),
            },
            None => path.default_address().unwrap_or(address).into(),
        })
    }

    /// Goes the way that they describe, or plainly where they describe none.
    fn lead(&mut self, way: Option<&Description>, offers: bool, desk: &mut Desk) {
        let (network, local) = self.place();
        let Some(path) = &mut self.path else { return };
        match way {
            Some(theirs) => {
                let theirs = desk.addresses.on(network).theirs(local, theirs);
                path.connect(&theirs, offers, desk.now);
            }
            None => path.plain(desk.now),
        }
        self.carry_out(desk);
    }

    /// Does what the path wants done.
    fn carry_out(&mut self, desk: &mut Desk) {
        let Some(path) = &mut self.path else { return };
        while let Some(order) = path.poll_order() {
            let order = match order {
                Order::Send { leg, to, bytes } => MediaOrder::Tell { leg, to, bytes },
                Order::Route(route) => {
                    if let Some(keyed) = &mut self.keyed {
                        keyed.lead(&route);
                    }
                    MediaOrder::Route(route)
                }
                Order::ControlRoute(route) => MediaOrder::ControlRoute(route),
                Order::Connect { leg, from, to, framing, name } => {
                    MediaOrder::Connect { leg, from, to, framing, name }
                }
                Order::Listen { at } => MediaOrder::TakeStreams { at },
                Order::Close { leg } => MediaOrder::CloseLeg(leg),
                Order::Channel { leg, server, number, peer } => {
                    MediaOrder::Channel { leg, server, number, peer }
                }
            };
            desk.media(self.media, order);
        }
        let timer = Timer::Path(self.media);
        match path.next_wake() {
            Some(wake) => desk.timers.set(timer, wake.at),
            None => {
                desk.timers.cancel(&timer);
            }
        }
        self.may_agree(desk);
    }

    /// Agrees on keys with the other side, if that is wanted and there is a way to it.
    fn may_agree(&mut self, desk: &mut Desk) {
        if let (Some(keyed), Some(plan)) = (&mut self.keyed, &self.plan) {
            keyed.plain(plan.remote, self.path.as_ref().is_none_or(Path::is_plain));
            keyed.may_begin(self.media, desk);
        }
    }
}
