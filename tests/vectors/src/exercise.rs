//! What a reader must do with any bytes at all: come back, and keep its word. The mutation tests and the fuzzers share it.
//!
//! Every function panics where a promise is broken. None knows what the bytes should mean: that is for the vectors' tests.

mod decoders;
mod packets;
mod relay;
mod sealed;
mod streams;

use std::time::Duration;

use base::{Instant, Rng, Secret};
use media::comfort_noise::{Dtx, Due, Generator, Noise};
use media::dtmf::{Detector, Receiver};
use media::{Codec, Playout, g722, gsm, opus};
use sip::digest::{Algorithm, Challenge, Credentials, Verdict, Verifier};
use sip::message::{
    Draft, Form, Framed, Message, Method, Name, NameAddr, Side, Start, Stream, StreamError, UriRef,
    escape_user, unescape,
};
use sip::sdp::{Crypto, Sdp};

pub use decoders::decoders;
pub use packets::{media_session, rtcp, rtp};
pub use relay::turn_client;
pub use sealed::{disguise, ks};
pub use streams::{stream_frames, stun, web_frames};

/// Everything a message says, folds and length aside.
#[derive(Debug, PartialEq)]
struct Meaning {
    start: String,
    fields: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
}

fn meaning<B: AsRef<[u8]>>(message: &Message<B>) -> Meaning {
    let unfold = |text: &[u8]| -> Vec<u8> {
        text.iter().map(|b| if matches!(b, b'\r' | b'\n') { b' ' } else { *b }).collect()
    };
    let start = match message.start() {
        Start::Request { method, uri } => format!("{method} {}", unfold(uri).escape_ascii()),
        Start::Response { status, reason } => format!("{status} {}", unfold(reason).escape_ascii()),
    };
    let fields = message.fields().filter(|f| f.name != Name::ContentLength);
    let fields = fields
        .map(|f| match f.name {
            Name::Other => (f.text.escape_ascii().to_string(), unfold(f.value)),
            name => (name.to_string(), unfold(f.value)),
        })
        .collect();
    Meaning { start, fields, body: message.body().to_vec() }
}

/// What is read and written again reads as the same.
///
/// # Panics
/// It does not.
pub fn round_trip(message: &Message<&[u8]>, form: Form) {
    let draft = Draft::from_message(message);
    let wire = draft.write(form);
    assert_eq!(wire.len(), draft.len(form));
    let Ok(again) = Message::read(&wire[..]) else {
        // The limit holds for what is written too: full names may pass it.
        assert!(wire.len() > 65_535, "what we write reads");
        return;
    };
    assert_eq!(meaning(message), meaning(&again));
    assert_eq!(again.content_length(), Some(message.body().len() as u32));
}

/// Reads a message and asks it everything.
///
/// # Panics
/// It breaks a promise.
pub fn message(bytes: &[u8]) {
    let Ok(message) = Message::read(bytes) else { return };
    let sound = message.refusal().is_none() && message.flaw().is_none();
    for &name in Name::KNOWN {
        for address in message.name_addrs(name).flatten() {
            let _ = (address.display(), address.expires(), address.q(), address.params().iter().count());
            uri(address.uri_text().as_bytes());
        }
        assert!(message.list(name).count() >= message.all(name).count());
        assert_eq!(message.first(name), message.all(name).next());
        assert_eq!(message.has(name), message.fields().any(|f| f.name == name));
    }
    if sound {
        assert!(message.top_via().is_ok() && message.call_id().is_ok() && message.cseq().is_ok());
        assert_eq!(message.from_tag(), message.from().expect("sound").tag());
        assert_eq!(message.to_tag(), message.to().expect("sound").tag());
        assert!(!message.is_request() || message.request_uri().is_ok());
    }
    let _ = (
        message.vias().count(),
        message.rack(),
        message.replaces(),
        message.reason_phrase(),
        format!("{message:?}"),
    );
    let _ = (message.session_expires(), message.min_se(), message.event(), message.subscription_state());
    let _ = (
        message.reasons().count(),
        message.warnings().count(),
        message.retry_after(),
        message.content_type(),
    );
    let _ = (
        message.allows(&Method::Ack),
        message.max_forwards(),
        message.expires(),
        sip::ladder::line(&message, &[Name::Via]),
    );
    for challenge in message.all(Name::WwwAuthenticate) {
        digest_header(challenge);
    }
    sdp(message.body());
    round_trip(&message, Form::Full);
    round_trip(&message, Form::Compact);
}

fn frame(bytes: &[u8], size: usize, side: Side) -> (Vec<Framed>, Option<StreamError>) {
    let (mut stream, mut framed) = (Stream::new(side), Vec::new());
    for chunk in bytes.chunks(size) {
        stream.push(chunk);
        loop {
            match stream.next() {
                Ok(Some(next)) => framed.push(next),
                Ok(None) => break,
                Err(error) => return (framed, Some(error)),
            }
        }
    }
    (framed, None)
}

/// Frames a stream in one piece and in small ones: the same comes out.
///
/// # Panics
/// It does not, or a message passes the limit.
pub fn stream(bytes: &[u8]) {
    for side in [Side::Opened, Side::Accepted] {
        let (whole, error) = frame(bytes, bytes.len().max(1), side);
        for size in [1, 7, 1000] {
            let (pieces, other) = frame(bytes, size, side);
            assert_eq!((&pieces, other.is_some()), (&whole, error.is_some()), "cut every {size} bytes");
        }
        for framed in whole {
            if let Framed::Message(bytes) = framed {
                let message = Message::read(bytes).expect("what was framed reads");
                assert!(message.flaw().is_none_or(|flaw| !flaw.to_string().starts_with("Content-Length")));
            }
        }
    }
}

/// Reads a session description and asks it everything.
///
/// # Panics
/// It breaks a promise.
pub fn sdp(bytes: &[u8]) {
    let Ok(sdp) = Sdp::read(bytes) else { return };
    let _ = (sdp.origin(), sdp.session().direction(), sdp.session().bandwidth("AS"));
    let mut lines = sdp.session().lines().len();
    for media in sdp.media() {
        lines += media.section().lines().len();
        for payload in media.payloads() {
            let _ = (media.rtpmap(payload), media.fmtp(payload));
        }
        let _ = (
            media.ptime(),
            media.maxptime(),
            media.rtcp(),
            media.rtcp_mux(),
            (media.fingerprints().count(), media.setup(), media.tls_id()),
            media.connection(),
            media.direction(),
        );
        let _ = (
            media.kind(),
            media.port(),
            media.ports(),
            media.protocol(),
            media.value("x"),
            media.rtpmaps().count(),
        );
    }
    assert_eq!(lines, sdp.lines().len(), "every line is in one section");
}

/// Reads a line of keys; what was read is read the same when it is written.
///
/// # Panics
/// It breaks a promise.
pub fn crypto(bytes: &[u8]) {
    let Some(line) = std::str::from_utf8(bytes).ok() else { return };
    let Ok(read) = Crypto::read(line) else { return };
    assert!(read.tag < 1_000_000_000 && read.material.expose().len() <= 66 && read.mki_bytes <= 128);
    let written = Crypto::write(read.tag, read.suite, read.material.expose());
    let again = Crypto::read(&written).expect("we wrote it");
    assert_eq!((again.tag, again.suite, &again.material), (read.tag, read.suite, &read.material));
}

/// Reads a URI, alone and as an address.
///
/// # Panics
/// It breaks a promise.
pub fn uri(bytes: &[u8]) {
    if let Ok(address) = NameAddr::read(bytes) {
        let _ = (address.display(), address.tag(), address.uri().as_str());
    }
    let Ok(uri) = UriRef::read(bytes) else { return };
    assert_eq!(uri.as_str().as_bytes(), bytes);
    assert!(uri.equals(&uri) && uri.to_uri().view() == uri);
    assert_eq!(unescape(&escape_user(uri.as_str())), uri.as_str());
    let _ = (
        uri.user_decoded(),
        uri.transport(),
        uri.is_loose(),
        uri.header_fields().count(),
        uri.params.iter().count(),
    );
}

/// Reads a challenge, and the same bytes as credentials that a server checks.
///
/// # Panics
/// It breaks a promise.
pub fn digest_header(bytes: &[u8]) {
    let _ = Challenge::read(bytes);
    let mut draft = Draft::request(&Method::Register, "sip:offhook.test");
    draft.push_bytes(Name::Authorization, bytes);
    let request = Message::read(draft.write(Form::Full)).expect("a line cannot be broken out of");
    let mut rng = Rng::from_number(1);
    let mut verifier = Verifier::new(
        "offhook.test",
        &[Algorithm::Sha256, Algorithm::Md5],
        std::time::Duration::from_mins(5),
        &mut rng,
    );
    let known = |user: &str| {
        let password = Secret::new("secret".to_owned());
        (user == "1001").then(|| Credentials { user: user.to_owned(), password, realm: None })
    };
    let verdict = verifier.check(&request, false, Instant::ZERO, known);
    assert!(!matches!(verdict, Verdict::Ok { .. }), "nobody guesses a nonce");
}

/// A keypad that is sent telephone events: in front of each packet its length and marker in one byte, and its timestamp in
/// four. Nothing comes out that was not put in, and what nobody fetches has a bound.
///
/// # Panics
/// It breaks a promise.
pub fn telephone_event(bytes: &[u8]) {
    let mut receiver = Receiver::default();
    let (mut reports, mut heard, mut rest) = (0, 0, bytes);
    while let Some(([head, timestamp @ ..], after)) = rest.split_first_chunk::<5>() {
        let (payload, after) = after.split_at(usize::from(head >> 1).min(after.len()));
        rest = after;
        let taken = receiver.packet(head & 1 != 0, u32::from_be_bytes(*timestamp), payload);
        assert_eq!(taken.is_ok(), !payload.is_empty() && payload.len().is_multiple_of(4));
        reports += payload.len() / 4;
        if head & 2 != 0 {
            let fetched = std::iter::from_fn(|| receiver.poll()).count();
            assert!(fetched <= 16, "{fetched} waited");
            heard += fetched;
        }
    }
    heard += std::iter::from_fn(|| receiver.poll()).count();
    assert!(heard as u64 + receiver.ignored() <= reports as u64);
}

/// Samples of 16 bits, heard for digits: any come back, no more digits are heard than fit, and the same ones however the
/// samples are cut.
///
/// # Panics
/// It breaks a promise.
pub fn dtmf_detector(bytes: &[u8]) {
    let samples: Vec<i16> = bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    let heard = |pieces: &mut dyn Iterator<Item = usize>| {
        let (mut detector, mut heard) = (Detector::default(), Vec::new());
        let mut rest = samples.as_slice();
        for piece in pieces {
            let (now, later) = rest.split_at(piece.min(rest.len()));
            detector.feed(now, |digit| heard.push(digit.as_char()));
            rest = later;
        }
        detector.feed(rest, |digit| heard.push(digit.as_char()));
        heard
    };
    let whole = heard(&mut std::iter::empty());
    // A digit takes 15 ms at least: four looks that are 5 ms apart.
    assert!(whole.len() <= samples.len() / 120 + 1, "{} digits in {} samples", whole.len(), samples.len());
    // The bytes say themselves how they are cut.
    assert!(heard(&mut bytes.iter().map(|b| usize::from(*b))) == whole);
}

/// Any octets as G.722, in packets whose length each first byte says. Where a stream is cut changes nothing, and any samples
/// can be encoded.
///
/// # Panics
/// It breaks a promise.
pub fn g722(bytes: &[u8]) {
    let (mut whole, mut pieces) = (g722::Decoder::default(), g722::Decoder::default());
    let (mut expected, mut got) = (vec![0; bytes.len() * 2], Vec::new());
    assert_eq!(whole.decode(bytes, &mut expected), bytes.len() * 2);
    let mut rest = bytes;
    while let Some(head) = rest.first() {
        let (now, later) = rest.split_at(usize::from(*head).clamp(1, rest.len()));
        let mut out = vec![0; now.len() * 2];
        assert_eq!(pieces.decode(now, &mut out), out.len());
        got.extend(out);
        rest = later;
    }
    assert!(got == expected);

    let samples: Vec<i16> = bytes.as_chunks().0.iter().map(|b| i16::from_le_bytes(*b)).collect();
    for samples in [samples, expected] {
        let mut payload = Vec::new();
        g722::Encoder::default().encode(&samples, &mut payload);
        assert_eq!(payload.len(), samples.len() / 2);
    }
}

/// Any octets as frames of GSM full rate, and as samples. Signed frames decode and others are refused; what is encoded is
/// signed.
///
/// # Panics
/// It breaks a promise.
pub fn gsm(bytes: &[u8]) {
    let (mut decoder, mut encoder, mut out) =
        (gsm::Decoder::default(), gsm::Encoder::default(), [0; gsm::SAMPLES]);
    for frame in bytes.as_chunks::<{ gsm::BYTES }>().0 {
        let mut signed = *frame;
        signed[0] = 0xd0 | signed[0] & 0x0f;
        assert_eq!(decoder.decode(frame, &mut out).is_ok(), *frame == signed);
        decoder.decode(&signed, &mut out).expect("it is signed");
        assert!(out.iter().all(|sample| sample.trailing_zeros() >= 3), "13 bits");
        decoder.decode(&encoder.encode(&out), &mut out).expect("what we write reads");
    }
    for samples in bytes.as_chunks::<{ 2 * gsm::SAMPLES }>().0 {
        let mut pairs = samples.as_chunks().0.iter();
        let frame = std::array::from_fn(|_| pairs.next().map_or(0, |b| i16::from_le_bytes(*b)));
        decoder.decode(&encoder.encode(&frame), &mut out).expect("what we write reads");
    }
}

/// Any octets as payloads of comfort noise, in front of each its length; and as samples in frames of that many. What is played
/// has a bound, and what is told of a background reads as what was meant.
///
/// # Panics
/// It breaks a promise.
pub fn comfort_noise(bytes: &[u8]) {
    let mut generator = Generator::new(8000, Rng::from_number(1));
    let (mut dtx, mut frame, mut rest) = (Dtx::new(8000), [0; 100], bytes);
    while let Some((head, after)) = rest.split_first() {
        let (payload, after) = after.split_at(usize::from(*head).min(after.len()));
        rest = after;
        let told = Noise::read(payload);
        assert_eq!(told.is_err(), payload.is_empty());
        if let Ok(noise) = told {
            generator.set(&noise);
            let mut again = Vec::new();
            noise.write(&mut again);
            assert_eq!(Noise::read(&again), Ok(noise));
        }
        generator.fill(&mut frame);

        let samples: Vec<i16> = payload.as_chunks().0.iter().map(|b| i16::from_le_bytes(*b)).collect();
        if let Due::Noise(noise) = dtx.frame(&samples) {
            let mut written = Vec::new();
            noise.write(&mut written);
            assert_eq!(Noise::read(&written), Ok(noise));
        }
    }
}

/// Bytes as a stream of Opus packets. The first byte picks the decoder's rate; then before every packet two bytes say how
/// long it is, whether it is lost, and whether its successor is asked for it. Promises:
/// * what is well packed decodes to exactly the samples that it names, and nothing else decodes to any;
/// * a short room is filled and no more; what is missing is filled to the last 2.5 ms, whatever follows it.
///
/// # Panics
/// It breaks a promise.
pub fn opus_decoder(bytes: &[u8]) {
    let Some((pick, mut rest)) = bytes.split_first() else { return };
    let rate = opus::SAMPLE_RATES[usize::from(*pick) % 5];
    let mut decoder = opus::Decoder::new(rate);
    let mut out = vec![0; rate as usize * 12 / 100 + 1];
    while let Some(([head, length], after)) = rest.split_first_chunk::<2>() {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let named = decoder.samples(payload);
        let quiet = opus::is_dtx(payload);
        assert!(named.is_ok() || !(quiet || opus::has_fec(payload)));
        if head & 1 != 0 {
            let step = rate as usize / 400;
            let missing = usize::from(head >> 3) * step + usize::from(head & 4);
            let room = &mut out[..missing.min(rate as usize * 12 / 100)];
            let made = decoder.conceal((head & 2 != 0).then_some(payload), room);
            assert_eq!(made, room.len() / step * step);
        } else {
            let room = if head & 2 != 0 { usize::from(head >> 2) } else { out.len() };
            assert_eq!(decoder.decode(payload, &mut out[..room]), named.unwrap_or(0).min(room));
        }
    }
}

/// Bytes as packets that come to a playout, and what the ear takes of it. In front of each packet four bytes say its
/// codec and whether something restarts, how far its timestamp and its arrival are from the last ones, and its length.
/// Promises:
/// * the delay that is steered toward has a bound, and what is heard comes of packets or of concealment;
/// * the same packets sound the same.
///
/// # Panics
/// It breaks a promise.
pub fn playout(bytes: &[u8]) {
    assert_eq!(heard(bytes), heard(bytes));
}

fn heard(bytes: &[u8]) -> Vec<i16> {
    let codecs = [Codec::Pcma, Codec::G729, Codec::Gsm, Codec::G722];
    let mut decoders: Vec<_> = (0..).zip(codecs.map(Codec::decoder)).collect();
    let (mut playout, mut out, mut frame) = (Playout::new(), Vec::new(), [0; 320]);
    let (mut timestamp, mut now, mut pulled, mut rest) = (0_u32, 0_u64, 0_u64, bytes);
    let mut taken = Duration::ZERO;
    while let Some(([head, step, wait, length], after)) = rest.split_first_chunk::<4>() {
        let (payload, after) = after.split_at(usize::from(*length).min(after.len()));
        rest = after;
        let which = usize::from(*head) % codecs.len();
        // Mostly 10 ms a step; now and then anywhere.
        let unit = if head & 0x80 == 0 { 80 } else { 1 << 20 };
        timestamp = timestamp.wrapping_add_signed(i32::from(step.cast_signed()) * unit);
        now += u64::from(*wait) * if head & 0x40 == 0 { 1 } else { 50 };
        if head & 0x3c == 0x3c {
            playout.reset();
        }
        playout.set_rates(codecs[which].clock_rate(), codecs[which].sample_rate());
        if let Ok(samples) = decoders[which].1.samples(payload) {
            playout.insert(timestamp, samples, which, payload, Instant::from_millis(now));
        }
        // At most a second at once: the rest of a pause sounds alike.
        pulled = pulled.max(now.saturating_sub(1000));
        while pulled < now {
            let frame = &mut frame[..playout.sample_rate() as usize / 50];
            playout.pull(frame, &mut decoders, Instant::from_millis(pulled));
            out.extend_from_slice(frame);
            (pulled, taken) = (pulled + 20, taken + Duration::from_millis(20));
        }
        let figures = playout.figures();
        assert!(figures.target <= Duration::from_millis(600), "{figures:?}");
        let made = figures.played + figures.concealed + figures.comfort + figures.expanded;
        assert!(made + Duration::from_millis(20) >= taken, "{figures:?} for {taken:?}");
    }
    out
}
