use super::*;

const ALL: [Suite; 6] = [
    Suite::AesCm128Sha1_80,
    Suite::AesCm128Sha1_32,
    Suite::AesCm256Sha1_80,
    Suite::AesCm256Sha1_32,
    Suite::AesGcm128,
    Suite::AesGcm256,
];
const THEM: u32 = 0x0102_0304;

fn keys(suite: Suite) -> Keys {
    Keys::random(suite, &mut Rng::from_number(9))
}

fn pair(suite: Suite) -> (Outbound, Inbound) {
    (Outbound::new(keys(suite)), Inbound::new(keys(suite)))
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let header = crate::rtp::Header { marker: false, payload_type: 0, sequence, timestamp: 160, ssrc };
    [&header.write()[..], &[0xd5; 160]].concat()
}

fn sealed(out: &mut Outbound, sequence: u16) -> Vec<u8> {
    let mut packet = rtp(THEM, sequence);
    out.protect(&mut packet).unwrap();
    packet
}

fn report(ssrc: u32) -> Vec<u8> {
    [&[0x80, 201, 0, 1][..], &ssrc.to_be_bytes(), &[0x81, 202, 0, 2], &ssrc.to_be_bytes(), b"\x01\x02me"]
        .concat()
}

#[test]
fn what_is_protected_is_unreadable_on_its_way_and_whole_behind_it() {
    for suite in ALL {
        let (mut out, mut within) = pair(suite);
        for sequence in [7, 8, 9] {
            let mut packet = sealed(&mut out, sequence);
            assert_eq!(packet.len(), 172 + suite.rtp_tag(), "{suite:?}");
            assert!(!packet.windows(4).any(|bytes| bytes == [0xd5; 4]), "{suite:?}");
            within.open(&mut packet).unwrap();
            assert_eq!(packet, rtp(THEM, sequence), "{suite:?}");
        }
    }
}

#[test]
fn reports_are_protected_as_well_and_each_is_another_on_its_way() {
    for suite in ALL {
        let (mut out, mut within) = pair(suite);
        let (mut first, mut second) = (report(THEM), report(THEM));
        out.protect_rtcp(&mut first).unwrap();
        out.protect_rtcp(&mut second).unwrap();
        assert_ne!(first, second);
        assert_eq!(first.len(), report(THEM).len() + 4 + suite.rtcp_tag());
        let again = second.clone();
        for packet in [&mut second, &mut first] {
            within.open_rtcp(packet).unwrap();
            assert_eq!(*packet, report(THEM), "{suite:?}");
        }
        assert_eq!(within.open_rtcp(&mut again.clone()), Err(Refused::Replayed));
    }
}

#[test]
fn header_extension_and_sources_stay_readable() {
    for suite in ALL {
        let (mut out, mut within) = pair(suite);
        let mut packet = rtp(THEM, 1);
        packet[0] |= 0x11;
        assert!(Head::of_rtp(&packet).is_none(), "the extension claims more than there is");
        packet[18..20].copy_from_slice(&[0, 2]);
        let (clear, readable) = (packet.clone(), 12 + 4 + 4 + 2 * 4);
        out.protect(&mut packet).unwrap();
        assert_eq!(packet[..readable], clear[..readable]);
        assert_ne!(packet[readable..clear.len()], clear[readable..]);
        within.open(&mut packet).unwrap();
        assert_eq!(packet, clear);
    }
}

#[test]
fn any_flipped_bit_is_noticed_and_leaves_the_packet_as_it_came() {
    for suite in ALL {
        let (mut out, mut within) = pair(suite);
        let packet = sealed(&mut out, 5);
        for bit in 0..packet.len() * 8 {
            let mut other = packet.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            let came = other.clone();
            let refused = within.open(&mut other);
            assert!(matches!(refused, Err(Refused::Forged | Refused::Malformed)), "{suite:?} {bit}");
            assert_eq!(other, came);
        }
        within.open(&mut packet.clone()).unwrap();
        let mut packet = report(THEM);
        out.protect_rtcp(&mut packet).unwrap();
        for bit in 0..packet.len() * 8 {
            let mut other = packet.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(within.open_rtcp(&mut other).is_err(), "{suite:?} {bit}");
        }
    }
}

#[test]
fn any_cut_is_noticed() {
    for suite in ALL {
        let (mut out, mut within) = pair(suite);
        let packet = sealed(&mut out, 5);
        let mut report = report(THEM);
        out.protect_rtcp(&mut report).unwrap();
        for length in 0..packet.len() {
            assert!(within.open(&mut packet[..length].to_vec()).is_err(), "{suite:?} {length}");
        }
        for length in 0..report.len() {
            assert!(within.open_rtcp(&mut report[..length].to_vec()).is_err(), "{suite:?} {length}");
        }
    }
}

#[test]
fn a_packet_in_clear_is_refused() {
    for suite in ALL {
        let (_, mut within) = pair(suite);
        assert!(within.open(&mut rtp(THEM, 1)).is_err());
        assert!(within.open_rtcp(&mut report(THEM)).is_err());
    }
}

#[test]
fn a_packet_is_let_through_once_and_reordering_does_no_harm() {
    let (mut out, mut within) = pair(Suite::AesCm128Sha1_80);
    let packets: Vec<_> = (0..100).map(|sequence| sealed(&mut out, sequence)).collect();
    for index in [0, 3, 1, 2, 70, 40, 99] {
        within.open(&mut packets[index].clone()).unwrap();
        assert_eq!(within.open(&mut packets[index].clone()), Err(Refused::Replayed), "{index}");
    }
    assert_eq!(within.open(&mut packets[35].clone()), Err(Refused::Replayed), "64 behind the newest");
    within.open(&mut packets[36].clone()).unwrap();
}

#[test]
fn numbers_go_on_over_the_rollover_also_out_of_order() {
    for suite in ALL {
        let (mut out, mut within) = pair(suite);
        let sequences = [0x7000, 0xe000, 65_533, 65_534, 65_535, 0, 1, 2];
        let mut packets = sequences.map(|sequence| sealed(&mut out, sequence));
        assert!(out.has_wrapped());
        packets.swap(4, 5);
        for (packet, sequence) in packets.iter_mut().zip([0x7000, 0xe000, 65_533, 65_534, 0, 65_535, 1, 2]) {
            within.open(packet).unwrap();
            assert_eq!(*packet, rtp(THEM, sequence), "{suite:?}");
        }
        // A second round is another key stream.
        let mut early = sealed(&mut out, 0x6000);
        within.open(&mut early).unwrap();
    }
}

#[test]
fn a_number_is_never_used_twice() {
    let (mut out, _) = pair(Suite::AesGcm128);
    sealed(&mut out, 5);
    let mut packet = rtp(THEM, 5);
    assert_eq!(out.protect(&mut packet), Err(Spent));
    assert_eq!(packet, rtp(THEM, 5));
    assert_eq!(out.protect(&mut rtp(THEM, 4)), Err(Spent));
    out.protect(&mut rtp(THEM, 6)).unwrap();
}

#[test]
fn two_hundred_thousand_forged_sources_leave_nothing_behind() {
    let (mut out, mut within) = pair(Suite::AesCm128Sha1_80);
    let room = within.sources.capacity();
    let mut packet = sealed(&mut out, 1);
    for ssrc in 1..=200_000_u32 {
        packet[8..12].copy_from_slice(&ssrc.wrapping_mul(0x9e37_79b9).to_be_bytes());
        assert_eq!(within.open(&mut packet), Err(Refused::Forged));
    }
    assert!(within.sources.is_empty() && within.sources.capacity() == room);
    within.open(&mut sealed(&mut out, 2)).unwrap();
}

#[test]
fn who_has_the_key_may_change_source_but_not_without_end_and_old_ones_are_not_played_again() {
    let (mut out, mut within) = pair(Suite::AesGcm128);
    let mut protect = |ssrc| {
        let mut packet = rtp(ssrc, 1);
        out.protect(&mut packet).unwrap();
        packet
    };
    let first = protect(1);
    within.open(&mut first.clone()).unwrap();
    for ssrc in 2..=32 {
        within.open(&mut protect(ssrc)).unwrap();
    }
    let mut packet = protect(33);
    let came = packet.clone();
    assert_eq!((within.open(&mut packet), packet), (Err(Refused::TooMany), came));
    assert_eq!(within.open(&mut first.clone()), Err(Refused::Replayed));
}

#[test]
fn packets_of_before_new_keys_are_let_through_for_a_second() {
    let (mut old, mut within) = pair(Suite::AesCm128Sha1_80);
    let new_keys = Keys::random(Suite::AesGcm256, &mut Rng::from_number(10));
    let mut new = Outbound::new(new_keys.clone());
    within.rekey(new_keys);
    let mut late = sealed(&mut old, 10);
    let later = sealed(&mut old, 11);
    within.open(&mut sealed(&mut new, 12)).unwrap();
    within.open(&mut late).unwrap();
    assert_eq!(late, rtp(THEM, 10));
    for sequence in 13..=61 {
        within.open(&mut sealed(&mut new, sequence)).unwrap();
    }
    assert!(within.open(&mut later.clone()).is_err());
}

#[test]
fn under_new_keys_a_source_may_begin_its_rounds_anew_or_go_on_with_them() {
    for goes_on in [false, true] {
        let (mut old, mut within) = pair(Suite::AesCm128Sha1_80);
        for sequence in [0x7000, 0xe000, 0x100, 0x200] {
            within.open(&mut sealed(&mut old, sequence)).unwrap();
        }
        let new_keys = Keys::random(Suite::AesCm128Sha1_80, &mut Rng::from_number(10));
        let mut new = Outbound::new(new_keys.clone());
        if goes_on {
            new.source = Some((THEM, 0x1_0200));
        }
        within.rekey(new_keys);
        for sequence in [0x201, 0x202] {
            let mut packet = sealed(&mut new, sequence);
            within.open(&mut packet).unwrap();
            assert_eq!(packet, rtp(THEM, sequence), "{goes_on}");
        }
    }
}

#[test]
fn the_name_of_a_key_is_taken_off() {
    for suite in ALL {
        let mut out = Outbound::new(keys(suite));
        let mut within = Inbound::new(keys(suite).named_by(4));
        let mut packet = sealed(&mut out, 1);
        let mut rtcp = report(THEM);
        out.protect_rtcp(&mut rtcp).unwrap();
        let behind = match suite {
            Suite::AesGcm128 | Suite::AesGcm256 => 0,
            _ => suite.rtp_tag(),
        };
        let at = packet.len() - behind;
        packet.splice(at..at, [0, 0, 0, 1]);
        let at = rtcp.len() - if behind == 0 { 0 } else { suite.rtcp_tag() };
        rtcp.splice(at..at, [0, 0, 0, 1]);
        within.open(&mut packet).unwrap();
        within.open_rtcp(&mut rtcp).unwrap();
        assert_eq!((packet, rtcp), (rtp(THEM, 1), report(THEM)), "{suite:?}");
    }
}

#[test]
fn keys_of_another_length_are_refused_and_none_is_printed() {
    assert_eq!(Keys::new(Suite::AesGcm128, &[7; 30]), Err(WrongLength));
    let keys = Keys::new(Suite::AesCm128Sha1_80, &[77; 30]).unwrap();
    let printed = format!("{keys:?} {:?} {:?}", Outbound::new(keys.clone()), Inbound::new(keys.clone()));
    assert!(!printed.contains("77") && !printed.contains("4d"), "{printed}");
}
