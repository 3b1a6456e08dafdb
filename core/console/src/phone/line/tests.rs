use phone::{
    AccountId, Attest, CallId, Event, False, Identity, NotHad, Passport, Refusal, Said, Signed, SignedBy,
    Step, Unproven, Who,
};

use super::*;

fn json(event: &phone::Event) -> String {
    serde_json::to_string(&Line::of_phone(event, &Roster::default()).unwrap()).unwrap()
}

#[test]
fn a_registration_is_the_contracts_line() {
    let view = AccountView {
        account: AccountId(1),
        revision: 2,
        uri: Redacted::new("sip:1001@offhook.test".into()),
        state: AccountState::Registered,
        expires: Some(Duration::from_secs(300)),
        status: None,
        step: Step::Done,
        reason: None,
        as_of: base::Instant::ZERO,
        retry_in: None,
        dropped: phone::Dropped::default(),
    };
    let expected = r#"{"event":"registration","account":"1001","state":"registered","expires":300}"#;
    assert_eq!(json(&Event::Account(view)), expected);
}

fn ended() -> CallView {
    CallView {
        call: CallId(1),
        revision: 1,
        account: AccountId(1),
        side: Side::Out,
        state: CallState::Ended,
        remote: Redacted::new("sip:1002@offhook.test".into()),
        name: None,
        identity: None,
        codec: None,
        keys_left: None,
        encrypted: phone::Encrypted::Sdes,
        bad_keys: 2,
        no_reports: true,
        path: None,
        muted: false,
        conference: false,
        transfer: None,
        on_behalf_of: None,
        status: Some(486),
        reason: Some("Busy Here".into()),
        explanation: None,
        started: Instant::ZERO,
        answered: None,
        ended: Some(Instant::from_millis(10)),
    }
}

#[test]
fn a_call_is_the_contracts_line() {
    let view = ended();
    assert_eq!(
        json(&Event::Call(view)),
        concat!(
            r#"{"event":"call","call":1,"direction":"out","state":"ended","remote":"sip:1002@offhook.test","#,
            r#""encrypted":"sdes","bad_keys":2,"reports":false,"muted":false,"status":486,"reason":"Busy Here"}"#
        )
    );
}

#[test]
fn who_calls_is_told_with_who_says_so_and_whose_signature_that_has() {
    let signed = Signed {
        attest: Attest::Number,
        by: SignedBy::Certified {
            who: Who { name: Some("Carrier".into()), carrier: Some("1234".into()) },
            named: false,
        },
        forwarded: false,
    };
    let identity = |by, passport| Identity { by, verified: None, passport: Some(passport), hidden: false };
    let line = |identity: Identity| {
        let view = CallView { side: Side::In, identity: Some(identity), ..ended() };
        let line: serde_json::Value = serde_json::from_str(&json(&Event::Call(view))).unwrap();
        [&line["said_by"], &line["stir"], &line["stir_says"]].map(|it| it.as_str().unwrap().to_owned())
    };
    let says = "Carrier (carrier 1234) has signed for this number (level A).";
    assert_eq!(line(identity(Said::Signer, Passport::Signed(signed))), ["stir", "A", says]);
    let says = "The caller's signature is false: the signer may not sign for this number.";
    assert_eq!(line(identity(Said::Caller, Passport::False(False::NotTheirs))), ["from", "false", says]);
    let says = "The caller's signature proves nothing: the server with its certificate does not answer.";
    let silent = Passport::Unproven(Unproven::NoCertificate(NotHad::Silent));
    assert_eq!(line(identity(Said::RemoteParty, silent)), ["rpid", "unproven", says]);
}

#[test]
fn a_digit_is_the_contracts_line() {
    let digit = media::dtmf::Digit::from_char('5').unwrap();
    for (via, word) in [(Via::Events, "rfc4733"), (Via::Info, "info"), (Via::Tones, "inband")] {
        let event = Event::Dtmf { call: CallId(1), digit, via };
        let line = format!(r#"{{"event":"dtmf","call":1,"digit":"5","via":"{word}"}}"#);
        assert_eq!(json(&event), line);
    }
}

#[test]
fn a_timeline_is_one_line_with_a_row_for_each_second() {
    let mut timeline = media::Timeline::default();
    timeline.push(media::Point {
        at: Duration::from_secs(1),
        mos: 4.25,
        expected: 50,
        lost: 1,
        late: 2,
        concealed: Duration::from_millis(60),
        jitter: Duration::from_micros(1500),
        round_trip: None,
        delay: Duration::from_millis(90),
        codec: Some(media::Codec::G729),
    });
    let expected = concat!(
        r#"{"event":"timeline","call":1,"span_s":1,"columns":["at_s","mos","lost","late","concealed_ms","#,
        r#""jitter_ms","rtt_ms","delay_ms","codec"],"#,
        r#""points":[[1.0,4.25,2.0,4.0,60.0,1.5,null,90.0,"G729"]]}"#
    );
    assert_eq!(json(&Event::Timeline { call: CallId(1), timeline }), expected);
}

#[test]
fn a_silence_says_what_is_known_of_it() {
    let since = Duration::from_millis(4020);
    let began = media::Silence::Began { since, heard_before: true, hears_us: Some(true) };
    let expected = concat!(
        r#"{"event":"silence","call":1,"state":"began","seconds":4.02,"heard_before":true,"hears_us":true,"#,
        r#""reason":"nothing has come from the other side for 4 s, but it receives us"}"#
    );
    assert_eq!(json(&Event::Silence { call: CallId(1), silence: began }), expected);
    let ended = media::Silence::Ended { lasted: Duration::from_millis(6500) };
    let expected = concat!(
        r#"{"event":"silence","call":1,"state":"ended","seconds":6.5,"#,
        r#""reason":"the other side is back after 6 s"}"#
    );
    assert_eq!(json(&Event::Silence { call: CallId(1), silence: ended }), expected);
}

#[test]
fn a_refused_command_is_an_error_about_its_call() {
    let event = Event::Refused { subject: Subject::Call(CallId(9)), reason: Refusal::NoSuchCall };
    assert_eq!(json(&event), r#"{"event":"error","reason":"there is no such call","call":9}"#);
}

#[test]
fn a_certificate_is_shown_with_all_that_it_says_of_itself() {
    let fingerprint = base::Fingerprint([0xab; 32]);
    let certificate = Box::new(base::Certificate {
        fingerprint,
        subject: "CN=bell.test".into(),
        issuer: "CN=nobody".into(),
        names: vec!["bell.test".into()],
        not_before: "2026-01-01 00:00:00 UTC".into(),
        not_after: "2027-01-01 00:00:00 UTC".into(),
    });
    let account = AccountId(1);
    let shown = json(&Event::Certificate { account, certificate, why: phone::Why::NotTrusted });
    let hex = ["AB"; 32].join(":");
    let expected = format!(
        concat!(
            r#"{{"event":"certificate","fingerprint":"{}","subject":"CN=bell.test","issuer":"CN=nobody","#,
            r#""names":["bell.test"],"not_before":"2026-01-01 00:00:00 UTC","not_after":"2027-01-01 00:00:00 UTC","#,
            r#""reason":"The server's certificate is not trusted."}}"#
        ),
        hex
    );
    assert_eq!(shown, expected);
    let trusted = json(&Event::Trusted { account, fingerprint });
    assert_eq!(trusted, format!(r#"{{"event":"trusted","fingerprint":"{hex}"}}"#));
}

#[test]
fn the_user_part_names_an_account() {
    assert_eq!([user("sip:1001@h"), user("tel:+49;x=1"), user("sip:h.test")], ["1001", "+49", "h.test"]);
}
