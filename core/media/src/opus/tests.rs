//! The codec as calls use it: speech there and back, loss, silence, and bytes that no encoder wrote.

use super::*;

/// Something like speech: a voice of many harmonics that glides between 100 and 180 Hz, in syllables with pauses.
fn speech(sample_rate: u32, seconds: u32) -> Vec<i16> {
    let rate = sample_rate as f32;
    let mut phase = 0.0_f32;
    (0..seconds * sample_rate)
        .map(|n| {
            let at = n as f32 / rate;
            let pitch = 140.0 + 40.0 * (at * 3.0).sin();
            phase = (phase + pitch / rate).fract();
            let syllable = (at * std::f32::consts::TAU * 2.0).sin().max(0.0);
            let voice: f32 = (2..20)
                .map(|h| (std::f32::consts::TAU * phase * h as f32).sin() / (1.0 + (h as f32 - 4.0).abs()))
                .sum();
            (voice * syllable * 5000.0) as i16
        })
        .collect()
}

/// How far `heard` is from `said`, in dB, at the delay where they agree best.
fn snr(said: &[i16], heard: &[i16], sample_rate: u32) -> f32 {
    let longest = sample_rate as usize / 50;
    let at = |delay: usize| {
        let pairs = || said.iter().zip(&heard[delay..]);
        let signal: f32 = pairs().map(|(a, _)| f32::from(*a).powi(2)).sum();
        let noise: f32 = pairs().map(|(a, b)| (f32::from(*a) - f32::from(*b)).powi(2)).sum();
        10.0 * (signal / noise.max(1.0)).log10()
    };
    (0..longest).map(at).fold(f32::MIN, f32::max)
}

fn encode(encoder: &mut Encoder, samples: &[i16], frame: usize) -> Vec<Vec<u8>> {
    let each = samples.chunks_exact(frame).map(|frame| {
        let mut payload = Vec::new();
        encoder.encode(frame, &mut payload);
        payload
    });
    each.collect()
}

/// Everything that `packets` hold at 20 ms each; every `lost`th is missing, and its successor is asked if `fec`.
fn decode(packets: &[Vec<u8>], sample_rate: u32, lost: usize, fec: bool) -> Vec<i16> {
    let mut decoder = Decoder::new(sample_rate);
    let mut heard = Vec::new();
    for (n, packet) in packets.iter().enumerate() {
        let mut out = vec![0; sample_rate as usize / 50];
        let made = if n % lost == lost - 1 {
            decoder.conceal(packets.get(n + 1).filter(|_| fec).map(Vec::as_slice), &mut out)
        } else {
            decoder.decode(packet, &mut out)
        };
        assert_eq!(made, out.len());
        heard.extend(out);
    }
    heard
}

#[test]
fn speech_comes_back_at_every_rate_frame_and_bitrate() {
    for sample_rate in SAMPLE_RATES {
        let said = speech(sample_rate, 2);
        for (ms, bitrate, least) in
            [(10, 24_000, 9.0), (20, 24_000, 9.0), (40, 16_000, 8.0), (60, 12_000, 7.0)]
        {
            let mut encoder = Encoder::new(sample_rate);
            encoder.set_bitrate(bitrate);
            let frame = (sample_rate * ms / 1000) as usize;
            let mut decoder = Decoder::new(sample_rate);
            let (mut heard, mut bytes) = (Vec::new(), 0);
            for packet in encode(&mut encoder, &said, frame) {
                let mut out = vec![0; frame];
                assert_eq!(decoder.samples(&packet), Ok(frame), "{sample_rate} Hz, {ms} ms");
                assert_eq!(decoder.decode(&packet, &mut out), frame);
                heard.extend(out);
                bytes += packet.len();
            }
            let snr = snr(&said, &heard, sample_rate);
            assert!(snr > least, "{sample_rate} Hz, {ms} ms, {bitrate} bit/s: {snr} dB");
            let spent = bytes as f32 * 8.0 / 2.0 / bitrate as f32;
            assert!(spent < 1.1, "{sample_rate} Hz, {ms} ms, {bitrate} bit/s: {spent} of it");
        }
    }
}

#[test]
fn bitrate_is_brought_within_bounds_and_spent() {
    let said = speech(16_000, 1);
    let spent = [1, 6_000, 12_000, 64_000].map(|bitrate| {
        let mut encoder = Encoder::new(16_000);
        encoder.set_bitrate(bitrate);
        encode(&mut encoder, &said, 320).iter().map(Vec::len).sum::<usize>()
    });
    assert!(spent[0] == spent[1] && spent[1] < spent[2] && spent[2] * 2 < spent[3], "{spent:?}");
}

#[test]
fn a_stream_is_heard_at_any_rate_whatever_it_was_coded_at() {
    let packets = encode(&mut Encoder::new(16_000), &speech(16_000, 1), 320);
    for sample_rate in SAMPLE_RATES {
        let heard = decode(&packets, sample_rate, usize::MAX, false);
        let snr = snr(&speech(sample_rate, 1), &heard, sample_rate);
        assert!(snr > 9.0, "{sample_rate} Hz: {snr} dB");
    }
}

#[test]
fn the_next_packet_gives_back_a_lost_one_better_than_a_guess() {
    for sample_rate in [8_000, 16_000, 48_000] {
        let said = speech(sample_rate, 4);
        let mut encoder = Encoder::new(sample_rate);
        encoder.told_loss(20);
        let packets = encode(&mut encoder, &said, sample_rate as usize / 50);
        assert!(packets.iter().filter(|packet| has_fec(packet)).count() > packets.len() / 3);
        let whole = decode(&packets, sample_rate, usize::MAX, false);
        let [again, guessed] = [true, false].map(|fec| {
            let heard = decode(&packets, sample_rate, 5, fec);
            snr(&whole, &heard, sample_rate)
        });
        assert!(again > guessed + 3.0, "{sample_rate} Hz: {again} dB against {guessed} dB");
    }
}

#[test]
fn redundancy_is_there_only_when_loss_is_told() {
    let (said, mut encoder) = (speech(16_000, 2), Encoder::new(16_000));
    let mut redundant = |percent| {
        encoder.told_loss(percent);
        encode(&mut encoder, &said, 320).iter().skip(1).filter(|packet| has_fec(packet)).count()
    };
    assert_eq!(redundant(0), 0);
    assert!(redundant(10) > 20);
    assert_eq!(redundant(0), 0);
}

#[test]
fn of_a_long_gap_the_last_frame_comes_from_the_next_packet() {
    let said = speech(16_000, 2);
    let mut encoder = Encoder::new(16_000);
    encoder.told_loss(20);
    let packets = encode(&mut encoder, &said, 320);
    let next = (20..packets.len()).find(|n| has_fec(&packets[*n])).unwrap();
    let [gap_alone, gap_told] = [None, Some(packets[next].as_slice())].map(|told| {
        let mut decoder = Decoder::new(16_000);
        for packet in &packets[..next - 3] {
            decoder.decode(packet, &mut [0; 320]);
        }
        let mut out = [0; 3 * 320];
        assert_eq!(decoder.conceal(told, &mut out), out.len());
        out
    });
    assert_eq!(gap_alone[..640], gap_told[..640]);
    assert_ne!(gap_alone[640..], gap_told[640..]);
}

#[test]
fn silence_is_not_sent_when_that_is_wished_and_speech_is_again() {
    for sample_rate in [8_000, 16_000, 48_000] {
        let frame = sample_rate as usize / 50;
        let mut encoder = Encoder::new(sample_rate);
        let silence = vec![0; 3 * sample_rate as usize];
        assert!(encode(&mut encoder, &silence, frame).iter().all(|packet| !packet.is_empty()));
        encoder.set_dtx(true);
        encode(&mut encoder, &silence, frame);
        let packets = encode(&mut encoder, &silence, frame);
        let sent = packets.iter().filter(|packet| !packet.is_empty()).count();
        assert!((4..=12).contains(&sent), "{sample_rate} Hz: {sent} of {}, one of 20 or so", packets.len());
        let loud = encode(&mut encoder, &speech(sample_rate, 1)[..frame * 10], frame);
        assert!(loud.iter().skip(4).all(|packet| packet.len() > 10));
    }
}

#[test]
fn a_packet_of_empty_frames_is_silence_and_decodes_to_its_time() {
    let wideband_20_ms = 9 << 3;
    assert!(is_dtx(&[wideband_20_ms]) && is_dtx(&[wideband_20_ms | 3, 3]) && is_dtx(&[wideband_20_ms | 1]));
    assert!(!is_dtx(&[]) && !is_dtx(&[wideband_20_ms, 1, 2]) && !is_dtx(&[wideband_20_ms | 1, 9]));
    let mut decoder = Decoder::new(16_000);
    let mut out = [1; 960];
    assert_eq!(decoder.decode(&[wideband_20_ms], &mut out), 320);
    assert_eq!(decoder.decode(&[wideband_20_ms | 3, 3], &mut out), 960);
    assert!(out.iter().all(|sample| sample.unsigned_abs() < 40), "nothing was heard yet to draw on");
}

#[test]
fn packing_that_no_encoder_writes_is_refused() {
    let decoder = Decoder::new(48_000);
    let toc = |config: u8, code: u8| config << 3 | code;
    let mut longest = vec![toc(31, 0); 1276];
    assert_eq!(decoder.samples(&longest), Ok(960));
    longest.push(0);
    for bad in [
        &[][..],
        &longest,                    // a frame of 1,276 bytes
        &[toc(3, 1), 1, 2, 3],       // halves that are not equal
        &[toc(3, 2), 4, 1, 2, 3],    // the first frame is longer than the packet
        &[toc(3, 2), 252],           // half a length
        &[toc(3, 3)],                // no count
        &[toc(3, 3), 0, 1],          // no frame
        &[toc(3, 3), 3, 1, 2, 3],    // 180 ms
        &[toc(1, 3), 2, 1, 2, 3],    // halves, again
        &[toc(1, 3), 0x41, 2, 0],    // more padding than there is
        &[toc(1, 3), 0x42, 255],     // padding without an end
        &[toc(1, 3), 0x82, 3, 1, 2], // lengths beyond the packet
    ] {
        assert_eq!(decoder.samples(bad), Err(crate::BadPayload), "{bad:?}");
    }
    for (good, samples) in [
        (&[toc(0, 0)][..], 480),
        (&[toc(3, 1), 1, 2], 5760),
        (&[toc(28, 2), 1, 1, 2, 3], 240),
        (&[toc(16, 3), 48], 5760),
        (&[toc(1, 3), 0x42, 1, 1, 2, 0], 1920),
        (&[toc(1, 3), 0x83, 1, 2, 1, 2, 3, 4], 2880),
    ] {
        assert_eq!(decoder.samples(good), Ok(samples), "{good:?}");
    }
}

#[test]
fn a_packet_longer_than_the_room_is_cut_and_the_stream_goes_on() {
    let packets = encode(&mut Encoder::new(16_000), &speech(16_000, 1), 960);
    let (mut cut, mut whole) = (Decoder::new(16_000), Decoder::new(16_000));
    for packet in &packets {
        let (mut short, mut out) = ([0; 100], [0; 960]);
        assert_eq!(cut.decode(packet, &mut short), 100);
        assert_eq!(whole.decode(packet, &mut out), 960);
        assert_eq!(short[..], out[..100]);
    }
}

#[test]
fn what_is_missing_is_filled_to_the_last_two_and_a_half_milliseconds() {
    let packets = encode(&mut Encoder::new(48_000), &speech(48_000, 1), 960);
    let mut decoder = Decoder::new(48_000);
    for packet in &packets {
        decoder.decode(packet, &mut [0; 960]);
    }
    for (missing, made) in [(0, 0), (119, 0), (120, 120), (1000, 960), (6000, 6000), (48_001, 48_000)] {
        assert_eq!(decoder.conceal(Some(&[0xff]), &mut vec![0; missing]), made);
    }
}
