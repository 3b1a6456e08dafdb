//! Accounts by the door: kept, put in order, taken out of use, and brought over from where they were kept before.

use std::fs;

use offhook_io::store::{AccountKey, Store};

use super::*;

/// An account that is left alone.
fn quiet(number: &str) -> AccountSettings {
    AccountSettings {
        number: number.into(),
        server: "127.0.0.1:9".into(),
        register: false,
        ..AccountSettings::default()
    }
}

fn list(app: &App) -> Vec<String> {
    let mark = |it: &AccountInfo| {
        let default = if it.default { "*" } else { "" };
        format!("{} {}{default}{}", it.account, it.name, if it.enabled { "" } else { " off" })
    };
    app.phone.account_list().iter().map(mark).collect()
}

fn kept(app: &App, id: u32) -> String {
    let store = Store::reader(&app.folder.path().join("phone.db")).unwrap();
    store.account(AccountKey(id.into())).unwrap().unwrap().settings
}

#[test]
fn accounts_have_names_an_order_and_a_default_that_outlive_the_phone() {
    let app = App::new();
    let [ann, bob, cem] = ["1001", "1002", "1003"]
        .map(|number| app.phone.add_account(quiet(number), format!("secret-{number}")).unwrap());
    assert_eq!(list(&app), ["1 1001@127.0.0.1*", "2 1002@127.0.0.1", "3 1003@127.0.0.1"]);
    app.until(|event| (*event == Event::Accounts).then_some(()));
    app.phone.rename_account(bob, "  Work ".into()).unwrap();
    app.phone.move_account(cem, 0).unwrap();
    app.phone.set_default_account(bob).unwrap();
    let app = app.again();
    assert_eq!(list(&app), ["3 1003@127.0.0.1", "1 1001@127.0.0.1", "2 Work*"]);
    assert_eq!(app.phone.account_list()[2].uri, "sip:1002@127.0.0.1:9");
    assert!(!kept(&app, 1).contains("secret"));
    app.phone.remove_account(bob).unwrap();
    assert_eq!(list(&app), ["3 1003@127.0.0.1*", "1 1001@127.0.0.1"]);
    assert_eq!(app.secrets.get("account/2".into()), Ok(None));
    assert_eq!(app.phone.add_account(quiet("1004"), String::new()), Ok(4), "no id is given twice");
    for gone in [
        app.phone.rename_account(bob, "x".into()),
        app.phone.move_account(bob, 0),
        app.phone.set_default_account(bob),
        app.phone.enable_account(bob, true),
        app.phone.remove_account(bob),
        app.phone.change_account(bob, quiet("1002"), None),
    ] {
        assert_eq!(gone, Err(PhoneError::NoAccount));
    }
    assert_eq!(app.phone.rename_account(ann, "x".repeat(256)), Err(PhoneError::TooLong));
    assert!(matches!(app.phone.rename_account(ann, " ".into()), Err(PhoneError::BadArgument { .. })));
}

#[test]
fn an_account_out_of_use_does_nothing_until_it_is_taken_back() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    app.phone.enable_account(1, false).unwrap();
    app.until_account(AccountState::Unregistered);
    assert_eq!((app.phone.accounts(), app.phone.register(1)), (vec![], Err(PhoneError::NoAccount)));
    for account in [None, Some(1)] {
        assert_eq!(app.phone.call(account, "1002".into()), Err(PhoneError::NoAccount));
    }
    let payload = r#"{"account":"sip:1001@offhook.test"}"#;
    assert_eq!(app.phone.push(payload.into()), Err(PhoneError::NoAccount));
    app.phone.change_account(1, settings("1001", &exchange), None).unwrap();
    let app = app.again();
    assert_eq!((list(&app), app.phone.accounts()), (vec!["1 1001@offhook.test* off".to_owned()], vec![]));
    app.phone.enable_account(1, true).unwrap();
    app.until_account(AccountState::Registered);
}

#[test]
fn what_names_no_account_goes_by_the_default_one() {
    let exchange = exchange();
    let (app, bob) = (registered("1001", &exchange), registered("1003", &exchange));
    let other = app.phone.add_account(settings("1002", &exchange), "secret-1002".into()).unwrap();
    app.until_account(AccountState::Registered);
    app.phone.set_default_account(other).unwrap();
    let app = app.again();
    for _ in 0..2 {
        app.until_account(AccountState::Registered);
    }
    app.phone.call(None, "1003".into()).unwrap();
    assert_eq!(bob.until_call(CallState::Ringing).number, "1002");
}

#[test]
fn an_account_whose_secrets_never_came_asks_for_its_password_and_does_not_register_without() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    app.secrets.remove("account/1".into()).unwrap();
    let app = app.again();
    app.until(|event| matches!(event, Event::PasswordLost { account: 1 }).then_some(()));
    app.until_account(AccountState::Unregistered);
    // Changed without one, it still has none.
    let named = AccountSettings { display_name: "Ann".into(), ..settings("1001", &exchange) };
    app.phone.change_account(1, named.clone(), None).unwrap();
    app.until(|event| matches!(event, Event::PasswordLost { account: 1 }).then_some(()));
    assert_eq!(app.secrets.get("account/1".into()), Ok(None));
    app.phone.change_account(1, named, Some("secret-1001".into())).unwrap();
    app.until_account(AccountState::Registered);
}

#[test]
fn what_cannot_be_kept_is_not_half_an_account() {
    let app = App::new();
    app.secrets.full.store(true, Ordering::Relaxed);
    let refused = app.phone.add_account(quiet("1001"), "secret".into());
    assert!(matches!(refused, Err(PhoneError::Secrets { .. })), "{refused:?}");
    assert_eq!((list(&app), app.phone.accounts()), (vec![], vec![]));
}

#[test]
fn the_certificate_of_a_server_is_kept_until_the_account_is_at_another() {
    let app = App::new();
    let id = app.phone.add_account(quiet("1001"), String::new()).unwrap();
    let pin = |app: &App| {
        let document: serde_json::Value = serde_json::from_str(&kept(app, 1)).unwrap();
        document.get("tls_pin").and_then(|pin| pin.as_str().map(str::to_owned))
    };
    app.phone.keep_trust(id, base::Fingerprint([7; 32])).unwrap();
    let named = AccountSettings { display_name: "Ann".into(), ..quiet("1001") };
    app.phone.change_account(id, named.clone(), None).unwrap();
    assert_eq!(pin(&app), Some(base::Fingerprint([7; 32]).to_string()));
    app.phone.change_account(id, AccountSettings { server: "127.0.0.2:9".into(), ..named }, None).unwrap();
    assert_eq!(pin(&app), None);
}

#[test]
fn a_certificate_of_ours_is_kept_with_its_key_among_the_secrets() {
    let app = App::new();
    let id = app.phone.add_account(quiet("1001"), String::new()).unwrap();
    let made = || rcgen::generate_simple_self_signed(vec!["ann".to_owned()]).unwrap();
    let (ours, others) = (made(), made());
    let (chain, key) = (vec![ours.cert.der().to_vec()], ours.signing_key.serialize_der());
    let wrong = app.phone.set_client_certificate(id, chain.clone(), others.signing_key.serialize_der());
    assert!(matches!(wrong, Err(PhoneError::BadArgument { .. })), "{wrong:?}");
    app.phone.set_client_certificate(id, chain.clone(), key.clone()).unwrap();
    let app = app.again();
    let shown = |app: &App| {
        let store = app.phone.store();
        let secrets = store.secrets(1).unwrap().unwrap();
        crate::document::account(store.document(1).unwrap(), &secrets).unwrap().connection.certificate
    };
    let certificate = shown(&app).unwrap();
    assert_eq!((certificate.chain, certificate.key.expose()), (chain, &key));
    assert!(kept(&app, 1).contains("BEGIN CERTIFICATE") && !kept(&app, 1).contains("PRIVATE"));
    app.phone.set_client_certificate(id, vec![], vec![]).unwrap();
    assert_eq!(shown(&app), None);
}

/// A folder as an earlier version has left it.
fn of_old() -> (tempfile::TempDir, Arc<Secrets>, rcgen::CertifiedKey<rcgen::KeyPair>) {
    let (folder, secrets) = (tempfile::tempdir().unwrap(), Arc::<Secrets>::default());
    let made = rcgen::generate_simple_self_signed(vec!["ann".to_owned()]).unwrap();
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    let old = format!(
        r#"{{"last":5,"accounts":[
        {{"id":4,"settings":{{"number":"1001@offhook.test","server":"127.0.0.1:9","proxy":"","auth_user":"","display_name":"A\u200fnn",
            "transport":"Tcp","register":false,"relays":[{{"server":"relay.test:80","transport":"Udp","user":"ann"}}]}},
            "pin":"{pin}","shown":["{shown}"]}},
        {{"id":2,"settings":{{"number":"1002","server":"127.0.0.1:9","proxy":"","auth_user":"","display_name":"","transport":"Automatic",
            "register":false,"ice":false}}}}],
        "networks":[{{"identity":"Ann's Wi-Fi","udp":[95.0,104.5],"tcp":[60.0,null]}}]}}"#,
        pin = "07".repeat(32),
        shown = hex(made.cert.der()),
    );
    fs::write(folder.path().join("accounts.json"), old).unwrap();
    let mut kept = secrets.kept.lock().unwrap();
    let mut put = |name: &str, value: &str| drop(kept.insert(name.into(), value.into()));
    put("account/4/password", "secret-1001");
    put("account/4/relays", r#"[["relay.test:80","ann","secret-relay"]]"#);
    put("account/4/client-key", &hex(&made.signing_key.serialize_der()));
    put("account/2/password", "");
    drop(kept);
    (folder, secrets, made)
}

#[test]
fn accounts_of_an_earlier_version_are_taken_over_once_with_their_numbers_and_secrets() {
    let (folder, secrets, made) = of_old();
    let old = fs::read(folder.path().join("accounts.json")).unwrap();
    let app = App::over(folder, secrets);
    assert_eq!(list(&app), ["4 1001@offhook.test*", "2 1002@127.0.0.1"]);
    let file = app.folder.path().join("accounts.json");
    assert!(!file.exists());
    let settings = app.phone.account_settings(4).unwrap();
    assert_eq!(
        (&*settings.number, &*settings.proxy, &*settings.display_name),
        ("1001", "127.0.0.1:9", "Ann")
    );
    assert_eq!((settings.transport, settings.relays.len()), (Transport::Tcp, 1));
    assert!(!app.phone.account_settings(2).unwrap().ice);
    let account = {
        let store = app.phone.store();
        let secrets = store.secrets(4).unwrap().unwrap();
        crate::document::account(store.document(4).unwrap(), &secrets).unwrap()
    };
    assert_eq!(account.password.expose(), "secret-1001");
    assert_eq!(account.nat.turn[0].password.expose(), "secret-relay");
    assert_eq!(account.connection.pin, Some(base::Fingerprint([7; 32])));
    assert_eq!(account.connection.certificate.unwrap().key.expose(), &made.signing_key.serialize_der());
    assert_eq!(app.phone.store().networks.all().count(), 1);
    let names: Vec<String> = app.secrets.kept.lock().unwrap().keys().cloned().collect();
    assert_eq!(names, ["account/2", "account/4"]);

    // It died before the file was gone: what was done since stays done.
    app.phone.remove_account(2).unwrap();
    fs::write(&file, old).unwrap();
    let app = app.again();
    assert_eq!(list(&app), ["4 1001@offhook.test*"]);
    assert!(!file.exists());
    assert_eq!(app.phone.add_account(quiet("1003"), String::new()), Ok(6), "5 was given once");
}

#[test]
fn a_file_of_old_that_makes_no_sense_is_put_aside_and_the_person_told() {
    let told = |text: &str| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("accounts.json"), text).unwrap();
        let app = App::over(folder, Arc::default());
        let sentence = app.until(|event| match event {
            Event::Memory { sentence } => Some(sentence.clone()),
            _ => None,
        });
        assert!(sentence.contains("accounts.bad"), "{sentence}");
        assert!(app.folder.path().join("accounts.bad").exists());
        list(&app).len()
    };
    assert_eq!(told("{\"last\":"), 0);
    let one = |number: &str, id: u32| {
        format!(
            r#"{{"id":{id},"settings":{{"number":"{number}","server":"h.test","proxy":"","auth_user":"","display_name":"",
            "transport":"Tcp","register":false}}}}"#
        )
    };
    let (good, bad) = (one("1001", 1), one("", 2));
    assert_eq!(told(&format!(r#"{{"last":2,"accounts":[{good},{bad}]}}"#)), 1);
}
