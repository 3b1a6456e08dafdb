//! What the demo found: the table for people, the report line for scripts.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::around::Around;
use super::hear::Heard;
use crate::failure::Failure;

/// One direction of the call, as its listener saw it.
#[derive(Clone, Debug)]
pub(crate) struct Leg {
    /// "1001 to 1002".
    pub(crate) name: String,
    /// The listener's figures.
    pub(crate) stats: media::Stats,
    /// What the speaker sent.
    pub(crate) sent: u64,
    /// What the listener's recording holds.
    pub(crate) heard: Heard,
    /// Whether that is what was said.
    pub(crate) audio_ok: bool,
}

/// The whole demo.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// What was talked in.
    pub(crate) codec: media::Codec,
    /// From dialling to the answer.
    pub(crate) setup: Duration,
    /// Caller to called, and back.
    pub(crate) legs: [Leg; 2],
    /// Whether the digits that were pressed arrived, each once and in order.
    pub(crate) digits_ok: bool,
    /// What is around the call.
    pub(crate) around: Around,
}

impl Report {
    /// Whether every check passed.
    pub(crate) fn ok(&self) -> bool {
        self.is_heard() && self.around.ok()
    }

    fn is_heard(&self) -> bool {
        self.digits_ok && self.legs.iter().all(|leg| leg.audio_ok)
    }

    /// Where a check failed: which.
    pub(crate) fn complaint(&self) -> &'static str {
        let heard = || self.is_heard().then(|| self.around.complaint()).flatten();
        heard().unwrap_or("what was heard is not what was said")
    }

    /// The report line. Parts that are not built are absent.
    pub(crate) fn line(&self) -> Line {
        let [to, back] = &self.legs;
        let worse = |a: f64, b: f64| if a > b { a } else { b };
        let ms = |d: Duration| (d.as_secs_f64() * 100_000.0).round() / 100.0;
        let jitter = worse(ms(to.stats.jitter), ms(back.stats.jitter));
        Line {
            event: "report",
            ok: self.ok(),
            calls: [CallLine {
                codec: self.codec.name(),
                setup_ms: ms(self.setup),
                sent: to.sent + back.sent,
                received: to.stats.received + back.stats.received,
                lost: to.stats.lost + back.stats.lost,
                late: to.stats.late + back.stats.late,
                jitter_ms: jitter,
                rtt_ms: to.stats.round_trip.or(back.stats.round_trip).map(ms),
                mos: (f64::from(to.stats.mos.min(back.stats.mos)) * 100.0).round() / 100.0,
                audio_ok: self.legs.iter().all(|leg| leg.audio_ok),
            }],
            dtmf_ok: self.digits_ok,
            around: self.around.clone(),
        }
    }
}

/// `{"event":"report",...}`: both directions of the call together, the worse where they cannot be added.
#[derive(Debug, Serialize)]
pub(crate) struct Line {
    event: &'static str,
    ok: bool,
    calls: [CallLine; 1],
    dtmf_ok: bool,
    #[serde(flatten)]
    around: Around,
}

#[derive(Debug, Serialize)]
struct CallLine {
    codec: &'static str,
    setup_ms: f64,
    sent: u64,
    received: u64,
    lost: u64,
    late: u64,
    jitter_ms: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rtt_ms: Option<f64>,
    mos: f64,
    audio_ok: bool,
}

/// The report line of a demo that did not come to its checks.
#[derive(Debug, Serialize)]
pub(crate) struct Failed {
    event: &'static str,
    ok: bool,
    reason: String,
    calls: [(); 0],
}

impl Failed {
    pub(crate) fn new(failure: &Failure) -> Self {
        Self { event: "report", ok: false, reason: failure.to_string(), calls: [] }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |d: Duration| format!("{:.1} ms", d.as_secs_f64() * 1000.0);
        writeln!(f, "set-up {}, {}", ms(self.setup), self.codec.name())?;
        writeln!(f)?;
        writeln!(
            f,
            "{:<14} {:>6} {:>8} {:>5} {:>5} {:>9} {:>10} {:>5}  audio",
            "direction", "sent", "received", "lost", "late", "jitter", "round trip", "MOS"
        )?;
        for leg in &self.legs {
            let stats = &leg.stats;
            let round_trip = stats.round_trip.map_or("-".into(), ms);
            let audio = if leg.audio_ok { "ok" } else { "WRONG" };
            writeln!(
                f,
                "{:<14} {:>6} {:>8} {:>5} {:>5} {:>9} {round_trip:>10} {:>5.2}  {audio}: {} of {} s match",
                leg.name,
                leg.sent,
                stats.received,
                stats.lost,
                stats.late,
                ms(stats.jitter),
                stats.mos,
                leg.heard.matching,
                leg.heard.seconds,
            )?;
        }
        writeln!(f, "\ndigits {}", if self.digits_ok { "ok" } else { "WRONG" })?;
        write!(f, "{}", self.around)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use base::{Instant, Rng};
    use media::{Codec, Plan, Session};

    use super::*;
    use crate::demo::around::tests::around;

    pub(crate) fn stats() -> media::Stats {
        let plan = Plan::of(0, Codec::Pcmu);
        Session::new(plan, 8000, Rng::from_number(1), Instant::ZERO).stats()
    }

    fn report(audio_ok: [bool; 2]) -> Report {
        let leg = |name: &str, audio_ok| Leg {
            name: name.into(),
            stats: media::Stats { received: 249, lost: 1, mos: 4.41, ..stats() },
            sent: 250,
            heard: Heard { seconds: 4, matching: 4 },
            audio_ok,
        };
        Report {
            codec: Codec::Pcmu,
            setup: Duration::from_micros(12_345),
            legs: [leg("1001 to 1002", audio_ok[0]), leg("1002 to 1001", audio_ok[1])],
            digits_ok: true,
            around: around(true),
        }
    }

    #[test]
    fn the_report_line_holds_what_the_contract_names_and_nothing_unbuilt() {
        let line = serde_json::to_string(&report([true, true]).line()).unwrap();
        let expected = r#"{"event":"report","ok":true,"calls":[{"codec":"PCMU","setup_ms":12.35,"sent":500,"#;
        assert!(line.starts_with(expected), "{line}");
        assert!(
            line.contains(r#""received":498,"lost":2,"#)
                && line.contains(r#""mos":4.41,"audio_ok":true}],"dtmf_ok":true,"balance_ok":true,"#)
        );
        assert!(line.contains(r#""caller_id":{"number":"+4930123456","by":"pai"}"#), "{line}");
        assert!(!line.contains("rtt_ms"), "{line}");
    }

    #[test]
    fn one_deaf_direction_fails_the_whole() {
        let report = report([true, false]);
        assert!(!report.ok());
        assert!(serde_json::to_string(&report.line()).unwrap().contains(r#""ok":false"#));
        assert!(report.to_string().contains("WRONG"));
    }

    #[test]
    fn a_call_that_cost_the_wrong_amount_fails_the_whole() {
        let report = Report { around: around(false), ..report([true, true]) };
        assert!(!report.ok() && report.complaint().contains("cost"));
        assert!(report.to_string().contains("balance WRONG"));
    }
}
