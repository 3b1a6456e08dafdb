//! What is left, by the door.

use exchange::server::User;
use offhook_io::store::About;

use super::*;

/// An exchange with a web side, by which calls cost.
fn charging() -> (Server, String) {
    let any = (Ipv4Addr::LOCALHOST, 0).into();
    let funds = |number: &str| User {
        balance: "12.34".parse().ok(),
        currency: Some("EUR".into()),
        ..User::new(number, &format!("secret-{number}"))
    };
    let config = ServerConfig {
        listen: Listen { http: Some(any), ..Listen::at(any) },
        user: vec![funds("1001"), funds("1002")],
        rate: "60.0".parse().ok(),
        ..ServerConfig::default()
    };
    let server = Server::start(config).unwrap();
    let web = server.addresses().http.unwrap().to_string();
    (server, web)
}

fn told(app: &App) -> (Option<Balance>, Option<String>) {
    app.until(|event| match event {
        Event::Balance { account: 1, balance, trouble } => Some((balance.clone(), trouble.clone())),
        _ => None,
    })
}

#[test]
fn a_balance_is_asked_by_the_preset_told_kept_and_forgotten_with_its_account() {
    let (exchange, web) = charging();
    let app = registered("1001", &exchange);
    assert_eq!(app.phone.refresh_balance(1), Err(PhoneError::NoAccount), "nobody is asked");
    let settings = BalanceSettings { vos: format!("http://{web}"), ..BalanceSettings::default() };
    app.phone.set_balance(1, Some(settings.clone()), None).unwrap();
    let (Some(balance), None) = told(&app) else { panic!("a balance") };
    assert_eq!((&*balance.amount, balance.overdraft.as_deref()), ("12.34", None));
    let age = offhook_io::clock::wall().as_millis() as i64 - balance.told_ms;
    assert!((0..60_000).contains(&age), "{age}");

    let app = app.again();
    app.until_account(AccountState::Registered);
    assert_eq!(app.phone.balance(1), Some(balance), "as it was told last");
    assert_eq!(app.phone.balance_settings(1), Ok(Some(settings)));
    app.phone.came_to_front();
    assert!(told(&app).0.is_some());
    app.phone.remove_account(1).unwrap();
    assert_eq!((app.phone.balance(1), app.phone.balance_settings(1)), (None, Err(PhoneError::NoAccount)));
    assert_eq!(app.secrets.get("account/1/balance".into()).unwrap(), None);
}

#[test]
fn after_a_call_the_balance_is_asked_for_again() {
    let (exchange, web) = charging();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    let url = format!("http://{web}/balance?user={{user}}");
    let settings = BalanceSettings { url, ..BalanceSettings::default() };
    let call = ann.phone.call(None, "1002".into()).unwrap();
    bob.phone.answer(bob.until_call(CallState::Ringing).call).unwrap();
    ann.until_call(CallState::Active);
    // Kept without being asked for: the end of the call is the first occasion.
    let text = serde_json::to_string(&settings).unwrap();
    ann.phone.handle.on_store(About::Rest, move |it| it.set_setting("balance/1", Some(&text))).unwrap();
    ann.phone.open_purse(1);
    ann.phone.hang_up(call).unwrap();
    let (Some(balance), None) = told(&ann) else { panic!("a balance") };
    assert_eq!(balance.currency.as_deref(), Some("EUR"));
    assert_ne!(balance.amount, "12.34", "the call has cost");
}

#[test]
fn what_cannot_be_asked_is_said_in_words_and_a_secret_is_kept_apart() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    let set = |settings: BalanceSettings, secret: Option<&str>| {
        app.phone.set_balance(1, Some(settings), secret.map(str::to_owned))
    };
    let plain = BalanceSettings { url: "https://b.test/".into(), ..BalanceSettings::default() };
    for wrong in [
        BalanceSettings::default(),
        BalanceSettings { url: "http://b.test/?p={password}".into(), ..plain.clone() },
        BalanceSettings { url: "https://b.test/{pin}".into(), ..plain.clone() },
        BalanceSettings { url: "x".repeat(1 << 20), ..plain.clone() },
        BalanceSettings { sign: Some(BalanceSign::Bearer), ..plain.clone() },
        BalanceSettings { format: Some(BalanceFormat::Json), ..plain.clone() },
        BalanceSettings { format: Some(BalanceFormat::Text), amount: "(".into(), ..plain.clone() },
    ] {
        let refused = set(wrong, None);
        assert!(matches!(refused, Err(PhoneError::BadSetting { field: Field::Balance, .. })), "{refused:?}");
    }
    assert_eq!(app.phone.set_balance(9, None, None), Err(PhoneError::NoAccount));
    let nobody = BalanceSettings { vos: "127.0.0.1:1".into(), sign: Some(BalanceSign::Bearer), ..plain };
    set(nobody, Some("secret-token")).unwrap();
    let (None, Some(trouble)) = told(&app) else { panic!("trouble") };
    assert!(trouble.contains("cannot be reached") && !trouble.contains("127.0.0.1"), "{trouble}");
    assert_eq!(app.secrets.get("account/1/balance".into()).unwrap().as_deref(), Some("secret-token"));
    let kept = std::fs::read(app.folder.path().join("phone.db")).unwrap();
    let wal = std::fs::read(app.folder.path().join("phone.db-wal")).unwrap_or_default();
    let has = |bytes: &[u8]| bytes.windows(12).any(|part| part == b"secret-token");
    assert!(!has(&kept) && !has(&wal));
    let diary: Vec<String> = app.phone.log().into_iter().map(|line| line.text).collect();
    assert!(!diary.iter().any(|line| line.contains("secret") || line.contains("127.0.0.1")), "{diary:?}");
    app.phone.set_balance(1, None, None).unwrap();
    assert_eq!(app.phone.balance_settings(1), Ok(None));
}
