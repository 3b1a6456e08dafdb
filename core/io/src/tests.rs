//! Whole phones on this machine: real threads, loopback sockets, real audio for a second or two.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::Path;
use std::time::{Duration, Instant};

use base::{NetworkId, Redacted, Secret, Transport};
use exchange::server::{Listen, Server, ServerConfig};
use phone::{
    Account, AccountId, AccountState, CallId, CallState, CallView, Command, Network, NetworkKind,
    NetworkNews, Why,
};
use sip::ua::TransportPolicy;

use crate::{Audio, CaptureTo, Config, Event, Handle, StartError};

const ACCOUNT: AccountId = AccountId(1);
const PATIENCE: Duration = Duration::from_secs(10);

fn loopback() -> Config {
    Config { bind: vec![(Ipv4Addr::LOCALHOST, 0).into()], ..Config::default() }
}

/// A phone with an account that no registrar knows: callable by address.
fn phone(config: Config) -> Handle {
    let phone = Handle::start(config).unwrap();
    let uri = format!("sip:user@{}", phone.bound()[0]);
    let mut account = Account::new(uri.parse().unwrap(), Secret::new(String::new()));
    account.register = false;
    phone.command(Command::AddAccount(ACCOUNT, account));
    phone
}

/// Pulls events until `wanted` finds its own.
fn until<T>(phone: &Handle, wanted: impl Fn(&Event) -> Option<T>) -> T {
    let give_up = Instant::now() + PATIENCE;
    let mut seen = Vec::new();
    while Instant::now() < give_up {
        if let Some(event) = phone.wait_event(Duration::from_millis(100)) {
            if let Some(found) = wanted(&event) {
                return found;
            }
            seen.push(event);
        }
    }
    panic!("not among {seen:#?}");
}

fn call_in(state: CallState) -> impl Fn(&Event) -> Option<CallView> {
    move |event| match event {
        Event::Phone(phone::Event::Call(view)) if view.state == state => Some(view.clone()),
        _ => None,
    }
}

fn call(from: &Handle, to: &Handle) -> (CallId, CallId) {
    let out = from.call(Some(ACCOUNT), format!("sip:user@{}", to.bound()[0]));
    let ringing = until(to, call_in(CallState::Ringing)).call;
    to.command(Command::Answer(ringing));
    until(from, call_in(CallState::Active));
    until(to, call_in(CallState::Active));
    (out, ringing)
}

/// A second of a tone that never is silent.
fn speech(path: &Path) {
    let mut writer = media::wav::Writer::new(File::create(path).unwrap(), 8000).unwrap();
    let tone: Vec<i16> = (0..8000).map(|n| ((f64::from(n) * 0.7).sin() * 9000.0) as i16).collect();
    writer.write(&tone).unwrap();
    writer.flush().unwrap();
}

#[test]
fn two_phones_talk_and_each_keeps_what_it_heard() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name);
    speech(&file("speech.wav"));
    let config = |heard: &str| Config {
        audio: Audio::Files { play: Some(file("speech.wav")), record: Some(file(heard)) },
        capture: Some(CaptureTo { path: file(&format!("{heard}.pcapng")), secrets: false }),
        ..loopback()
    };
    let (ann, bob) = (phone(config("ann.wav")), phone(config("bob.wav")));
    let (out, _) = call(&ann, &bob);
    for phone in [&ann, &bob] {
        let stats = until(phone, |event| match event {
            Event::Phone(phone::Event::Quality { stats, .. }) if stats.received > 30 => Some(*stats),
            _ => None,
        });
        assert!(stats.lost == 0 && stats.malformed == 0 && stats.mos > 4.0, "{stats:?}");
    }
    ann.command(Command::HangUp(out));
    until(&ann, call_in(CallState::Ended));
    until(&bob, call_in(CallState::Ended));
    ann.shutdown();
    bob.shutdown();
    for name in ["ann.wav", "bob.wav"] {
        let heard = std::fs::read(file(name)).unwrap();
        let loud = heard[44..].chunks(2).filter(|s| i16::from_le_bytes([s[0], s[1]]).abs() > 5000).count();
        assert!(loud > 2000, "{name}: {loud} loud samples of {}", heard.len() / 2);
        let captured = std::fs::read(file(&format!("{name}.pcapng"))).unwrap();
        let text = String::from_utf8_lossy(&captured);
        assert!(text.contains("INVITE sip:user@") && text.contains("m=audio"), "signalling is captured");
        assert!(captured.len() > 60 * 214, "and the audio");
    }
}

/// A phone with one of the exchange's accounts, registered.
fn registered(number: &str, exchange: &Server, transport: Transport) -> Handle {
    let phone = Handle::start(loopback()).unwrap();
    let secret = Secret::new(format!("secret-{number}"));
    let mut account = Account::new(format!("sip:{number}@offhook.test").parse().unwrap(), secret);
    let udp = exchange.addresses().udp.unwrap();
    account.proxy = Some(format!("sip:{udp};transport={}", transport.uri_word()).parse().unwrap());
    account.transport = TransportPolicy::Only(transport);
    phone.command(Command::AddAccount(ACCOUNT, account));
    until(&phone, |event| match event {
        Event::Phone(phone::Event::Account(view)) if view.state == AccountState::Registered => Some(()),
        _ => None,
    });
    phone
}

/// An exchange under TLS as well, and its certificate, which it has signed itself for this name.
#[cfg(feature = "tls")]
fn secure(name: &str, dir: &Path) -> (Server, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (certificate, key) = (dir.join("certificate.pem"), dir.join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let config = ServerConfig {
        listen: Listen { tls: Some(any), ws: Some(any), wss: Some(any), ..Listen::at(any) },
        tls: Some(exchange::server::TlsFiles { certificate, key }),
        ..ServerConfig::default()
    };
    (Server::start(config).unwrap(), made.cert.pem())
}

/// A phone that goes to the exchange by TLS, and trusts this certificate there.
#[cfg(feature = "tls")]
fn by_tls(number: &str, exchange: &Server, trusted: Option<&str>) -> Handle {
    securely(Transport::Tls, number, exchange, trusted)
}

/// The same by any carrier that has the exchange's certificate, or needs none.
#[cfg(feature = "tls")]
fn securely(transport: Transport, number: &str, exchange: &Server, trusted: Option<&str>) -> Handle {
    let addresses = exchange.addresses();
    let at = match transport {
        Transport::Tls => addresses.tls,
        Transport::Ws => addresses.ws,
        Transport::Wss => addresses.wss,
        Transport::Udp | Transport::Tcp => addresses.udp,
    };
    let mut trusts = crate::Trusts::default();
    if let Some(pem) = trusted {
        trusts.set("127.0.0.1", crate::Trust::authority(pem.as_bytes()).unwrap());
    }
    let phone = Handle::start(Config { trusts, ..loopback() }).unwrap();
    let secret = Secret::new(format!("secret-{number}"));
    let mut account = Account::new(format!("sip:{number}@offhook.test").parse().unwrap(), secret);
    account.proxy =
        Some(format!("sip:{};transport={};lr", at.unwrap(), transport.uri_param()).parse().unwrap());
    account.transport = match transport {
        Transport::Ws | Transport::Wss => TransportPolicy::Only(transport),
        Transport::Udp | Transport::Tcp | Transport::Tls => TransportPolicy::Auto,
    };
    phone.command(Command::AddAccount(ACCOUNT, account));
    phone
}

#[cfg(feature = "tls")]
fn account_in(state: AccountState) -> impl Fn(&Event) -> Option<Option<Why>> {
    move |event| match event {
        Event::Phone(phone::Event::Account(view)) if view.state == state => Some(view.reason),
        _ => None,
    }
}

#[cfg(feature = "tls")]
#[test]
fn two_phones_register_and_call_each_other_by_tls_and_by_websocket() {
    let dir = tempfile::tempdir().unwrap();
    let (exchange, certificate) = secure("127.0.0.1", dir.path());
    for carriers in
        [[Transport::Tls; 2], [Transport::Ws; 2], [Transport::Wss; 2], [Transport::Wss, Transport::Tls]]
    {
        call_each_other(carriers, &exchange, &certificate);
    }
    exchange.stop();
}

#[cfg(feature = "tls")]
fn call_each_other(carriers: [Transport; 2], exchange: &Server, certificate: &str) {
    let phones = [(0, "1001"), (1, "1002")]
        .map(|(at, number)| securely(carriers[at], number, exchange, Some(certificate)));
    let [ann, bob] = &phones;
    for phone in &phones {
        until(phone, account_in(AccountState::Registered));
    }
    for (caller, callee, number) in [(ann, bob, "1002"), (bob, ann, "1001")] {
        let out = caller.call(None, number);
        let ringing = until(callee, call_in(CallState::Ringing));
        callee.command(Command::Answer(ringing.call));
        until(caller, call_in(CallState::Active));
        until(caller, |event| match event {
            Event::Phone(phone::Event::Quality { stats, .. }) if stats.received > 10 => Some(()),
            _ => None,
        });
        // In the dialog, along the route that the exchange has put in.
        caller.command(Command::Hold(out));
        until(callee, call_in(CallState::RemoteHeld));
        callee.command(Command::HangUp(ringing.call));
        until(caller, call_in(CallState::Ended));
    }
    phones.iter().for_each(Handle::shutdown);
}

#[cfg(feature = "tls")]
#[test]
fn a_certificate_that_is_not_accepted_is_why_an_account_is_not_registered() {
    let dir = tempfile::tempdir().unwrap();
    for (name, trusts, why) in [("127.0.0.1", false, Why::NotTrusted), ("offhook.test", true, Why::OtherName)]
    {
        let (exchange, certificate) = secure(name, dir.path());
        let phone = by_tls("1001", &exchange, trusts.then_some(certificate.as_str()));
        assert_eq!(until(&phone, account_in(AccountState::Failed)), Some(why), "{name}");
        phone.shutdown();
        exchange.stop();
    }
}

#[cfg(feature = "tls")]
#[test]
fn a_server_that_nobody_vouches_for_is_registered_with_once_the_person_trusts_it_until_it_changes() {
    let dir = tempfile::tempdir().unwrap();
    let (exchange, _) = secure("127.0.0.1", dir.path());
    let phone = by_tls("1001", &exchange, None);
    let asked = |event: &Event| match event {
        Event::Phone(phone::Event::Certificate { certificate, why, .. }) => Some((certificate.clone(), *why)),
        _ => None,
    };
    let (shown, why) = until(&phone, asked);
    assert_eq!((why, shown.names.as_slice()), (Why::NotTrusted, &[][..]), "an address is no name");
    phone.command(Command::Trust(ACCOUNT, shown.fingerprint));
    until(&phone, account_in(AccountState::Registered));
    // The server comes back with another certificate: nothing is said to it.
    let at = exchange.addresses().tls.unwrap();
    exchange.stop();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (certificate, key) = (dir.path().join("certificate.pem"), dir.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let config = ServerConfig {
        listen: Listen { tls: Some(at), ..Listen::at(any) },
        tls: Some(exchange::server::TlsFiles { certificate, key }),
        ..ServerConfig::default()
    };
    let exchange = Server::start(config).unwrap();
    let (other, why) = until(&phone, asked);
    assert_eq!(why, Why::CertificateChanged);
    assert_ne!(other.fingerprint, shown.fingerprint);
    assert_eq!(exchange.status().unwrap().bindings, 0);
    // A phone that fell comes back with what it knew.
    phone.command(Command::Trust(ACCOUNT, other.fingerprint));
    until(&phone, account_in(AccountState::Registered));
    phone.panic();
    until(&phone, |event| matches!(event, Event::Restarted { .. }).then_some(()));
    until(&phone, account_in(AccountState::Registered));
    phone.shutdown();
    exchange.stop();
}

#[test]
fn two_phones_register_and_call_each_other_through_the_exchange_by_udp_and_tcp() {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let exchange =
        Server::start(ServerConfig { listen: Listen::at(any), ..ServerConfig::default() }).unwrap();
    for transport in [Transport::Udp, Transport::Tcp] {
        let ann = registered("1001", &exchange, transport);
        let bob = registered("1002", &exchange, transport);
        let out = ann.call(None, "1002");
        let ringing = until(&bob, call_in(CallState::Ringing));
        bob.command(Command::Answer(ringing.call));
        until(&ann, call_in(CallState::Active));
        until(&ann, |event| match event {
            Event::Phone(phone::Event::Quality { stats, .. }) if stats.received > 10 => Some(()),
            _ => None,
        });
        ann.command(Command::HangUp(out));
        until(&bob, call_in(CallState::Ended));
        let began = Instant::now();
        ann.shutdown();
        bob.shutdown();
        assert!(began.elapsed() < Duration::from_secs(2), "unregistered at once: {:?}", began.elapsed());
    }
    exchange.stop();
}

#[test]
fn a_phone_whose_network_goes_is_called_by_another() {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let exchange =
        Server::start(ServerConfig { listen: Listen::at(any), ..ServerConfig::default() }).unwrap();
    for transport in [Transport::Udp, Transport::Tcp] {
        let (ann, bob) = (registered("1001", &exchange, transport), registered("1002", &exchange, transport));
        let network = |id, kind, last| Network::new(NetworkId::new(id), kind, vec![[127, 0, 0, last].into()]);
        let rings = || {
            let call = ann.call(None, "1002");
            let ringing = until(&bob, call_in(CallState::Ringing)).call;
            bob.command(Command::Answer(ringing));
            until(&ann, call_in(CallState::Active));
            ann.command(Command::HangUp(call));
            until(&bob, call_in(CallState::Ended));
            until(&ann, call_in(CallState::Ended));
        };
        let registered_again = || {
            until(&bob, |event| match event {
                Event::Phone(phone::Event::Account(view)) if view.state == AccountState::Registered => {
                    Some(())
                }
                _ => None,
            });
        };
        bob.network(NetworkNews::Appeared(network(1, NetworkKind::Cellular, 2)));
        registered_again();
        rings();
        bob.network(NetworkNews::Appeared(network(2, NetworkKind::Wifi, 3)));
        // At once: what went by it goes by the other.
        bob.network(NetworkNews::Vanished(NetworkId::new(1)));
        registered_again();
        rings();
        ann.shutdown();
        bob.shutdown();
    }
    exchange.stop();
}

#[test]
fn digits_typed_into_a_call_through_the_exchange_arrive_once_and_in_order() {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let exchange =
        Server::start(ServerConfig { listen: Listen::at(any), ..ServerConfig::default() }).unwrap();
    let ann = registered("1001", &exchange, Transport::Udp);
    let bob = registered("1002", &exchange, Transport::Udp);
    let out = ann.call(None, "1002");
    let taken = until(&bob, call_in(CallState::Ringing)).call;
    bob.command(Command::Answer(taken));
    until(&ann, call_in(CallState::Active));
    let press = |phone: &Handle, call, digits: &str| {
        phone.command(Command::Dtmf { call, digits: Redacted::new(digits.into()) });
    };
    let digit = |call| {
        move |event: &Event| match event {
            Event::Phone(phone::Event::Dtmf { call: of, digit, .. }) if *of == call => Some(digit.as_char()),
            _ => None,
        }
    };
    press(&ann, out, "0112");
    press(&ann, out, "a#");
    press(&bob, taken, "99");
    let heard: String = (0..6).map(|_| until(&bob, digit(taken))).collect();
    assert_eq!(heard, "0112A#");
    assert_eq!((0..2).map(|_| until(&ann, digit(out))).collect::<String>(), "99");
    // What is told from here on is the end: none of them comes again.
    ann.command(Command::HangUp(out));
    loop {
        let event = bob.wait_event(PATIENCE).expect("the end");
        assert!(digit(taken)(&event).is_none(), "{event:?}");
        if call_in(CallState::Ended)(&event).is_some() {
            break;
        }
    }
    exchange.stop();
}

#[test]
fn a_recording_that_cannot_be_written_ends_and_the_call_does_not() {
    let audio = Audio::Files { play: None, record: Some("/nowhere/heard.wav".into()) };
    let (ann, bob) = (phone(Config { audio, ..loopback() }), phone(loopback()));
    ann.call(Some(ACCOUNT), format!("sip:user@{}", bob.bound()[0]));
    bob.command(Command::Answer(until(&bob, call_in(CallState::Ringing)).call));
    let reason = until(&ann, |event| match event {
        Event::RecordingEnded { reason, .. } => Some(reason.clone()),
        _ => None,
    });
    assert!(reason.starts_with("/nowhere/heard.wav cannot be written"), "{reason}");
    until(&bob, |event| match event {
        Event::Phone(phone::Event::Quality { stats, .. }) if stats.received > 0 => Some(()),
        _ => None,
    });
}

#[cfg(not(feature = "cpal"))]
#[test]
fn sound_devices_that_cannot_be_had_are_told_and_the_call_goes_on() {
    let (ann, bob) = (phone(Config { audio: Audio::Device, ..loopback() }), phone(loopback()));
    call(&ann, &bob);
    let failure = |event: &Event| match event {
        Event::AudioFailed { reason } => Some(reason.clone()),
        _ => None,
    };
    let told = [until(&ann, failure), until(&ann, failure)];
    assert!(told.contains(
        &"The microphone cannot be used: this build knows no sound devices. Silence is sent.".to_owned()
    ));
    ann.set_audio_route(crate::AudioRoute { input: Some(1), output: None });
    until(&ann, failure);
    ann.audio_restart();
    until(&ann, failure);
    until(&bob, |event| match event {
        Event::Phone(phone::Event::Quality { stats, .. }) if stats.received > 30 => Some(()),
        _ => None,
    });
    assert_eq!(ann.audio_stats(), crate::AudioStats::default());
}

#[test]
fn a_panic_becomes_an_event_and_the_phone_is_back_on_its_port_with_its_account() {
    let (ann, bob) = (phone(loopback()), phone(loopback()));
    let (_, lost) = call(&ann, &bob);
    bob.panic();
    let ended = until(&bob, call_in(CallState::Ended));
    assert_eq!((ended.call, ended.explanation.as_ref()), (lost, Some(&Why::PhoneRestarted)));
    let story = until(&bob, |event| match event {
        Event::Restarted { thread: "signalling", story } => Some(story.clone()),
        _ => None,
    });
    assert!(story.contains("signalling.rs"), "{story}");
    // Whoever calls before it is back is refused at once: its port is closed.
    until(&bob, |event| matches!(event, Event::Phone(phone::Event::Account(_))).then_some(()));
    call(&ann, &bob);
}

#[test]
fn a_port_in_use_is_named_and_a_file_that_cannot_be_played_says_what_could() {
    let taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let addr: SocketAddr = taken.local_addr().unwrap();
    let error = Handle::start(Config { bind: vec![addr], ..Config::default() }).unwrap_err();
    assert!(error.to_string().contains(&format!("port {}", addr.port())), "{error}");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("speech.wav");
    std::fs::write(&path, "not music").unwrap();
    let error =
        Handle::start(Config { audio: Audio::Files { play: Some(path), record: None }, ..loopback() })
            .unwrap_err();
    assert!(matches!(error, StartError::Play { .. }));
    assert!(error.to_string().contains("accepted are WAV files"), "{error}");
}

#[test]
fn shutdown_hangs_up_and_is_quick_even_when_nobody_answers() {
    let silent = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let ann = phone(loopback());
    ann.call(Some(ACCOUNT), format!("sip:user@{}", silent.local_addr().unwrap()));
    until(&ann, call_in(CallState::Calling));
    let began = Instant::now();
    ann.shutdown();
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    until(&ann, |event| matches!(event, Event::Phone(phone::Event::Stopped)).then_some(()));
    ann.command(Command::DoNotDisturb(true)); // nobody listens any more: nothing happens
}
