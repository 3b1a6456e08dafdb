//! Who asks for encryption how, and what becomes of those who want to be asked otherwise.

use offhook_sim::{account, sdp};
use phone::{Account, CallState, Encrypted, KeysBy, MediaEncryption};

use crate::stage::{ip, keep, secs, world};

/// RFC 4568 section 4's, of 30 octets.
const KEYS: &str = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

#[test]
fn who_takes_keys_in_the_secure_profile_alone_is_asked_again_in_it_and_talks() {
    let mut w = world("RFC 8643 section 3.1; RFC 4568 section 7.1; RFC 3261 section 21.4.26");
    let settings = Account {
        proxy: None,
        register: false,
        media_encryption: MediaEncryption::Optional,
        media_encryption_by: KeysBy::Sdes,
        sdes_in_clear: true, // nobody simulates TLS
        ..account("ann", ip(1))
    };
    let ann = w.phone("ann", Some(settings));
    let bob = w.stranger("bob");
    w.call(ann, "sip:bob@10.0.0.2");
    let either = w.hears(bob, "INVITE");
    assert!(either.body().contains(" RTP/AVP ") && either.body().contains("a=crypto:"), "{}", either.text);
    w.says(bob, &either, either.reply("488 Not Acceptable Here", "b1", "", ""));
    let secure = w.hears(bob, "INVITE");
    assert!(secure.body().contains(" RTP/SAVP ") && secure.body().contains("a=crypto:"), "{}", secure.text);
    assert_ne!(either.header("Call-ID"), secure.header("Call-ID"));
    let answer = sdp((ip(2), 9000).into(), &["PCMU"], "sendrecv").replace("RTP/AVP", "RTP/SAVP");
    let answer = format!("{answer}{KEYS}\n");
    w.says(bob, &secure, secure.reply("200 OK", "b2", "Contact: <sip:10.0.0.2>", &answer));
    w.hears(bob, "ACK");
    w.run_until_state(ann, CallState::Active);
    assert_eq!(w.at(ann).live().map(|view| view.encrypted), Some(Encrypted::Sdes));
    w.run_for(secs(2.0));
    w.hang_up(ann);
    let bye = w.hears(bob, "BYE");
    w.says(bob, &bye, bye.reply("200 OK", "", "", ""));
    w.run_until_quiet();
    keep(&w);
}
