//! Android's devices, by `oboe`: AAudio, and OpenSL ES where that is too young.
//!
//! Low latency, exclusive if it can be had and else shared, with the platform's echo canceller and noise suppressor
//! (the preset `VoiceCommunication`). Opened at 48 kHz, which nearly every device runs at, and brought to ours here:
//! oboe's own conversion wraps the stream in another, which its error thread uses after it is freed when a device goes away
//! as a call ends. Knows neither rings nor calls.

use oboe::{
    AudioInputCallback, AudioInputStreamSafe, AudioOutputCallback, AudioOutputStreamSafe, AudioStream as _,
    AudioStreamAsync, AudioStreamBuilder, ContentType, DataCallbackResult, Error, Input, InputPreset, Mono,
    Output, PerformanceMode, SampleRateConversionQuality, SharingMode, Usage,
};

use super::RATE;
use super::keeper::{Backend, Running};
use super::ring::{LoudspeakerEnd, MicrophoneEnd};

/// What is asked for; the system converts for a device that runs at another.
const DEVICE_RATE: u32 = 3 * RATE;
/// The system's choice, as Android writes it.
const UNSPECIFIED: i32 = 0;

#[derive(Debug)]
pub(super) struct Oboe;

struct Microphone(MicrophoneEnd);

struct Loudspeaker(LoudspeakerEnd);

impl Backend for Oboe {
    fn microphone(&mut self, device: Option<i32>, end: MicrophoneEnd) -> Result<Box<dyn Running>, String> {
        let end = end.at(DEVICE_RATE).expect("a multiple of ours");
        let asked = for_a_call(device).set_input().set_input_preset(InputPreset::VoiceCommunication);
        let mut stream = asked.set_callback(Microphone(end)).open_stream().map_err(reason)?;
        stream.request_start().map_err(reason)?;
        Ok(Box::new(stream))
    }

    fn loudspeaker(&mut self, device: Option<i32>, end: LoudspeakerEnd) -> Result<Box<dyn Running>, String> {
        let end = end.at(DEVICE_RATE).expect("a multiple of ours");
        let asked = for_a_call(device).set_output();
        let mut stream = asked.set_callback(Loudspeaker(end)).open_stream().map_err(reason)?;
        stream.request_start().map_err(reason)?;
        Ok(Box::new(stream))
    }
}

/// What both directions ask for.
fn for_a_call(device: Option<i32>) -> AudioStreamBuilder<Output, Mono, i16> {
    AudioStreamBuilder::default()
        .set_mono()
        .set_i16()
        .set_sample_rate(DEVICE_RATE as i32)
        .set_sample_rate_conversion_quality(SampleRateConversionQuality::None)
        .set_device_id(device.unwrap_or(UNSPECIFIED))
        .set_performance_mode(PerformanceMode::LowLatency)
        // A wish: the system itself opens a shared stream where no exclusive one can be had.
        .set_sharing_mode(SharingMode::Exclusive)
        .set_usage(Usage::VoiceCommunication)
        .set_content_type(ContentType::Speech)
}

impl Running for AudioStreamAsync<Input, Microphone> {}
impl Running for AudioStreamAsync<Output, Loudspeaker> {}

impl AudioInputCallback for Microphone {
    type FrameType = (i16, Mono);

    fn on_audio_ready(&mut self, _: &mut dyn AudioInputStreamSafe, samples: &[i16]) -> DataCallbackResult {
        self.0.give(samples.iter().copied());
        DataCallbackResult::Continue
    }

    // Not before the close: until then oboe's own thread is at work on the stream that we would drop.
    fn on_error_after_close(&mut self, _: &mut dyn AudioInputStreamSafe, _: Error) {
        self.0.loss().tell();
    }
}

impl AudioOutputCallback for Loudspeaker {
    type FrameType = (i16, Mono);

    fn on_audio_ready(
        &mut self,
        _: &mut dyn AudioOutputStreamSafe,
        samples: &mut [i16],
    ) -> DataCallbackResult {
        let wanted = self.0.take(samples.len());
        samples.iter_mut().zip(wanted).for_each(|(room, sample)| *room = sample);
        DataCallbackResult::Continue
    }

    fn on_error_after_close(&mut self, _: &mut dyn AudioOutputStreamSafe, _: Error) {
        self.0.loss().tell();
    }
}

fn reason(error: Error) -> String {
    match error {
        Error::Disconnected => "it was disconnected".into(),
        Error::Unavailable | Error::NoFreeHandles | Error::NoMemory => "another app has it".into(),
        Error::NoService => "the system's sound service does not answer".into(),
        // What a missing permission looks like, among other things.
        Error::Internal => "the system refuses it; is the permission given?".into(),
        other => format!("the system says {other}"),
    }
}
