//! Frames to samples. GSM 06.10 section 5.3.

use super::SAMPLES;
use super::bits::{BYTES, BadFrame, Frame};
use super::lattice::Synthesis;
use super::lpc::Ratios;
use super::ltp::History;
use super::rpe::reconstruct;

/// Frames of GSM full rate to samples.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    ratios: Ratios,
    lattice: Synthesis,
    history: History,
}

impl Decoder {
    /// Decodes one frame. Samples have 13 bits, left-justified.
    ///
    /// # Errors
    /// [`BadFrame`]: no GSM full rate. Neither the decoder nor `out` has changed.
    pub fn decode(&mut self, payload: &[u8; BYTES], out: &mut [i16; SAMPLES]) -> Result<(), BadFrame> {
        let frame = Frame::unpack(payload)?;
        for (n, codes) in frame.subframes.iter().enumerate() {
            let pulses = reconstruct(codes);
            let predicted = self.history.predict(n, codes.lag, codes.gain);
            self.history.put(n, &std::array::from_fn(|k| pulses[k].saturating_add(predicted[k])));
        }
        *out = *self.history.frame();
        self.history.shift();
        self.lattice.run(&self.ratios.follow(frame.ratios), out);
        Ok(())
    }
}
