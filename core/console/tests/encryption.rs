//! Demos whose calls are protected: what they say of it, and what crosses the wire.

mod common;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Command;

use common::run;
use serde_json::Value;

#[test]
fn a_demo_under_tls_passes_with_media_in_clear_and_under_keys() {
    for (encryption, word) in [("tls", "none"), ("sdes", "sdes")] {
        let output =
            run(&["demo", "--seconds", "1", "--codec", "PCMU", "--encryption", encryption, "--json"]);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{encryption}: {text}{}", String::from_utf8_lossy(&output.stderr));
        let said = format!("\"encrypted\":\"{word}\"");
        let active =
            text.lines().filter(|line| line.contains("\"state\":\"active\"") && line.contains(&said));
        assert_eq!(active.count(), 2, "{text}");
    }
}

/// Captures on a loopback of its own, where nobody else talks: file, program, encryption. 77: it cannot look here.
const LOOK: &str = r#"
ip link set lo up || exit 77
tshark -q -i lo -w "$1" 2>"$1.log" & looks=$!
until grep -q 'Capture started' "$1.log"; do kill -0 $looks 2>/dev/null || exit 77; sleep 0.05; done
"$2" demo --seconds 2 --codec PCMU --encryption "$3"
told=$?
# What waits in its buffers is written first.
size=0
until [ "$size" -gt 0 ] && [ "$size" -eq "$(stat -c %s "$1")" ]; do size=$(stat -c %s "$1"); sleep 1; done
kill -INT $looks; wait $looks
exit $told
"#;

/// Every datagram and segment while a demo runs, by tshark; `None`, aloud: it cannot look here.
fn crossed(test: &str, encryption: &str) -> Option<Vec<Vec<u8>>> {
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{encryption}.pcapng"));
    let looked = Command::new("unshare")
        .args(["-n", "bash", "-c", LOOK, "look"])
        .arg(&file)
        .args([env!("CARGO_BIN_EXE_offhook"), encryption])
        .output();
    let output = looked
        .ok()
        .filter(|output| !matches!(output.status.code(), Some(1 | 77 | 127)) || !output.stdout.is_empty());
    let Some(output) = output else {
        let _ =
            writeln!(std::io::stderr(), "skipped: {test}, tshark cannot capture on a loopback of its own");
        return None;
    };
    assert!(output.status.success(), "{output:?}");
    let read = Command::new("tshark")
        .args(["-r"])
        .arg(&file)
        .args(["-T", "fields", "-e", "udp.payload", "-e", "tcp.payload"])
        .output()
        .expect("it is installed");
    let hex = String::from_utf8(read.stdout).expect("digits");
    let bytes = |line: &str| -> Vec<u8> {
        let digits: Vec<u8> = line.bytes().filter(u8::is_ascii_hexdigit).collect();
        digits
            .chunks_exact(2)
            .filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect()
    };
    Some(hex.lines().map(bytes).filter(|bytes| !bytes.is_empty()).collect())
}

/// Whether a packet is G.711 as it is: a voice dwells on few of its codes, and what is encrypted on none.
fn is_speech(packet: &[u8]) -> bool {
    let Some(payload) = packet.get(12..172).filter(|_| packet[0] >> 6 == 2 && packet[1] << 1 == 0) else {
        return false;
    };
    let mut counts = [0; 256];
    for code in payload {
        counts[usize::from(*code)] += 1;
    }
    // Of 160 even draws among 256 codes, nine alike come once in a million packets.
    counts.iter().any(|count| *count >= 12)
}

#[test]
fn on_the_wire_there_is_no_invite_under_tls_and_no_speech_under_keys() {
    const TEST: &str = "on_the_wire_there_is_no_invite_under_tls_and_no_speech_under_keys";
    for (encryption, readable, audible) in
        [("none", true, true), ("tls", false, true), ("sdes", false, false)]
    {
        let Some(packets) = crossed(TEST, encryption) else { return };
        let invites =
            packets.iter().filter(|packet| packet.starts_with(b"INVITE sip:1002@offhook.test")).count();
        let voices = packets.iter().filter(|packet| is_speech(packet)).count();
        let lengths = packets.iter().filter(|packet| packet.len() >= 172).count();
        assert!(lengths > 150, "{encryption}: {lengths} packets long enough for a voice");
        assert_eq!(invites > 0, readable, "{encryption}: {invites} INVITEs");
        assert_eq!(voices > 20, audible, "{encryption}: {voices} packets of speech");
        assert!(audible || voices == 0, "{encryption}: {voices} packets of speech");
    }
}

/// What tshark finds in a capture by this filter, one line a packet; `None` where there is no tshark.
fn read_by_tshark(capture: &str, filter: &str, field: &str) -> Option<Vec<String>> {
    let output = Command::new("tshark")
        .args(["-r", capture, "-Y", filter, "-T", "fields", "-e", field])
        // What is sealed is not on SIP's port, and is to be looked at as SIP all the same.
        .args(["-d", "udp.port==1024-65535,sip"])
        .output()
        .ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("words").lines().map(str::to_owned).collect())
}

#[test]
fn the_demo_under_vos_passes_and_shows_no_readable_invite_on_its_wire() {
    for mode in ["vos", "vos-xor"] {
        let capture = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("demo-{mode}.pcapng"));
        let capture = capture.to_str().expect("words");
        let output = run(&[
            "demo",
            "--seconds",
            "3",
            "--json",
            "--codec",
            "PCMU",
            "--encryption",
            mode,
            "--capture",
            capture,
        ]);
        let stdout = String::from_utf8(output.stdout).expect("words");
        let lines: Vec<Value> = stdout.lines().map(|l| serde_json::from_str(l).expect(l)).collect();
        let report = lines.last().expect("a report");
        assert_eq!(report["ok"].as_bool(), Some(true), "{report}");
        let active = lines.iter().rfind(|line| line["event"] == "call" && line["state"] == "active");
        let encrypted = if mode == "vos" { "none" } else { "vos-xor" };
        assert_eq!(active.expect("it was up")["encrypted"], encrypted, "of sound");
        // By hand: on the wire there is no word of SIP, beside it there is.
        let file = fs::read(capture).expect("it was kept");
        let mut packets = [0; 2];
        for (interface, packet) in packets_of(&file) {
            let reads =
                packet.windows(7).any(|at| at == b"SIP/2.0") || packet.windows(6).any(|at| at == b"INVITE");
            assert_eq!(reads, interface == 1, "{mode}: {}", String::from_utf8_lossy(packet));
            packets[interface] += 1;
        }
        assert!(packets[0] > 100 && packets[1] >= 12, "{packets:?}");
        let wire =
            "frame.interface_id == 0 && (sip || frame contains \"INVITE\" || frame contains \"SIP/2.0\")";
        let Some(readable) = read_by_tshark(capture, wire, "frame.number") else {
            let skipped = "skipped: the demo's capture is not read with tshark, which is not installed\n";
            // Straight to it: the test runner swallows what is printed.
            std::io::stderr().write_all(skipped.as_bytes()).expect("stderr");
            continue;
        };
        assert_eq!(readable, [""; 0], "{mode}");
        let meant =
            read_by_tshark(capture, "frame.interface_id == 1 && sip.Method == \"INVITE\"", "sip.Method");
        assert!(meant.is_some_and(|it| it.iter().all(|word| word == "INVITE") && !it.is_empty()), "{mode}");
        let comments =
            read_by_tshark(capture, "frame.interface_id == 1", "frame.comment").expect("it is there");
        assert!(comments.iter().all(|comment| comment.starts_with("in clear:")), "{comments:?}");
    }
}

/// The interface and the bytes of each packet of a pcapng file: draft-ietf-opsawg-pcapng section 4.3.
fn packets_of(file: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut at, mut packets) = (0, Vec::new());
    while at < file.len() {
        let word = |n: usize| u32::from_le_bytes(file[at + n..at + n + 4].try_into().expect("four")) as usize;
        if word(0) == 6 {
            packets.push((word(8), &file[at + 28..at + 28 + word(20)]));
        }
        at += word(4);
    }
    packets
}
