//! Samples to packets and packets to samples: one m-line's media, from the SDP's answer to the hang-up.
//!
//! RFC 3550 (RTP, RTCP), RFC 3551 (the audio profile), RFC 3611 (extended reports), RFC 5761 (RTCP on the RTP port),
//! RFC 3711 (SRTP), ITU-T G.711, G.722, G.729, G.107, GSM 06.10.
//! Knows no sockets, clocks, SDP or SIP. [`Session`] takes packets and captured frames and gives packets and
//! playout frames; once it is up it allocates, locks and logs nothing per packet.

mod beep;
mod bursts;
mod codec;
pub mod comfort_noise;
pub mod dtmf;
pub mod g711;
pub mod g722;
pub mod g729;
pub mod gsm;
mod latch;
mod level;
pub mod opus;
mod oscillator;
mod plan;
mod playout;
mod quality;
mod resample;
pub mod rtcp;
pub mod rtp;
mod session;
pub mod srtp;
mod statistics;
mod timeline;
pub mod tones;
pub mod wav;

pub use beep::Beep;
pub use bursts::{Bursts, Clusters, Fate, GMIN};
pub use codec::{BadPayload, Codec, Coded, Content, Decoder, Encoder, Missed};
pub use latch::Lead;
pub use level::Level;
pub use plan::{Direction, Extended, Plan, Protection};
pub use playout::{Figures, Inserted, MAX_PAYLOAD, Playout};
pub use quality::{Impairment, Path, mos, r_factor};
pub use resample::{Decimator, Interpolator, Resampler};
pub use session::{Outgoing, Overdue, Session, Silence, Silent, Stats};
pub use statistics::{Arrival, Reception, Totals};
pub use timeline::{Point, Timeline};
