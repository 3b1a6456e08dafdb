use base::Secret;
use phone::{Carry, KeysBy};
use sip::ua::TransportPolicy;

use super::*;

fn settings(number: &str, server: &str) -> AccountSettings {
    AccountSettings { number: number.into(), server: server.into(), ..AccountSettings::default() }
}

fn phones(settings: &AccountSettings, password: &str) -> Result<Account, PhoneError> {
    let password = Some(Hidden(Secret::new(password.into())));
    account(&settings.document(None)?, &Secrets { password, ..Secrets::default() })
}

fn refused_at<T: std::fmt::Debug>(refused: Result<T, PhoneError>) -> Field {
    match refused {
        Err(PhoneError::BadSetting { field, .. }) => field,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_account_under_vos_needs_a_password_to_seal_by() {
    let settings = AccountSettings {
        encryption: Some(Encryption::Vos),
        transport: Transport::Tls,
        ..settings("1001", "sip.test")
    };
    assert!(phones(&settings, "secret").unwrap().is_sealed());
    assert_eq!(refused_at(phones(&settings, "")), Field::Password);
}

#[test]
fn whether_calls_are_encrypted_and_by_which_keys_is_the_accounts() {
    use phone::MediaEncryption as Encryption;

    let set = |media_encryption, media_keys| {
        let settings = AccountSettings { media_encryption, media_keys, ..settings("1001", "sip.test") };
        let account = phones(&settings, "").unwrap();
        (account.media_encryption, account.media_encryption_by, account.sdes_in_clear)
    };
    assert_eq!(set(None, None), (Encryption::Off, KeysBy::Both, false));
    let perhaps = set(Some(MediaEncryption::Optional), Some(MediaKeys::Sdes));
    assert_eq!(perhaps, (Encryption::Optional, KeysBy::Sdes, false));
    let insists = set(Some(MediaEncryption::Required), Some(MediaKeys::Dtls));
    assert_eq!(insists, (Encryption::Required, KeysBy::Dtls, false));
}

#[test]
fn a_stun_server_is_named_as_a_server_is() {
    let stun = |typed: &str| {
        let settings = AccountSettings { stun: typed.into(), ..settings("1001", "sip.test") };
        phones(&settings, "").map(|account| account.nat.stun)
    };
    let at = |host: &str, port| vec![Server { host: host.into(), port }];
    assert_eq!(stun("").unwrap(), []);
    assert_eq!(stun("stun.test").unwrap(), at("stun.test", 3478));
    assert_eq!(stun("stun:192.0.2.1:3479").unwrap(), at("192.0.2.1", 3479));
    assert_eq!(stun("2001:db8::1").unwrap(), at("[2001:db8::1]", 3478));
    assert_eq!(refused_at(stun("a b")), Field::Stun);
}

#[test]
fn number_and_server_become_an_address_of_record() {
    for (number, server, uri, proxy) in [
        ("1001", " sip.example.com ", "sip:1001@sip.example.com", None),
        ("+49 30 1234", "192.0.2.1:5070", "sip:+49301234@192.0.2.1:5070", None),
        ("1001", "2001:db8::1", "sip:1001@[2001:db8::1]", None),
        ("10#1", "h.test", "sip:10%231@h.test", None),
        ("ann@example.com", "", "sip:ann@example.com", None),
        ("sip:ann@example.com", "example.com", "sip:ann@example.com", None),
        ("ann@example.com", "edge.example.com", "sip:ann@example.com", Some("sip:edge.example.com")),
    ] {
        let settings = settings(number, server);
        let account = phones(&settings, "").unwrap();
        assert_eq!(account.uri.to_string(), uri);
        assert_eq!(account.proxy.map(|it| it.to_string()).as_deref(), proxy, "{number} {server}");
        // Read back it is the same account, and stays so.
        let document = settings.document(None).unwrap();
        let shown = AccountSettings::of(&document);
        assert_eq!(shown.document(None).unwrap().to_json(), document.to_json());
        assert_eq!(shown.document(Some(&document)).unwrap().to_json(), document.to_json());
    }
}

#[test]
fn what_cannot_be_used_names_its_field() {
    for (number, server, at) in [
        ("", "example.com", Field::Number),
        ("1001", "", Field::Server),
        ("1001", "exa mple", Field::Server),
        ("1001", "example.com;transport=tcp", Field::Server),
        ("10\r\n01", "example.com", Field::Number),
        ("10>01", "example.com", Field::Number),
        ("ann:hush", "example.com", Field::Number),
        ("\u{1f4de}", "example.com", Field::Number),
        ("1001", "\u{1f4de}.example", Field::Server),
        (&"1".repeat(300), "example.com", Field::Number),
    ] {
        assert_eq!(refused_at(settings(number, server).document(None)), at, "{number}");
    }
    let plain = || settings("1001", "h.test");
    let rule = |rule| AccountSettings { dial_plan: vec![rule], ..plain() };
    let caller_id = |number: &str| {
        let caller_id = Some(CallerIdSettings { number: number.into(), ..CallerIdSettings::default() });
        AccountSettings { caller_id, ..plain() }
    };
    for (wrong, at) in [
        (AccountSettings { codecs: vec!["MP3".into()], ..plain() }, Field::Codecs),
        (rule(DialRule { fits: "(".into(), ..DialRule::default() }), Field::DialPlan),
        (rule(DialRule { replace: Some("1".into()), ..DialRule::default() }), Field::DialPlan),
        (rule(DialRule { prefix: "1".repeat(300), ..DialRule::default() }), Field::DialPlan),
        (caller_id("bob"), Field::CallerId),
        (AccountSettings { expires_s: Some(0), ..plain() }, Field::Expires),
        (AccountSettings { display_name: "a\u{202e}b".into(), ..plain() }, Field::DisplayName),
    ] {
        assert_eq!(refused_at(phones(&wrong, "")), at);
    }
}

#[test]
fn all_of_the_screen_is_the_phones_and_reads_back_as_it_was_set() {
    let set = AccountSettings {
        proxy: "edge.h.test:5070".into(),
        auth_user: "ann-auth".into(),
        display_name: "Ann".into(),
        transport: Transport::Tcp,
        register: false,
        ice: false,
        stun: "stun.h.test:3478".into(),
        publish_presence: true,
        media_encryption: Some(MediaEncryption::Required),
        media_keys: Some(MediaKeys::Sdes),
        codecs: vec!["opus".into(), "PCMU".into()],
        keypad: Some(KeypadBy::Info),
        dial_plan: vec![
            DialRule { begins: "00".into(), strip: 2, prefix: "+".into(), ..DialRule::default() },
            DialRule {
                fits: "(.*)0".into(),
                least: Some(3),
                replace: Some(String::new()),
                go_on: true,
                ..DialRule::default()
            },
        ],
        caller_id: Some(CallerIdSettings {
            number: "+4930".into(),
            carry: vec![Carry::FromUser, Carry::RemoteParty],
            hide: true,
        }),
        networks: Some(NetworkLimit::WifiOnly),
        media_udp: false,
        silence_suppression: true,
        voicemail: true,
        emergency: true,
        expires_s: Some(600),
        ..settings("1001", "h.test")
    };
    let document = set.document(None).unwrap();
    assert_eq!(AccountSettings::of(&document), set);
    let (again, _) = Document::read(&document.to_json()).unwrap();
    assert_eq!(AccountSettings::of(&again), set);
    let account = phones(&set, "").unwrap();
    assert_eq!(account.codecs.iter().map(|it| it.name()).collect::<Vec<_>>(), ["opus", "PCMU"]);
    assert_eq!(account.transport, TransportPolicy::Only(base::Transport::Tcp));
    assert_eq!((account.digits, account.networks), (DigitsBy::Info, NetworkPolicy::WifiOnly));
    assert_eq!(account.dial_plan.apply("0049").number, "+49");
    assert_eq!(account.caller_id.carry, [Carry::FromUser, Carry::RemoteParty].into());
    assert!(account.voicemail && account.emergency && account.silence_suppression);
    assert_eq!((account.nat.udp, account.nat.ice, account.expires), (false, false, 600));
    assert_eq!(account.keepalive, Keepalive::Thrifty);
}

#[test]
fn what_the_screen_has_not_stays_as_it_was() {
    let json = r#"{"offhook":1,"uri":"sip:1001@h.test;transport=tcp","late_offer":true,"push":{"by":"fcm"},"keepalive":"prompt",
        "nat":{"stun":["stun:a.test","stun:b.test"],"tcp_punch":false,"turn":[{"uri":"turn:r.test","user":"u"}]}}"#;
    let (document, _) = Document::read(json).unwrap();
    let shown = AccountSettings::of(&document);
    assert_eq!(shown.transport, Transport::Tcp);
    let named = AccountSettings { display_name: "Ann".into(), ..shown.clone() };
    let mut expected: serde_json::Value = serde_json::from_str(&document.to_json()).unwrap();
    expected["display_name"] = "Ann".into();
    expected["transport"] = "tcp".into();
    expected["nat"]["ice"] = true.into();
    let changed = named.document(Some(&document)).unwrap().to_json();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&changed).unwrap(), expected);
    // Where the screen says otherwise, it is so.
    let automatic = AccountSettings { transport: Transport::Automatic, ..shown };
    let changed = automatic.document(Some(&document)).unwrap();
    assert_eq!(AccountSettings::of(&changed), automatic);
    let elsewhere = AccountSettings { server: "other.test".into(), ..AccountSettings::of(&document) };
    let changed = elsewhere.document(Some(&document)).unwrap();
    assert_eq!(AccountSettings::of(&changed), elsewhere);
    assert!(!is_at_the_same(&document, &changed));
}

#[test]
fn a_document_that_nobody_could_read_again_is_refused() {
    let long = "x".repeat(250);
    let rule = DialRule { begins: long.clone(), prefix: long.clone(), ..DialRule::default() };
    let rules = AccountSettings { dial_plan: vec![rule; 200], ..settings("1001", "h.test") };
    assert_eq!(rules.document(None).map(drop), Err(PhoneError::TooLong));
}
