//! What is left, for how long, cards and calls back, by the door.

use exchange::server::User;

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
    assert_eq!(app.secrets.get("account/1".into()).unwrap(), None);
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
    let mut store = ann.phone.store();
    let document = store.document(1).unwrap();
    let balance = Some(settings.form(None, None).unwrap().0);
    let changed = document.with(::account::Form { balance, ..document.form().clone() }).0;
    store.keep(&ann.phone.handle, 1, changed).unwrap();
    drop(store);
    ann.phone.open_till(1);
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
    assert!(app.secrets.get("account/1".into()).unwrap().unwrap().contains("secret-token"));
    let kept = std::fs::read(app.folder.path().join("phone.db")).unwrap();
    let wal = std::fs::read(app.folder.path().join("phone.db-wal")).unwrap_or_default();
    let has = |bytes: &[u8]| bytes.windows(12).any(|part| part == b"secret-token");
    assert!(!has(&kept) && !has(&wal));
    let diary: Vec<String> = app.phone.log().into_iter().map(|line| line.text).collect();
    assert!(!diary.iter().any(|line| line.contains("secret") || line.contains("127.0.0.1")), "{diary:?}");
    app.phone.set_balance(1, None, None).unwrap();
    assert_eq!(app.phone.balance_settings(1), Ok(None));
}

#[test]
fn how_a_balance_is_asked_for_reads_back_as_it_was_set_and_what_the_screen_has_not_stays() {
    let whole = BalanceSettings {
        url: "https://b.test/{user}".into(),
        form: vec![BalanceField { name: "password".into(), value: "{password}".into() }],
        headers: vec![BalanceField { name: "X-Key".into(), value: "hush".into() }],
        sign: Some(BalanceSign::Basic),
        user: "ann".into(),
        format: Some(BalanceFormat::Xml),
        amount: "r/@money".into(),
        currency: "r/@in".into(),
        allow_clear: true,
        ..BalanceSettings::default()
    };
    let read = |settings: &BalanceSettings| {
        let (form, own) = settings.form(None, Some("secret-b".into())).unwrap();
        BalanceSettings::of(&form, &own)
    };
    let by_vos = BalanceSettings { vos: "b.test".into(), ..BalanceSettings::default() };
    for settings in [whole.clone(), by_vos.clone()] {
        assert_eq!(read(&settings), settings);
    }
    let (mut form, own) = whole.form(None, Some("secret-b".into())).unwrap();
    form.minutes = Some(Box::default());
    let (changed, still) = by_vos.form(Some((&form, &own)), None).unwrap();
    assert!(changed.minutes.is_some() && changed.url.is_none() && changed.body.is_none());
    assert_eq!(still.password, own.password);
    let bearer = BalanceSettings { sign: Some(BalanceSign::Bearer), ..by_vos };
    let (_, moved) = bearer.form(Some((&form, &own)), None).unwrap();
    assert_eq!((moved.password, moved.token), (None, own.password));
}

#[test]
fn minutes_cards_and_calls_back_come_with_the_preset_and_are_told_in_words() {
    let (exchange, web) = charging();
    let app = registered("1001", &exchange);
    let bad = |refused: Result<(), PhoneError>| matches!(refused, Err(PhoneError::BadArgument { .. }));
    assert_eq!(app.phone.money_offers(1), MoneyOffers::default());
    assert!(
        bad(app.phone.minutes_to(None, "1002".into())) && bad(app.phone.top_up(1, "1".into(), String::new()))
    );
    assert!(bad(app.phone.call_back(None, "1002".into())));
    app.phone.number_typed(None, "1002".into()).unwrap();
    let settings = BalanceSettings { vos: format!("http://{web}"), ..BalanceSettings::default() };
    app.phone.set_balance(1, Some(settings), None).unwrap();
    let offers = app.phone.money_offers(1);
    assert!(offers.balance && offers.minutes && offers.top_up && offers.call_back);
    told(&app);

    let minutes = |app: &App| {
        app.until(|event| match event {
            Event::Minutes { account: 1, number, seconds, trouble } => {
                Some((number.clone(), *seconds, trouble.clone()))
            }
            _ => None,
        })
    };
    // 12.34 at 60 a minute.
    app.phone.number_typed(None, "10 02".into()).unwrap();
    assert_eq!(minutes(&app), ("10 02".into(), Some(12), None));
    app.phone.minutes_to(Some(1), "1002".into()).unwrap();
    assert_eq!(minutes(&app), ("1002".into(), Some(12), None));
    assert!(matches!(app.phone.minutes_to(None, "\0".into()), Err(PhoneError::BadTarget { .. })));

    app.phone.top_up(1, "4711".into(), "secret-pin".into()).unwrap();
    let (came, says) = app.until(|event| match event {
        Event::ToppedUp { account: 1, came, says } => Some((*came, says.clone())),
        _ => None,
    });
    assert!(matches!(came, Came::Refused | Came::Done), "{came:?} {says:?}");
    assert!(!says.unwrap_or_default().contains("secret-pin"));
    told(&app);
    app.phone.call_back(None, "1002".into()).unwrap();
    let (number, came) = app.until(|event| match event {
        Event::CallBack { account: 1, number, came, .. } => Some((number.clone(), *came)),
        _ => None,
    });
    assert_eq!((&*number, came == Came::InDoubt), ("1002", false));
    let diary: Vec<String> = app.phone.log().into_iter().map(|line| line.text).collect();
    assert!(!diary.iter().any(|line| line.contains("4711") || line.contains("1002")), "{diary:?}");
    assert_eq!(app.phone.top_up(1, "1".repeat(1 << 20), String::new()), Err(PhoneError::TooLong));
    assert!(bad(app.phone.top_up(1, " ".into(), String::new())));
    assert_eq!(app.phone.top_up(9, "1".into(), String::new()), Err(PhoneError::NoAccount));
}

#[test]
fn a_balance_of_an_earlier_version_stands_in_the_account_afterwards() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    app.phone
        .handle
        .on_store(offhook_io::store::About::Rest, |store| {
            let old = r#"{"url":"https://b.test/?u={user}","sign":"Bearer"}"#;
            store.set_setting("balance/1", Some(old))?;
            store.set_setting("balance-told/1", Some("{}"))
        })
        .unwrap();
    app.secrets.put("account/1/balance".into(), "secret-token".into()).unwrap();
    let app = app.again();
    let settings = app.phone.balance_settings(1).unwrap().unwrap();
    assert_eq!((&*settings.url, settings.sign), ("https://b.test/?u={user}", Some(BalanceSign::Bearer)));
    assert_eq!(app.secrets.get("account/1/balance".into()), Ok(None));
    assert!(app.secrets.get("account/1".into()).unwrap().unwrap().contains("secret-token"));
    let left = app.phone.remembered().unwrap().settings().unwrap();
    assert!(left.iter().all(|(name, _)| !name.starts_with("balance")), "{left:?}");
}
