//! The server on real loopback sockets and real files.
#![allow(clippy::disallowed_types)] // the other end of the wire

use std::fs;
use std::net::UdpSocket;
use std::path::PathBuf;

use base::{Rng, Secret};
use sip::digest::{Attempt, Authorizer, Credentials};
use sip::message::{Draft, Form, Message, Method, Name};

use super::*;

/// A folder of its own for one test.
fn folder(test: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("offhook-exchange-{}-{test}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn config(database: Option<PathBuf>) -> ServerConfig {
    ServerConfig { database, listen: Listen::at("127.0.0.1:0".parse().unwrap()), ..ServerConfig::default() }
}

struct Phone {
    socket: UdpSocket,
    user: &'static str,
    cseq: u32,
}

impl Phone {
    fn new(user: &'static str) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { socket, user, cseq: 0 }
    }

    fn request(&mut self, method: &Method, uri: &str, to: &str) -> Draft {
        self.cseq += 1;
        let (user, cseq, at) = (self.user, self.cseq, self.socket.local_addr().unwrap());
        let mut draft = Draft::request(method, uri);
        draft
            .push(Name::Via, format_args!("SIP/2.0/UDP {at};branch=z9hG4bK{user}{cseq};rport"))
            .push(Name::From, format_args!("<sip:{user}@offhook.test>;tag=t"))
            .push(Name::To, format_args!("<{to}>"))
            .push(Name::CallId, format_args!("{at}"))
            .push(Name::CSeq, format_args!("{cseq} {method}"))
            .push(Name::Contact, format_args!("<sip:{user}@{at}>"));
        draft
    }

    fn send(&self, draft: &Draft, to: SocketAddr) {
        self.socket.send_to(&draft.write(Form::Full), to).unwrap();
    }

    fn next(&self) -> Message {
        let mut room = [0; 4096];
        let (len, _) = self.socket.recv_from(&mut room).unwrap();
        Message::read(room[..len].to_vec().into()).unwrap()
    }

    /// Sends, answers the challenge, and gives the response to that.
    fn ask(&mut self, mut draft: Draft, to: SocketAddr) -> Message {
        self.send(&draft, to);
        let challenge = self.next();
        let password = Secret::new(format!("secret-{}", self.user));
        let credentials = Credentials { user: self.user.into(), password, realm: None };
        self.cseq += 1;
        draft.set(Name::CSeq, format_args!("{} {}", self.cseq, draft.method()));
        draft.set(
            Name::Via,
            format_args!("SIP/2.0/UDP {};branch=z9hG4bK{}", self.socket.local_addr().unwrap(), self.cseq),
        );
        Authorizer::default()
            .authorize(
                &mut draft,
                &challenge,
                &[credentials],
                &mut Attempt::default(),
                &mut Rng::from_number(1),
            )
            .unwrap();
        self.send(&draft, to);
        self.next()
    }

    fn register(&mut self, at: SocketAddr) {
        let to = format!("sip:{}@offhook.test", self.user);
        let register = self.request(&Method::Register, "sip:offhook.test", &to);
        assert_eq!(self.ask(register, at).status(), Some(200));
    }
}

#[test]
fn bindings_outlive_the_exchange_that_took_them() {
    let folder = folder("restart");
    let database = Some(folder.join("exchange.sqlite"));
    let mut bob = Phone::new("1002");

    let first = Server::start(config(database.clone())).unwrap();
    bob.register(first.addresses().udp.unwrap());
    assert_eq!(first.status().unwrap().bindings, 1);
    first.stop();

    let second = Server::start(config(database)).unwrap();
    assert_eq!(second.status().unwrap().bindings, 1);
    let mut ann = Phone::new("1001");
    let message = ann.request(&Method::Message, "sip:1002@offhook.test", "sip:1002@offhook.test");
    let at = second.addresses().udp.unwrap();
    std::thread::scope(|s| {
        s.spawn(|| {
            let got = bob.next();
            assert_eq!(got.method(), Method::Message);
            bob.send(&Draft::response_to(&got, 200), at);
        });
        assert_eq!(ann.ask(message, at).status(), Some(200));
    });
    drop(second);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn forgotten_users_lose_their_bindings_and_a_moved_exchange_keeps_its_key() {
    let folder = folder("users");
    let database = Some(folder.join("exchange.sqlite"));
    let first = Server::start(config(database.clone())).unwrap();
    Phone::new("1002").register(first.addresses().udp.unwrap());
    Phone::new("1003").register(first.addresses().udp.unwrap());
    first.stop();
    let key = |path: &PathBuf| *Store::open(path).unwrap().key([9; 16]).unwrap().expose();
    let before = key(database.as_ref().unwrap());

    let fewer = ServerConfig { user: vec![User::new("1002", "secret-1002")], ..config(database.clone()) };
    let second = Server::start(fewer).unwrap();
    assert_eq!(second.status().unwrap().bindings, 1);
    second.stop();
    assert_eq!(key(database.as_ref().unwrap()), before);
    fs::remove_dir_all(folder).unwrap();
}

/// RFC 3261 section 10.3 step 7: what cannot be kept is not promised.
#[test]
fn registrations_fail_while_the_database_refuses_and_succeed_again_after() {
    let folder = folder("refusing");
    let database = folder.join("exchange.sqlite");
    let server = Server::start(config(Some(database.clone()))).unwrap();
    let at = server.addresses().udp.unwrap();
    let mut bob = Phone::new("1002");
    let mut until = |status: u16| {
        let end = Clock::now() + Duration::from_secs(20);
        loop {
            let register = bob.request(&Method::Register, "sip:offhook.test", "sip:1002@offhook.test");
            let got = bob.ask(register, at).status().unwrap();
            if got == status {
                return;
            }
            assert!(Clock::now() < end, "{got} and never {status}");
        }
    };
    let rename = |from: &str, to: &str| {
        let other = rusqlite::Connection::open(&database).unwrap();
        other.busy_timeout(Duration::from_secs(10)).unwrap();
        other.execute_batch(&format!("ALTER TABLE {from} RENAME TO {to}")).unwrap();
    };
    until(200);
    rename("binding", "gone");
    until(500);
    rename("gone", "binding");
    until(200);
    server.stop();
    assert_eq!(Store::open(&database).unwrap().bindings(0).unwrap()["1002"].len(), 1);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_file_that_is_not_ours_is_refused_in_a_sentence_and_left_as_it_is() {
    let folder = folder("foreign");
    let text = folder.join("notes.txt");
    fs::write(&text, "shopping list: bread, a phone").unwrap();
    let foreign = folder.join("other.sqlite");
    rusqlite::Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let newer = folder.join("newer.sqlite");
    drop(Store::open(&newer).unwrap());
    rusqlite::Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let damaged = folder.join("damaged.sqlite");
    drop(Store::open(&damaged).unwrap());
    let mut bytes = fs::read(&damaged).unwrap();
    bytes[4096..].fill(0xa5);
    fs::write(&damaged, bytes).unwrap();

    for (path, says) in [
        (&text, "is not a database of this exchange"),
        (&foreign, "is not a database of this exchange"),
        (&newer, "was written by a newer version"),
        (&damaged, "is damaged"),
    ] {
        let before = fs::read(path).unwrap();
        let Err(error) = Server::start(config(Some(path.clone()))) else { panic!("{path:?} was taken") };
        let error = error.to_string();
        assert!(error.contains(says) && error.contains(path.to_str().unwrap()), "{error}");
        assert!(fs::read(path).unwrap() == before, "{path:?} was changed");
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 4, "something was left behind");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_port_in_use_is_named() {
    let taken = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr();
    let holder = UdpSocket::bind(taken.unwrap()).unwrap();
    let addr = holder.local_addr().unwrap();
    let listen = Listen { udp: Some(addr), tcp: None, ..Listen::default() };
    let Err(error) = Server::start(ServerConfig { listen, ..ServerConfig::default() }) else {
        panic!("two on one port")
    };
    assert!(error.to_string().contains(&addr.port().to_string()), "{error}");
}

#[test]
fn a_configuration_file_means_what_it_says() {
    let config: ServerConfig = toml::from_str(
        r#"
        domain = "example.test"
        database = "x.sqlite"
        digest = ["MD5"]
        [listen]
        udp = "127.0.0.1:5070"
        [[user]]
        number = "2001"
        password = "p"
        [[redirect]]
        prefix = "8"
        contact = "sip:{number}@127.0.0.1:6060"
        [[domain_route]]
        domain = "other.test"
        next_hop = "127.0.0.1:6060"
        "#,
    )
    .unwrap();
    assert_eq!(config.listen.tcp, None);
    assert_eq!(config.user.len(), 1);
    assert_eq!((config.challenge, &config.digest[..]), (true, &[sip::digest::Algorithm::Md5][..]));
    let bare: ServerConfig = toml::from_str("").unwrap();
    assert_eq!(bare.listen.tcp, Some("127.0.0.1:5060".parse().unwrap()));
    assert!(bare.user.is_empty());
}

#[test]
fn configuration_errors_name_the_key_and_its_line() {
    for (text, says, line) in [
        ("domain = \"a\"\nfoo = 1", "foo", "line 2"),
        ("[listen]\nvos = \"127.0.0.1:5070\"", "not in this build", "line 2"),
        ("[tls]\ncertificate = \"x\"", "not in this build", "line 1"),
        ("[[user]]\nnumber = \"1\"\npassword = \"p\"\nbalance = \"1.00\"", "not in this build", "line 4"),
        ("[[user]]\nnumber = \"1 2\"\npassword = \"p\"", "a number is made of", "line 2"),
        ("[[redirect]]\nprefix = \"8\"\ncontact = \"nobody\"", "not a SIP URI", "line 3"),
        ("[listen]\nudp = \"here\"", "udp", "line 2"),
        ("digest = [\"MD5\", \"ROT13\"]", "ROT13", "line 1"),
    ] {
        let error = toml::from_str::<ServerConfig>(text).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains(line), "{error}");
    }
}
