//! What both bands adapt alike: the prediction from two poles and six zeros.
//!
//! ITU-T G.722 section 6.2.1.4 (blocks PARREC to PREDIC): words of 16 bits that saturate at each step, in its order.

/// Zeros of the prediction filter.
const ZEROS: usize = 6;

/// Adaptive prediction of one band.
#[derive(Clone, Debug, Default)]
pub(super) struct Predictor {
    /// The prediction for the sample to come.
    pub(super) prediction: i16,
    /// The zeros' part of it.
    zeros_part: i16,
    /// In Q14, as the zeros' coefficients.
    poles: [i16; 2],
    zeros: [i16; ZEROS],
    /// What was reconstructed, the newest first; doubled, as Q14 wants it of a product in Q15.
    reconstructed: [i16; 2],
    /// Quantised differences, the newest first.
    differences: [i16; ZEROS],
    /// Signs of the partly reconstructed signal: 0, or -1 for a negative one.
    signs: [i16; 2],
}

impl Predictor {
    /// Takes the quantised difference of this sample and predicts the next.
    #[inline]
    pub(super) fn adapt(&mut self, difference: i16) {
        let reconstructed = self.prediction.saturating_add(difference);
        let sign = self.zeros_part.saturating_add(difference) >> 15;
        self.adapt_poles(sign);
        self.adapt_zeros(difference);

        self.signs = [sign, self.signs[0]];
        self.differences.copy_within(..ZEROS - 1, 1);
        self.differences[0] = difference;
        self.reconstructed = [reconstructed.saturating_add(reconstructed), self.reconstructed[0]];

        let [first, second] = self.poles;
        let poles_part =
            mult(first, self.reconstructed[0]).saturating_add(mult(second, self.reconstructed[1]));
        let parts: [i16; ZEROS] = std::array::from_fn(|i| {
            mult(self.zeros[i], self.differences[i].saturating_add(self.differences[i]))
        });
        // From the oldest on: where it saturates the order shows.
        self.zeros_part = parts.iter().rev().fold(0, |sum, part| sum.saturating_add(*part));
        self.prediction = poles_part.saturating_add(self.zeros_part);
    }

    #[inline]
    fn adapt_poles(&mut self, sign: i16) {
        let [first, second] = self.poles;
        // 1 where the signs agree, else -1.
        let agree = self.signs.map(|earlier| 1 | (earlier ^ sign));
        let lean = (i32::from(first) * 4 * -i32::from(agree[0])).clamp(-32_768, 32_767) as i16;
        let second = (128 * agree[1] + (lean >> 7) + mult(second, 32_512)).clamp(-12_288, 12_288);
        let bound = 15_360 - second;
        let first = (192 * agree[0] + mult(first, 32_640)).clamp(-bound, bound);
        self.poles = [first, second];
    }

    #[inline]
    fn adapt_zeros(&mut self, difference: i16) {
        let step = if difference == 0 { 0 } else { 128 };
        for (zero, earlier) in self.zeros.iter_mut().zip(&self.differences) {
            let agree = 1 | ((earlier ^ difference) >> 15);
            *zero = (step * agree).saturating_add(mult(*zero, 32_640));
        }
    }
}

/// The product of two fractions in Q15, rounded down; saturates where both are -1.
#[inline]
pub(super) fn mult(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b)) >> 15).min(32_767) as i16
}
