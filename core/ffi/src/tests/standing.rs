//! What stands behind accounts, by the door.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use super::*;

/// Takes the account that this document is, with more in it.
fn take(app: &App, more: &serde_json::Value) -> u32 {
    let mut document =
        serde_json::json!({ "offhook": 1, "uri": "sip:1001@offhook.test", "password": "secret-1001" });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let proposal = app.phone.preview(document.to_string()).unwrap();
    assert!(proposal.shown().left_out.is_empty());
    app.phone.take(proposal, None).unwrap()
}

#[test]
fn an_authority_that_comes_with_an_account_is_believed_for_its_server() {
    let (exchange, certificate) = exchange_by_tls();
    let server = exchange.addresses().tls.unwrap();
    let app = App::new();
    let proxy = format!("sip:{server};transport=tls");
    let more = serde_json::json!({ "proxy": proxy, "transport": "tls", "tls_ca": certificate });
    let id = take(&app, &more);
    app.until_account(AccountState::Registered);

    let app = app.again();
    app.until_account(AccountState::Registered);
    app.phone.remove_account(id).unwrap();
    // Connections that are there stay.
    let app = app.again();
    let settings = AccountSettings {
        proxy: server.to_string(),
        transport: Transport::Tls,
        ..settings("1001", &exchange)
    };
    app.phone.add_account(settings, "secret-1001".into()).unwrap();
    assert_eq!(app.until_account(AccountState::Failed).why, Some(Why::NotTrusted));
}

/// A service that hands out relays, and tells of each who asks what they have asked with.
fn service() -> (String, Receiver<String>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/turn", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).unwrap();
            let body = r#"{"username":"u","password":"p","ttl":86400,"uris":["turn:127.0.0.1:9"]}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all((head + body).as_bytes()).unwrap();
            if tell.send(String::from_utf8_lossy(&request[..length]).into_owned()).is_err() {
                return;
            }
        }
    });
    (url, asked)
}

#[test]
fn a_service_is_asked_for_an_accounts_relays_each_time_that_it_comes_into_use() {
    let (url, asked) = service();
    let app = App::new();
    let turn = serde_json::json!({ "service": url, "token": "hush" });
    let id = take(&app, &serde_json::json!({ "register": false, "nat": { "turn": turn } }));
    let request = asked.recv_timeout(PATIENCE).unwrap().to_ascii_lowercase();
    assert!(request.starts_with("get /turn") && request.contains("bearer hush"), "{request}");
    app.phone.enable_account(id, false).unwrap();
    assert!(app.phone.relays.lock().unwrap().is_empty());
    app.phone.enable_account(id, true).unwrap();
    asked.recv_timeout(PATIENCE).unwrap();
    app.phone.remove_account(id).unwrap();
    assert!(app.phone.relays.lock().unwrap().is_empty());
}

#[test]
fn what_a_push_service_knows_the_phone_by_is_kept_with_the_accounts_that_name_it() {
    let app = App::new();
    let push = |service: &str| serde_json::json!({ "register": false, "push": { "provider": service } });
    let of = |app: &App, id: u32| {
        let store = app.phone.store();
        let secrets = store.secrets(id).unwrap().unwrap();
        let account = crate::document::account(store.document(id).unwrap(), &secrets).unwrap();
        account.push.map(|push| push.prid.expose().clone())
    };
    let (fcm, apns) = (take(&app, &push("fcm")), take(&app, &push("apns")));
    assert_eq!(app.phone.set_push_token("fcm".into(), "tok:1".into()), Ok(1));
    assert_eq!((of(&app, fcm).as_deref(), of(&app, apns)), (Some("tok:1"), None));
    assert_eq!(app.phone.set_push_token("fcm".into(), "tok:2".into()), Ok(1));
    let later = take(&app, &push("fcm"));
    let bad = PhoneError::BadArgument { sentence: "that is no push service, or no token of one".into() };
    assert_eq!(app.phone.set_push_token("fcm".into(), " ".into()), Err(bad));
    assert_eq!(app.phone.set_push_token("fcm".into(), "x".repeat(2000)), Err(PhoneError::TooLong));
    let app = app.again();
    assert_eq!([fcm, later].map(|id| of(&app, id)), [Some("tok:2".into()), Some("tok:2".into())]);
    let diary: Vec<String> = app.phone.log().into_iter().map(|line| line.text).collect();
    assert!(!diary.iter().any(|line| line.contains("tok:")), "{diary:?}");
}
