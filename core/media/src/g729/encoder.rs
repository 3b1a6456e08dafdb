//! The encoder: 80 samples in, the bits of the frame before half of them out.
//!
//! G.729 Annex A section A.3, with Annex B's silence compression when it is asked for. Delays by 40 samples.
//! Knows no packets.

use std::marker::PhantomData;

use super::bits::{SID_BYTES, SPEECH_BYTES, SpeechFields, SubframeFields, lag_parity};
use super::decoder::sharpen;
use super::dtx::{Dtx, Sent};
use super::fixed;
use super::gain::{Energies, sharpening};
use super::gain_search::{self, Scaled};
use super::highpass;
use super::kernels::{Fast, Kernels};
use super::lpc::{self, Levinson, PRESENT};
use super::lsf::{History, subframe_filters};
use super::lsf_search::quantise;
use super::math::{Block, FRAME, Lpc, Lsp, ORDER, SUBFRAME, mix, weight};
use super::noise;
use super::ops::*;
use super::pitch::{self, LAG_MAX, Taming};
use super::tables::LSP_INIT;

/// What a frame became.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coded {
    /// Speech.
    Speech([u8; SPEECH_BYTES]),
    /// The description of a silence that begins or has changed.
    Sid([u8; SID_BYTES]),
    /// Silence as before: nothing to send.
    Nothing,
}

/// Samples of excitation kept before a frame.
const PAST: usize = 154;

/// One stream's encoder. Fixed size, no allocation, the same bits as the Recommendation's.
#[derive(Clone, Debug)]
pub struct Encoder(Encoding<Fast>);

impl Encoder {
    /// A fresh encoder; `silence_compression` (Annex B) is fixed for its life.
    pub fn new(silence_compression: bool) -> Self {
        Self(Encoding::new(silence_compression))
    }

    /// Codes the next 10 ms.
    pub fn encode(&mut self, samples: &[i16; FRAME]) -> Coded {
        self.0.encode(samples)
    }
}

/// The encoder, by the loops it runs on.
#[derive(Clone, Debug)]
pub(super) struct Encoding<K> {
    highpass: highpass::Input,
    speech: [i16; 240],
    weighted: [i16; LAG_MAX + FRAME],
    exc: [i16; PAST + FRAME],
    levinson: Levinson,
    lsp: Lsp,
    lsp_quantised: Lsp,
    history: History,
    memory_weighted: Lsp,
    /// The weighted error over the last ten samples.
    memory_error: Lsp,
    sharp: i16,
    energies: Energies,
    taming: Taming,
    dtx: Option<Box<Dtx>>,
    kernels: PhantomData<K>,
}

impl<K: Kernels> Encoding<K> {
    pub(super) fn new(silence_compression: bool) -> Self {
        Self {
            highpass: highpass::Input::new(),
            speech: [0; 240],
            weighted: [0; LAG_MAX + FRAME],
            exc: [0; PAST + FRAME],
            levinson: Levinson::default(),
            lsp: LSP_INIT,
            lsp_quantised: LSP_INIT,
            history: History::default(),
            memory_weighted: [0; ORDER],
            memory_error: [0; ORDER],
            sharp: 3277,
            energies: Energies::default(),
            taming: Taming::default(),
            dtx: silence_compression.then(Box::default),
            kernels: PhantomData,
        }
    }

    pub(super) fn encode(&mut self, samples: &[i16; FRAME]) -> Coded {
        self.speech.copy_within(FRAME.., 0);
        self.speech[240 - FRAME..].copy_from_slice(&self.highpass.block(samples));
        self.weighted.copy_within(FRAME.., 0);
        self.exc.copy_within(FRAME.., 0);

        let correlation = lpc::correlate::<K>(&self.speech);
        let prediction = self.levinson.solve(&correlation.r);
        let lsp = lpc::to_lsp(&prediction.a, &self.lsp);
        if let Some(mut dtx) = self.dtx.take() {
            let voice = dtx.is_voice(&correlation, &prediction, &lsp, &self.speech);
            let coded = if voice { None } else { Some(self.noise(&mut dtx)) };
            dtx.end_of_frame(voice);
            self.dtx = Some(dtx);
            if let Some(coded) = coded {
                return coded;
            }
        }
        Coded::Speech(self.voice(lsp).pack())
    }

    fn voice(&mut self, lsp: Lsp) -> SpeechFields {
        let q = quantise(&lsp, &mut self.history);
        let filters = subframe_filters(&q.lsp, &self.lsp_quantised);
        self.lsp = lsp;
        self.lsp_quantised = q.lsp;
        let weighted_filters = [0, 1].map(|i| self.weigh(i, &filters[i]));

        let open = pitch::open_loop::<K>(&self.weighted);
        let mut fields =
            SpeechFields { mode: q.mode, first: q.first, second: q.second, ..SpeechFields::default() };
        let mut window = pitch::window(open, 3, 6);
        for i in 0..2 {
            let from = *window.start();
            let (lag, fraction, sub) = self.subframe(i, &weighted_filters[i], window);
            let code = match i {
                0 if lag <= 85 => 3 * lag - 58 + fraction,
                0 => lag + 112,
                _ => 3 * (lag - from) + 2 + fraction,
            };
            fields.subframes[i] = SubframeFields { lag: code as u8, ..sub };
            window = pitch::window(lag, 5, 9);
        }
        fields.parity = lag_parity(fields.subframes[0].lag);
        fields
    }

    /// Residual into the excitation, weighted speech beside it; the weighted filter back.
    fn weigh(&mut self, i: usize, a: &Lpc) -> Lpc {
        let from = PRESENT + i * SUBFRAME;
        let mut block = [0; SUBFRAME];
        K::residual(a, &std::array::from_fn(|n| self.speech[from - ORDER + n]), &mut block);
        self.exc[PAST + i * SUBFRAME..][..SUBFRAME].copy_from_slice(&block);
        self.weigh_block(i, a, &block)
    }

    fn weigh_block(&mut self, i: usize, a: &Lpc, block: &Block) -> Lpc {
        let ap = weight(a, 24576);
        let mut tilted = ap;
        for i in 1..=ORDER {
            tilted[i] = sub(ap[i], mult(ap[i - 1], 22938));
        }
        let mut out = [0; SUBFRAME];
        K::synthesise(&tilted, block, &mut self.memory_weighted, &mut out);
        self.weighted[LAG_MAX + i * SUBFRAME..][..SUBFRAME].copy_from_slice(&out);
        ap
    }

    fn subframe(
        &mut self,
        i: usize,
        ap: &Lpc,
        window: std::ops::RangeInclusive<i16>,
    ) -> (i16, i16, SubframeFields) {
        let at = PAST + i * SUBFRAME;
        let block = |exc: &[i16]| -> Block { std::array::from_fn(|n| exc[at + n]) };
        let mut impulse = [0; SUBFRAME];
        impulse[0] = 4096;
        let mut h = [0; SUBFRAME];
        K::synthesise(ap, &impulse, &mut [0; ORDER], &mut h);
        let mut x = [0; SUBFRAME];
        K::synthesise(ap, &block(&self.exc), &mut self.memory_error.clone(), &mut x);

        let d = pitch::backward_filter::<K>(&h, &x);
        let coarse_above = if i == 0 { 84 } else { i16::MAX };
        let (lag, fraction) = pitch::closed_loop::<K>(&mut self.exc, at, &d, window, coarse_above);
        let mut y = [0; SUBFRAME];
        K::synthesise(ap, &block(&self.exc), &mut [0; ORDER], &mut y);

        let tame = self.taming.needed(lag, fraction);
        let (terms, gain) = adaptive_part::<K>(&x, &y, tame);
        let target: Block = std::array::from_fn(|n| sub(x[n], high(l_shl(l_mult(y[n], gain), 1))));

        sharpen(&mut h, lag, self.sharp);
        let pulses = fixed::search::<K>(&h, &target);
        let mut code = pulses.code;
        sharpen(&mut code, lag, self.sharp);

        let gains =
            gain_search::search::<K>(terms, (&x, &y, &pulses.filtered, &code), &mut self.energies, tame);
        self.sharp = sharpening(gains.pitch);
        mix(&mut self.exc[at..], gains.pitch, &code, gains.code);
        self.taming.update(gains.pitch, lag);
        self.memory_error = std::array::from_fn(|j| {
            let n = SUBFRAME - ORDER + j;
            let adaptive = high(l_shl(l_mult(y[n], gains.pitch), 1));
            let fixed = high(l_shl(l_mult(pulses.filtered[n], gains.code), 2));
            sub(x[n], add(adaptive, fixed))
        });
        let fields = SubframeFields {
            lag: 0,
            positions: pulses.positions,
            signs: pulses.signs,
            gain_a: gains.stage_a,
            gain_b: gains.stage_b,
        };
        (lag, fraction, fields)
    }

    /// A frame without voice: described or left out, and this side's memories led along as the decoder's are.
    fn noise(&mut self, dtx: &mut Dtx) -> Coded {
        let (sent, gain, lsp) = dtx.decide(&mut self.levinson, &mut self.history, &self.lsp_quantised);
        match noise::excitation::<K>(gain, &mut self.exc, PAST, &mut dtx.seed) {
            Some(drawn) => drawn.iter().for_each(|d| self.taming.update(d.gain, d.lag)),
            None => (0..2).for_each(|_| self.taming.update(0, 41)),
        }
        let filters = subframe_filters(&lsp, &self.lsp_quantised);
        self.lsp_quantised = lsp;
        for (i, a) in filters.iter().enumerate() {
            let from = PRESENT + i * SUBFRAME;
            let mut e = [0; SUBFRAME];
            K::residual(a, &std::array::from_fn(|n| self.speech[from - ORDER + n]), &mut e);
            let ap = self.weigh_block(i, a, &e);
            for (e, made) in e.iter_mut().zip(&self.exc[PAST + i * SUBFRAME..]) {
                *e = sub(*e, *made);
            }
            K::synthesise(&ap, &e, &mut self.memory_error, &mut [0; SUBFRAME]);
        }
        self.sharp = 3277;
        match sent {
            Sent::Sid(fields) => Coded::Sid(fields.pack()),
            Sent::Nothing => Coded::Nothing,
        }
    }
}

/// The adaptive part's terms of the error, and its unquantised gain (Q14).
fn adaptive_part<K: Kernels>(x: &Block, y: &Block, tame: bool) -> ([Scaled; 2], i16) {
    let quarter: Block = y.map(|y| shr(y, 2));
    let scaled = |s: i32, back: i32| {
        let v = norm_l(s);
        Scaled { value: round(l_shl(s, v)), q: v - back }
    };
    let s = K::energy(1, y);
    let yy = if s.clamped { scaled(K::energy(1, &quarter).value, 4) } else { scaled(s.value, 0) };
    let s = K::dot_watched(x, y);
    let xy = if s.clamped { scaled(K::dot(0, x, &quarter), 2) } else { scaled(s.value, 0) };
    let terms = [
        Scaled { value: yy.value, q: yy.q - 15 },
        Scaled { value: negate(xy.value), q: if xy.value <= 0 { 14 } else { xy.q - 16 } },
    ];
    if xy.value <= 0 {
        return (terms, 0);
    }
    let gain = shr(div_s(shr(xy.value, 1), yy.value), xy.q - yy.q).min(19661);
    (terms, if tame { gain.min(15564) } else { gain })
}
