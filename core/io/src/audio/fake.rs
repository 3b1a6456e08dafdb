//! For tests: sound devices that are opened, fail and go away as told, and whose callbacks run when the test says so.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard};

use super::device::Device;
use super::keeper::{Backend, Keeper, Running};
use super::ring::{LoudspeakerEnd, MicrophoneEnd};
use super::{Effects, Settings};

/// Opens and closes devices when the test says so, on the test's own thread.
pub(crate) struct Attendant(Keeper<FakeDevices>);

impl Attendant {
    /// Sees to all that was wished for.
    pub(crate) fn work(&mut self) {
        while self.0.serve_waiting() {}
    }
}

/// What the media thread would have, who opens devices for it, and the devices.
pub(crate) fn attended() -> (Device, Attendant, FakeDevices) {
    attended_with(Settings { effects: Effects::NONE, ..Settings::default() })
}

/// The same, set so.
pub(crate) fn attended_with(settings: Settings) -> (Device, Attendant, FakeDevices) {
    let (wish, wishes) = channel();
    let (answer, answers) = channel();
    let devices = FakeDevices::default();
    let keeper = Keeper::new(devices.clone(), wishes, answer);
    (Device::between(wish, answers, settings, Arc::default()), Attendant(keeper), devices)
}

/// Shared by the test and the thread that opens devices.
#[derive(Clone, Debug, Default)]
pub(crate) struct FakeDevices(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
pub(crate) struct Inner {
    /// Why microphones cannot be opened.
    pub(crate) refuse_microphone: Option<String>,
    /// Why loudspeakers cannot.
    pub(crate) refuse_loudspeaker: Option<String>,
    /// The one that is open, and its number.
    pub(crate) microphone: Option<(Option<i32>, MicrophoneEnd)>,
    /// As well.
    pub(crate) loudspeaker: Option<(Option<i32>, LoudspeakerEnd)>,
    /// How often each was asked for.
    pub(crate) microphones: usize,
    pub(crate) loudspeakers: usize,
}

impl FakeDevices {
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap()
    }

    /// The microphone's callback.
    pub(crate) fn speak(&self, samples: impl IntoIterator<Item = i16>) {
        if let Some((_, end)) = &mut self.lock().microphone {
            end.give(samples);
        }
    }

    /// The loudspeaker's callback.
    pub(crate) fn listen(&self, count: usize) -> Vec<i16> {
        match &mut self.lock().loudspeaker {
            Some((_, end)) => end.take(count).collect(),
            None => Vec::new(),
        }
    }

    /// Both are pulled out.
    pub(crate) fn pull_out(&self) {
        let inner = self.lock();
        if let Some((_, end)) = &inner.microphone {
            end.loss().tell();
        }
        if let Some((_, end)) = &inner.loudspeaker {
            end.loss().tell();
        }
    }
}

impl Backend for FakeDevices {
    fn microphone(&mut self, device: Option<i32>, end: MicrophoneEnd) -> Result<Box<dyn Running>, String> {
        let mut inner = self.lock();
        inner.microphones += 1;
        if let Some(why) = inner.refuse_microphone.clone() {
            drop(inner);
            assert_ne!(why, "panic", "as ordered");
            return Err(why);
        }
        inner.microphone = Some((device, end));
        Ok(Box::new(FakeMicrophone(self.clone())))
    }

    fn loudspeaker(&mut self, device: Option<i32>, end: LoudspeakerEnd) -> Result<Box<dyn Running>, String> {
        let mut inner = self.lock();
        inner.loudspeakers += 1;
        if let Some(why) = &inner.refuse_loudspeaker {
            return Err(why.clone());
        }
        inner.loudspeaker = Some((device, end));
        Ok(Box::new(FakeLoudspeaker(self.clone())))
    }
}

struct FakeMicrophone(FakeDevices);

impl Running for FakeMicrophone {}

impl Drop for FakeMicrophone {
    fn drop(&mut self) {
        self.0.lock().microphone = None;
    }
}

struct FakeLoudspeaker(FakeDevices);

impl Running for FakeLoudspeaker {}

impl Drop for FakeLoudspeaker {
    fn drop(&mut self) {
        self.0.lock().loudspeaker = None;
    }
}
