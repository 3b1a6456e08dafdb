//! Packets under keys, to and from Debian's libsrtp2.
//!
//! Its side is a small C program over pipes, compiled here.

#![allow(clippy::unwrap_used)] // helpers beside the tests

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base::Rng;
use media::rtp::Header;
use media::srtp::{Inbound, Keys, Outbound, Suite};
use offhook_interop::{can_run, skipped};

const ALL: [Suite; 6] = [
    Suite::AesCm128Sha1_80,
    Suite::AesCm128Sha1_32,
    Suite::AesCm256Sha1_80,
    Suite::AesCm256Sha1_32,
    Suite::AesGcm128,
    Suite::AesGcm256,
];

/// Builds the stranger; `None`, aloud: he cannot be had here.
fn stranger(test: &str, folder: &Path) -> Option<PathBuf> {
    if !can_run(test, &["cc"]) {
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("strangers/srtp.c");
    let program = folder.join("srtp");
    let built =
        Command::new("cc").args(["-O2", "-o"]).arg(&program).arg(source).arg("-lsrtp2").output().unwrap();
    if built.status.success() {
        return Some(program);
    }
    let why = String::from_utf8_lossy(&built.stderr).into_owned();
    assert!(why.contains("srtp2/srtp.h") || why.contains("-lsrtp2"), "{why}");
    skipped(test, "libsrtp2-dev not installed");
    None
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).unwrap()).collect()
}

/// What the stranger makes of each packet; `None`: he refuses it.
fn ask(program: &Path, what: &str, keys: &Keys, packets: &[(bool, Vec<u8>)]) -> Vec<Option<Vec<u8>>> {
    let mut child = Command::new(program)
        .args([what, &format!("{:?}", keys.suite()), &hex(keys.material())])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = String::new();
    for (is_rtcp, packet) in packets {
        writeln!(lines, "{} {}", if *is_rtcp { "rtcp" } else { "rtp" }, hex(packet)).unwrap();
    }
    let mut input = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success(), "{what} {keys:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let read: Vec<_> = text.lines().map(|line| (line != "refused").then(|| unhex(line))).collect();
    assert_eq!(read.len(), packets.len());
    read
}

/// A voice over the edge of its sequence numbers, with an extension now and then, and a report after every tenth packet.
fn packets() -> Vec<(bool, Vec<u8>)> {
    let mut all = Vec::new();
    let sequences = (0x7ff0..0x8010).chain(0xe000..0xe003).chain(0xfff0..0x1_0010_u32);
    for (n, sequence) in sequences.enumerate() {
        let sequence = sequence as u16;
        let header = Header {
            marker: n == 0,
            payload_type: 0,
            sequence,
            timestamp: n as u32 * 160,
            ssrc: 0x00c0_ffee,
        };
        let mut packet = header.write().to_vec();
        if n % 5 == 0 {
            packet[0] |= 0x11;
            packet.extend_from_slice(&[0, 0, 0, 9, 0xbe, 0xde, 0, 1, 0x10, 0xff, 0, 0]);
        }
        packet.extend((0..n * 4).map(|byte| byte as u8 ^ 0x55));
        all.push((false, packet));
        if n % 10 == 9 {
            let ssrc = 0x00c0_ffee_u32.to_be_bytes();
            all.push((
                true,
                [&[0x80, 201, 0, 1][..], &ssrc, &[0x81, 202, 0, 2], &ssrc, b"\x01\x02me"].concat(),
            ));
        }
    }
    all
}

#[test]
fn libsrtp_opens_what_we_protect() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = stranger("libsrtp_opens_what_we_protect", folder.path()) else { return };
    for (seed, suite) in (1..).zip(ALL) {
        let keys = Keys::random(suite, &mut Rng::from_number(seed));
        let mut out = Outbound::new(keys.clone());
        let mut sealed = packets();
        for (is_rtcp, packet) in &mut sealed {
            if *is_rtcp { out.protect_rtcp(packet) } else { out.protect(packet) }.unwrap();
        }
        // The last one again, and one that was changed: he refuses as we do.
        let again = sealed[sealed.len() - 2].clone();
        sealed.push(again);
        let opened = ask(&program, "open", &keys, &sealed);
        let clear = packets();
        for ((opened, (_, clear)), n) in opened.iter().zip(&clear).zip(0..) {
            assert_eq!(opened.as_ref(), Some(clear), "{suite:?}, packet {n}");
        }
        assert_eq!(opened[clear.len()], None, "{suite:?}: played again");
    }
}

#[test]
fn we_open_what_libsrtp_protects() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = stranger("we_open_what_libsrtp_protects", folder.path()) else { return };
    for (seed, suite) in (1..).zip(ALL) {
        let keys = Keys::random(suite, &mut Rng::from_number(seed));
        let mut within = Inbound::new(keys.clone());
        let sealed = ask(&program, "protect", &keys, &packets());
        for ((sealed, (is_rtcp, clear)), n) in sealed.into_iter().zip(packets()).zip(0..) {
            let mut packet = sealed.expect("he protects it");
            assert_ne!(packet, clear);
            let opened = if is_rtcp { within.open_rtcp(&mut packet) } else { within.open(&mut packet) };
            assert_eq!(opened, Ok(()), "{suite:?}, packet {n}");
            assert_eq!(packet, clear, "{suite:?}, packet {n}");
        }
    }
}

#[test]
fn both_protect_a_voice_alike_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let Some(program) = stranger("both_protect_a_voice_alike_byte_for_byte", folder.path()) else { return };
    for (seed, suite) in (1..).zip(ALL) {
        let keys = Keys::random(suite, &mut Rng::from_number(seed));
        let mut out = Outbound::new(keys.clone());
        let voice: Vec<_> = packets().into_iter().filter(|(is_rtcp, _)| !is_rtcp).collect();
        let theirs = ask(&program, "protect", &keys, &voice);
        for ((_, mut packet), theirs) in voice.into_iter().zip(theirs) {
            out.protect(&mut packet).unwrap();
            assert_eq!(Some(packet), theirs, "{suite:?}");
        }
    }
}
