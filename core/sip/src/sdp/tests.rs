//! What a session description reads as, and what is written reads back.

use super::*;

const OFFER: &str = "v=0\r\no=- 29739 7272939 IN IP4 192.0.2.3\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nb=AS:64\r\nt=0 0\r\n\
    a=sendonly\r\nz=odd\r\nm=audio 49217 RTP/AVP 0 12 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n\
    a=ptime:20\r\na=maxptime:60.0\r\na=rtcp:53020 IN IP6 2001:db8::1\r\na=rtcp-mux\r\na=x-odd:a:b\r\n\
    m=video 3227/2 RTP/AVPF 31\r\nc=IN IP6 ff15::101/3\r\na=rtpmap:31 opus/48000/2\r\na=inactive\r\n";

#[test]
fn an_offer_gives_up_every_line_and_its_typed_views() {
    let sdp = Sdp::read(OFFER.as_bytes()).expect("reads");
    let origin = sdp.origin().expect("an origin");
    assert_eq!(
        (origin.user, origin.session, origin.version, origin.address),
        ("-", "29739", "7272939", "192.0.2.3")
    );
    assert_eq!(
        (sdp.session().line(b'z').expect("kept").text(), sdp.session().bandwidth("AS")),
        ("odd", Some(64))
    );
    let [audio, video] = sdp.media().collect::<Vec<_>>().try_into().expect("two");
    assert_eq!((audio.kind(), audio.port(), audio.ports(), audio.protocol()), ("audio", 49217, 1, "RTP/AVP"));
    assert_eq!(audio.payloads().collect::<Vec<_>>(), [0, 12, 101]);
    let map = Rtpmap { payload: 101, encoding: "telephone-event", clock_rate: 8000, channels: 1 };
    assert_eq!((audio.rtpmap(101), audio.rtpmap(0), audio.fmtp(101)), (Some(map), None, Some("0-16")));
    assert_eq!((audio.ptime(), audio.maxptime()), (Some(20), Some(60)));
    assert_eq!(audio.rtcp(), Some(Rtcp { port: 53020, ip: "2001:db8::1".parse().ok() }));
    assert_eq!((audio.rtcp_mux(), audio.direction()), (true, Direction::SendOnly));
    assert_eq!(audio.connection().expect("the session's").address, "192.0.2.4");
    assert_eq!(audio.value("x-odd"), Some("a:b"));
    assert_eq!((video.ports(), video.direction(), video.rtcp_mux()), (2, Direction::Inactive, false));
    assert_eq!(video.connection().expect("its own").ip, "ff15::101".parse().ok());
    assert_eq!(video.rtpmap(31).expect("a map").channels, 2);
}

#[test]
fn what_the_wild_leaves_out_or_adds_is_borne() {
    let text = b"\nm=audio 5004\tRTP/AVP  0\n\n a=ptime:20 \nnonsense\na=\xff\nc=IN IP4 0.0.0.0\n";
    let sdp = Sdp::read(text).expect("reads");
    let audio = sdp.media().next().expect("one");
    assert_eq!((audio.port(), audio.ptime(), sdp.odd_lines()), (5004, Some(20), 1));
    assert!(audio.connection().expect("there").is_unspecified());
    assert_eq!((sdp.origin(), sdp.lines().len()), (None, 4));
}

#[test]
fn what_is_no_description_is_refused() {
    assert_eq!(Sdp::read(b""), Err(SdpError::NotSdp));
    assert_eq!(Sdp::read(b"<audio>\n <pcmu/>\n</audio>"), Err(SdpError::NotSdp));
    for line in ["", "audio", "audio x RTP/AVP 0", "audio 70000 RTP/AVP 0", "audio 1", "audio 1/ RTP/AVP 0"] {
        assert_eq!(Sdp::read(format!("v=0\nm={line}\n").as_bytes()), Err(SdpError::BadMedia), "{line}");
    }
    assert_eq!(Sdp::read("m=a 1 b c\n".repeat(65).as_bytes()), Err(SdpError::TooManyMedia));
    assert_eq!(Sdp::read(format!("v=0\n{}", "a=b\n".repeat(1024)).as_bytes()), Err(SdpError::TooManyLines));
}

#[test]
fn what_is_written_reads_back_the_same() {
    let mut w = Writer::new("-", 7, 8, "2001:db8::1".parse().expect("an address"));
    w.media("audio", 4000, "RTP/AVP", [0, 101]).rtpmap(101, "telephone-event", 8000, 1);
    w.attribute("fmtp", "101 0-16\r\nm=evil 1 x 0").flag("rtcp-mux").direction(Direction::RecvOnly);
    w.media("video", 0, "RTP/AVP", ["31"]);
    let text = w.finish();
    assert!(text.starts_with(
        "v=0\r\no=- 7 8 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\n"
    ));
    let sdp = Sdp::read(text.as_bytes()).expect("reads");
    let lines = sdp.lines().iter().map(|l| format!("{}={}\r\n", l.kind as char, l.text()));
    let again: String = lines.collect();
    assert_eq!(again, text);
    assert_eq!(sdp.media().len(), 2);
    assert_eq!(sdp.media().next().expect("audio").direction(), Direction::RecvOnly);
}

#[test]
fn a_direction_seen_from_the_other_side_is_reversed() {
    use Direction::*;
    assert_eq!(
        [SendRecv, SendOnly, RecvOnly, Inactive].map(Direction::reversed),
        [SendRecv, RecvOnly, SendOnly, Inactive]
    );
    assert_eq!(Direction::read("sendonly"), Some(SendOnly));
    assert_eq!(Direction::read("SendOnly"), None);
}
