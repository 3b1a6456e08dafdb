//! A call's media streams: one for each m-line that is alive, from the socket asked for to the socket given back.
//!
//! Today a call asks for one, of audio; what was agreed is a list all the same. Knows nothing of SDP.

use std::net::{IpAddr, SocketAddr};

use media::{Codec, Direction, Plan};

use crate::desk::Desk;
use crate::{CallId, MediaId, MediaOrder};

struct Stream {
    media: MediaId,
    /// Its address, once there is a socket.
    local: Option<SocketAddr>,
    /// What it was last told to do; `None`: not open.
    plan: Option<Plan>,
}

/// The streams of one call, in the order of their m-lines.
pub(crate) struct Streams {
    list: Vec<Stream>,
    silent: bool,
    mixed: bool,
}

impl Streams {
    /// Asks for the socket of an audio stream.
    pub(crate) fn prepare(call: CallId, toward: Option<IpAddr>, desk: &mut Desk) -> Self {
        let media = desk.next_media();
        desk.media(media, MediaOrder::Prepare { call, toward });
        Self { list: vec![Stream { media, local: None, plan: None }], silent: false, mixed: false }
    }

    /// For a call that never was to have any.
    pub(crate) const fn none() -> Self {
        Self { list: Vec::new(), silent: false, mixed: false }
    }

    pub(crate) fn owns(&self, media: MediaId) -> bool {
        self.list.iter().any(|stream| stream.media == media)
    }

    /// A socket is there.
    pub(crate) fn ready(&mut self, media: MediaId, local: SocketAddr) {
        for stream in self.list.iter_mut().filter(|stream| stream.media == media) {
            stream.local = Some(local);
        }
    }

    /// The addresses to write into a description; `None` until every stream has its own.
    pub(crate) fn locals(&self) -> Option<Vec<SocketAddr>> {
        self.list.iter().map(|stream| stream.local).collect()
    }

    /// Does what was agreed. An open stream whose m-line was switched off falls silent and stays.
    pub(crate) fn apply(&mut self, mut plans: impl Iterator<Item = Plan>, desk: &mut Desk) {
        for stream in &mut self.list {
            let idle = || stream.plan.clone().map(|plan| Plan { direction: Direction::Inactive, ..plan });
            let Some(plan) = plans.next().or_else(idle) else { continue };
            match stream.plan.replace(plan.clone()) {
                Some(before) if before == plan => {}
                Some(_) => desk.media(stream.media, MediaOrder::Change(plan)),
                None => {
                    desk.media(stream.media, MediaOrder::Open(plan));
                    if self.silent {
                        desk.media(stream.media, MediaOrder::Mute(true));
                    }
                    if self.mixed {
                        desk.media(stream.media, MediaOrder::Mix(true));
                    }
                }
            }
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

    /// What we send, while anything is open.
    pub(crate) fn codec(&self) -> Option<Codec> {
        self.list.iter().find_map(|stream| stream.plan.as_ref()).map(|plan| plan.codec_out.1)
    }

    /// Gives every socket back.
    pub(crate) fn close(&mut self, call: CallId, desk: &mut Desk) {
        for stream in self.list.drain(..) {
            desk.media(stream.media, MediaOrder::Close { call });
        }
    }
}
