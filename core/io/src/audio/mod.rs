//! What calls say and hear: sound devices, files, or silence, behind one seam.
//!
//! ```text
//!                          media thread, each 20 ms                device's own thread
//!  packets <-> session <-> Sound: files   <-> WAV
//!                                 device  <-- ring, its pace ----> callback (oboe, cpal)
//! ```
//! Knows nothing of packets, sessions or call policy.

mod device;
mod effects;
#[cfg(test)]
mod fake;
mod files;
mod gain;
mod keeper;
mod lane;
mod local_tone;
mod pace;
// Where no platform's devices are built in, the callbacks' ends have nobody to call them.
#[cfg_attr(not(any(test, target_os = "android", feature = "cpal")), allow(dead_code))]
mod ring;

#[cfg(all(feature = "cpal", not(target_os = "android")))]
mod cpal;
#[cfg(target_os = "android")]
mod oboe;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use base::Instant;
use phone::{MediaId, Tone};

use crate::events::Events;

pub use effects::Effects;
#[cfg(test)]
pub(crate) use fake::{Attendant, FakeDevices, attended};
#[cfg(test)]
pub(crate) use files::Files;
pub(crate) use files::open as open_wav;
pub(crate) use gain::{Gains, Side};
pub use local_tone::LocalTones;
pub use ring::AudioStats;
pub(crate) use ring::Counters;

/// Samples a second between devices or files and calls: what the widest of the codecs carries.
pub(crate) const RATE: u32 = 16_000;
/// In a millisecond.
const PER_MS: usize = (RATE / 1000) as usize;
/// In 20 ms.
pub(crate) const FRAME: usize = (RATE / 50) as usize;
/// 20 ms.
pub(crate) type Frame = [i16; FRAME];

/// What calls say and hear.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Audio {
    /// Nothing.
    #[default]
    Silent,
    /// Files.
    Files {
        /// A WAV file to say, round and round; without one, silence.
        play: Option<PathBuf>,
        /// A WAV file to write what is heard to; later calls go beside it, numbered.
        record: Option<PathBuf>,
    },
    /// The microphone and the loudspeaker: `oboe` on Android, elsewhere `cpal` if it was built in.
    Device,
}

/// Which devices. Numbers are Android's `AudioDeviceInfo.getId()`; elsewhere they mean nothing. `None`: the system's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AudioRoute {
    /// The microphone.
    pub input: Option<i32>,
    /// The loudspeaker.
    pub output: Option<i32>,
}

/// How what is said and heard is treated; files only by their gains.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) tones: LocalTones,
    pub(crate) effects: Effects,
    pub(crate) gains: Gains,
}

/// What the media thread does with sound. In each tick every stream hears and says a frame.
pub(crate) trait Sound: Send {
    /// A stream begins.
    fn begin(&mut self, media: MediaId, events: &Events);
    /// It ends.
    fn end(&mut self, media: MediaId, events: &Events);
    /// Before the streams' turn.
    fn tick_begins(&mut self, _now: Instant, _events: &Events) {}
    /// The next 20 ms heard by a stream.
    fn hear(&mut self, media: MediaId, frame: &Frame, events: &Events);
    /// The next 20 ms for it to say.
    fn say(&mut self, media: MediaId, frame: &mut Frame, events: &Events);
    /// After the streams' turn.
    fn tick_ends(&mut self) {}
    /// What is to sound beside the streams from now on.
    fn tone(&mut self, _tone: Option<Tone>) {}
    /// Whether it needs ticks although no stream is open.
    fn sounds(&self) -> bool {
        false
    }
    /// From now on so much louder.
    fn gain(&mut self, side: Side, db: f32);
    /// Other devices are to be used.
    fn route(&mut self, _route: AudioRoute) {}
    /// What could not be had may be there now.
    fn restart(&mut self) {}
}

/// Makes what `audio` asks for.
///
/// # Errors
/// The system gives no thread.
pub(crate) fn sound(
    audio: Audio,
    settings: Settings,
    counters: &Arc<Counters>,
) -> io::Result<Box<dyn Sound>> {
    Ok(match audio {
        Audio::Silent => Box::new(files::Files::new(None, None, settings.gains)),
        Audio::Files { play, record } => Box::new(files::Files::new(play, record, settings.gains)),
        Audio::Device => Box::new(device::Device::new(backend(), settings, Arc::clone(counters))?),
    })
}

#[cfg(target_os = "android")]
fn backend() -> impl keeper::Backend {
    oboe::Oboe
}

#[cfg(all(feature = "cpal", not(target_os = "android")))]
fn backend() -> impl keeper::Backend {
    cpal::Cpal
}

#[cfg(not(any(target_os = "android", feature = "cpal")))]
fn backend() -> impl keeper::Backend {
    keeper::NoDevices
}
