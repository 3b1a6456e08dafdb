//! What crosses the wire: the fields of a speech frame and of a silence descriptor, packed first bit highest.
//!
//! G.729 section 4 table 8, Annex B section B.4.2, RFC 3551 section 4.5.6. Knows nothing of what the fields mean.

/// Octets of a speech frame.
pub const SPEECH_BYTES: usize = 10;
/// Octets of a silence descriptor.
pub const SID_BYTES: usize = 2;

/// One subframe's share of a speech frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SubframeFields {
    /// Pitch lag code: 8 bits in the first subframe, 5 in the second.
    pub(super) lag: u8,
    /// Positions of the four pulses, 13 bits.
    pub(super) positions: u16,
    /// Their signs, 4 bits, bit k of pulse k.
    pub(super) signs: u8,
    /// First gain stage, 3 bits.
    pub(super) gain_a: u8,
    /// Second gain stage, 4 bits.
    pub(super) gain_b: u8,
}

/// The fields of a speech frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SpeechFields {
    /// LSF predictor, 1 bit.
    pub(super) mode: u8,
    /// LSF first stage, 7 bits.
    pub(super) first: u8,
    /// LSF second stage, lower and upper half, 5 bits each.
    pub(super) second: [u8; 2],
    /// Parity of the first lag, 1 bit.
    pub(super) parity: u8,
    pub(super) subframes: [SubframeFields; 2],
}

/// The fields of a silence descriptor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct SidFields {
    /// LSF predictor, 1 bit.
    pub(super) mode: u8,
    /// LSF first stage, 5 bits.
    pub(super) first: u8,
    /// LSF second stage, 4 bits.
    pub(super) second: u8,
    /// Gain, 5 bits.
    pub(super) gain: u8,
}

/// Bits taken from the top of a word, the first field first.
struct Take(u128);

impl Take {
    fn bits(&mut self, n: u32) -> u16 {
        let v = (self.0 >> (128 - n)) as u16;
        self.0 <<= n;
        v
    }

    fn byte(&mut self, n: u32) -> u8 {
        self.bits(n) as u8
    }
}

/// Bits put one after another.
#[derive(Default)]
struct Put {
    word: u128,
    used: u32,
}

impl Put {
    fn bits(&mut self, v: impl Into<u128>, n: u32) {
        self.used += n;
        self.word |= v.into() << (128 - self.used);
    }
}

/// Parity over the six high bits of the first lag; 1 for an even count of ones.
pub(super) fn lag_parity(lag: u8) -> u8 {
    1 ^ ((lag >> 2).count_ones() as u8 & 1)
}

impl SubframeFields {
    /// What follows the lag.
    fn rest(self, t: &mut Take) -> Self {
        Self { positions: t.bits(13), signs: t.byte(4), gain_a: t.byte(3), gain_b: t.byte(4), ..self }
    }
}

impl SpeechFields {
    pub(super) fn unpack(bytes: &[u8; SPEECH_BYTES]) -> Self {
        let mut wide = [0; 16];
        wide[..SPEECH_BYTES].copy_from_slice(bytes);
        let mut t = Take(u128::from_be_bytes(wide));
        let (mode, first, second) = (t.byte(1), t.byte(7), [t.byte(5), t.byte(5)]);
        let lag = t.byte(8);
        let parity = t.byte(1);
        let one = SubframeFields { lag, ..SubframeFields::default() }.rest(&mut t);
        let lag = t.byte(5);
        let two = SubframeFields { lag, ..SubframeFields::default() }.rest(&mut t);
        Self { mode, first, second, parity, subframes: [one, two] }
    }

    pub(super) fn pack(&self) -> [u8; SPEECH_BYTES] {
        let mut p = Put::default();
        p.bits(self.mode, 1);
        p.bits(self.first, 7);
        p.bits(self.second[0], 5);
        p.bits(self.second[1], 5);
        for (s, lag_bits) in self.subframes.iter().zip([8, 5]) {
            p.bits(s.lag, lag_bits);
            if lag_bits == 8 {
                p.bits(self.parity, 1);
            }
            p.bits(s.positions, 13);
            p.bits(s.signs, 4);
            p.bits(s.gain_a, 3);
            p.bits(s.gain_b, 4);
        }
        let mut out = [0; SPEECH_BYTES];
        out.copy_from_slice(&p.word.to_be_bytes()[..SPEECH_BYTES]);
        out
    }
}

impl SidFields {
    /// The last bit is reserved and not looked at.
    pub(super) fn unpack(bytes: [u8; SID_BYTES]) -> Self {
        let mut t = Take(u128::from(u16::from_be_bytes(bytes)) << 112);
        Self { mode: t.byte(1), first: t.byte(5), second: t.byte(4), gain: t.byte(5) }
    }

    pub(super) fn pack(self) -> [u8; SID_BYTES] {
        let mut p = Put::default();
        p.bits(self.mode, 1);
        p.bits(self.first, 5);
        p.bits(self.second, 4);
        p.bits(self.gain, 5);
        [(p.word >> 120) as u8, (p.word >> 112) as u8]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_speech_frame_packs_as_the_specification_s_example() {
        let half =
            |lag, positions, signs, gain_a, gain_b| SubframeFields { lag, positions, signs, gain_a, gain_b };
        let fields = SpeechFields {
            mode: 0,
            first: 18,
            second: [14, 0],
            parity: 0,
            subframes: [half(32, 5800, 0, 0, 8), half(15, 877, 13, 6, 3)],
        };
        let bytes = [0x12, 0x70, 0x08, 0x16, 0xA8, 0x01, 0x0F, 0x1B, 0x6E, 0xE3];
        assert_eq!(fields.pack(), bytes);
        assert_eq!(SpeechFields::unpack(&bytes), fields);
    }

    #[test]
    fn a_silence_descriptor_packs_as_the_specification_s_example() {
        let fields = SidFields { mode: 0, first: 16, second: 9, gain: 17 };
        assert_eq!(fields.pack(), [0x42, 0x62]);
        assert_eq!(SidFields::unpack([0x42, 0x63]), fields, "the reserved bit does not matter");
    }

    #[test]
    fn parity_guards_the_six_high_bits_of_the_lag() {
        assert_eq!(lag_parity(32), 0);
        assert_eq!(lag_parity(35), 0, "the two low bits are free");
        assert_eq!(lag_parity(0), 1);
    }
}
