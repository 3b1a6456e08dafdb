//! Each codec through its own payloads, and what is no payload of it.

use super::*;

/// 200 ms of a voice-like hum at the codec's rate.
fn hum(codec: Codec) -> Vec<i16> {
    let rate = codec.sample_rate() as f32;
    let wave = |n: usize, hz: f32| (std::f32::consts::TAU * hz * n as f32 / rate).sin();
    (0..codec.sample_rate() as usize / 5)
        .map(|n| (wave(n, 150.0) * 4000.0 + wave(n, 450.0) * 2000.0) as i16)
        .collect()
}

fn power(samples: &[i16]) -> f64 {
    samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64
}

#[test]
fn names_and_static_payload_types_lead_back_to_their_codec() {
    for codec in Codec::ALL {
        assert_eq!(Codec::from_name(&codec.name().to_lowercase()), Some(codec));
        let Some(payload_type) = codec.static_payload_type() else { continue };
        assert_eq!(Codec::from_static_payload_type(payload_type), Some(codec));
    }
    assert_eq!(Codec::from_name("G7"), None);
}

#[test]
fn a_payload_goes_through_its_codec_and_back() {
    for codec in Codec::ALL {
        let samples = hum(codec);
        let packet = codec.sample_rate() as usize / 50;
        let (mut encoder, mut decoder) = (codec.encoder(false), codec.decoder());
        let mut back = Vec::new();
        for piece in samples.chunks(packet) {
            let (mut payload, mut room) = (Vec::new(), vec![0; packet]);
            let coded = encoder.encode(piece, &mut payload);
            assert_eq!(coded, Coded { skipped: 0, consumed: packet, content: Content::Speech });
            assert_eq!(decoder.samples(&payload), Ok(packet));
            assert_eq!(decoder.decode(&payload, &mut room), packet);
            back.extend(room);
        }
        // A codec may come late; what it says is as loud as what it was told.
        let loudness = power(&back[packet * 2..]) / power(&samples);
        assert!((0.5..2.0).contains(&loudness), "{}: {loudness}", codec.name());
    }
}

#[test]
fn an_empty_payload_is_bad_and_a_long_one_is_cut_to_the_room() {
    for codec in Codec::ALL {
        assert_eq!(codec.decoder().samples(&[]), Err(BadPayload));
    }
    assert_eq!(Codec::Pcma.decoder().decode(&[0xd5; 9], &mut [0; 4]), 4);
    assert_eq!(Codec::G729.decoder().decode(&[0; 30], &mut [0; 170]), 160);
}

#[test]
fn g729_packets_are_frames_and_at_the_end_perhaps_a_description_of_silence() {
    let mut decoder = Codec::G729.decoder();
    let sizes = [10, 20, 60, 2, 12, 22].map(|size| decoder.samples(&vec![0; size]));
    assert_eq!(sizes, [80, 160, 480, 80, 160, 240].map(Ok));
    for size in [1, 3, 9, 11, 13, 19] {
        assert_eq!(decoder.samples(&vec![0; size]), Err(BadPayload), "{size}");
    }
    let mut room = [0; 160];
    decoder.decode(&[0x55; 10], &mut room);
    assert!(!decoder.is_pausing());
    decoder.decode(&[0x55; 12], &mut room);
    assert!(decoder.is_pausing());
    assert_eq!(decoder.conceal(None, &mut room), 160);
    assert!(decoder.is_pausing(), "until somebody speaks");
    assert_eq!(decoder.conceal(None, &mut room[..79]), 0, "no half frames");
}

#[test]
fn g729_leaves_silence_out_and_no_packet_has_a_hole() {
    let mut encoder = Codec::G729.encoder(true);
    let mut speech = hum(Codec::G729);
    let mut rng = base::Rng::from_number(1);
    let noise = |rng: &mut base::Rng, count: usize| -> Vec<i16> {
        (0..count).map(|_| (rng.bits() as i16) / 4000).collect()
    };
    let mut samples = noise(&mut rng, 8000);
    samples.append(&mut speech);
    samples.extend(noise(&mut rng, 16_000));
    samples.extend(hum(Codec::G729));
    let (mut at, mut sent, mut silent) = (0, 0, 0);
    let (mut payload, mut decoder) = (Vec::new(), Codec::G729.decoder());
    while at + 240 <= samples.len() {
        payload.clear();
        let coded = encoder.encode(&samples[at..at + 240], &mut payload);
        assert!(coded.consumed > 0 && coded.skipped <= coded.consumed);
        assert_eq!(payload.is_empty(), coded.skipped == coded.consumed, "{coded:?}");
        if !payload.is_empty() {
            let held = decoder.samples(&payload).expect("whole frames, and a description only at the end");
            assert!(held <= coded.consumed - coded.skipped, "{coded:?}");
            decoder.decode(&payload, &mut [0; 240]);
            sent += held;
            silent += usize::from(coded.content == Content::Silence);
        }
        at += coded.consumed;
    }
    assert!(silent > 1 && sent < samples.len() / 3, "{sent} of {} samples sent", samples.len());
}
