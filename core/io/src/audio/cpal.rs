//! Desktops' devices, by `cpal`: the default ones, for the feature `cpal`.
//!
//! Opened at a whole multiple of 16 kHz, with as few channels as they offer. Knows neither rings nor calls.

use cpal::traits::{DeviceTrait as _, HostTrait as _, StreamTrait as _};
use cpal::{
    BufferSize, Device, Error, ErrorKind, FromSample, Sample as _, SampleFormat, SizedSample, Stream,
    StreamConfig, SupportedBufferSize, SupportedStreamConfigRange,
};

use super::keeper::{Backend, Running};
use super::ring::{Loss, LoudspeakerEnd, MicrophoneEnd};

/// Rates that can be brought to ours, the usual one first.
const RATES: [u32; 2] = [48_000, 16_000];

#[derive(Debug)]
pub(super) struct Cpal;

impl Backend for Cpal {
    fn microphone(&mut self, _: Option<i32>, end: MicrophoneEnd) -> Result<Box<dyn Running>, String> {
        let device = cpal::default_host().default_input_device().ok_or("there is none")?;
        let offers = device.supported_input_configs().map_err(reason)?;
        let (config, format) = choose(offers)?;
        let end = end.at(config.sample_rate).expect("one of ours");
        let stream = match format {
            SampleFormat::I16 => hear::<i16>(&device, config, end),
            _ => hear::<f32>(&device, config, end),
        };
        run(stream)
    }

    fn loudspeaker(&mut self, _: Option<i32>, end: LoudspeakerEnd) -> Result<Box<dyn Running>, String> {
        let device = cpal::default_host().default_output_device().ok_or("there is none")?;
        let offers = device.supported_output_configs().map_err(reason)?;
        let (config, format) = choose(offers)?;
        let end = end.at(config.sample_rate).expect("one of ours");
        let stream = match format {
            SampleFormat::I16 => speak::<i16>(&device, config, end),
            _ => speak::<f32>(&device, config, end),
        };
        run(stream)
    }
}

impl Running for Stream {}

/// The first channel: the others say the same, or nothing.
fn hear<T: SizedSample>(
    device: &Device,
    config: StreamConfig,
    mut end: MicrophoneEnd,
) -> Result<Stream, Error>
where
    i16: FromSample<T>,
{
    let (channels, loss) = (usize::from(config.channels), end.loss());
    let heard = move |samples: &[T], _: &_| end.give(samples.iter().step_by(channels).map(|s| s.to_sample()));
    device.build_input_stream(config, heard, move |error| went_wrong(&error, &loss), None)
}

fn speak<T: SizedSample + FromSample<i16>>(
    device: &Device,
    config: StreamConfig,
    mut end: LoudspeakerEnd,
) -> Result<Stream, Error> {
    let (channels, loss) = (usize::from(config.channels), end.loss());
    let wanted = move |samples: &mut [T], _: &_| {
        let said = end.take(samples.len() / channels);
        samples.chunks_mut(channels).zip(said).for_each(|(all, sample)| all.fill(sample.to_sample()));
    };
    device.build_output_stream(config, wanted, move |error| went_wrong(&error, &loss), None)
}

fn run(stream: Result<Stream, Error>) -> Result<Box<dyn Running>, String> {
    let stream = stream.map_err(reason)?;
    stream.play().map_err(reason)?;
    Ok(Box::new(stream))
}

/// Of what a device offers: a rate and a format of ours, few channels, and 20 ms at once if it lets us choose.
fn choose(
    offers: impl Iterator<Item = SupportedStreamConfigRange>,
) -> Result<(StreamConfig, SampleFormat), String> {
    let of_ours = |offer: &SupportedStreamConfigRange| {
        matches!(offer.sample_format(), SampleFormat::I16 | SampleFormat::F32)
    };
    let offers: Vec<_> = offers.filter(of_ours).collect();
    let at = |rate| offers.iter().filter(move |o| o.contains_rate(rate)).min_by_key(|o| o.channels());
    let (offer, rate) = RATES
        .into_iter()
        .find_map(|rate| at(rate).map(|offer| (offer, rate)))
        .ok_or("it offers no sample rate of 48 or 16 kHz")?;
    let frame = rate / 50;
    let buffer_size = match *offer.buffer_size() {
        SupportedBufferSize::Range { min, max } if (min..=max).contains(&frame) => BufferSize::Fixed(frame),
        _ => BufferSize::Default,
    };
    let config = StreamConfig { channels: offer.channels(), sample_rate: rate, buffer_size };
    Ok((config, offer.sample_format()))
}

/// Only what the stream does not outlive is a loss.
fn went_wrong(error: &Error, loss: &Loss) {
    match error.kind() {
        ErrorKind::DeviceChanged | ErrorKind::Xrun | ErrorKind::RealtimeDenied => {}
        _ => loss.tell(),
    }
}

fn reason(error: Error) -> String {
    match error.kind() {
        ErrorKind::DeviceBusy => "another program has it".into(),
        ErrorKind::DeviceNotAvailable => "it is not there".into(),
        ErrorKind::HostUnavailable => "there is no sound service".into(),
        ErrorKind::PermissionDenied => "the permission is missing".into(),
        _ => format!("the system says: {error}"),
    }
}
