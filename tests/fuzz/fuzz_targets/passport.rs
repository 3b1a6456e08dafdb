#![no_main]
//! Whatever a caller signs, and whatever is handed out as his certificate: it is read or refused, and nobody is believed.

use libfuzzer_sys::fuzz_target;
use sip::message::{Message, Name};
use stir::{Address, Anchors, Chain, Signer, Token};

fuzz_target!(|bytes: &[u8]| {
    let _ = (Anchors::read(bytes), Signer::read(bytes, None));
    if let Ok(chain) = Chain::read(bytes) {
        assert!(chain.check(&Anchors::default(), 1_767_225_600).is_err());
    }
    let Ok(text) = str::from_utf8(bytes) else { return };
    if let Ok(address) = Address::read(text, &[]) {
        assert_eq!(Address::read(address.as_str(), &[]), Ok(address.clone()));
    }
    if text.contains(['\r', '\n']) {
        return;
    }
    let invite = format!(
        "INVITE sip:1@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\nFrom: <sip:+12@h>;tag=f\r\nTo: <sip:1@h>\r\n\
         Call-ID: a\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\nDate: Fri, 25 Sep 2015 19:12:25 GMT\r\nIdentity: {text}\r\n\r\n"
    );
    let Ok(message) = Message::read(invite.into_bytes().into()) else { return };
    let Ok(from) = message.from() else { return };
    for field in message.all(Name::Identity) {
        if let Ok(token) = Token::read(field, &message, &from) {
            assert!(!token.is_signed_by_point(&[4; 65]));
        }
    }
});
