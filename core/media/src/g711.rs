//! G.711: mu-law and A-law, one sample a byte.
//!
//! ITU-T G.711 tables 1 and 2: the magnitude falls into one of eight segments, each twice as wide as the last,
//! cut into 16 intervals. Decoding reads a table made from that rule at compile time; encoding finds the segment
//! by the leading bit, which is as quick as a table and takes no cache.
//! Samples are 16 bits wide: four times mu-law's 14-bit and eight times A-law's 13-bit scale.

/// Mu-law shifts the magnitude by 33 of its units, so that every segment begins at a power of two.
const MU_BIAS: u16 = 33 * 4;
/// The last magnitude below mu-law's virtual decision value 8159.
const MU_CLIP: u16 = 8159 * 4 - 1;

/// The mu-law code of a sample.
pub const fn mu_law(sample: i16) -> u8 {
    let magnitude = sample.unsigned_abs();
    let biased = if magnitude > MU_CLIP { MU_CLIP } else { magnitude } + MU_BIAS;
    // 132..=32767: the leading bit is bit 7 in segment 0, bit 14 in segment 7.
    let segment = 8 - biased.leading_zeros() as u16;
    let interval = biased >> (segment + 3) & 0x0f;
    let sign = if sample < 0 { 0x80 } else { 0 };
    !(sign | (segment << 4 | interval) as u8)
}

/// The sample that a mu-law code stands for.
pub const fn from_mu_law(code: u8) -> i16 {
    MU_LAW[code as usize]
}

/// The A-law code of a sample.
pub const fn a_law(sample: i16) -> u8 {
    // `!` rather than `-` for the negative half: it has -32768 too, and meets zero without a gap.
    let (magnitude, sign) = if sample < 0 { (!sample as u16, 0) } else { (sample as u16, 0x80) };
    // 0..=32767: segments 0 and 1 share a width; the leading bit is bit 8 in segment 1, bit 14 in segment 7.
    let segment = if magnitude < 256 { 0 } else { 8 - magnitude.leading_zeros() as u16 };
    let shift = if segment < 2 { 4 } else { segment + 3 };
    let code = sign | (segment << 4 | magnitude >> shift & 0x0f) as u8;
    code ^ 0x55
}

/// The sample that an A-law code stands for.
pub const fn from_a_law(code: u8) -> i16 {
    A_LAW[code as usize]
}

static MU_LAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = !(code as u8);
        let (segment, interval) = (bits >> 4 & 7, (bits & 0x0f) as i16);
        let biased = ((interval << 3) + MU_BIAS as i16) << segment;
        let magnitude = biased - MU_BIAS as i16;
        table[code] = if bits & 0x80 != 0 { -magnitude } else { magnitude };
        code += 1;
    }
    table
};

static A_LAW: [i16; 256] = {
    let mut table = [0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = code as u8 ^ 0x55;
        let (segment, interval) = (bits >> 4 & 7, (bits & 0x0f) as i16);
        let magnitude =
            if segment == 0 { (interval << 4) + 8 } else { ((interval << 4) + 256 + 8) << (segment - 1) };
        table[code] = if bits & 0x80 != 0 { magnitude } else { -magnitude };
        code += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The decision values of a law from its table in the Recommendation: how wide each segment's intervals are.
    /// `first` is the width of the very first interval (mu-law's is half as wide as its fellows).
    fn decision_values(first: i32, widths: [i32; 8]) -> Vec<i32> {
        let mut values = vec![0];
        for (segment, width) in widths.into_iter().enumerate() {
            for interval in 0..16 {
                let step = if segment == 0 && interval == 0 { first } else { width };
                values.push(values[values.len() - 1] + step);
            }
        }
        values
    }

    fn interval_of(values: &[i32], magnitude: i32) -> usize {
        (values.partition_point(|v| *v <= magnitude) - 1).min(127)
    }

    #[test]
    fn mu_law_puts_every_sample_into_the_interval_of_table_2() {
        let values = decision_values(1, [2, 4, 8, 16, 32, 64, 128, 256]);
        assert_eq!(values[128], 8159);
        for sample in i16::MIN..=i16::MAX {
            let interval = interval_of(&values, i32::from(sample).abs() / 4);
            let code = !mu_law(sample);
            assert_eq!(usize::from(code & 0x7f), interval, "{sample}");
            assert_eq!(code & 0x80 != 0, sample < 0);
        }
    }

    #[test]
    fn a_law_puts_every_sample_into_the_interval_of_table_1() {
        let values = decision_values(2, [2, 2, 4, 8, 16, 32, 64, 128]);
        assert_eq!(values[128], 4096);
        for sample in i16::MIN..=i16::MAX {
            let magnitude = if sample < 0 { !sample } else { sample };
            let code = a_law(sample) ^ 0x55;
            assert_eq!(usize::from(code & 0x7f), interval_of(&values, i32::from(magnitude) / 8), "{sample}");
            assert_eq!(code & 0x80 != 0, sample >= 0);
        }
    }

    #[test]
    fn every_code_stands_for_the_middle_of_its_interval() {
        let mu = decision_values(1, [2, 4, 8, 16, 32, 64, 128, 256]);
        let a = decision_values(2, [2, 2, 4, 8, 16, 32, 64, 128]);
        for code in 0..=255u8 {
            let n = usize::from(!code & 0x7f);
            let middle = if n == 0 { 0 } else { (mu[n] + mu[n + 1]) * 4 / 2 };
            assert_eq!(i32::from(from_mu_law(code)).abs(), middle, "mu {code:#x}");
            let n = usize::from((code ^ 0x55) & 0x7f);
            assert_eq!(i32::from(from_a_law(code)).abs(), (a[n] + a[n + 1]) * 8 / 2, "a {code:#x}");
        }
    }

    #[test]
    fn a_second_trip_changes_nothing() {
        for code in 0..=255u8 {
            assert_eq!(a_law(from_a_law(code)), code);
            // Mu-law has two zeros; the negative one comes back as the positive.
            let expected = if code == 0x7f { 0xff } else { code };
            assert_eq!(mu_law(from_mu_law(code)), expected);
        }
    }

    #[test]
    fn silence_is_the_byte_that_the_field_knows() {
        assert_eq!((mu_law(0), a_law(0)), (0xff, 0xd5));
    }
}
