//! What is read of JSON lines and typed ones.

use super::*;

fn json(line: &str) -> Result<Request, String> {
    Request::from_json(line)
}

#[test]
fn every_command_of_the_contract_is_read() {
    for (line, expected) in [
        (r#"{"cmd":"call","to":"1002"}"#, Request::Call { to: "1002".into() }),
        (r#"{"cmd":"answer","call":1}"#, Request::Answer { call: 1 }),
        (r#"{"cmd":"reject","call":1}"#, Request::Reject { call: 1, status: 486 }),
        (r#"{"cmd":"reject","call":1,"status":603}"#, Request::Reject { call: 1, status: 603 }),
        (r#"{"cmd":"hangup","call":1}"#, Request::HangUp { call: 1 }),
        (r#"{"cmd":"hold","call":1}"#, Request::Hold { call: 1 }),
        (r#"{"cmd":"resume","call":1}"#, Request::Resume { call: 1 }),
        (r#"{"cmd":"mute","call":1}"#, Request::Mute { call: 1, on: true }),
        (r#"{"cmd":"unmute","call":1}"#, Request::Mute { call: 1, on: false }),
        (r#"{"cmd":"progress","call":1}"#, Request::Progress { call: 1 }),
        (r#"{"cmd":"refresh","call":1,"with":"update"}"#, Request::Refresh { call: 1, update: true }),
        (r#"{"cmd":"refresh","call":1,"with":"reinvite"}"#, Request::Refresh { call: 1, update: false }),
        (r#"{"cmd":"presson","call":1}"#, Request::PressOn { call: 1 }),
        (r#"{"cmd":"dtmf","call":1,"digits":"12#"}"#, Request::Dtmf { call: 1, digits: "12#".into() }),
        (r#"{"cmd":"transfer","call":1,"to":"1003"}"#, Request::Transfer { call: 1, to: "1003".into() }),
        (r#"{"cmd":"transfer","call":1,"replaces":2}"#, Request::TransferTo { call: 1, other: 2 }),
        (r#"{"cmd":"swap"}"#, Request::Swap),
        (r#"{"cmd":"merge"}"#, Request::Merge { calls: vec![] }),
        (r#"{"cmd":"conference","calls":[1,2,3]}"#, Request::Merge { calls: vec![1, 2, 3] }),
        (r#"{"cmd":"merge","call":1,"other":2}"#, Request::Merge { calls: vec![1, 2] }),
        (
            r#"{"cmd":"record","call":1,"path":"x.wav","beep":true}"#,
            Request::Record { call: 1, path: "x.wav".into(), beep: true },
        ),
        (
            r#"{"cmd":"record","call":1,"path":"x.wav"}"#,
            Request::Record { call: 1, path: "x.wav".into(), beep: false },
        ),
        (r#"{"cmd":"record_stop","call":1}"#, Request::StopRecording { call: 1 }),
        (r#"{"cmd":"split","call":1}"#, Request::Split { call: 1 }),
        (
            r#"{"cmd":"message","to":"1002","text":"hi"}"#,
            Request::Message { to: "1002".into(), text: "hi".into() },
        ),
        (r#"{"cmd":"take_back","message":3}"#, Request::TakeBack { message: 3 }),
        (r#"{"cmd":"network","up":"127.0.0.2"}"#, Request::NetworkUp([127, 0, 0, 2].into())),
        (r#"{"cmd":"network","down":true}"#, Request::NetworkDown),
        (
            r#"{"cmd":"network","appeared":"127.0.0.3","id":7,"kind":"cellular","metered":true}"#,
            Request::NetworkAppeared {
                id: 7,
                kind: NetworkKind::Cellular,
                address: [127, 0, 0, 3].into(),
                metered: true,
            },
        ),
        (r#"{"cmd":"network","vanished":7}"#, Request::NetworkVanished(7)),
        (r#"{"cmd":"network","suspect":7}"#, Request::NetworkSuspect(7)),
        (
            r#"{"cmd":"trust","fingerprint":"AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA:AA"}"#,
            Request::Trust { fingerprint: Some(Fingerprint([0xaa; 32])) },
        ),
        (r#"{"cmd":"block","number":"1"}"#, Request::Block { number: "1".into(), on: true }),
        (r#"{"cmd":"unblock","number":"1"}"#, Request::Block { number: "1".into(), on: false }),
        (r#"{"cmd":"watch","who":"1002"}"#, Request::Watch { who: "1002".into(), on: true, lamp: false }),
        (
            r#"{"cmd":"watch","who":"1002","lamp":true}"#,
            Request::Watch { who: "1002".into(), on: true, lamp: true },
        ),
        (r#"{"cmd":"unwatch","who":"1002"}"#, Request::Watch { who: "1002".into(), on: false, lamp: false }),
        (
            r#"{"cmd":"presence","state":"away","note":"lunch"}"#,
            Request::Presence { own: OwnPresence::Away, note: Some("lunch".into()) },
        ),
        (r#"{"cmd":"diagnose"}"#, Request::Diagnose),
        (r#"{"cmd":"status"}"#, Request::Status),
        (r#"{"cmd":"history"}"#, Request::History),
        (r#"{"cmd":"balance"}"#, Request::Provider(Wish::Balance)),
        (r#"{"cmd":"minutes","to":"1002"}"#, Request::Provider(Wish::Minutes { to: "1002".into() })),
        (
            r#"{"cmd":"top_up","card":"12 34","pin":"5"}"#,
            Request::Provider(Wish::TopUp {
                number: Secret::new("12 34".into()),
                pin: Secret::new("5".into()),
            }),
        ),
        (
            r#"{"cmd":"callback","to":"1002","from":"030"}"#,
            Request::Provider(Wish::CallBack { to: "1002".into(), from: Some("030".into()) }),
        ),
        (r#"{"cmd":"quit"}"#, Request::Quit),
    ] {
        assert_eq!(json(line), Ok(expected), "{line}");
    }
}

#[test]
fn what_cannot_be_read_is_told() {
    for line in ["", "hello", "{}", r#"{"cmd":"fly"}"#, r#"{"cmd":"answer"}"#, r#"{"cmd":"call","to":7}"#] {
        assert!(json(line).unwrap_err().starts_with("not a command: "), "{line}");
    }
    assert!(json(r#"{"cmd":"presence","state":"asleep"}"#).unwrap_err().contains("away"));
    assert!(json(r#"{"cmd":"transfer","call":1}"#).unwrap_err().contains("either"));
    assert!(json(r#"{"cmd":"merge","call":1}"#).unwrap_err().contains("neither"));
    assert!(json(r#"{"cmd":"conference","calls":[1]}"#).unwrap_err().contains("two"));
}

#[test]
fn a_card_is_quoted_by_no_message_and_shown_by_no_request() {
    for line in [
        r#"{"cmd":"top_up","card":1234567890}"#,
        r#"{"cmd":"top_up","card":"1234567890","pin":42424242}"#,
        r#"{"cmd":"top_up","card":["1234567890"]}"#,
        r#"{"cmd":"top_up","card":"1234567890","pin":{"42424242":1}}"#,
        r#"{"cmd":"top_up","card":"1234567890","pin":"42424242""#,
    ] {
        let error = json(line).unwrap_err();
        assert!(!error.contains("1234567890") && !error.contains("42424242"), "{error}");
    }
    let shown = format!("{:?}", json(r#"{"cmd":"top_up","card":"1234567890"}"#));
    assert!(shown.starts_with("Ok") && !shown.contains("1234567890"), "{shown}");
    assert!(!Request::from_typed("topup 1234567890", None).unwrap_err().contains("1234567890"));
}

#[test]
fn help_fits_a_terminal_of_80_columns() {
    assert!(HELP.iter().all(|line| line.len() < 80));
}

#[test]
fn typed_lines_mean_the_current_call_unless_they_name_one() {
    let typed = |line| Request::from_typed(line, Some(3));
    assert_eq!(typed("1002"), Ok(Request::Call { to: "1002".into() }));
    assert_eq!(typed("sip:bob@b.test"), Ok(Request::Call { to: "sip:bob@b.test".into() }));
    assert_eq!(typed("call bob"), Ok(Request::Call { to: "bob".into() }));
    assert_eq!(typed("hold"), Ok(Request::Hold { call: 3 }));
    assert_eq!(typed(" hold 2 "), Ok(Request::Hold { call: 2 }));
    assert_eq!(typed("transfer 1003"), Ok(Request::Transfer { call: 3, to: "1003".into() }));
    assert_eq!(typed("transfer #2"), Ok(Request::TransferTo { call: 3, other: 2 }));
    assert_eq!(typed("merge"), Ok(Request::Merge { calls: vec![] }));
    assert_eq!(typed("merge 2"), Ok(Request::Merge { calls: vec![3, 2] }));
    assert_eq!(typed("split"), Ok(Request::Split { call: 3 }));
    let record = Request::Record { call: 3, path: "a b.wav".into(), beep: false };
    assert_eq!(typed("record a b.wav"), Ok(record));
    assert_eq!(typed("record off"), Ok(Request::StopRecording { call: 3 }));
    assert!(typed("record").unwrap_err().contains("which file"));
    assert!(typed("merge x").unwrap_err().contains("`x`"));
    assert_eq!(typed("dtmf 12#"), Ok(Request::Dtmf { call: 3, digits: "12#".into() }));
    assert_eq!(typed("trust"), Ok(Request::Trust { fingerprint: None }));
    assert!(typed("trust 12:34").unwrap_err().contains("64 hexadecimal digits"));
    assert!(typed("dtmf").unwrap_err().contains("which digits"));
    assert_eq!(typed("dnd off"), Ok(Request::DoNotDisturb { on: false }));
    assert_eq!(typed("minutes 030"), Ok(Request::Provider(Wish::Minutes { to: "030".into() })));
    assert_eq!(
        typed("callback 1002"),
        Ok(Request::Provider(Wish::CallBack { to: "1002".into(), from: None }))
    );
    assert_eq!(typed("topup"), Ok(Request::TopUp));
    assert_eq!(typed("forward off"), Ok(Request::Forward { to: None }));
    assert_eq!(typed("lamp 1002"), Ok(Request::Watch { who: "1002".into(), on: true, lamp: true }));
    let away = Request::Presence { own: OwnPresence::Away, note: Some("at lunch".into()) };
    assert_eq!(typed("presence away at lunch"), Ok(away));
    assert!(typed("presence").unwrap_err().contains("auto"));
    assert!(typed("hold x").unwrap_err().contains("`x`") && typed("sing").unwrap_err().contains("help"));
    assert_eq!(Request::from_typed("hold", None), Err("there is no call".into()));
}

#[test]
fn any_command_may_name_its_account_and_none_need() {
    let asked = |line: &str| Asked::from_json_once(line.to_owned()).map(|it| (it.request, it.account));
    let call = || Request::Call { to: "1002".into() };
    assert_eq!(asked(r#"{"cmd":"call","to":"1002"}"#), Ok((call(), None)));
    assert_eq!(asked(r#"{"cmd":"call","to":"1002","account":"Work"}"#), Ok((call(), Some("Work".into()))));
    assert_eq!(asked(r#"{"cmd":"use","account":2}"#), Ok((Request::Use, Some("2".into()))));
    assert!(asked(r#"{"cmd":"use"}"#).unwrap_err().contains("`account`"));
    assert!(asked(r#"{"cmd":"call","to":"1002","account":[2]}"#).unwrap_err().contains("its name"));

    let typed = |line: &str| Asked::from_typed(line, None).map(|it| (it.request, it.account));
    assert_eq!(typed("1002"), Ok((call(), None)));
    assert_eq!(typed("by Work 1002"), Ok((call(), Some("Work".into()))));
    let wish = Request::Provider(Wish::Minutes { to: "030".into() });
    assert_eq!(typed(" by 2  minutes 030"), Ok((wish, Some("2".into()))));
    assert_eq!(typed("use Work"), Ok((Request::Use, Some("Work".into()))));
    for (line, why) in
        [("by", "by which account?"), ("use", "use which account?"), ("use a b", "one account")]
    {
        assert!(typed(line).unwrap_err().starts_with(why), "{line}");
    }
}
