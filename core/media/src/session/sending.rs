//! The way out: captured samples to packets of the agreed codec, and the digits pressed meanwhile.
//!
//! RFC 3550 section 5.1, RFC 3551 section 4.1 (the marker), RFC 7160 (a clock that changes is another source). Knows
//! neither addresses nor reports.

use std::time::Duration;

use base::{Instant, Rng};

use crate::codec::{Codec, Content, Encoder};
use crate::dtmf::{self, Keys};
use crate::level::Level;
use crate::plan::Plan;
use crate::playout::MAX_PAYLOAD;
use crate::resample::Resampler;
use crate::rtp;
use crate::srtp::TRAILER;

/// The most that is captured at once, in samples of the highest rate: 200 ms.
const ROOM: usize = 48_000 / 5;

#[derive(Debug)]
pub(super) struct Sending {
    codec: Codec,
    payload_type: u8,
    events: Option<u8>,
    /// Comfort noise's payload type.
    noise: Option<u8>,
    ptime: Duration,
    silence: bool,
    redundancy: bool,
    /// Of what is captured.
    rate: u32,
    resampler: Resampler,
    encoder: Encoder,
    /// At the codec's rate, not yet in a packet.
    pending: Vec<i16>,
    packet: Vec<u8>,
    rng: Rng,
    ssrc: u32,
    sequence: u16,
    /// Of the first pending sample.
    timestamp: u32,
    captured_at: Instant,
    /// The next packet of speech begins a talk.
    marker: bool,
    sent: u64,
    octets: u64,
    /// Packets and octets that were sent under an earlier number than `ssrc`.
    before_ssrc: (u64, u64),
    keypad: dtmf::Sender,
    /// The keypad where it is heard, and the frame in which it sounds.
    tones: dtmf::Tones,
    sounding: Vec<i16>,
    level: Level,
}

impl Sending {
    pub(super) fn new(plan: &Plan, rate: u32, mut rng: Rng, now: Instant) -> Self {
        let (payload_type, codec) = plan.codec_out;
        Self {
            codec,
            payload_type,
            events: plan.events_out.map(|(number, _)| number),
            noise: plan.noise_out,
            ptime: plan.ptime,
            silence: plan.silence,
            redundancy: plan.redundancy,
            rate,
            resampler: resampler(rate, codec),
            encoder: codec.encoder(plan.silence),
            pending: Vec::with_capacity(ROOM),
            packet: Vec::with_capacity(rtp::HEADER + MAX_PAYLOAD + TRAILER),
            ssrc: rng.bits() as u32,
            sequence: first_sequence(&mut rng),
            timestamp: rng.bits() as u32,
            captured_at: now,
            marker: true,
            sent: 0,
            octets: 0,
            before_ssrc: (0, 0),
            keypad: dtmf::Sender::new(codec.clock_rate()),
            tones: dtmf::Tones::default(),
            sounding: Vec::with_capacity(ROOM),
            level: Level::default(),
            rng,
        }
    }

    pub(super) fn replan(&mut self, plan: &Plan) {
        let (payload_type, codec) = plan.codec_out;
        if (codec, plan.silence) != (self.codec, self.silence) {
            self.encoder = codec.encoder(plan.silence);
            if codec.sample_rate() != self.codec.sample_rate() {
                self.resampler = resampler(self.rate, codec);
                self.pending.clear();
            }
            if codec.clock_rate() != self.codec.clock_rate() {
                self.keypad.set_clock(codec.clock_rate());
                self.begin_source();
            }
        }
        self.redundancy = plan.redundancy;
        (self.codec, self.silence, self.ptime, self.payload_type) =
            (codec, plan.silence, plan.ptime, payload_type);
        (self.events, self.noise) = (plan.events_out.map(|(number, _)| number), plan.noise_out);
        if self.events.is_none() {
            self.keypad.clear();
        }
    }

    pub(super) fn press(&mut self, keys: &Keys) {
        if self.events.is_some() {
            self.keypad.press(keys);
        }
    }

    pub(super) fn sound(&mut self, keys: &Keys) {
        self.tones.press(keys);
    }

    /// The share of our packets that they lost lately.
    pub(super) fn told_loss(&mut self, share: f32) {
        self.encoder.told_loss(if self.redundancy { share } else { 0.0 });
    }

    /// Another number for our stream: theirs is the same (RFC 3550 section 8.2), or our clock is another.
    pub(super) fn begin_source(&mut self) {
        self.ssrc = self.rng.bits() as u32;
        self.sequence = first_sequence(&mut self.rng);
        self.before_ssrc = (self.sent, self.octets);
        self.marker = true;
    }

    /// Takes captured samples. `sends`: whether they may go out.
    pub(super) fn capture(&mut self, frame: &[i16], sends: bool, now: Instant) {
        self.captured_at = now;
        // What nobody asks for as packets does not grow.
        if self.pending.len() > ROOM / 2 {
            self.pass(self.pending.len());
        }
        self.level.feed(if sends { frame } else { &[] });
        if !sends {
            // The clock runs on while nothing is sent: RFC 3550 section 5.1, "timestamp".
            self.pass(self.pending.len());
            let passed = frame.len() as u64 * u64::from(self.codec.clock_rate()) / u64::from(self.rate);
            self.timestamp = self.timestamp.wrapping_add(passed as u32);
            self.marker = true;
            self.keypad.interrupt();
            self.tones.interrupt();
        } else if !self.tones.is_idle() {
            self.sounding.clear();
            self.sounding.extend_from_slice(frame);
            self.tones.fill(&mut self.sounding, self.rate);
            self.resampler.feed(&self.sounding, &mut self.pending);
        } else {
            self.resampler.feed(frame, &mut self.pending);
        }
    }

    /// The next packet of what was captured, if one is full and something need be sent. `reachable`: there is somebody to
    /// send it to; else the time passes all the same.
    pub(super) fn next_packet(&mut self, reachable: bool) -> Option<&mut Vec<u8>> {
        let samples = self.packet_samples();
        while self.pending.len() >= samples {
            let written = reachable.then(|| self.write(samples));
            let (passed, worth) = written.unwrap_or((samples, false));
            self.pass(passed);
            if worth {
                self.sequence = self.sequence.wrapping_add(1);
                self.sent += 1;
                self.octets += (self.packet.len() - rtp::HEADER) as u64;
                return Some(&mut self.packet);
            }
        }
        None
    }

    /// The packet of the first pending samples: audio, or the digit that is pressed meanwhile. How many of them are done,
    /// and whether there is a packet at all.
    fn write(&mut self, samples: usize) -> (usize, bool) {
        let ticks = self.ticks(samples);
        if let Some(payload_type) = self.events
            && let Some(event) = self.keypad.next(self.timestamp, ticks)
        {
            let header = self.header(event.marker, payload_type, event.timestamp);
            self.packet.clear();
            self.packet.extend_from_slice(&header);
            self.packet.extend_from_slice(&event.payload);
            return (samples, true);
        }
        self.packet.clear();
        self.packet.resize(rtp::HEADER, 0);
        let coded = self.encoder.encode(&self.pending[..samples], &mut self.packet);
        let is_empty = self.packet.len() == rtp::HEADER;
        // RFC 3551 section 4.1: the first packet of speech behind a silence.
        let speaks = coded.content == Content::Speech && !is_empty;
        let marker = self.marker && speaks;
        self.marker = !speaks;
        let timestamp = self.timestamp.wrapping_add(self.ticks(coded.skipped));
        let payload_type = match (coded.content, self.noise) {
            (Content::Noise, Some(noise)) => noise,
            _ => self.payload_type,
        };
        let header = self.header(marker, payload_type, timestamp);
        self.packet[..rtp::HEADER].copy_from_slice(&header);
        (coded.consumed, !is_empty)
    }

    fn header(&self, marker: bool, payload_type: u8, timestamp: u32) -> [u8; rtp::HEADER] {
        rtp::Header { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc }.write()
    }

    /// So many pending samples are done.
    fn pass(&mut self, samples: usize) {
        self.timestamp = self.timestamp.wrapping_add(self.ticks(samples));
        self.pending.drain(..samples);
    }

    /// Of the RTP clock.
    fn ticks(&self, samples: usize) -> u32 {
        (samples as u64 * u64::from(self.codec.clock_rate()) / u64::from(self.codec.sample_rate())) as u32
    }

    fn packet_samples(&self) -> usize {
        let ptime = self.ptime.clamp(Duration::from_millis(10), Duration::from_millis(60));
        let samples = (ptime.as_millis() * u128::from(self.codec.sample_rate()) / 1000) as usize;
        samples.next_multiple_of(self.codec.frame_samples())
    }

    pub(super) const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// Packets and octets, since the beginning.
    pub(super) const fn sent(&self) -> (u64, u64) {
        (self.sent, self.octets)
    }

    /// The same, under the number that we have now.
    pub(super) const fn sent_by_source(&self) -> (u64, u64) {
        (self.sent - self.before_ssrc.0, self.octets - self.before_ssrc.1)
    }

    /// What the RTP clock shows.
    pub(super) fn clock(&self, now: Instant) -> u32 {
        let since = now.since(self.captured_at).as_micros() * u128::from(self.codec.clock_rate()) / 1_000_000;
        self.timestamp.wrapping_add(self.ticks(self.pending.len())).wrapping_add(since as u32)
    }

    pub(super) fn level_dbov(&self) -> f32 {
        self.level.dbov()
    }
}

/// In the lower half: who misses our first packets still knows that we have not begun anew. RFC 4568 section 6.4.
fn first_sequence(rng: &mut Rng) -> u16 {
    rng.bits() as u16 >> 1
}

fn resampler(rate: u32, codec: Codec) -> Resampler {
    Resampler::new(rate, codec.sample_rate()).expect("an ear has one of a codec's rates")
}
