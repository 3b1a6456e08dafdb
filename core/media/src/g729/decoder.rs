//! The decoder: a frame of fields, or news of its loss, in; 80 samples out.
//!
//! G.729 Annex A section A.4 with the concealment of section 4.4, Annex B section B.4. Knows no packets.

use std::marker::PhantomData;

use super::bits::{SID_BYTES, SPEECH_BYTES, SidFields, SpeechFields, SubframeFields, lag_parity};
use super::gain::{Energies, code_gain, sharpening};
use super::highpass;
use super::kernels::{Fast, Kernels};
use super::lsf::{History, noise_sum, speech_sum, stabilise, subframe_filters, to_lsp};
use super::math::{Block, FRAME, Lpc, Lsp, ORDER, SUBFRAME, Seed, log2, mix};
use super::noise;
use super::ops::*;
use super::postfilter::PostFilter;
use super::tables::*;

/// What arrived for one 10 ms slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// Ten octets of speech.
    Speech(&'a [u8; SPEECH_BYTES]),
    /// Two octets that describe the silence to come.
    Sid([u8; SID_BYTES]),
    /// Nothing, as the sender meant it.
    Untransmitted,
    /// Something that was lost.
    Erased,
}

/// Samples of excitation kept before a frame.
const PAST: usize = 154;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Speech,
    Sid,
    Untransmitted,
}

/// One stream's decoder. Fixed size, no allocation, the same output word for word as the Recommendation's.
#[derive(Clone, Debug, Default)]
pub struct Decoder(Decoding<Fast>);

impl Decoder {
    /// Decodes one slot.
    pub fn decode(&mut self, frame: Frame<'_>) -> [i16; FRAME] {
        self.0.decode(frame)
    }
}

/// The decoder, by the loops it runs on.
#[derive(Clone, Debug)]
pub(super) struct Decoding<K> {
    exc: [i16; PAST + FRAME],
    lsp: Lsp,
    history: History,
    /// Predictor and frequencies of the last good speech frame.
    mode: usize,
    lsf: Lsp,
    lag: i16,
    /// Sharpening of the next subframe's code, Q14.
    sharp: i16,
    pitch_gain: i16,
    code_gain: i16,
    energies: Energies,
    memory: Lsp,
    erasure_seed: Seed,
    was_speech: bool,
    noise: Noise,
    postfilter: PostFilter,
    highpass: highpass::Output,
    kernels: PhantomData<K>,
}

/// What is remembered for comfort noise.
#[derive(Clone, Debug)]
struct Noise {
    seed: Seed,
    /// Energy of the last frame that was not erased, mantissa and exponent: stands in for a lost descriptor.
    energy: (i16, i32),
    sid_gain: i16,
    gain: i16,
    lsp: Lsp,
}

impl<K> Default for Decoding<K> {
    fn default() -> Self {
        Self {
            exc: [0; PAST + FRAME],
            lsp: LSP_INIT,
            history: History::default(),
            mode: 0,
            lsf: LSF_RESET,
            lag: 60,
            sharp: 3277,
            pitch_gain: 0,
            code_gain: 0,
            energies: Energies::default(),
            memory: [0; ORDER],
            erasure_seed: Seed(21845),
            was_speech: true,
            noise: Noise {
                seed: noise::SEED,
                energy: (0, 1),
                sid_gain: TAB_SIDGAIN[0],
                gain: 0,
                lsp: SID_LSP_INIT,
            },
            postfilter: PostFilter::default(),
            highpass: highpass::Output::new(),
            kernels: PhantomData,
        }
    }
}

impl<K: Kernels> Decoding<K> {
    pub(super) fn decode(&mut self, frame: Frame<'_>) -> [i16; FRAME] {
        let (kind, erased) = match frame {
            Frame::Speech(_) => (Kind::Speech, false),
            Frame::Sid(_) => (Kind::Sid, false),
            Frame::Untransmitted => (Kind::Untransmitted, false),
            Frame::Erased => (if self.was_speech { Kind::Speech } else { Kind::Untransmitted }, true),
        };
        let mut synth = [[0; SUBFRAME]; 2];
        let mut lags = [self.lag; 2];
        let filters = match frame {
            Frame::Speech(bytes) => self.speech(Some(&SpeechFields::unpack(bytes)), &mut synth, &mut lags),
            Frame::Erased if kind == Kind::Speech => self.speech(None, &mut synth, &mut lags),
            Frame::Sid(bytes) => self.comfort_noise(Some(SidFields::unpack(bytes)), &mut synth),
            Frame::Untransmitted | Frame::Erased => self.comfort_noise(None, &mut synth),
        };
        if !erased {
            let e = K::energy(0, &self.exc[PAST..]).value;
            let n = norm_l(e);
            self.noise.energy = (round(l_shl(e, n)), 16 - n);
        }
        self.exc.copy_within(FRAME.., 0);
        self.was_speech = kind == Kind::Speech;

        let mut out = [0; FRAME];
        for (i, s) in synth.iter().enumerate() {
            let filtered = self.postfilter.subframe::<K>(s, &filters[i], lags[i], kind == Kind::Speech);
            out[i * SUBFRAME..][..SUBFRAME].copy_from_slice(&filtered);
        }
        self.highpass.block(&out)
    }

    /// A speech frame; without fields, the concealment of one.
    fn speech(
        &mut self,
        fields: Option<&SpeechFields>,
        synth: &mut [Block; 2],
        lags: &mut [i16; 2],
    ) -> [Lpc; 2] {
        self.noise.seed = noise::SEED;
        let lsf = match fields {
            Some(f) => {
                self.mode = usize::from(f.mode & 1);
                let sum = speech_sum(f.first, f.second);
                let mut lsf = self.history.compose(&sum, &FG[self.mode], &FG_SUM[self.mode]);
                stabilise(&mut lsf);
                self.lsf = lsf;
                lsf
            }
            None => {
                let sum = self.history.target(&self.lsf, &FG[self.mode], &FG_SUM_INV[self.mode]);
                self.history.push(&sum);
                self.lsf
            }
        };
        let lsp = to_lsp(&lsf);
        let filters = subframe_filters(&lsp, &self.lsp);
        self.lsp = lsp;

        let mut used = self.lag;
        for i in 0..2 {
            let half = fields.map(|f| &f.subframes[i]);
            let (lag, fraction) = match (half, i) {
                (None, _) => self.conceal_lag(),
                (Some(s), 0) if fields.is_some_and(|f| f.parity != lag_parity(s.lag)) => self.conceal_lag(),
                (Some(s), 0) => self.keep_lag(first_lag(s.lag)),
                (Some(s), _) => self.keep_lag(second_lag(s.lag, used)),
            };
            used = lag;
            lags[i] = lag;
            let at = PAST + i * SUBFRAME;
            K::interpolate(&mut self.exc, at, lag, fraction);
            let code = self.code(half, lag);
            self.gains(half, &code);
            mix(&mut self.exc[at..], self.pitch_gain, &code, self.code_gain);
            self.synthesise(&filters[i], at, &mut synth[i]);
        }
        filters
    }

    /// The lag to use when the sent one is not to be had; grows by one each time.
    fn conceal_lag(&mut self) -> (i16, i16) {
        let lag = self.lag;
        self.lag = (lag + 1).min(143);
        (lag, 0)
    }

    fn keep_lag(&mut self, (lag, fraction): (i16, i16)) -> (i16, i16) {
        self.lag = lag;
        (lag, fraction)
    }

    /// The four pulses, sharpened at the pitch for short lags.
    fn code(&mut self, half: Option<&SubframeFields>, lag: i16) -> Block {
        let (positions, signs) = match half {
            Some(s) => (s.positions, s.signs),
            None => {
                let positions = self.erasure_seed.draw() as u16 & 0x1FFF;
                (positions, self.erasure_seed.draw() as u8 & 15)
            }
        };
        let track = |from: u32| 5 * usize::from(positions >> from & 7);
        let jitter = usize::from(positions >> 9 & 1);
        let mut code = [0; SUBFRAME];
        for (k, p) in [track(0), track(3) + 1, track(6) + 2, track(10) + 3 + jitter].into_iter().enumerate() {
            code[p] = if signs >> k & 1 == 1 { 8191 } else { -8192 };
        }
        sharpen(&mut code, lag, self.sharp);
        code
    }

    fn gains(&mut self, half: Option<&SubframeFields>, code: &Block) {
        match half {
            Some(s) => {
                let one = &GBK1[usize::from(IMAP1[usize::from(s.gain_a & 7)])];
                let two = &GBK2[usize::from(IMAP2[usize::from(s.gain_b & 15)])];
                let predicted = self.energies.predict::<K>(code);
                let factor = i32::from(one[1]) + i32::from(two[1]);
                self.pitch_gain = add(one[0], two[0]);
                self.code_gain = code_gain(factor, predicted);
                self.energies.push(factor);
            }
            None => {
                self.pitch_gain = mult(self.pitch_gain, 29491).min(29491);
                self.code_gain = mult(self.code_gain, 32111);
                self.energies.push_erased();
            }
        }
        self.sharp = sharpening(self.pitch_gain);
    }

    /// Synthesis of the subframe at `at`; an overflow quiets the whole excitation and tries once more.
    fn synthesise(&mut self, a: &Lpc, at: usize, out: &mut Block) {
        let block = |exc: &[i16]| -> Block { std::array::from_fn(|i| exc[at + i]) };
        if K::synthesis(a, &block(&self.exc), &self.memory, out) {
            for e in &mut self.exc {
                *e = shr(*e, 2);
            }
            K::synthesise(a, &block(&self.exc), &mut self.memory, out);
        } else {
            self.memory.copy_from_slice(&out[SUBFRAME - ORDER..]);
        }
    }

    fn comfort_noise(&mut self, sid: Option<SidFields>, synth: &mut [Block; 2]) -> [Lpc; 2] {
        let first = self.was_speech;
        match sid {
            Some(f) => {
                self.noise.sid_gain = TAB_SIDGAIN[usize::from(f.gain & 31)];
                let mode = usize::from(f.mode & 1);
                let sum = noise_sum(f.first, f.second);
                let mut lsf = self.history.compose(&sum, &NOISE_FG[mode], &NOISE_FG_SUM[mode]);
                stabilise(&mut lsf);
                self.noise.lsp = to_lsp(&lsf);
            }
            None if first => self.noise.sid_gain = TAB_SIDGAIN[self.guessed_sid_gain()],
            None => {}
        }
        self.noise.gain = noise::smoothed(self.noise.gain, self.noise.sid_gain, first);
        noise::excitation::<K>(self.noise.gain, &mut self.exc, PAST, &mut self.noise.seed);
        let filters = subframe_filters(&self.noise.lsp, &self.lsp);
        self.lsp = self.noise.lsp;
        for i in 0..2 {
            self.synthesise(&filters[i], PAST + i * SUBFRAME, &mut synth[i]);
        }
        self.sharp = 3277;
        filters
    }

    /// The gain index of a descriptor that never came, from the last energy heard.
    fn guessed_sid_gain(&self) -> usize {
        let (mantissa, exponent) = self.noise.energy;
        let l = l_shl(i32::from(mantissa), exponent);
        sid_gain_index(mpy32_16(split(l), SID_FACT[0]), 0).0
    }
}

/// Code and level (dB) of a comfort-noise energy `l * 2^-scale`. Annex B section B.4.2.1.
pub(super) fn sid_gain_index(l: i32, scale: i16) -> (usize, i16) {
    let (e, f) = log2(l);
    let v = add(shl(sub(e, scale), 10), mult_r(f, 1024));
    if v <= -2721 {
        (0, -12)
    } else if v > 22111 {
        (31, 66)
    } else if v <= 4762 {
        let i = mult(add(v, 3401), 24).max(1);
        (i as usize, 4 * i - 8)
    } else {
        let i = sub(shr(mult(sub(v, 340), 193), 2), 1).max(6);
        (i as usize, 2 * i + 4)
    }
}

/// Repeats the code at the pitch lag when that lies inside the subframe.
pub(super) fn sharpen(code: &mut Block, lag: i16, sharp: i16) {
    let b = shl(sharp, 1);
    for i in lag as usize..SUBFRAME {
        code[i] = add(code[i], mult(code[i - lag as usize], b));
    }
}

fn first_lag(code: u8) -> (i16, i16) {
    let x = i16::from(code);
    if x < 197 {
        let lag = mult(x + 2, 10923) + 19;
        (lag, x - 3 * lag + 58)
    } else {
        (x - 112, 0)
    }
}

fn second_lag(code: u8, first: i16) -> (i16, i16) {
    let x = i16::from(code);
    let low = if first - 5 + 9 > 143 { 134 } else { (first - 5).max(20) };
    let i = mult(x + 2, 10923) - 1;
    (i + low, x - 2 - 3 * i)
}
