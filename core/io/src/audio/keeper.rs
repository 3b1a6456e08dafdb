//! The thread that opens and closes devices, for that may take a second, and the media thread has a packet each 20 ms.
//!
//! It takes wishes and answers each once. A device wished for takes the place of the one before. What a platform's library
//! does wrong ends here, as the reason of a device that cannot be opened. Knows neither calls nor samples.

use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::Builder;

use super::ring::{LoudspeakerEnd, MicrophoneEnd};
use crate::fence::fenced;

/// Not the system's default: what libraries of the platform want is unknown to us.
const STACK: usize = 1024 * 1024;

/// What a platform offers.
pub(crate) trait Backend: Send {
    /// Opens a microphone, the default one or that of this number, and starts it.
    ///
    /// # Errors
    /// Half a sentence for a person: why not.
    fn microphone(&mut self, device: Option<i32>, end: MicrophoneEnd) -> Result<Box<dyn Running>, String>;

    /// As well a loudspeaker.
    ///
    /// # Errors
    /// As well.
    fn loudspeaker(&mut self, device: Option<i32>, end: LoudspeakerEnd) -> Result<Box<dyn Running>, String>;
}

/// A device at work; it stops when it is dropped. It stays on the thread that opened it.
pub(crate) trait Running {}

/// What the media thread wants.
#[derive(Debug)]
pub(super) enum Wish {
    Microphone { id: u32, device: Option<i32>, end: MicrophoneEnd },
    Loudspeaker { id: u32, device: Option<i32>, end: LoudspeakerEnd },
    CloseMicrophone,
    CloseLoudspeaker,
}

/// To the wish of this number; with the reason when it cannot be.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) id: u32,
    pub(super) opened: Result<(), String>,
}

pub(super) struct Keeper<B> {
    backend: B,
    wishes: Receiver<Wish>,
    answers: Sender<Answer>,
    microphone: Option<Box<dyn Running>>,
    loudspeaker: Option<Box<dyn Running>>,
}

/// Starts the thread. It ends when the wishes' sender is dropped; nobody waits for it, for a platform may never return.
pub(super) fn spawn<B: Backend + 'static>(backend: B) -> io::Result<(Sender<Wish>, Receiver<Answer>)> {
    let (wish, wishes) = channel();
    let (answers, answer) = channel();
    Builder::new().name("offhook-audio".into()).stack_size(STACK).spawn(move || {
        let mut keeper = Keeper::new(backend, wishes, answers);
        while keeper.serve() {}
    })?;
    Ok((wish, answer))
}

impl<B: Backend> Keeper<B> {
    pub(super) const fn new(backend: B, wishes: Receiver<Wish>, answers: Sender<Answer>) -> Self {
        Self { backend, wishes, answers, microphone: None, loudspeaker: None }
    }

    /// Waits for a wish and sees to it. Says whether more can come.
    fn serve(&mut self) -> bool {
        self.wishes.recv().is_ok_and(|wish| self.see_to(wish))
    }

    /// For tests: sees to a wish that waits. Says whether there was one.
    #[cfg(test)]
    pub(super) fn serve_waiting(&mut self) -> bool {
        self.wishes.try_recv().is_ok_and(|wish| self.see_to(wish))
    }

    fn see_to(&mut self, wish: Wish) -> bool {
        match wish {
            Wish::Microphone { id, device, end } => {
                close(&mut self.microphone);
                let opened = open(&mut self.microphone, || self.backend.microphone(device, end));
                self.answer(id, opened)
            }
            Wish::Loudspeaker { id, device, end } => {
                close(&mut self.loudspeaker);
                let opened = open(&mut self.loudspeaker, || self.backend.loudspeaker(device, end));
                self.answer(id, opened)
            }
            Wish::CloseMicrophone => {
                close(&mut self.microphone);
                true
            }
            Wish::CloseLoudspeaker => {
                close(&mut self.loudspeaker);
                true
            }
        }
    }

    fn answer(&self, id: u32, opened: Result<(), String>) -> bool {
        self.answers.send(Answer { id, opened }).is_ok()
    }
}

fn open(
    place: &mut Option<Box<dyn Running>>,
    opening: impl FnOnce() -> Result<Box<dyn Running>, String>,
) -> Result<(), String> {
    let opened = fenced(opening).unwrap_or_else(|story| Err(format!("of an internal error at {story}")));
    opened.map(|running| *place = Some(running))
}

fn close(place: &mut Option<Box<dyn Running>>) {
    let old = place.take();
    // It is gone either way, and whether its end went well changes nothing.
    let _ = fenced(move || drop(old));
}

/// The backend of a machine for which there is none.
#[cfg(not(any(target_os = "android", feature = "cpal")))]
#[derive(Debug)]
pub(crate) struct NoDevices;

#[cfg(not(any(target_os = "android", feature = "cpal")))]
impl Backend for NoDevices {
    fn microphone(&mut self, _device: Option<i32>, _end: MicrophoneEnd) -> Result<Box<dyn Running>, String> {
        Err("this build knows no sound devices".into())
    }

    fn loudspeaker(
        &mut self,
        _device: Option<i32>,
        _end: LoudspeakerEnd,
    ) -> Result<Box<dyn Running>, String> {
        Err("this build knows no sound devices".into())
    }
}
