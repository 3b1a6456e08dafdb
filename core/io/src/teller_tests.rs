//! Providers as they are, and as they should not be, asked by the real client.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use balance::{Card, Provider, Reading, TimeLeft};
use offhook_net::tls::Trust;

use super::*;
use crate::web_service::{moved, ok, service, service_by, status, under_tls};
use crate::{NotDone, provider, provider_hosts};

fn known() -> Known {
    let password = Secret::new("hush&hush".to_owned());
    Known { user: "1001".into(), password, account: "1001".into(), number: "1002".into() }
}

fn card() -> Card {
    let secret = |text: &str| Secret::new(text.to_owned());
    Card { number: secret("5.00-7777"), pin: secret("p\"42&") }
}

fn teller(address: SocketAddr, path: &str) -> Teller {
    let url = format!("http://{address}{path}");
    Teller { template: Template { allow_clear: true, ..Template::get(url) }, reading: Reading::Bare }
}

fn asked(address: SocketAddr, path: &str) -> Result<Balance, NoBalance> {
    ask(&teller(address, path), &known(), &Trusts::default())
}

#[test]
fn a_provider_is_asked_by_its_template_and_what_it_answers_is_read() {
    let (address, requests) = service(|_| Some(ok("12.34")));
    let balance = asked(address, "/b?u={user}&p={password}").unwrap();
    assert_eq!(balance.amount.to_string(), "12.34");
    assert!(requests.recv().unwrap().starts_with("GET /b?u=1001&p=hush%26hush HTTP/1.1\r\n"));
}

#[test]
fn a_digest_challenge_is_answered_once_with_the_password_that_is_never_sent() {
    let challenge = "WWW-Authenticate: Digest realm=\"b\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
    let (address, requests) = service_by(Some, move |path, request| {
        let asked = format!("401 No\r\n{challenge}");
        let answered = request.to_ascii_lowercase().contains("authorization: digest username=\"1001\"");
        Some(if answered && path == "/right" { ok("7") } else { status(&asked, "") })
    });
    let mut teller = teller(address, "/right");
    teller.template.auth = Auth::Digest("{user}".into(), Secret::new("{password}".into()));
    assert_eq!(ask(&teller, &known(), &Trusts::default()).unwrap().amount.to_string(), "7");
    teller.template.url = format!("http://{address}/wrong");
    assert_eq!(ask(&teller, &known(), &Trusts::default()), Err(NoBalance::Refused));
    let requests: Vec<String> = requests.try_iter().collect();
    assert!(requests.len() == 4 && requests.iter().all(|it| !it.contains("hush")), "{requests:?}");
}

#[test]
fn hostile_servers_are_told_for_what_they_are_within_a_bound() {
    let (address, _requests) = service(|path| {
        Some(match path {
            "/file" => moved("file:///etc/passwd"),
            "/other" => moved("http://192.0.2.1/"),
            "/round" => moved("/round"),
            "/huge" => format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(10_000_000)),
            "/announced" => {
                format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}", " ".repeat(300_000))
            }
            "/chunks" => format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}",
                format!("2710\r\n{}\r\n", "7".repeat(10_000)).repeat(1000)
            ),
            "/heads" => format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(100_000)),
            "/page" => status("200 OK\r\nContent-Type: text/plain", "<!doctype html><p>Log in</p>"),
            "/picture" => status("200 OK\r\nContent-Type: application/json", "\u{89}PNG\r\n\u{1a}\n\0\0"),
            "/packed" => status("200 OK\r\nContent-Encoding: gzip", "7"),
            "/nan" => ok("NaN"),
            "/vast" => ok("1e309"),
            "/busy" => status("429 Slow\r\nRetry-After: 120", ""),
            "/past" => status("429 Slow\r\nRetry-After: Wed, 21 Oct 2015 07:28:00 GMT", ""),
            "/never" => status("503 No\r\nRetry-After: 99999999999999999999999", ""),
            "/down" => status("500 Oops", ""),
            "/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n1".into(),
            _ => "220 mail\r\n".into(),
        })
    });
    for (path, why) in [
        ("/file", NoBalance::Moved),
        ("/other", NoBalance::Moved),
        ("/round", NoBalance::Moved),
        ("/huge", NoBalance::Unread(Unread::TooLong)),
        ("/announced", NoBalance::Unread(Unread::TooLong)),
        ("/chunks", NoBalance::Unread(Unread::TooLong)),
        ("/heads", NoBalance::Unreachable),
        ("/page", NoBalance::Unread(Unread::WebPage)),
        ("/picture", NoBalance::Unread(Unread::NoAmount)),
        ("/nan", NoBalance::Unread(Unread::NoAmount)),
        ("/vast", NoBalance::Unread(Unread::NoAmount)),
        ("/busy", NoBalance::Busy(Some(Duration::from_secs(120)))),
        ("/past", NoBalance::Busy(None)),
        ("/never", NoBalance::Busy(None)),
        ("/down", NoBalance::Status(500)),
        ("/cut", NoBalance::Unreachable),
        ("/mail", NoBalance::Unreachable),
    ] {
        let error = asked(address, path).unwrap_err();
        assert_eq!(error, why, "{path}");
        assert!(!error.to_string().contains("127.0.0.1"), "{error}");
    }
    // What stands there counts, not what it is called; and nothing is unpacked, so that nothing can swell.
    assert_eq!(asked(address, "/packed").unwrap().amount.to_string(), "7");
}

#[test]
fn a_server_that_wants_time_until_a_date_gets_it() {
    let at = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(600));
    let (address, _requests) = service(move |_| Some(status(&format!("429 Slow\r\nRetry-After: {at}"), "")));
    let Err(NoBalance::Busy(Some(wait))) = asked(address, "/") else { panic!("it is busy") };
    assert!((500..=600).contains(&wait.as_secs()), "{wait:?}");
}

#[test]
fn a_debt_is_no_error() {
    let (address, _requests) = service(|_| Some(ok("-3.50")));
    assert!(asked(address, "/").unwrap().amount.is_negative());
}

/// Each byte comes in time, and all of them never.
#[test]
fn a_slow_drip_is_waited_for_no_longer_than_silence() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let dripping = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999\r\n\r\n");
        let drop = |stream: &mut TcpStream| stream.write_all(b" ").and_then(|()| stream.flush()).is_ok();
        while drop(&mut stream) {
            std::thread::sleep(Duration::from_millis(10)); // it is slow
        }
    });
    let template = teller(address, "/").template;
    let patience = Duration::from_millis(300);
    let failed = fetch_within(patience, &template, &known(), &About::Account, &Trusts::default());
    assert_eq!(failed, Err(Failed { why: NoBalance::Silent, sent: Sent::Perhaps }));
    dripping.join().unwrap();
}

#[test]
fn under_tls_a_provider_must_be_trusted_and_does_not_send_us_on_to_where_all_can_read() {
    let (accept, authority) = under_tls();
    let (address, requests) = service_by(accept, |path, _| {
        Some(match path {
            "/down" => moved("http://localhost/"),
            "/file" => moved("file:///etc/passwd"),
            "/on" => moved("/"),
            _ => ok("7"),
        })
    });
    let ask = |path: &str, trust: Trust| {
        let mut trusts = Trusts::default();
        trusts.set("localhost", trust);
        let url = format!("https://localhost:{}{path}", address.port());
        super::ask(&Teller { template: Template::get(url), reading: Reading::Auto }, &known(), &trusts)
    };
    let trusted = || Trust::authority(authority.as_bytes()).unwrap();
    assert_eq!(ask("/", Trust::pin(base::Fingerprint([7; 32]))), Err(NoBalance::Unreachable));
    assert_eq!(requests.try_iter().count(), 0);
    assert_eq!(ask("/on", trusted()).unwrap().amount.to_string(), "7");
    assert_eq!(
        (ask("/down", trusted()), ask("/file", trusted())),
        (Err(NoBalance::Moved), Err(NoBalance::Moved))
    );
}

/// A provider as the preset has it, at that service.
fn switch(address: SocketAddr) -> Provider {
    Provider::vos(&format!("http://{address}/external/server"))
}

#[test]
fn a_switch_is_asked_for_all_that_it_offers_in_its_own_form() {
    let (address, requests) = service(|path| {
        Some(ok(match path.rsplit('/').next().unwrap() {
            "GetCustomer" => r#"{"retCode":0,"infoCustomers":[{"money":10.50}]}"#,
            "GetAvailableTime" => r#"{"retCode":0,"infoAvailableTime":{"timeRemain":725}}"#,
            "PayByPhoneCard" => r#"{"retCode":0}"#,
            _ => r#"{"retCode":0,"callIdentifier":"7"}"#,
        }))
    });
    let (switch, known, trusts) = (switch(address), known(), Trusts::default());
    let body = || {
        let request = requests.recv().unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        format!("{} {body}", head.split([' ', '/']).nth(4).unwrap())
    };
    assert_eq!(provider_hosts(&switch), ["127.0.0.1"]);
    assert_eq!(ask(&switch.balance.unwrap(), &known, &trusts).unwrap().amount.to_string(), "10.50");
    assert_eq!(body(), r#"GetCustomer {"accounts":["1001"]}"#);
    let left = provider::minutes(&switch.minutes.unwrap(), &known, "0301", &trusts);
    assert_eq!(left, Ok(TimeLeft { seconds: 725 }));
    assert_eq!(body(), r#"GetAvailableTime {"billingName":"1001","billingMode":0,"calleeE164":"0301"}"#);
    assert!(provider::pay(&switch.top_up.unwrap(), &known, card(), &trusts).unwrap().certain);
    assert_eq!(
        body(),
        r#"PayByPhoneCard {"ownerName":"1001","ownerType":2,"pin":"5.00-7777","password":"p\"42&"}"#
    );
    let called = provider::call_back(&switch.call_back.unwrap(), &known, "+491", "+492", &trusts);
    assert!(called.unwrap().certain);
    assert_eq!(body(), r#"CallBack {"callerE164":"+491","calleeE164s":["+492"]}"#);
}

#[test]
fn a_card_that_may_have_been_taken_is_told_apart_from_one_that_was_not() {
    let (address, _requests) = service(|path| {
        Some(match path.trim_end_matches("/PayByPhoneCard") {
            "/no" => ok(r#"{"retCode":-1,"exception":"5.00-7777 is used"}"#),
            "/page" => ok("<html>"),
            "/moved" => moved("http://192.0.2.1/"),
            "/who" => status("403 No", ""),
            "/what" => status("404 No", ""),
            "/later" => status("429 Slow", ""),
            "/broken" => status("500 Oops", ""),
            _ => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".into(),
        })
    });
    let pay = |at: &str| {
        let errand = Provider::vos(at).top_up.unwrap();
        provider::pay(&errand, &known(), card(), &Trusts::default()).unwrap_err()
    };
    let at = |path: &str| pay(&format!("http://{address}{path}"));
    assert_eq!(at("/no").to_string(), "the provider refuses (-1): *** is used");
    for path in ["/who", "/what", "/later"] {
        assert!(matches!(at(path), NotDone::No(_)), "{path}");
    }
    for path in ["/page", "/moved", "/broken", "/cut"] {
        let why = at(path);
        assert!(
            matches!(why, NotDone::InDoubt(_)) && why.to_string().ends_with("is not known"),
            "{path}: {why}"
        );
    }
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    assert_eq!(pay(&format!("http://{closed}")), NotDone::No(NoBalance::Unreachable));
    assert!(matches!(pay("http://billing.example"), NotDone::No(NoBalance::Template(_))));
}
