//! A microphone and a loudspeaker, one of each for all calls: open from the first stream's beginning to the last one's end,
//! the loudspeaker for a tone beside them as well.
//!
//! What is heard is mixed; what the microphone gives goes to every stream, and it is `phone`'s policy that all but one are on
//! hold. A device that cannot be had, or goes away, ends no call: silence is said or nothing heard, and it is tried again.
//! Knows neither platforms nor packets.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{Receiver, Sender};

use base::Instant;
use phone::{MediaId, Tone};

use super::effects::Processor;
use super::keeper::{Answer, Backend, Wish, spawn};
use super::lane::Lane;
use super::local_tone::LocalTone;
use super::ring::{Counters, Loudspeaker, Microphone, loudspeaker, microphone};
use super::{AudioRoute, Effects, FRAME, Frame, Gains, Settings, Side, Sound};
use crate::events::{Event, Events};

#[derive(Debug)]
pub(crate) struct Device {
    /// How many have begun and not ended.
    streams: usize,
    route: AudioRoute,
    microphone: Way<Microphone>,
    loudspeaker: Way<Loudspeaker>,
    wishes: Sender<Wish>,
    answers: Receiver<Answer>,
    /// Of the last wish.
    id: u32,
    said: Frame,
    /// Wider than a sample: several calls add up before they are cut to what the ear can take.
    heard: [i32; FRAME],
    tone: LocalTone,
    effects: Effects,
    /// While the microphone is wanted, if there are any.
    processor: Option<Box<Processor>>,
    gains: Gains,
    counters: Arc<Counters>,
}

/// One direction.
#[derive(Debug)]
struct Way<E> {
    lane: Lane,
    /// Of the wish that was not answered yet.
    asked: Option<u32>,
    /// Our end of its ring.
    end: Option<E>,
}

impl Device {
    /// Begins without a device.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn new(
        backend: impl Backend + 'static,
        settings: Settings,
        counters: Arc<Counters>,
    ) -> io::Result<Self> {
        let (wishes, answers) = spawn(backend)?;
        Ok(Self::between(wishes, answers, settings, counters))
    }

    pub(super) fn between(
        wishes: Sender<Wish>,
        answers: Receiver<Answer>,
        settings: Settings,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            streams: 0,
            route: AudioRoute::default(),
            microphone: Way::new(),
            loudspeaker: Way::new(),
            wishes,
            answers,
            id: 0,
            said: [0; FRAME],
            heard: [0; FRAME],
            tone: LocalTone::new(settings.tones),
            effects: settings.effects,
            processor: None,
            gains: settings.gains,
            counters,
        }
    }

    fn open_microphone(&mut self) {
        if self.microphone.lane.want() {
            self.ask_for_microphone();
        }
    }

    fn open_loudspeaker(&mut self) {
        if self.loudspeaker.lane.want() {
            self.ask_for_loudspeaker();
        }
    }

    fn close_microphone(&mut self) {
        self.processor = None;
        self.microphone.close();
        let _ = self.wishes.send(Wish::CloseMicrophone);
    }

    fn close_loudspeaker(&mut self) {
        self.loudspeaker.close();
        let _ = self.wishes.send(Wish::CloseLoudspeaker);
    }

    /// Whether the loudspeaker is wanted.
    fn is_heard(&self) -> bool {
        self.streams > 0 || self.tone.sounds()
    }

    fn ask_for_microphone(&mut self) {
        let (ours, end) = microphone();
        self.id += 1;
        self.microphone.asked(self.id, ours);
        // When its thread is gone, what was asked is never answered, and the call goes on in silence.
        let _ = self.wishes.send(Wish::Microphone { id: self.id, device: self.route.input, end });
    }

    fn ask_for_loudspeaker(&mut self) {
        let (ours, end) = loudspeaker();
        self.id += 1;
        self.loudspeaker.asked(self.id, ours);
        let _ = self.wishes.send(Wish::Loudspeaker { id: self.id, device: self.route.output, end });
    }

    fn answered(&mut self, answer: Answer, now: Instant, events: &Events) {
        let Answer { id, opened } = answer;
        if opened.is_ok() {
            self.counters.opened.fetch_add(1, Relaxed);
        }
        // One that is neither's was asked for by calls that have ended.
        if self.microphone.asked == Some(id) {
            if self.microphone.answered(&opened, now) {
                self.ask_for_microphone();
            }
            if let Err(reason) = opened
                && self.microphone.lane.failed(now)
            {
                failed(events, format!("The microphone cannot be used: {reason}. Silence is sent."));
            }
        } else if self.loudspeaker.asked == Some(id) {
            if self.loudspeaker.answered(&opened, now) {
                self.ask_for_loudspeaker();
            }
            if let Err(reason) = opened
                && self.loudspeaker.lane.failed(now)
            {
                failed(events, format!("The loudspeaker cannot be used: {reason}. Nothing is heard."));
            }
        }
    }

    /// Looks for those that went away, and for those whose time has come.
    fn look_after(&mut self, now: Instant, events: &Events) {
        if self.microphone.end.as_ref().is_some_and(Microphone::is_lost) && self.microphone.lost(now) {
            failed(events, "The microphone comes and goes. Silence is sent meanwhile.".into());
        }
        if self.loudspeaker.end.as_ref().is_some_and(Loudspeaker::is_lost) && self.loudspeaker.lost(now) {
            failed(events, "The loudspeaker comes and goes. Nothing is heard meanwhile.".into());
        }
        if self.microphone.lane.due(now) {
            self.ask_for_microphone();
        }
        if self.loudspeaker.lane.due(now) {
            self.ask_for_loudspeaker();
        }
    }
}

impl Sound for Device {
    fn begin(&mut self, _media: MediaId, _events: &Events) {
        let was_heard = self.is_heard();
        self.streams += 1;
        if self.streams == 1 {
            self.processor = Processor::new(self.effects).map(Box::new);
            self.open_microphone();
        }
        if !was_heard {
            self.open_loudspeaker();
        }
    }

    fn end(&mut self, _media: MediaId, _events: &Events) {
        self.streams = self.streams.saturating_sub(1);
        if self.streams == 0 {
            self.close_microphone();
        }
        if !self.is_heard() {
            self.close_loudspeaker();
        }
    }

    fn tick_begins(&mut self, now: Instant, events: &Events) {
        while let Ok(answer) = self.answers.try_recv() {
            self.answered(answer, now, events);
        }
        self.look_after(now, events);
        match &mut self.microphone.end {
            Some(end) => end.take(&mut self.said, &self.counters),
            None => self.said.fill(0),
        }
        if let Some(processor) = &mut self.processor {
            processor.said(&mut self.said);
        }
        self.gains.microphone.apply(&mut self.said);
        self.heard.fill(0);
    }

    fn hear(&mut self, _media: MediaId, frame: &Frame, _events: &Events) {
        for (sum, sample) in self.heard.iter_mut().zip(frame) {
            *sum += i32::from(*sample);
        }
    }

    fn say(&mut self, _media: MediaId, frame: &mut Frame, _events: &Events) {
        *frame = self.said;
    }

    fn tick_ends(&mut self) {
        let was_heard = self.is_heard();
        self.tone.add(&mut self.heard);
        let heard = self.gains.loudspeaker.cut(&self.heard);
        if let Some(end) = &mut self.loudspeaker.end {
            // After the gain: an echo is of what the loudspeaker plays.
            if let Some(processor) = &mut self.processor {
                processor.heard(&heard);
            }
            end.put(&heard, &self.counters);
        }
        if was_heard && !self.is_heard() {
            self.close_loudspeaker();
        }
    }

    fn tone(&mut self, tone: Option<Tone>) {
        let was_heard = self.is_heard();
        self.tone.set(tone);
        if !was_heard && self.is_heard() {
            self.open_loudspeaker();
        }
    }

    fn sounds(&self) -> bool {
        self.tone.sounds()
    }

    fn gain(&mut self, side: Side, db: f32) {
        self.gains.set(side, db);
    }

    fn route(&mut self, route: AudioRoute) {
        self.route = route;
        self.restart();
    }

    fn restart(&mut self) {
        if self.streams > 0 {
            self.open_microphone();
        }
        if self.is_heard() {
            self.open_loudspeaker();
        }
    }
}

impl<E> Way<E> {
    const fn new() -> Self {
        Self { lane: Lane::new(), asked: None, end: None }
    }

    fn asked(&mut self, id: u32, ours: E) {
        self.asked = Some(id);
        self.end = Some(ours);
    }

    /// Says whether to ask once more.
    fn answered(&mut self, opened: &Result<(), String>, now: Instant) -> bool {
        self.asked = None;
        if opened.is_ok() {
            return self.lane.opened(now);
        }
        self.end = None;
        false
    }

    /// Says whether to tell a person.
    fn lost(&mut self, now: Instant) -> bool {
        // One that goes before the answer that it came is dealt with when that is there.
        if self.asked.is_some() {
            return false;
        }
        self.end = None;
        self.lane.lost(now)
    }

    fn close(&mut self) {
        *self = Self::new();
    }
}

fn failed(events: &Events, reason: String) {
    events.push(Event::AudioFailed { reason });
}

#[cfg(test)]
#[path = "device_tests.rs"]
mod tests;
