//! Certificates fetched from a server on this machine, and a call whose caller is signed for, all of it real.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::mpsc::Receiver;

use base::Secret;
use exchange::server::{Listen, Server, ServerConfig, StirFiles};
use offhook_net::tls::Trust;
use phone::{Account, AccountId, AccountState, CallState, CallView, Command, Passport, Said, Stir};
use stir::testing::{Authority, carrier, key_pem, list};

use super::*;
use crate::web_service::{moved, ok, service_by, status, under_tls};
use crate::{Config, Event, Handle};

/// A server under TLS, and who trusts it.
fn server(
    answer: impl Fn(&str) -> Option<String> + Send + 'static,
) -> (SocketAddr, Receiver<String>, Trusts) {
    let (accept, authority) = under_tls();
    let (address, requests) = service_by(accept, move |path, _| answer(path));
    let mut trusts = Trusts::default();
    trusts.set("localhost", Trust::authority(authority.as_bytes()).unwrap());
    (address, requests, trusts)
}

fn ask(url: &str, host: &str, named: bool, trusts: &Trusts) -> Result<Fetched, NotHad> {
    let what = Fetch { id: FetchId(1), url: url.to_owned(), host: host.to_owned(), named };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(get(&what, trusts))
}

#[test]
fn what_a_server_hands_out_is_bounded_and_it_sends_us_on_to_nowhere() {
    let (at, requests, trusts) = server(|path| {
        Some(match path {
            "/good" => ok("pem"),
            "/kept" => status("200 OK\r\nCache-Control: public, max-age=60", "pem"),
            "/not-kept" => status("200 OK\r\nCache-Control: no-store, max-age=60", "pem"),
            "/strange" => status("200 OK\r\nCache-Control: max-age=soon, max-age", "pem"),
            "/round" => moved("/round"),
            "/on" => moved("/good"),
            "/down" => moved("http://localhost/"),
            "/file" => moved("file:///etc/passwd"),
            "/long" => ok(&"x".repeat(1 << 20)),
            "/endless" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1 << 20)),
            "/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n-".into(),
            "/mail" => "220 mail\r\n".into(),
            _ => status("404 No", ""),
        })
    });
    let found =
        |path: &str| ask(&format!("https://localhost:{}{path}", at.port()), "localhost", true, &trusts);
    for (path, kept) in [("/good", None), ("/kept", Some(60)), ("/not-kept", Some(0)), ("/strange", None)] {
        let came = found(path).unwrap();
        assert_eq!((&*came.bytes, came.good_for), (&b"pem"[..], kept.map(Duration::from_secs)), "{path}");
    }
    assert_eq!(requests.try_iter().count(), 4);
    for (path, why) in [
        ("/round", NotHad::Moved),
        ("/on", NotHad::Moved),
        ("/down", NotHad::Moved),
        ("/file", NotHad::Moved),
        ("/long", NotHad::TooLong),
        ("/endless", NotHad::TooLong),
        ("/cut", NotHad::Unreachable),
        ("/mail", NotHad::Unreachable),
        ("/no", NotHad::Status(404)),
    ] {
        assert_eq!(found(path).err(), Some(why), "{path}");
        assert!(!why.to_string().contains("localhost"), "{why}");
    }
    assert_eq!(requests.try_iter().count(), 9, "one each: nothing was followed");
    // Nobody vouches for that server.
    let refused =
        ask(&format!("https://localhost:{}/good", at.port()), "localhost", true, &Trusts::default());
    assert_eq!(refused.err(), Some(NotHad::Unreachable));
}

#[test]
fn a_stranger_does_not_make_us_ask_on_this_machine_or_within_a_house() {
    let (at, requests, trusts) = server(|_| Some(ok("pem")));
    let port = at.port();
    for (url, host) in [
        (format!("https://localhost:{port}/c"), "localhost"), // a name, which leads here
        (format!("https://127.0.0.1:{port}/c"), "127.0.0.1"),
        (format!("https://[::1]:{port}/c"), "::1"),
        ("https://10.0.0.1/c".into(), "10.0.0.1"),
        ("https://169.254.169.254/latest/meta-data".into(), "169.254.169.254"),
    ] {
        assert_eq!(
            ask(&url, host, false, &trusts).err(),
            Some(NotHad::Address(BadAddress::Private)),
            "{url}"
        );
    }
    // Not what was looked at, or not by TLS.
    for (url, host) in [
        (format!("https://127.1:{port}/c"), "127.1"),
        (format!("https://localhost:{port}/c"), "cr.carrier.test"),
        (format!("http://localhost:{port}/c"), "localhost"),
        ("not an address".into(), ""),
    ] {
        assert_eq!(ask(&url, host, true, &trusts).err(), Some(NotHad::Address(BadAddress::Broken)), "{url}");
    }
    assert_eq!(requests.try_iter().count(), 0);
}

const ACCOUNT: AccountId = AccountId(1);

/// A registered phone.
fn phone(number: &str, exchange: &Server, stir: Stir, trusts: Trusts) -> Handle {
    let bind = vec![(Ipv4Addr::LOCALHOST, 0).into()];
    let phone = Handle::start(Config { bind, trusts, ..Config::default() }).unwrap();
    let secret = Secret::new(format!("secret-{number}"));
    let mut account = Account::new(format!("sip:{number}@offhook.test").parse().unwrap(), secret);
    account.proxy = Some(format!("sip:{};transport=udp", exchange.addresses().udp.unwrap()).parse().unwrap());
    account.stir = stir;
    phone.command(Command::AddAccount(ACCOUNT, account));
    until(&phone, |event| match event {
        Event::Phone(phone::Event::Account(view)) => (view.state == AccountState::Registered).then_some(()),
        _ => None,
    });
    phone
}

fn until<T>(phone: &Handle, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let mut seen = Vec::new();
    while let Some(event) = phone.wait_event(Duration::from_secs(20)) {
        if let Some(found) = wanted(&event) {
            return found;
        }
        seen.push(event);
    }
    panic!("not among {seen:#?}");
}

fn shown(wanted: impl Fn(&CallView) -> bool) -> impl Fn(&Event) -> Option<CallView> {
    move |event| match event {
        Event::Phone(phone::Event::Call(view)) => wanted(view).then(|| view.clone()),
        _ => None,
    }
}

#[test]
fn a_caller_whom_the_exchange_has_signed_for_is_shown_as_verified_and_by_whom() {
    let root = Authority::new("Root", 1);
    let middle = root.below("Middle", 2, |_| {});
    let holder = middle.issue("Offhook Exchange", 9, Some(list(&[carrier("1234")])));
    let (good, lost) = (holder.pem + &middle.pem(), status("404 Not Found", ""));
    let (at, requests, trusts) =
        server(move |path| Some(if path == "/c.pem" { ok(&good) } else { lost.clone() }));
    let dir = tempfile::tempdir().unwrap();
    let key = dir.path().join("key.pem");
    std::fs::write(&key, key_pem(9)).unwrap();
    let place = format!("localhost:{}", at.port());
    let stir = || Stir { anchors: root.anchors(), places: vec![place.parse().unwrap()], ..Stir::default() };
    for (path, word) in [("/c.pem", "A"), ("/lost.pem", "unproven")] {
        let exchange = Server::start(ServerConfig {
            listen: Listen::at("127.0.0.1:0".parse().unwrap()),
            stir: Some(StirFiles { key: key.clone(), x5u: format!("https://{place}{path}") }),
            ..ServerConfig::default()
        });
        let exchange = exchange.unwrap();
        let ann = phone("1001", &exchange, Stir::default(), Trusts::default());
        let bob = phone("1002", &exchange, stir(), trusts.clone());

        let out = ann.call(Some(ACCOUNT), "1002".to_owned());

        let passport = |view: &CallView| view.identity.clone().and_then(|it| it.passport);
        let view = until(&bob, shown(|view| passport(view).is_some_and(|it| it.word() == word)));
        assert_eq!(view.state, CallState::Ringing);
        let passport = passport(&view).unwrap();
        match &passport {
            Passport::Signed(signed) => {
                assert_eq!(signed.by.to_string(), "Offhook Exchange (carrier 1234)");
                assert_eq!(view.identity.unwrap().by, Said::Signer);
            }
            other => assert!(other.to_string().contains("status 404"), "{other}"),
        }
        ann.command(Command::HangUp(out));
        until(&bob, shown(|view| view.state == CallState::Ended));
        ann.shutdown();
        bob.shutdown();
    }
    assert_eq!(requests.try_iter().filter(|it| it.starts_with("GET /")).count(), 2);
}
