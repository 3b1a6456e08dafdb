//! The examples of RFC 6455, and what a stranger may send instead.

use bytes::Bytes;

use super::MAX_MESSAGE;
use super::frame::{End, FrameError, Kind, Reader, Said, message, write};
use super::upgrade::{Asked, MAX_HEAD, Refused, answer, head_end};

const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

fn read(end: End, bytes: &[u8]) -> Result<Vec<Said>, FrameError> {
    let mut reader = Reader::new(end);
    reader.push(bytes);
    let mut said = Vec::new();
    while let Some(one) = reader.next()? {
        said.push(one);
    }
    Ok(said)
}

fn text(text: &'static str) -> Said {
    Said::Message(Bytes::from_static(text.as_bytes()))
}

/// RFC 6455 section 5.7.
#[test]
fn the_examples_of_the_standard_read_and_write_as_it_has_them() {
    let hello = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    let masked = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
    let pieces = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(read(End::Client, &hello), Ok(vec![text("Hello")]));
    assert_eq!(read(End::Server, &masked), Ok(vec![text("Hello")]));
    assert_eq!(read(End::Client, &pieces), Ok(vec![text("Hello")]));
    assert_eq!(message(b"Hello", None), hello);
    assert_eq!(message(b"Hello", Some(MASK)), masked);
    let ping = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(read(End::Client, &ping), Ok(vec![Said::Ping(Bytes::from_static(b"Hello"))]));
    assert_eq!(write(Kind::Binary, &[0; 256], None)[..4], [0x82, 0x7e, 0x01, 0x00]);
    assert_eq!(write(Kind::Binary, &vec![0; 65_536], None)[..10], [0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0]);
}

#[test]
fn a_message_comes_whole_however_it_is_cut_with_pings_between_its_pieces() {
    let piece = |kind: u8, payload: &[u8]| {
        let mut frame = write(Kind::Continuation, payload, Some(MASK));
        frame[0] = kind;
        frame
    };
    let wire = [
        piece(0x02, b"INV"),
        write(Kind::Ping, b"?", Some(MASK)),
        piece(0x00, b"IT"),
        write(Kind::Pong, b"", Some(MASK)),
        piece(0x80, b"E \xff"),
        message(b"BYE", Some(MASK)),
        write(Kind::Close, &1000_u16.to_be_bytes(), Some(MASK)),
    ]
    .concat();
    let whole = vec![
        Said::Ping(Bytes::from_static(b"?")),
        Said::Pong,
        Said::Message(Bytes::from_static(b"INVITE \xff")),
        text("BYE"),
        Said::Close(Some(1000)),
    ];
    for size in 1..wire.len() {
        let (mut reader, mut said) = (Reader::new(End::Server), Vec::new());
        for chunk in wire.chunks(size) {
            reader.push(chunk);
            while let Some(one) = reader.next().unwrap() {
                said.push(one);
            }
        }
        assert_eq!(said, whole, "in chunks of {size}");
        assert_eq!(reader.kept(), 0);
    }
}

#[test]
fn the_longest_message_is_taken_and_one_byte_more_is_refused_before_it_has_come() {
    let longest = vec![b'a'; MAX_MESSAGE];
    let said = read(End::Client, &message(&longest, None));
    assert_eq!(said, Ok(vec![Said::Message(longest.into())]));
    assert_eq!(read(End::Client, &[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]), Err(FrameError::TooLong));
    assert_eq!(read(End::Client, &[0x81, 127, 255, 0, 0, 0, 0, 1, 0, 0]), Err(FrameError::TooLong));
    let mut pieces = write(Kind::Binary, &vec![0; 40_000], None);
    pieces[0] = 0x02;
    pieces.extend([0x80, 126, 0x9c, 0x40]); // 40,000 more
    assert_eq!(read(End::Client, &pieces), Err(FrameError::TooLong));
}

#[test]
fn frames_that_break_a_rule_end_the_connection_with_the_status_that_says_so() {
    for (bytes, error, status) in [
        (&[0xc1, 0x80, 0, 0, 0, 0][..], FrameError::Reserved, 1002),
        (&[0x83, 0x80, 0, 0, 0, 0], FrameError::Opcode, 1002),
        (&[0x8b, 0x80, 0, 0, 0, 0], FrameError::Opcode, 1002),
        (&[0x81, 0x00], FrameError::Mask, 1002),
        (&[0x81, 0xfe, 0, 125, 0, 0, 0, 0], FrameError::Length, 1002),
        (&[0x81, 0xff, 0, 0, 0, 0, 0, 0, 0xff, 0xff], FrameError::Length, 1002),
        (&[0x89, 0xfe, 0, 126, 0, 0, 0, 0], FrameError::Control, 1002),
        (&[0x09, 0x80, 0, 0, 0, 0], FrameError::Control, 1002),
        (&[0x80, 0x80, 0, 0, 0, 0], FrameError::Piece, 1002),
        (&[0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0], FrameError::Piece, 1002),
        (&[0x81, 0x81, 0, 0, 0, 0, 0xff], FrameError::Text, 1007),
        (&[0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0], FrameError::TooLong, 1009),
    ] {
        let mut reader = Reader::new(End::Server);
        reader.push(bytes);
        let told = std::iter::repeat_with(|| reader.next()).find(|it| *it != Ok(None)).unwrap();
        assert_eq!(told, Err(error), "{bytes:02x?}");
        assert_eq!(error.status(), status);
        reader.push(&message(b"BYE", Some(MASK)));
        assert_eq!(reader.next(), Err(error), "for good");
    }
    assert_eq!(
        read(End::Client, &message(b"BYE", Some(MASK))),
        Err(FrameError::Mask),
        "a server masks nothing"
    );
}

/// RFC 6455 section 1.3 has this key and what is made of it.
#[test]
fn an_upgrade_is_asked_for_and_answered() {
    let nonce = *b"the sample nonce";
    let (asked, request) = Asked::write("offhook.test", "/ws", nonce);
    let text = String::from_utf8(request.clone()).unwrap();
    assert!(text.starts_with("GET /ws HTTP/1.1\r\nHost: offhook.test\r\n"), "{text}");
    assert!(text.contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"), "{text}");
    assert_eq!(head_end(&request), Ok(Some(request.len())));
    assert_eq!(head_end(&request[..request.len() - 1]), Ok(None));
    let answer = answer(&request).unwrap();
    let text = String::from_utf8(answer.clone()).unwrap();
    assert!(text.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"), "{text}");
    assert_eq!(asked.answered(&answer), Ok(()));
    let other = Asked::write("offhook.test", "/ws", [7; 16]).0;
    assert_eq!(other.answered(&answer), Err(Refused::Key));
}

#[test]
fn what_is_no_upgrade_to_sip_is_refused_with_the_reason() {
    let (_, request) = Asked::write("h", "/", [1; 16]);
    let request = String::from_utf8(request).unwrap();
    for (from, to, why, status) in [
        ("GET / HTTP/1.1", "GET / HTTP/1.0", Refused::NotHttp, "400"),
        ("GET / HTTP/1.1", "SIP/2.0 200 OK", Refused::NotHttp, "400"),
        ("Upgrade: websocket", "Upgrade websocket", Refused::NotHttp, "400"),
        ("GET", "POST", Refused::NoUpgrade, "426"),
        ("Upgrade: websocket", "Upgrade: h2c", Refused::NoUpgrade, "426"),
        ("Version: 13", "Version: 8", Refused::Version, "426"),
        ("Key: ", "Key: A", Refused::Key, "400"),
        ("Protocol: sip", "Protocol: chat, xmpp", Refused::NoSip, "400"),
    ] {
        let (told, answer) = answer(request.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(told, why, "{to}");
        assert_eq!(&answer[9..12], status.as_bytes(), "{to}");
    }
    assert!(answer(request.replace("Protocol: sip", "Protocol: chat, SIP").as_bytes()).is_ok());
    let (asked, request) = Asked::write("h", "/", [1; 16]);
    let good = String::from_utf8(answer(&request).unwrap()).unwrap();
    for (from, to, why) in [
        ("HTTP/1.1 101", "SIP/2.0 400", Refused::NotHttp),
        ("101", "404", Refused::NoUpgrade),
        ("Connection: Upgrade\r\n", "", Refused::NoUpgrade),
        ("Accept: ", "Accept: A", Refused::Key),
        ("Protocol: sip", "Protocol: chat", Refused::NoSip),
        ("Sec-WebSocket-Protocol: sip\r\n", "", Refused::NoSip),
        ("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", Refused::NoUpgrade),
    ] {
        assert_eq!(asked.answered(good.replace(from, to).as_bytes()), Err(why), "{from} {to}");
    }
    assert_eq!(head_end(&vec![b'a'; MAX_HEAD + 1]), Err(Refused::NotHttp));
    let (_, request) = Asked::write("h\r\nX: y", "/a b\r\nZ: z", [1; 16]);
    assert!(String::from_utf8(request).unwrap().starts_with("GET /abZ:z HTTP/1.1\r\nHost: hX:y\r\n"));
}
