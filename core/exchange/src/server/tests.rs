//! The server on real loopback sockets and real files.
#![allow(clippy::disallowed_types)] // the other end of the wire

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpStream, UdpSocket};
use std::path::PathBuf;

use base::{Rng, Secret};
use nat::behaviour::{Datagram, Discovery, Side};
use nat::stun::{self, attribute};
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
fn stun_answers_over_datagrams_and_streams_at_one_port() {
    let server = Server::start(with_stun("127.0.0.1:0", None)).unwrap();
    let at = server.addresses().stun.unwrap();
    assert_eq!(server.addresses().stun_other, None);
    let phone = Phone::new("1001");
    phone.socket.send_to(&stun_request(None), at).unwrap();
    let (answer, from) = stun_answer(&phone.socket);
    assert_eq!((from, answer.mapped()), (at, phone.socket.local_addr().ok()));

    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // Two at once, the second one cut.
    let twice = [stun_request(None), stun_request(None)].concat();
    for piece in [&twice[..25], &twice[25..]] {
        stream.write_all(piece).unwrap();
        let mut room = [0; 44];
        stream.read_exact(&mut room).unwrap();
        assert_eq!(stun::Message::read(&room).unwrap().mapped(), stream.local_addr().ok());
    }
    let mut other = TcpStream::connect(at).unwrap();
    other.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    other.write_all(b"\x16\x03\x01").unwrap();
    assert_eq!(other.read(&mut [0; 8]).unwrap(), 0, "TLS is not spoken here");
    assert_eq!(server.status().unwrap().stun.answered, 3);
}

/// RFC 5780 section 6.1, table 1, on the wire.
#[test]
fn stun_with_a_second_address_answers_from_all_four() {
    let server = Server::start(with_stun("127.0.0.1:0", Some("127.0.0.2:0"))).unwrap();
    let (first, other) = (server.addresses().stun.unwrap(), server.addresses().stun_other.unwrap());
    let phone = Phone::new("1001");
    for to in [first, SocketAddr::new(other.ip(), first.port())] {
        for (flags, from) in [
            (0, to),
            (2, SocketAddr::new(to.ip(), other.port())),
            (4, SocketAddr::new(if to == first { other.ip() } else { first.ip() }, first.port())),
            (6, SocketAddr::new(if to == first { other.ip() } else { first.ip() }, other.port())),
        ] {
            phone.socket.send_to(&stun_request(Some(flags)), to).unwrap();
            let (answer, source) = stun_answer(&phone.socket);
            assert_eq!((source, answer.plain_address(attribute::RESPONSE_ORIGIN)), (from, Some(from)));
        }
    }
    for at in [first, other, SocketAddr::new(other.ip(), first.port())] {
        assert!(TcpStream::connect(at).is_ok(), "no TCP at {at}");
    }
}

/// Both halves of RFC 5780 in one: nothing is between them here.
#[test]
fn discovery_on_loopback_finds_no_router_and_no_filter() {
    let server = Server::start(with_stun("127.0.0.1:0", Some("127.0.0.2:0"))).unwrap();
    let sockets = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    let locals = [0, 1].map(|n| sockets[n].local_addr().unwrap());
    let began = Clock::now();
    let at = server.addresses().stun.unwrap();
    let mut discovery = Discovery::new(at, locals, Rng::from_number(5780), now(began));
    let mut room = [0; 2048];
    while discovery.result().is_none() {
        while let Some(Datagram { from, to, bytes }) = discovery.poll_send() {
            sockets[from as usize].send_to(&bytes, to).unwrap();
        }
        for (socket, side) in sockets.iter().zip([Side::First, Side::Second]) {
            socket.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
            if let Ok((len, from)) = socket.recv_from(&mut room) {
                discovery.received(side, from, &room[..len], now(began));
            }
        }
        discovery.due(now(began));
    }
    let found = discovery.result().unwrap().to_string();
    assert_eq!(found, "no address translation; lets in anybody");
}

#[test]
fn stun_connections_of_one_host_are_bounded() {
    let server = Server::start(with_stun("127.0.0.1:0", None)).unwrap();
    let at = server.addresses().stun.unwrap();
    let served = |stream: &mut TcpStream| {
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        // Who was turned away may hear of it while writing or while reading.
        stream.write_all(&stun_request(None)).is_ok() && stream.read(&mut [0; 64]).is_ok_and(|len| len > 0)
    };
    let mut streams: Vec<_> = (0..33).map(|_| TcpStream::connect(at).unwrap()).collect();
    assert_eq!(streams.iter_mut().map(served).filter(|served| *served).count(), 32);
    drop(streams);
    let end = Clock::now() + Duration::from_secs(10);
    while !served(&mut TcpStream::connect(at).unwrap()) {
        assert!(Clock::now() < end, "the places of those who left stay taken");
    }
}

#[test]
fn a_second_stun_address_that_is_not_one_is_refused_in_a_sentence() {
    for (first, other, says) in [
        ("127.0.0.1:0", "127.0.0.1:0", "two addresses"),
        ("127.0.0.1:3478", "127.0.0.2:3478", "two ports"),
        ("127.0.0.1:0", "[::1]:0", "one address family"),
        ("0.0.0.0:0", "127.0.0.2:0", "name an address"),
    ] {
        let Err(error) = Server::start(with_stun(first, Some(other))) else { panic!("{first} {other}") };
        assert!(error.to_string().contains(says), "{error}");
    }
    let mut alone = with_stun("127.0.0.1:0", Some("127.0.0.2:0"));
    alone.listen.stun = None;
    assert!(Server::start(alone).is_err_and(|error| error.to_string().contains("nothing without stun")));
}

fn with_stun(first: &str, other: Option<&str>) -> ServerConfig {
    let mut config = config(None);
    config.listen.stun = first.parse().ok();
    config.listen.stun_other = other.map(|other| other.parse().unwrap());
    config
}

fn stun_request(change: Option<u32>) -> Vec<u8> {
    let request = stun::Writer::request(stun::Method::Binding, stun::TransactionId([1; 12]));
    match change {
        None => request.unsigned().to_vec(),
        Some(flags) => request.number(attribute::CHANGE_REQUEST, flags).unsigned().to_vec(),
    }
}

fn stun_answer(socket: &UdpSocket) -> (stun::Message, SocketAddr) {
    let mut room = [0; 4096];
    let (len, from) = socket.recv_from(&mut room).unwrap();
    (stun::Message::read(&room[..len]).unwrap(), from)
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
        stun = "127.0.0.1:3478"
        stun_other = "127.0.0.2:3479"
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
    assert_eq!(config.listen.stun, Some("127.0.0.1:3478".parse().unwrap()));
    assert_eq!(config.listen.stun_other, Some("127.0.0.2:3479".parse().unwrap()));
    assert_eq!(config.user.len(), 1);
    assert_eq!((config.challenge, &config.digest[..]), (true, &[sip::digest::Algorithm::Md5][..]));
    let bare: ServerConfig = toml::from_str("").unwrap();
    assert_eq!(bare.listen.tcp, Some("127.0.0.1:5060".parse().unwrap()));
    assert_eq!(bare.listen.stun, None);
    assert!(bare.user.is_empty());
}

#[test]
fn a_sealed_listener_answers_by_the_key_of_the_id_and_a_plain_word_not_at_all() {
    use sip::codec::FlowCodec as _;
    use sip::codec::vos::Seal;
    let text = r#"
        domain = "offhook.test"
        [listen]
        udp = "127.0.0.1:0"
        vos = "127.0.0.1:0"
        [[user]]
        number = "1001"
        password = "secret-1001"
        [[user]]
        number = "1002"
        password = "secret-1002"
        vos_id = "gw-7"
        vos_key = "of its own"
    "#;
    let server = Server::start(toml::from_str(text).unwrap()).unwrap();
    let at = server.addresses().vos.unwrap();
    assert_ne!(Some(at), server.addresses().udp);
    let mut ann = Phone::new("1001");
    let options = ann.request(&Method::Options, "sip:offhook.test", "sip:offhook.test");
    for (id, key) in [("1001", "secret-1001"), ("gw-7", "of its own")] {
        let mut seal = Seal::new(id, Secret::new(key.into())).unwrap();
        let (mut wire, mut room) = (Vec::new(), Vec::new());
        ann.send(&options, at); // not sealed, and so not heard
        seal.seal(&options.write(Form::Full), &mut wire);
        ann.socket.send_to(&wire, at).unwrap();
        let mut answer = [0; 4096];
        let (length, from) = ann.socket.recv_from(&mut answer).unwrap();
        let clear = seal.open(&answer[..length], &mut room).unwrap();
        assert!(from == at && clear.starts_with(b"SIP/2.0 200"), "{}", String::from_utf8_lossy(clear));
    }
    let counted = server.status().unwrap().vos;
    assert_eq!((counted.opened, counted.plain, counted.unsealed), (2, 2, 0));
}

#[test]
fn configuration_errors_name_the_key_and_its_line() {
    for (text, says, line) in [
        ("domain = \"a\"\nfoo = 1", "foo", "line 2"),
        ("[listen]\nvos = \"here\"", "vos", "line 2"),
        ("[tls]\ncertificate = \"x\"", "missing field `key`", "line 1"),
        ("[[user]]\nnumber = \"1\"\npassword = \"p\"\nbalance = \"much\"", "an amount in quotes", "line 4"),
        ("[[user]]\nnumber = \"1 2\"\npassword = \"p\"", "a number is made of", "line 2"),
        ("[[redirect]]\nprefix = \"8\"\ncontact = \"nobody\"", "not a SIP URI", "line 3"),
        ("[listen]\nudp = \"here\"", "udp", "line 2"),
        ("digest = [\"MD5\", \"ROT13\"]", "ROT13", "line 1"),
    ] {
        let error = toml::from_str::<ServerConfig>(text).unwrap_err().to_string();
        assert!(error.contains(says) && error.contains(line), "{error}");
    }
}

#[test]
fn the_web_side_tells_what_is_left_in_three_forms_takes_cards_and_promises_calls() {
    use std::io::{Read as _, Write as _};
    let user =
        User { balance: "12.34".parse().ok(), currency: Some("EUR".into()), ..User::new("1001", "p&w") };
    let listen =
        Listen { http: Some("127.0.0.1:0".parse().unwrap()), ..Listen::at("127.0.0.1:0".parse().unwrap()) };
    let rate = "0.06".parse().ok();
    let server =
        Server::start(ServerConfig { user: vec![user], listen, rate, ..ServerConfig::default() }).unwrap();
    let ask = |request: &str, body: &str| {
        let mut stream = std::net::TcpStream::connect(server.addresses().http.unwrap()).unwrap();
        let length = body.len();
        write!(stream, "{request} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().to_owned(), body.to_owned())
    };
    let told = |request: &str, body: &str| ask(request, body).1;
    assert_eq!(told("GET /balance?user=1001", ""), r#"{"balance":"12.34","currency":"EUR"}"#);
    assert_eq!(ask("GET /balance?user=nobody", "").0, "404");
    let customer = told("POST /external/server/GetCustomer", r#"{"accounts":["1001"]}"#);
    assert!(customer.contains(r#""money":12.34"#) && customer.contains(r#""retCode":0"#), "{customer}");
    assert!(told("POST /external/server/GetCustomer", r#"{"accounts":["x"]}"#).contains("-10007"));
    assert!(told("POST /external/server/GetCustomer", "{}").contains("-12103"));
    assert!(told("POST /external/server/GetCustomer", "nonsense").contains("-10124"));
    let time = told("POST /external/server/GetAvailableTime", r#"{"billingName":"1001","calleeE164":"2"}"#);
    assert!(time.contains(r#""timeRemain":12340"#), "{time}");
    let form = "name=1001&type=2&loginName=1001&loginPassword=p%26w";
    assert_eq!(told("POST /thirdparty/getcustomer.jsp", form), "0|1001;1001;12.34;0;0");
    assert!(
        told("POST /thirdparty/getcustomer.jsp", "name=1001&loginName=1001&loginPassword=x")
            .starts_with("-10007|")
    );
    let vendor = |name: &str, body: &str| told(&format!("POST /external/server/{name}"), body);
    assert!(vendor("GetAvailableTime", r#"{"billingName":"1001"}"#).contains("-12103"));
    let card = |user: &str, number: &str, pin: &str| {
        let body = format!(r#"{{"ownerName":"{user}","ownerType":2,"pin":"{number}","password":"{pin}"}}"#);
        vendor("PayByPhoneCard", &body)
    };
    for (user, number, pin, code) in [
        ("1001", "5-777", "778", "-10007"),
        ("1001", "5", "5", "-10007"),
        ("1001", "-5-777", "5-777", "-10007"),
        ("1001", "5-777", "", "-12103"),
        ("1002", "5-777", "777", "-10007"),
    ] {
        assert!(card(user, number, pin).contains(code), "{user} {number} {pin}");
    }
    assert_eq!(card("1001", "5-777", "777"), r#"{"retCode":0}"#);
    let promised = vendor("CallBack", r#"{"callerE164":"1001","calleeE164s":["2"]}"#);
    assert_eq!(promised, r#"{"callIdentifier":"1001-2","retCode":0}"#);
    assert!(vendor("CallBack", r#"{"callerE164":"1009","calleeE164s":["2"]}"#).contains("-10007"));
    assert!(vendor("CallBack", r#"{"callerE164":"1001","calleeE164s":[]}"#).contains("-12103"));
    assert!(told("GET /balance?user=1001", "").contains("17.34"));
    assert!(told("GET /", "").contains("bindings"));
    assert_eq!((ask("GET /else", "").0, ask("POST /", "").0), ("404".into(), "405".into()));
    assert_eq!(ask("POST /balance", &"x".repeat(20_000)).0, "413");
}
