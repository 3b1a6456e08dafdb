//! What the phone writes down and says holds no secret: those are in the platform's store alone.

use std::fs;

use super::*;

#[test]
fn no_secret_is_in_what_the_phone_keeps_logs_or_tells() {
    let exchange = exchange();
    let app = App::new();
    let relays =
        vec![RelaySettings { server: "127.0.0.1:9".into(), transport: Transport::Udp, user: "ann".into() }];
    let account = AccountSettings {
        relays,
        media_encryption: Some(MediaEncryption::Required),
        media_keys: Some(MediaKeys::Dtls),
        ..settings("1001", &exchange)
    };
    let id = app.phone.add_account(account.clone(), "secret-1001".into()).unwrap();
    app.phone.set_relay_password(id, 0, Some("relay-password".into())).unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["ann".to_owned()]).unwrap();
    let key = made.signing_key.serialize_der();
    app.phone.set_client_certificate(id, vec![made.cert.der().to_vec()], key.clone()).unwrap();
    app.until_account(AccountState::Registered);
    let bob = App::new();
    let of_bob = AccountSettings { media_keys: None, ..settings("1002", &exchange) };
    let of_bob = AccountSettings { media_encryption: Some(MediaEncryption::Optional), ..of_bob };
    bob.phone.add_account(of_bob, "secret-1002".into()).unwrap();
    bob.until_account(AccountState::Registered);
    app.phone.call(None, "1002".into()).unwrap();
    bob.phone.answer(bob.until_call(CallState::Ringing).call).unwrap();
    // The keys are there a moment after the answer.
    app.until(|event| match event {
        Event::Call { view } => (view.encrypted == Encrypted::Dtls).then_some(()),
        _ => None,
    });

    // As it stands on a line of its own in PEM; what a key begins with is the same in every key.
    let key = data_encoding::BASE64.encode(&key)[64..128].to_owned();
    let secrets = ["secret-1001".to_owned(), "relay-password".to_owned(), key];
    let clean = |place: &str, text: &str| {
        for secret in &secrets {
            assert!(!text.contains(secret), "{place}: {secret}");
        }
    };
    let kept = app.secrets.kept.lock().unwrap().clone();
    assert!(secrets.iter().all(|secret| kept.values().any(|value| value.contains(secret))));
    let mut files = 0;
    for entry in fs::read_dir(app.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        clean(&path.display().to_string(), &String::from_utf8_lossy(&fs::read(&path).unwrap()));
        files += 1;
    }
    assert!(files > 0);
    app.phone.log().iter().for_each(|line| clean("the log", &format!("{line:?}")));
    clean("the settings", &format!("{:?}", app.phone.account_settings(id).unwrap()));
    // Known again, the account is as it was.
    let app = app.again();
    assert_eq!(app.phone.account_settings(id).unwrap(), account);
    app.until(|event| {
        clean("an event", &format!("{event:?}"));
        matches!(event, Event::Account { view } if view.state == AccountState::Registered).then_some(())
    });
}
