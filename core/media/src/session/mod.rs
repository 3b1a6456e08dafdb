//! One m-line's media life: packets in, samples out; samples in, packets out; reports both ways.
//!
//! RFC 3550, RFC 3551, RFC 4961 (symmetric RTP), RFC 5761 (RTCP on the RTP port). Takes the plan that the
//! signalling made and knows nothing of how. Hold is a direction, mute sends silence. Feed it every captured frame
//! and pull every playout frame for as long as it lives, held or not: they are its clock.

use std::net::SocketAddr;
use std::time::Duration;

#[cfg(test)]
mod codec_tests;
mod guard;
#[cfg(test)]
mod guard_tests;
mod listening;
mod meter;
mod reports;
mod sending;
#[cfg(test)]
mod tests;
mod watch;

use base::{Instant, Rng};

use crate::codec::{Codec, Decoder};
use crate::dtmf::{self, Digit, Keys, Way};
use crate::latch::{Latch, Lead};
use crate::level::{Level, VoiceLevel};
use crate::plan::Plan;
use crate::playout::{Inserted, Playout};
use crate::quality;
use crate::resample::Resampler;
use crate::rtp;
use crate::statistics::{Arrival, Reception, Totals};

use guard::Guard;
use listening::Listener;
use meter::Meter;
use reports::Reports;
use sending::Sending;
pub use watch::{Overdue, Silence, Silent};
use watch::{Sound, Watch};

/// Playout frames a second.
const FRAMES: u32 = 50;
/// Samples in a playout frame at the highest rate.
const LONGEST: usize = (48_000 / FRAMES) as usize;

/// A datagram to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outgoing<'a> {
    /// Where to.
    pub to: SocketAddr,
    /// From the RTCP socket rather than the RTP one.
    pub rtcp_port: bool,
    /// What.
    pub bytes: &'a [u8],
}

/// How it goes: counts since the session began, and how it sounds now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stats {
    /// The codec of the last packet that could be played.
    pub codec_in: Option<Codec>,
    /// What we send.
    pub codec_out: Codec,
    /// Where we send.
    pub remote: Option<SocketAddr>,
    /// RTP packets.
    pub sent: u64,
    /// Their payloads' octets.
    pub sent_octets: u64,
    /// RTP packets of their streams, each once.
    pub received: u64,
    /// By sequence number never seen.
    pub lost: u64,
    /// Came, but after their turn.
    pub late: u64,
    /// Came again.
    pub duplicates: u64,
    /// Neither RTP nor RTCP, or of a length that the codec never writes.
    pub malformed: u64,
    /// From an address or source that is not the other side's.
    pub strangers: u64,
    /// Not protected by the agreed keys, or played to us again.
    pub refused: u64,
    /// Of a payload type that was not agreed.
    pub unknown_payload: u64,
    /// Of telephone events that are no digits, or came faster than anybody presses.
    pub ignored_events: u64,
    /// How often they moved to another address without the signalling saying so.
    pub moves: u32,
    /// Interarrival jitter of what comes.
    pub jitter: Duration,
    /// By RTCP; `None` until both sides' reports have crossed.
    pub round_trip: Option<Duration>,
    /// Share of our packets that they lost lately, by their last report: 0.0..=1.0.
    pub their_loss: Option<f32>,
    /// How we sound to them, by their last extended report: 1.0..=5.0.
    pub their_mos: Option<f32>,
    /// Of what they say.
    pub level_in_dbov: f32,
    /// Of what we say; silence when muted.
    pub level_out_dbov: f32,
    /// Estimated quality of what came in the last seconds: 1.0..=4.5.
    pub mos: f32,
    /// Mouth to ear, estimated: packet, codec, half the round trip, playout.
    pub delay: Duration,
    /// Sound that was made up for what was missing.
    pub concealed: Duration,
}

/// One m-line.
#[derive(Debug)]
pub struct Session {
    plan: Plan,
    guard: Guard,
    rng: Rng,
    sending: Sending,
    // In
    rtp: Latch,
    rtcp: Latch,
    decoders: Vec<(u8, Decoder)>,
    reception: Option<Reception>,
    /// Another source from the right address, and the sequence number that would confirm it.
    candidate: Option<(u32, u16)>,
    past: Totals,
    playout: Playout,
    /// What the playout gave, at the rate of their codec.
    played: Vec<i16>,
    /// The same for the ear, with what is not yet taken.
    heard: Vec<i16>,
    to_ear: Resampler,
    /// Samples a second at the ear.
    rate: u32,
    codec_in: Option<Codec>,
    late: u64,
    malformed: u64,
    strangers: u64,
    refused: u64,
    unknown_payload: u64,
    their_keypad: dtmf::Receiver,
    /// For tones in their voice, where they tell of no events.
    listener: Option<Box<Listener>>,
    level_in: Level,
    voice: VoiceLevel,
    /// What one of their packets holds.
    packet_time: Option<Duration>,
    meter: Meter,
    watch: Watch,
    reports: Reports,
}

impl Session {
    /// Begins one m-line. `rate`: the samples a second that are captured and heard: 8,000, 16,000 or 48,000.
    ///
    /// # Panics
    /// At any other rate.
    pub fn new(plan: Plan, rate: u32, mut rng: Rng, now: Instant) -> Self {
        let mut session = Self {
            guard: Guard::new(&plan.protection),
            sending: Sending::new(&plan, rate, rng.split(), now),
            rtp: Latch::default(),
            rtcp: Latch::default(),
            decoders: decoders(&plan, &mut rng),
            reception: None,
            candidate: None,
            past: Totals::default(),
            playout: Playout::new(),
            played: Vec::with_capacity(LONGEST),
            heard: Vec::with_capacity(LONGEST * 2),
            to_ear: Resampler::new(8000, rate).expect("the rate of an ear"),
            rate,
            codec_in: None,
            late: 0,
            malformed: 0,
            strangers: 0,
            refused: 0,
            unknown_payload: 0,
            their_keypad: dtmf::Receiver::default(),
            listener: plan.hear_tones.then(Box::default),
            level_in: Level::default(),
            voice: VoiceLevel::default(),
            packet_time: None,
            meter: Meter::new(now),
            watch: Watch::new(&plan, now),
            reports: Reports::new(&mut rng, now),
            plan,
            rng,
        };
        session.rtp.tell(session.plan.remote, now);
        session.rtcp.tell(session.plan.remote_rtcp, now);
        session
    }

    /// Goes on under another plan: the stream, its source and its counts stay.
    pub fn replan(&mut self, plan: Plan, now: Instant) {
        if (&plan.codecs_in, plan.noise_in) != (&self.plan.codecs_in, self.plan.noise_in) {
            self.decoders = decoders(&plan, &mut self.rng);
            self.playout.reset();
        }
        if plan.hear_tones != self.plan.hear_tones {
            self.listener = plan.hear_tones.then(Box::default);
        }
        self.sending.replan(&plan);
        self.watch.replan(&plan, now);
        self.rtp.tell(plan.remote, now);
        self.rtcp.tell(plan.remote_rtcp, now);
        let protection = plan.protection.clone();
        self.plan = plan;
        self.guard_by(&protection);
    }

    /// Packets go so from now on. RTCP that has a port of its own stays plain.
    pub fn lead(&mut self, way: Lead) {
        self.rtp.lead(way);
    }

    /// Presses these keys, after those that wait. Nothing without [`Plan::events_out`]; waits while nothing can be sent.
    pub fn press(&mut self, keys: &Keys) {
        self.sending.press(keys);
    }

    /// The next digit that the other side pressed, each once and in order; and by which way.
    pub fn poll_digit(&mut self) -> Option<(Digit, Way)> {
        let told = self.their_keypad.poll().map(|digit| (digit, Way::Event));
        told.or_else(|| self.listener.as_mut()?.poll().map(|digit| (digit, Way::Tone)))
    }

    /// Plays these keys as tones in our voice, after those that wait.
    pub fn sound(&mut self, keys: &Keys) {
        self.sending.sound(keys);
    }

    /// Takes what nobody protected, or has lost its protection; whether it is RTCP, and came to RTCP's own port.
    fn clear_packet(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
        (is_rtcp, is_rtcp_port): (bool, bool),
        now: Instant,
        wall: u64,
    ) {
        if is_rtcp {
            self.rtcp_packet(bytes, from, is_rtcp_port, now, wall);
        } else {
            self.rtp_packet(bytes, from, now);
        }
    }

    fn rtp_packet(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) {
        let Ok(packet) = rtp::Packet::read(bytes) else {
            self.malformed += 1;
            return;
        };
        let header = packet.header;
        let same_voice = self.reception.as_ref().is_some_and(|reception| reception.ssrc() == header.ssrc);
        if !self.rtp.admits(from, same_voice, now) {
            self.strangers += 1;
            return;
        }
        let decoder = self.decoders.iter().position(|(pt, _)| *pt == header.payload_type);
        let event_clock = self
            .plan
            .events_in
            .iter()
            .find(|(number, _)| *number == header.payload_type)
            .map(|(_, clock)| *clock);
        // An unknown payload type is one packet of a known stream, but no reason to believe in a new one.
        if decoder.is_none()
            && event_clock.is_none()
            && self.reception.as_ref().is_none_or(|r| r.ssrc() != header.ssrc)
        {
            self.unknown_payload += 1;
            return;
        }
        if header.ssrc == self.sending.ssrc() {
            self.sending.begin_source();
        }
        let spoken = decoder.and_then(|index| self.plan.codecs_in.get(index));
        let clock_rate = spoken.map_or(8000, |(_, codec)| codec.clock_rate());
        if !self.source_is_believed(&header, clock_rate) {
            self.strangers += 1;
            return;
        }
        let Some(reception) = &mut self.reception else { return };
        // Events count into the jitter as they are, though their timestamps stand still: RFC 4733 section 2.5.2.2.
        let arrival = reception.arrived(header.sequence, header.timestamp, now);
        match arrival {
            Arrival::Suspect => return,
            Arrival::Duplicate => {}
            Arrival::Ahead | Arrival::Reordered => self.rtp.heard(from, now),
            Arrival::Restarted => {
                self.rtp.heard(from, now);
                self.their_keypad.forget();
            }
        }
        if arrival == Arrival::Duplicate {
            return;
        }
        let was_paused = self.watch.is_paused();
        self.watch.packet(now);
        if !self.plan.direction.receives() {
            return;
        }
        if let Some(clock) = event_clock {
            self.their_keypad.set_clock(clock);
            let read = self.their_keypad.packet(header.marker, header.timestamp, packet.payload);
            self.malformed += u64::from(read.is_err());
            return;
        }
        let Some(index) = decoder else {
            self.unknown_payload += 1;
            return;
        };
        let Ok(samples) = self.decoders[index].1.samples(packet.payload) else {
            self.malformed += 1;
            return;
        };
        if let Some((_, codec)) = self.plan.codecs_in.get(index)
            && self.codec_in != Some(*codec)
        {
            self.decodes(*codec);
        }
        if index < self.plan.codecs_in.len() {
            self.packet_time = self.samples_time(samples);
        }
        if arrival != Arrival::Reordered {
            let codec = self.plan.codecs_in.get(index).map(|(_, codec)| *codec);
            let sound = Sound {
                sequence: header.sequence,
                timestamp: header.timestamp,
                clock_rate,
                length: codec.and_then(|_| self.samples_time(samples)),
                // What is no codec is comfort noise.
                pauses: codec.is_none_or(|codec| codec.pauses(packet.payload)),
            };
            self.watch.sound(sound, was_paused, now);
        }
        if let Some((_, Decoder::Noise(noise))) = self.decoders.last_mut()
            && index < self.plan.codecs_in.len()
        {
            noise.pause();
        }
        match self.playout.insert(header.timestamp, samples, index, packet.payload, now) {
            Inserted::Late | Inserted::Dropped => {
                self.late += 1;
                if let Some(reception) = &mut self.reception {
                    reception.discard(header.sequence);
                }
            }
            Inserted::Queued | Inserted::Resynchronised => {}
        }
    }

    /// How long so many samples of theirs last; `None` for none.
    fn samples_time(&self, samples: usize) -> Option<Duration> {
        let rate = self.codec_in?.sample_rate();
        (samples > 0).then(|| Duration::from_micros(samples as u64 * 1_000_000 / u64::from(rate)))
    }

    /// They speak another codec from this packet on.
    fn decodes(&mut self, codec: Codec) {
        self.codec_in = Some(codec);
        if self.playout.sample_rate() != codec.sample_rate() {
            self.to_ear = Resampler::new(codec.sample_rate(), self.rate).expect("the rate of a codec");
        }
        self.playout.set_rates(codec.clock_rate(), codec.sample_rate());
        if let Some(reception) = &mut self.reception {
            reception.set_clock(codec.clock_rate());
        }
    }

    /// Whether a packet's source is theirs. The first is believed at once; another, in the middle of a call, when
    /// two of its packets come in a row (RFC 3550 appendix A.1).
    fn source_is_believed(&mut self, header: &rtp::Header, clock_rate: u32) -> bool {
        if let Some(reception) = &self.reception {
            if reception.ssrc() == header.ssrc {
                self.candidate = None;
                return true;
            }
            if self.candidate != Some((header.ssrc, header.sequence)) {
                self.candidate = Some((header.ssrc, header.sequence.wrapping_add(1)));
                return false;
            }
            self.forget_source();
        }
        self.reception = Some(Reception::new(header.ssrc, header.sequence, clock_rate));
        true
    }

    /// Their stream is over: a new one counts anew, and is believed at once.
    fn forget_source(&mut self) {
        if let Some(old) = self.reception.take() {
            self.past = self.past + old.totals();
            self.meter.source_ended(old.clusters());
        }
        self.candidate = None;
        self.playout.reset();
        self.their_keypad.forget();
    }

    /// Takes captured samples; gives a packet when one is full. With a short `ptime` a frame fills two: go on with
    /// [`Self::next_packet`] until `None`.
    pub fn captured(&mut self, frame: &[i16], now: Instant) -> Option<Outgoing<'_>> {
        self.sending.capture(frame, self.plan.direction.sends(), now);
        self.next_packet()
    }

    /// A further packet of what was captured, if one is full.
    pub fn next_packet(&mut self) -> Option<Outgoing<'_>> {
        let to = self.rtp.target().filter(|_| self.guard.is_ready());
        let bytes = self.sending.next_packet(to.is_some())?;
        self.guard.protect(bytes).ok()?;
        to.map(|to| Outgoing { to, rtcp_port: false, bytes })
    }

    /// Fills the next 20 ms for the ear.
    pub fn playout(&mut self, frame: &mut [i16], now: Instant) {
        self.played.resize((self.playout.sample_rate() / FRAMES) as usize, 0);
        self.playout.pull(&mut self.played, &mut self.decoders, now);
        self.their_keypad.passed(Duration::from_secs(1) / FRAMES);
        if let Some(listener) = &mut self.listener
            && self.plan.direction.receives()
        {
            listener.hear(&self.played, self.playout.sample_rate());
        }
        self.heard.clear();
        self.to_ear.feed(&self.played, &mut self.heard);
        if self.plan.direction.receives() {
            let heard = self.heard.len().min(frame.len());
            frame[..heard].copy_from_slice(&self.heard[..heard]);
            frame[heard..].fill(0);
        } else {
            frame.fill(0);
        }
        self.level_in.feed(frame);
        self.voice.feed(frame);
        self.look_after_them(now);
        self.measure(now);
    }

    /// What one of their packets holds, or will.
    fn packet_time(&self) -> Duration {
        self.packet_time.unwrap_or(self.plan.ptime)
    }

    /// How it goes.
    pub fn stats(&self) -> Stats {
        let totals = self.past + self.reception.as_ref().map_or(Totals::default(), Reception::totals);
        let lost = totals.expected.saturating_sub(totals.received);
        let rating = self.rating();
        Stats {
            codec_in: self.codec_in,
            codec_out: self.plan.codec_out.1,
            remote: self.rtp.target(),
            sent: self.sending.sent().0,
            sent_octets: self.sending.sent().1,
            received: totals.received,
            lost,
            late: self.late,
            duplicates: totals.duplicates,
            malformed: self.malformed,
            strangers: self.strangers,
            refused: self.refused,
            unknown_payload: self.unknown_payload,
            ignored_events: self.their_keypad.ignored(),
            moves: self.rtp.moves(),
            jitter: self.reception.as_ref().map_or(Duration::ZERO, Reception::jitter),
            round_trip: self.reports.round_trip,
            their_loss: self.reports.their_loss,
            their_mos: self.reports.their_mos,
            level_in_dbov: self.level_in.dbov(),
            level_out_dbov: self.sending.level_dbov(),
            mos: quality::mos(rating.r),
            delay: rating.delay,
            concealed: self.playout.figures().concealed,
        }
    }
}

/// Those of the codecs in their order, and behind them comfort noise's.
fn decoders(plan: &Plan, rng: &mut Rng) -> Vec<(u8, Decoder)> {
    let codecs = plan.codecs_in.iter().map(|(payload_type, codec)| (*payload_type, codec.decoder()));
    let noise = plan.noise_in.map(|payload_type| (payload_type, Decoder::noise(8000, rng.split())));
    codecs.chain(noise).collect()
}
