//! Reports both ways: when ours are due and what they say, and what theirs tell of us.
//!
//! RFC 3550 section 6, RFC 3611 for those who asked for it, RFC 5506 in what is read. We send compound packets only.

use std::net::SocketAddr;
use std::time::Duration;

use base::{Instant, Rng};

use super::{Outgoing, Session};
use crate::bursts::GMIN;
use crate::playout::LONGEST_DELAY;
use crate::quality;
use crate::rtcp::{self, Block, Concealment, Delay, Piece, ReportBlock, SenderInfo, VoipMetrics};
use crate::statistics::{Reception, round_trip, ticks_since};

/// 0 dBm0 in dBov: 3.17 dB below the overload sine (ITU-T G.711 table 1), which itself is at -3.01 dBov.
const DBM0: f32 = -6.18;

/// When ours are due, and what theirs said. RFC 3550 section 6.3 for two parties, without the reconsideration that only
/// crowds need.
#[derive(Debug)]
pub(super) struct Reports {
    cname: [u8; 16],
    sent: u32,
    last: Instant,
    next: Instant,
    /// RTP packets sent by the report before the last, and by the last: whether we still count as a sender.
    sent_by: [u64; 2],
    report: Vec<u8>,
    /// The last reference time of a source of theirs: middle 32 bits, and when it came.
    reference: Option<(u32, u32, Instant)>,
    pub(super) round_trip: Option<Duration>,
    pub(super) their_loss: Option<f32>,
    pub(super) their_mos: Option<f32>,
}

impl Reports {
    /// RFC 3550 section 6.2.
    const INTERVAL: Duration = Duration::from_secs(5);
    /// What was asked in this time need not be asked again.
    const JUST: Duration = Duration::from_secs(1);

    pub(super) fn new(rng: &mut Rng, now: Instant) -> Self {
        Self {
            cname: rng.token(),
            sent: 0,
            last: now,
            next: now,
            sent_by: [0; 2],
            report: Vec::with_capacity(256),
            reference: None,
            round_trip: None,
            their_loss: None,
            their_mos: None,
        }
    }

    /// Half to one and a half times the interval, so that parties do not fall into step.
    fn schedule(&mut self, rng: &mut Rng, now: Instant) {
        // The very first report goes out at once (section 6.2 allows it for unicast) and is not counted as the
        // one that ends the initial, halved interval: so the round trip is known within the first seconds.
        let interval = if self.sent < 2 { Self::INTERVAL / 2 } else { Self::INTERVAL };
        (self.last, self.next) = (now, now + interval.mul_f64(0.5 + rng.fraction()));
    }

    /// The next one goes out now, unless one just did.
    pub(super) fn hurry(&mut self, now: Instant) {
        if now.since(self.last) >= Self::JUST {
            self.next = self.next.min(now);
        }
    }
}

impl Session {
    pub(super) fn rtcp_packet(
        &mut self,
        bytes: &[u8],
        from: SocketAddr,
        own_port: bool,
        now: Instant,
        wall: u64,
    ) {
        let Ok(compound) = rtcp::Compound::read(bytes) else {
            self.malformed += 1;
            return;
        };
        let theirs =
            [self.rtp.target(), self.rtcp.target()].iter().flatten().any(|known| known.ip() == from.ip());
        if !theirs || own_port && !self.rtcp.admits(from, false, now) {
            self.strangers += 1;
            return;
        }
        if own_port {
            self.rtcp.heard(from, now);
        }
        for piece in compound {
            match piece {
                Piece::SenderReport { ssrc, info, reports } => {
                    if let Some(reception) = self.reception.as_mut().filter(|r| r.ssrc() == ssrc) {
                        reception.sender_report(info.ntp, now);
                    }
                    self.reported(reports, now, wall);
                }
                Piece::ReceiverReport { reports, .. } => self.reported(reports, now, wall),
                Piece::Extended { ssrc, blocks } => {
                    for block in blocks {
                        self.reported_more(ssrc, &block, now, wall);
                    }
                }
                Piece::Goodbye { mut sources, .. } => {
                    let theirs = self.reception.as_ref().map(Reception::ssrc);
                    if sources.any(|ssrc| Some(ssrc) == theirs) {
                        self.forget_source();
                        self.watch.left();
                    }
                }
                Piece::SourceDescription(_) | Piece::Other { .. } => {}
            }
        }
    }

    fn reported(&mut self, blocks: impl Iterator<Item = ReportBlock>, now: Instant, wall: u64) {
        let ours = self.sending.ssrc();
        let mut received = None;
        for block in blocks.filter(|block| block.ssrc == ours) {
            let lost = f32::from(block.fraction_lost) / 256.0;
            self.sending.told_loss(lost);
            self.reports.their_loss = Some(lost);
            let measured = round_trip(block.last_sr, block.delay_since_last_sr, wall);
            self.reports.round_trip = measured.or(self.reports.round_trip);
            received = Some(block.highest);
        }
        self.watch.report(received, self.sending.sent().0, now);
    }

    fn reported_more(&mut self, ssrc: u32, block: &Block<'_>, now: Instant, wall: u64) {
        let ours = self.sending.ssrc();
        let reports = &mut self.reports;
        match block {
            Block::ReferenceTime { ntp } => reports.reference = Some((ssrc, (ntp >> 16) as u32, now)),
            Block::Delays(delays) => {
                for delay in delays.clone().filter(|delay| delay.ssrc == ours) {
                    let measured = round_trip(delay.last_rr, delay.delay_since_last_rr, wall);
                    reports.round_trip = measured.or(reports.round_trip);
                }
            }
            Block::VoipMetrics(metrics) if metrics.ssrc == ours => {
                let score = metrics.mos_lq.or(metrics.mos_cq).map(|tenths| f32::from(tenths) / 10.0);
                reports.their_mos = score.or(reports.their_mos);
            }
            Block::VoipMetrics(_) | Block::Other { .. } => {}
        }
    }

    /// The next report, when it is due. `wall` is the time in NTP's 32.32 bits.
    pub fn rtcp(&mut self, now: Instant, wall: u64) -> Option<Outgoing<'_>> {
        // Nothing to say before the first packet either way.
        if now < self.reports.next
            || !self.guard.is_ready()
            || self.sending.sent().0 == 0 && self.reception.is_none()
        {
            return None;
        }
        let to = self.rtcp_target()?;
        self.write_report(now, wall);
        self.reports.sent += 1;
        self.reports.schedule(&mut self.rng, now);
        self.guard.protect_rtcp(&mut self.reports.report).ok()?;
        Some(Outgoing { to, rtcp_port: !self.plan.rtcp_mux, bytes: &self.reports.report })
    }

    /// The last report, with BYE, if anything was ever sent. RFC 3550 section 6.3.7.
    pub fn bye(&mut self, now: Instant, wall: u64) -> Option<Outgoing<'_>> {
        if self.sending.sent().0 == 0 && self.reports.sent == 0 {
            return None;
        }
        let to = self.rtcp_target()?;
        let ssrc = self.sending.ssrc();
        self.write_report(now, wall).goodbye(ssrc);
        self.guard.protect_rtcp(&mut self.reports.report).ok()?;
        Some(Outgoing { to, rtcp_port: !self.plan.rtcp_mux, bytes: &self.reports.report })
    }

    fn rtcp_target(&self) -> Option<SocketAddr> {
        let rtp = self.rtp.target();
        if self.plan.rtcp_mux {
            return rtp;
        }
        if !self.plan.reports {
            return None;
        }
        if self.rtcp.is_checked() {
            return self.rtcp.target();
        }
        self.rtcp.target().or_else(|| rtp.map(|to| SocketAddr::new(to.ip(), to.port().wrapping_add(1))))
    }

    fn write_report(&mut self, now: Instant, wall: u64) -> rtcp::Writer<'_> {
        // A sender is who sent since the report before the last. RFC 3550 section 6.3.8.
        let (sent, _) = self.sending.sent();
        let is_sender = sent > self.reports.sent_by[0];
        self.reports.sent_by = [self.reports.sent_by[1], sent];
        let (packets, octets) = self.sending.sent_by_source();
        let info = is_sender.then(|| SenderInfo {
            ntp: wall,
            rtp_timestamp: self.sending.clock(now),
            packets: packets as u32,
            octets: octets as u32,
        });
        let ssrc = self.sending.ssrc();
        let metrics = if self.plan.extended.metrics { self.voip_metrics() } else { None };
        // Who sends reports as a sender has its clock said back by report blocks already.
        let asks = self.plan.extended.round_trip && !is_sender;
        // An answer to each, and no more.
        let said_back = self.reports.reference.take().filter(|_| self.plan.extended.round_trip);
        let delay = said_back.map(|(ssrc, last_rr, at)| Delay {
            ssrc,
            last_rr,
            delay_since_last_rr: ticks_since(at, now),
        });
        let block = self.reception.as_mut().and_then(|reception| reception.report(now));
        let mut writer = rtcp::Writer::new(&mut self.reports.report);
        writer.report(ssrc, info, block);
        writer.cname(ssrc, &self.reports.cname);
        writer.extended(ssrc, asks.then_some(wall), delay, metrics.as_ref());
        writer
    }

    /// How they sound here; `None` before anything came. RFC 3611 section 4.7.
    fn voip_metrics(&self) -> Option<VoipMetrics> {
        let reception = self.reception.as_ref()?;
        let sum = reception.clusters();
        let share = |part: u64| fraction(part as f32 / sum.expected.max(1) as f32);
        let (burst_density, gap_density) = sum.densities();
        let packet = self.packet_time().as_secs_f32() * 1000.0;
        let rating = self.rating();
        let (speech, noise) = self.voice.dbov();
        let dbm0 = |dbov: f32| (dbov - DBM0).round().clamp(-126.0, 126.0) as i8;
        let figures = self.playout.figures();
        let longest = milliseconds(LONGEST_DELAY);
        Some(VoipMetrics {
            ssrc: reception.ssrc(),
            loss_rate: share(sum.lost),
            discard_rate: share(sum.discarded),
            burst_density: fraction(burst_density),
            gap_density: fraction(gap_density),
            // By their usual length; timestamps would say the same, but for pauses.
            burst_duration: (sum.burst_length() * packet) as u16,
            gap_duration: (sum.gap_length() * packet) as u16,
            round_trip: self.reports.round_trip.map_or(0, milliseconds),
            end_system_delay: milliseconds(
                self.plan.ptime + self.plan.codec_out.1.look_ahead() + self.playout.delay(),
            ),
            signal_dbm0: speech.map(dbm0),
            noise_dbm0: noise.map(dbm0),
            // The echo is the platform's to cancel, and it does not say how well it does.
            echo_loss_db: None,
            gmin: GMIN,
            r_factor: Some(rating.r.round().clamp(0.0, 100.0) as u8),
            external_r_factor: None,
            mos_lq: Some(tenths(quality::mos(rating.r_without_delay))),
            mos_cq: Some(tenths(quality::mos(rating.r))),
            concealment: Concealment::Standard,
            adaptive: Some(true),
            adjustment: 0,
            buffer_nominal: milliseconds(figures.target),
            buffer_maximum: longest,
            buffer_limit: longest,
        })
    }
}

/// In 256ths, cut rather than rounded: RFC 3611 section 4.7.1.
fn fraction(share: f32) -> u8 {
    (share * 256.0).min(255.0) as u8
}

fn milliseconds(time: Duration) -> u16 {
    u16::try_from(time.as_millis()).unwrap_or(u16::MAX)
}

fn tenths(mos: f32) -> u8 {
    (mos * 10.0).round() as u8
}
