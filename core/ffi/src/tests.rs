//! The door as an app uses it: whole phones on loopback, through nothing but what Kotlin and Swift have.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use exchange::server::{Listen, Server, ServerConfig};

use crate::*;

mod accounts;
mod backup;
mod balance;
mod contacts;
mod history;
mod kept;
mod messages;
mod numbers;
mod presence;
mod secrets;
mod standing;

const PATIENCE: Duration = Duration::from_secs(10);

/// A platform's store.
#[derive(Debug, Default)]
pub(crate) struct Secrets {
    kept: Mutex<BTreeMap<String, String>>,
    /// The key was invalidated.
    lost: AtomicBool,
    /// Nothing more can be kept.
    full: AtomicBool,
}

impl SecretStore for Secrets {
    fn get(&self, name: String) -> Result<Option<String>, SecretError> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(SecretError::Lost { sentence: "the key is gone".into() });
        }
        Ok(self.kept.lock().unwrap().get(&name).cloned())
    }

    fn put(&self, name: String, value: String) -> Result<(), SecretError> {
        if self.full.load(Ordering::Relaxed) {
            return Err(SecretError::Unavailable { sentence: "it is full".into() });
        }
        self.kept.lock().unwrap().insert(name, value);
        Ok(())
    }

    fn remove(&self, name: String) -> Result<(), SecretError> {
        self.kept.lock().unwrap().remove(&name);
        Ok(())
    }
}

/// An app with a phone.
struct App {
    phone: Arc<Phone>,
    folder: tempfile::TempDir,
    secrets: Arc<Secrets>,
}

impl App {
    fn new() -> Self {
        Self::over(tempfile::tempdir().unwrap(), Arc::default())
    }

    fn over(folder: tempfile::TempDir, secrets: Arc<Secrets>) -> Self {
        let phone = Phone::start(config(&folder), secrets.clone(), None).unwrap();
        Self { phone, folder, secrets }
    }

    /// Another start over the same folder.
    fn again(self) -> Self {
        // A thread may be about to tell it something.
        let give_up = Instant::now() + PATIENCE;
        while Arc::strong_count(&self.phone) > 1 && Instant::now() < give_up {
            std::thread::yield_now();
        }
        drop(self.phone);
        Self::over(self.folder, self.secrets)
    }

    fn until<T>(&self, wanted: impl Fn(&Event) -> Option<T>) -> T {
        let give_up = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        while Instant::now() < give_up {
            if let Some(event) = self.phone.wait_event(100).unwrap() {
                if let Some(found) = wanted(&event) {
                    return found;
                }
                seen.push(event);
            }
        }
        panic!("not among {seen:#?}");
    }

    fn until_call(&self, state: CallState) -> CallView {
        self.until(|event| match event {
            Event::Call { view } if view.state == state => Some(view.clone()),
            _ => None,
        })
    }

    fn until_account(&self, state: AccountState) -> AccountView {
        self.until(|event| match event {
            Event::Account { view } if view.state == state => Some(view.clone()),
            _ => None,
        })
    }
}

pub(crate) fn config(folder: &tempfile::TempDir) -> PhoneConfig {
    let folder = folder.path().to_str().unwrap().into();
    PhoneConfig { folder, audio: Audio::Silent, user_agent: "Test/1".into() }
}

fn exchange() -> Server {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    Server::start(ServerConfig { listen: Listen::at(any), ..ServerConfig::default() }).unwrap()
}

/// One that listens for TLS too, by a certificate that nobody stands for; and that.
fn exchange_by_tls() -> (Server, String) {
    let folder = tempfile::tempdir().unwrap();
    let names = ["offhook.test", "127.0.0.1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    let (certificate, key) = (folder.path().join("certificate.pem"), folder.path().join("key.pem"));
    std::fs::write(&certificate, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let config = ServerConfig {
        listen: Listen { tls: Some(any), ..Listen::at(any) },
        tls: Some(exchange::server::TlsFiles { certificate, key }),
        ..ServerConfig::default()
    };
    (Server::start(config).unwrap(), made.cert.pem())
}

fn settings(number: &str, exchange: &Server) -> AccountSettings {
    AccountSettings {
        number: number.into(),
        server: "offhook.test".into(),
        proxy: exchange.addresses().udp.unwrap().to_string(),
        transport: Transport::Udp,
        ..AccountSettings::default()
    }
}

fn registered(number: &str, exchange: &Server) -> App {
    let app = App::new();
    app.phone.add_account(settings(number, exchange), format!("secret-{number}")).unwrap();
    app.until_account(AccountState::Registered);
    app
}

#[test]
fn two_apps_register_call_hold_and_hang_up() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    let out = ann.phone.call(None, "1002".into()).unwrap();
    let ringing = bob.until_call(CallState::Ringing);
    assert_eq!((ringing.number.as_str(), ringing.side), ("1001", Side::In));
    bob.phone.answer(ringing.call).unwrap();
    assert_eq!(ann.until_call(CallState::Active).call, out);
    bob.until_call(CallState::Active);
    ann.phone.dtmf(out, "5#".into()).unwrap();
    let digit = |event: &Event| match event {
        Event::Digit { digit, .. } => Some(digit.clone()),
        _ => None,
    };
    assert_eq!([bob.until(digit), bob.until(digit)], ["5", "#"]);
    ann.phone.hold(out).unwrap();
    bob.until_call(CallState::RemoteHeld);
    assert_eq!(ann.phone.calls().len(), 1);
    bob.phone.hang_up(ringing.call).unwrap();
    assert_eq!(ann.until_call(CallState::Ended).why, Some(Why::TheyEnded));
    assert_eq!(ann.phone.hang_up(out), Err(PhoneError::NoSuchCall));
}

#[test]
fn an_account_outlives_its_phone_and_a_wrong_password_says_at_which_step() {
    let exchange = exchange();
    let app = App::new();
    let id = app.phone.add_account(settings("1001", &exchange), "wrong".into()).unwrap();
    let view = app.until_account(AccountState::Failed);
    assert_eq!((view.step, view.why), (Step::Register, Some(Why::BadCredentials)));
    app.phone.change_account(id, settings("1001", &exchange), Some("secret-1001".into())).unwrap();
    app.until_account(AccountState::Registered);
    let app = app.again();
    assert_eq!(app.until_account(AccountState::Registered).account, id);
    app.phone.remove_account(id).unwrap();
    assert_eq!((app.phone.accounts(), app.phone.register(id)), (vec![], Err(PhoneError::NoAccount)));
}

#[test]
fn a_lost_password_is_told_and_the_account_is_not_hammered_with_an_empty_one() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    app.secrets.lost.store(true, Ordering::Relaxed);
    let app = app.again();
    let lost = app.until(|event| match event {
        Event::PasswordLost { account } => Some(*account),
        _ => None,
    });
    app.until_account(AccountState::Unregistered);
    app.secrets.lost.store(false, Ordering::Relaxed);
    app.phone.change_account(lost, settings("1001", &exchange), Some("secret-1001".into())).unwrap();
    app.until_account(AccountState::Registered);
}

#[test]
fn wrong_arguments_are_errors_in_words() {
    let exchange = exchange();
    let app = App::new();
    assert_eq!(app.phone.call(None, "1002".into()), Err(PhoneError::NoAccount));
    app.phone.add_account(settings("1001", &exchange), "secret-1001".into()).unwrap();
    for to in ["", " ", "\0", "\u{1f4de}", &"1".repeat(1 << 20), "mailto:bob", "1002\r\nVia: x"] {
        let refused = [
            app.phone.call(None, to.into()).map(drop),
            app.phone.check(None, to.into()),
            app.phone.message(None, to.into(), "hello".into()).map(drop),
            app.phone.forward_to(Some(to.into())),
        ];
        assert!(refused.iter().all(|it| matches!(it, Err(PhoneError::BadTarget { .. }))), "{refused:?}");
    }
    let emergency = app.phone.check(None, "112".into());
    assert!(
        matches!(emergency, Err(PhoneError::BadTarget { why: BadTarget::Emergency, .. })),
        "{emergency:?}"
    );
    assert_eq!(app.phone.check(None, "0301,,12#".into()), Ok(()), "keys behind a number");
    let sealed =
        AccountSettings { encryption: Some(crate::account::Encryption::Vos), ..settings("1003", &exchange) };
    let sealed = app.phone.add_account(sealed, "secret-1003".into()).unwrap();
    assert_eq!(app.phone.check(Some(sealed), "1002".into()), Ok(()), "whatever it is sealed by");
    assert_eq!(app.phone.message(None, "1002".into(), "x".repeat(1 << 20)), Err(PhoneError::TooLong));
    for digits in ["", "x", "\u{1f4de}", "1 2"] {
        assert!(matches!(app.phone.dtmf(7, digits.into()), Err(PhoneError::BadArgument { .. })), "{digits}");
    }
    assert_eq!(app.phone.dtmf(7, "1".repeat(1 << 20)), Err(PhoneError::TooLong));
    for call in [0, 7, u32::MAX] {
        let refused = [
            app.phone.answer(call),
            app.phone.reject(call, Decline::Here),
            app.phone.progress(call),
            app.phone.hang_up(call),
            app.phone.hold(call),
            app.phone.resume(call),
            app.phone.mute(call, true),
            app.phone.transfer(call, "1003".into()),
            app.phone.transfer_to(call, 1),
            app.phone.split(call),
            app.phone.record(call, "call.wav".into(), true),
            app.phone.stop_recording(call),
            app.phone.refresh(call),
            app.phone.dtmf(call, "1".into()),
        ];
        assert!(refused.iter().all(|it| *it == Err(PhoneError::NoSuchCall)), "{refused:?}");
    }
    assert_eq!(app.phone.call(Some(9), "1002".into()), Err(PhoneError::NoAccount));
    assert!(matches!(app.phone.push("\u{1f4de}".into()), Err(PhoneError::BadArgument { .. })));
    let network = |address: &str| Network {
        handle: 1,
        kind: NetworkKind::Wifi,
        addresses: vec![address.into()],
        name_servers: vec![],
        metered: false,
        roaming: false,
        identity: String::new(),
        nat64: String::new(),
        gateways: vec![],
        domain: String::new(),
        operator: String::new(),
    };
    assert!(matches!(app.phone.network_up(network("wlan0")), Err(PhoneError::BadArgument { .. })));
    assert!(matches!(app.phone.network_appeared(network("wlan0")), Err(PhoneError::BadArgument { .. })));
    for (nat64, bad) in
        [("64:ff9b::", true), ("/96", true), ("64:ff9b::/129", true), ("2001:db8::/97", false)]
    {
        let told = app.phone.network_up(Network { nat64: nat64.into(), ..network("127.0.0.1") });
        assert_eq!(matches!(told, Err(PhoneError::BadArgument { .. })), bad, "{nat64}");
    }
    let long = Network { nat64: "0".repeat(1 << 20), ..network("127.0.0.1") };
    assert_eq!(app.phone.network_up(long), Err(PhoneError::TooLong));
    app.phone.network_up(network("127.0.0.1")).unwrap();
    app.phone.network_vanished(77).unwrap();
    let nowhere = PhoneConfig { folder: String::new(), ..config(&app.folder) };
    let refused = Phone::start(nowhere, app.secrets.clone(), None);
    assert!(matches!(refused, Err(StartError::BadArgument { .. })));
}

#[test]
fn two_phones_do_not_share_a_folder_but_a_folder_is_free_again() {
    let app = App::new();
    let second = Phone::start(config(&app.folder), app.secrets.clone(), None);
    assert!(matches!(second, Err(StartError::Folder { .. })));
    app.again();
}

#[test]
fn a_second_listener_is_told_so_and_the_first_goes_on() {
    let app = App::new();
    let (one, other) = (Arc::clone(&app.phone), Arc::clone(&app.phone));
    let threads = [one, other].map(|phone| {
        std::thread::spawn(move || {
            loop {
                match phone.wait_event(3_600_000) {
                    Ok(_) => {}
                    Err(end) => return end,
                }
            }
        })
    });
    while !threads.iter().any(std::thread::JoinHandle::is_finished) {
        std::thread::yield_now();
    }
    app.phone.shutdown();
    let mut ends = threads.map(|thread| thread.join().unwrap());
    ends.sort_by_key(|end| *end == PhoneError::ShutDown);
    assert_eq!(ends, [PhoneError::TwoListeners, PhoneError::ShutDown]);
}

#[test]
fn after_shutdown_the_last_events_come_and_commands_are_refused() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    app.phone.shutdown();
    app.phone.shutdown();
    let refused = [
        app.phone.call(None, "1002".into()).map(drop),
        app.phone.add_account(settings("1002", &exchange), String::new()).map(drop),
        app.phone.swap(),
        app.phone.merge(),
        app.phone.network_down(),
        app.phone.network_appeared(network(1, NetworkKind::Wifi)),
        app.phone.network_vanished(1),
        app.phone.push("{}".into()).map(drop),
        app.phone.register(1),
    ];
    assert!(refused.iter().all(|it| *it == Err(PhoneError::ShutDown)), "{refused:?}");
    app.until(|event| matches!(event, Event::Stopped).then_some(()));
    let give_up = Instant::now() + PATIENCE;
    while app.phone.wait_event(10).is_ok() {
        assert!(Instant::now() < give_up);
    }
    assert_eq!(app.phone.wait_event(0), Err(PhoneError::ShutDown));
}

#[test]
fn a_push_is_answered_at_once_and_the_call_keeps_its_id() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    let payload = r#"{"account":"sip:1002@offhook.test","from":"sip:1001@offhook.test","name":"Ann"}"#;
    let Announced::Call { call, number, .. } = bob.phone.push(payload.into()).unwrap() else {
        panic!("a call")
    };
    assert_eq!(number, "1001");
    bob.phone.answer(call).unwrap();
    ann.phone.call(None, "1002".into()).unwrap();
    ann.until_call(CallState::Active);
    assert_eq!(bob.until_call(CallState::Active).call, call);
    let other = r#"{"account":"sip:1009@offhook.test","from":"sip:1001@offhook.test"}"#;
    assert_eq!(bob.phone.push(other.into()), Err(PhoneError::NoAccount));
    let wake = r#"{"account":"sip:1002@offhook.test"}"#;
    assert_eq!(bob.phone.push(wake.into()), Ok(Announced::Nothing));
}

#[test]
fn the_next_wake_is_told_and_the_diary_names_nobody() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    let wake = app.until(|event| match event {
        Event::Wake { wake } if wake.why == "register" => wake.at_ms,
        _ => None,
    });
    assert!(wake > 0);
    let diary: Vec<String> = app.phone.log().into_iter().map(|line| line.text).collect();
    assert!(diary.iter().any(|line| line.contains("Registered")), "{diary:?}");
    assert!(!diary.iter().any(|line| line.contains("1001") || line.contains("offhook.test")), "{diary:?}");
}

/// A platform with two networks.
#[derive(Default)]
struct Networks {
    bound: AtomicI64,
    last: AtomicI64,
    named: Mutex<BTreeSet<i64>>,
}

impl SocketBinder for Networks {
    fn bind(&self, socket: i32, network: i64) -> bool {
        assert!(socket >= 0);
        self.bound.fetch_add(1, Ordering::Relaxed);
        self.last.store(network, Ordering::Relaxed);
        self.named.lock().unwrap().insert(network);
        true
    }
}

impl App {
    /// One whose platform has networks.
    fn on(networks: &Arc<Networks>) -> Self {
        let (folder, secrets) = (tempfile::tempdir().unwrap(), Arc::<Secrets>::default());
        let phone = Phone::start(config(&folder), secrets.clone(), Some(networks.clone())).unwrap();
        Self { phone, folder, secrets }
    }
}

/// This machine's loopback, by another name.
fn network(handle: i64, kind: NetworkKind) -> Network {
    Network {
        handle,
        kind,
        addresses: vec!["127.0.0.1".into()],
        name_servers: vec!["127.0.0.1".into()],
        metered: kind == NetworkKind::Cellular,
        roaming: false,
        identity: String::new(),
        nat64: String::new(),
        gateways: vec![],
        domain: String::new(),
        operator: String::new(),
    }
}

#[test]
fn sockets_are_bound_anew_to_the_network_that_the_platform_names() {
    let exchange = exchange();
    let networks = Arc::new(Networks::default());
    let app = App::on(&networks);
    assert_eq!(networks.bound.load(Ordering::Relaxed), 0, "no network is named yet");
    app.phone.add_account(settings("1001", &exchange), "secret-1001".into()).unwrap();
    app.until_account(AccountState::Registered);
    app.phone.network_up(network(432, NetworkKind::Cellular)).unwrap();
    app.until_account(AccountState::Registering);
    app.until_account(AccountState::Registered);
    assert!(networks.bound.load(Ordering::Relaxed) > 0);
    assert_eq!(networks.last.load(Ordering::Relaxed), 432);
}

#[test]
fn of_several_networks_the_best_is_used_and_the_next_when_it_is_gone() {
    let exchange = exchange();
    let networks = Arc::new(Networks::default());
    let app = App::on(&networks);
    app.phone.network_appeared(network(17, NetworkKind::Cellular)).unwrap();
    app.phone.network_appeared(network(4, NetworkKind::Wifi)).unwrap();
    app.phone.add_account(settings("1001", &exchange), "secret-1001".into()).unwrap();
    app.until_account(AccountState::Registered);
    app.phone.network_vanished(4).unwrap();
    app.until_account(AccountState::Registering);
    app.until_account(AccountState::Registered);
    app.phone.network_vanished(17).unwrap();
    let why = app.until(|event| match event {
        Event::Account { view } => view.why,
        _ => None,
    });
    assert_eq!(why, Why::NoNetwork);
    assert_eq!(*networks.named.lock().unwrap(), BTreeSet::from([4, 17]));
}

#[test]
fn a_network_that_is_told_again_has_changed_and_one_that_is_up_alone_ends_the_others() {
    let app = App::new();
    app.phone.network_appeared(network(4, NetworkKind::Wifi)).unwrap();
    app.phone.network_appeared(network(4, NetworkKind::Wifi)).unwrap();
    app.phone.network_vanished(4).unwrap();
    app.phone.network_vanished(4).unwrap();
    app.phone.network_appeared(network(4, NetworkKind::Wifi)).unwrap();
    app.phone.network_up(network(5, NetworkKind::Ethernet)).unwrap();
    app.phone.network_vanished(4).unwrap();
    app.phone.network_down().unwrap();
    app.phone.network_vanished(5).unwrap();
    let diary: Vec<String> = app.phone.log().into_iter().map(|line| line.text).collect();
    let of_networks: Vec<&str> = diary
        .iter()
        .filter(|line| line.contains("network"))
        .map(|line| line.split(',').next().unwrap())
        .collect();
    assert_eq!(
        of_networks,
        [
            "network Wifi appeared",
            "network Wifi changed",
            "a network is gone",
            "network Wifi appeared",
            "network Ethernet appeared",
            "no network",
        ]
    );
}

#[test]
fn a_relays_password_is_kept_apart_goes_to_no_other_relay_and_is_forgotten_with_it() {
    let exchange = exchange();
    let app = App::new();
    let relay = |server: &str| RelaySettings {
        server: server.into(),
        transport: Transport::Automatic,
        user: "ann".into(),
    };
    let with =
        |relays: &[RelaySettings]| AccountSettings { relays: relays.to_vec(), ..settings("1001", &exchange) };
    let kept = |app: &App| app.secrets.get("account/1".into()).unwrap();
    let has = |app: &App, secret: &str| kept(app).is_some_and(|kept| kept.contains(secret));
    let id = app.phone.add_account(with(&[relay("relay.test")]), "secret-1001".into()).unwrap();
    app.until_account(AccountState::Registered);
    let set =
        |app: &App, id, relay, password: &str| app.phone.set_relay_password(id, relay, Some(password.into()));
    let missing = set(&app, id, 0, "");
    assert!(matches!(missing, Err(PhoneError::BadSetting { why: BadSetting::Missing, .. })), "{missing:?}");
    set(&app, id, 0, "secret-relay").unwrap();
    app.phone.set_relay_password(id, 0, None).unwrap();
    assert!(has(&app, "secret-relay"));
    assert!(matches!(set(&app, id, 1, "x"), Err(PhoneError::BadArgument { .. })));
    assert_eq!(set(&app, 9, 0, "x"), Err(PhoneError::NoAccount));
    let long = set(&app, id, 0, &"x".repeat(1 << 20));
    assert!(matches!(long, Err(PhoneError::BadSetting { field: Field::RelayPassword, .. })), "{long:?}");
    let app = app.again();
    app.until_account(AccountState::Registered);
    assert_eq!(app.phone.account_settings(id).unwrap().relays, [relay("relay.test")]);
    let diary: Vec<String> = app.phone.log().into_iter().map(|line| line.text).collect();
    assert!(!diary.iter().any(|line| line.contains("secret")), "{diary:?}");
    // Moved to another place it is the same relay; under another name it is another.
    app.phone.change_account(id, with(&[relay("other.test"), relay("relay.test")]), None).unwrap();
    assert!(has(&app, "secret-relay"));
    app.phone.change_account(id, with(&[relay("other.test")]), None).unwrap();
    assert!(!has(&app, "secret-relay"));
    set(&app, id, 0, "secret-other").unwrap();
    app.phone.remove_account(id).unwrap();
    assert_eq!(kept(&app), None);
}

#[test]
fn by_tls_alone_a_server_that_nobody_vouches_for_learns_nothing_and_the_account_says_why() {
    let (exchange, _) = exchange_by_tls();
    let app = App::new();
    let settings = AccountSettings {
        proxy: exchange.addresses().tls.unwrap().to_string(),
        transport: Transport::Tls,
        ..settings("1001", &exchange)
    };
    app.phone.add_account(settings, "secret-1001".into()).unwrap();
    assert_eq!(app.until_account(AccountState::Failed).why, Some(Why::NotTrusted));
}
