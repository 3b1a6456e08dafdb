//! No secret of a run is in anything that the run leaves behind: captures, call logs, what was said.
//!
//! Six phones and an exchange: a call by TLS and SDES, one by DTLS, one under VOS; relays by password and by a service with
//! a token; a balance with the password in its address, and cards; a client certificate. SRTP keys are drawn anew in each call, so one
//! phone's capture is taken with its secrets, and that file is only read for what to look for.

#![cfg(all(feature = "tls", feature = "rest"))]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use nat::stun::{Class, Message, Writer, attribute};
use serde_json::Value;

/// A line that takes longer than this never comes.
const PATIENCE: Duration = Duration::from_secs(60);

/// What each kind of secret is in this run. No escape changes any of their letters, so that wherever they are, they are found.
const PASSWORDS: [&str; 6] =
    ["pwOneQ7dJ2", "pwTwoX4kM9", "pwThreeB8vN1", "pwFourH3zL6", "pwFiveT5cR0", "pwSixW9yF4"];
const VOS_KEYS: [&str; 2] = ["vosKeyP6sD8", "vosKeyG1uE7"];
const RELAY_PASSWORD: &str = "relayPwK4jV9";
const HANDED_PASSWORD: &str = "handedPwS7mC2";
const TOKEN: &str = "tokenZ3nA8qY";
const QUERY_KEY: &str = "queryKeyU5xI1";
const PIN: &str = "cardPinE8oG3bT";
const WRONG_PIN: &str = "wrongPinN2fX6hK";

/// A program of ours: what it says is read here, and kept in a file.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(args: &[&str], kept: &Path, name: &str) -> Self {
        let file = |end: &str| File::create(kept.join(format!("{name}.{end}"))).expect("a file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_offhook"))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(file("stderr"))
            .spawn()
            .expect("it starts");
        let (stdout, mut copy) = (BufReader::new(child.stdout.take().expect("piped")), file("stdout"));
        let (tell, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                writeln!(copy, "{line}").expect("there is room");
                // What is said to nobody any more is kept all the same.
                let _ = tell.send(line);
            }
        });
        Self { child, lines }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("piped"), "{line}").expect("it listens");
    }

    fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut seen = Vec::new();
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else { panic!("not among {seen:#?}") };
            let line: Value = serde_json::from_str(&line).expect(&line);
            if wanted(&line) {
                return line;
            }
            seen.push(line);
        }
    }

    fn until_call(&mut self, state: &str) -> Value {
        self.until(|line| line["event"] == "call" && line["state"] == state)
    }

    fn end(&mut self) {
        self.say(r#"{"cmd":"quit"}"#);
        assert!(self.child.wait().expect("it ends").success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A relay that wants a password, and has no room once it was given. Tells who has signed with one.
fn relay() -> (String, Receiver<String>) {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let at = socket.local_addr().expect("bound").to_string();
    let (tell, signed) = channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let Ok(request) = Message::read(&buffer[..length]) else { continue };
            if request.class() != Class::Request {
                continue;
            }
            let answer = match request.text(attribute::USERNAME) {
                Some(user) => {
                    let _ = tell.send(user.to_owned());
                    Writer::error(&request, 486, "Allocation Quota Reached")
                }
                None => Writer::error(&request, 401, "Unauthenticated")
                    .text(attribute::REALM, "relay.test")
                    .text(attribute::NONCE, "once"),
            };
            let _ = socket.send_to(&answer.unsigned(), from);
        }
    });
    (at, signed)
}

/// A service that hands out that relay's password. Tells what it was asked by.
fn service(relay: &str) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let at = listener.local_addr().expect("bound").to_string();
    let body = format!(
        r#"{{"username":"handed","password":"{HANDED_PASSWORD}","ttl":3600,"uris":["turn:{relay}?transport=udp"]}}"#
    );
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.expect("a connection"));
            let head: Vec<_> =
                stream.by_ref().lines().map_while(Result::ok).take_while(|it| !it.is_empty()).collect();
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            let _ = stream.get_mut().write_all(answer.as_bytes());
            let _ = tell.send(head.join("\n"));
        }
    });
    (at, asked)
}

/// What to look for, by what it is called: as it is, in base64 and in hexadecimal.
#[derive(Default)]
struct Wanted(BTreeMap<Vec<u8>, String>);

impl Wanted {
    fn add(&mut self, name: &str, secret: &[u8]) {
        assert!(secret.len() >= 8, "{name}: too short to be known again");
        let hex = |upper: bool| -> String {
            secret
                .iter()
                .map(|byte| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") })
                .collect()
        };
        // Its end in base64 depends on what follows, its beginning does not.
        let mut base64 = base64(secret);
        base64.truncate(secret.len() / 3 * 4);
        for form in [secret.to_vec(), base64.into_bytes(), hex(false).into_bytes(), hex(true).into_bytes()] {
            self.0.insert(form, name.to_owned());
        }
    }

    /// The names of those that are in there.
    fn found(&self, bytes: &[u8]) -> Vec<&str> {
        let mut by_first = vec![Vec::new(); 256];
        for form in self.0.keys() {
            by_first[usize::from(form[0])].push(form.as_slice());
        }
        let mut found = Vec::new();
        for (at, byte) in bytes.iter().enumerate() {
            for form in &by_first[usize::from(*byte)] {
                if bytes[at..].starts_with(form) {
                    found.push(self.0[*form].as_str());
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// RFC 4648 section 4, without padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            text.push(char::from(LETTERS[(word >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

/// The other way; none: it is no base64.
fn unbase64(text: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0_u32, 0);
    for letter in text.iter().filter(|letter| **letter != b'=') {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        (word, bits) = (word << 6 | u32::from(value), bits + 6);
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
        }
    }
    Some(bytes)
}

/// The master keys that a capture shows, as they stand in `a=crypto`. RFC 4568 section 6.1.
fn keys_of(capture: &[u8]) -> Vec<Vec<u8>> {
    const INLINE: &[u8] = b"inline:";
    let after = (0..capture.len())
        .filter(|at| capture[*at..].starts_with(INLINE))
        .map(|at| &capture[at + INLINE.len()..]);
    let mut keys: Vec<Vec<u8>> = after
        .map(|rest| {
            rest.iter().copied().take_while(|b| b.is_ascii_alphanumeric() || b"+/=".contains(b)).collect()
        })
        .collect();
    keys.sort();
    keys.dedup();
    keys
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).expect("it is there") {
        let path = entry.expect("it is there").path();
        if path.is_dir() { files.extend(files_in(&path)) } else { files.push(path) }
    }
    files
}

#[test]
fn nothing_that_a_run_leaves_behind_holds_a_secret_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    // What people wrote, and what is to be read with its secrets; and what is searched.
    let (given, kept) = (folder.path().join("given"), folder.path().join("kept"));
    for folder in [&given, &kept] {
        fs::create_dir(folder).expect("a folder");
    }
    let write = |name: &str, text: &str| {
        let path = given.join(name);
        fs::write(&path, text).expect("there is room");
        path.to_str().expect("words").to_owned()
    };
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let (certificate, key) =
        (write("server.pem", &made.cert.pem()), write("server.key", &made.signing_key.serialize_pem()));
    let own = rcgen::generate_simple_self_signed(vec!["one".to_owned()]).expect("a certificate");
    let (own_certificate, own_key) =
        (write("own.pem", &own.cert.pem()), write("own.key", &own.signing_key.serialize_pem()));

    let users: Vec<String> = (0_usize..6)
        .map(|n| {
            let vos = n.checked_sub(4).map_or(String::new(), |n| format!("vos_key = \"{}\"\n", VOS_KEYS[n]));
            let (number, password) = (1001 + n, PASSWORDS[n]);
            format!("[[user]]\nnumber = \"{number}\"\npassword = \"{password}\"\nbalance = \"12.34\"\n{vos}")
        })
        .collect();
    let users = users.concat();
    let any = "127.0.0.1:0";
    let config = format!(
        "database = \"{}\"\n[listen]\nudp = \"{any}\"\ntls = \"{any}\"\nvos = \"{any}\"\nhttp = \"{any}\"\n\
         [tls]\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n{users}",
        given.join("exchange.sqlite").display()
    );
    let mut exchange = Running::start(
        &["exchange", "--json", "--config", &write("exchange.toml", &config)],
        &kept,
        "exchange",
    );
    let listening = exchange.until(|_| true);
    let at = |name: &str| listening[name].as_str().expect(name).to_owned();
    let (relay, signed) = relay();
    let (service, asked) = service(&relay);

    let tls = format!("sip:{};transport=tls;lr", at("tls"));
    let udp = format!("sip:{};transport=udp;lr", at("udp"));
    let vos = format!("sip:{};transport=udp;lr", at("vos"));
    let sdes = format!("srtp = \"required\"\nsrtp_keys = \"sdes\"\ntls_ca = \"{certificate}\"\n");
    let shown = format!("{sdes}tls_certificate = \"{own_certificate}\"\ntls_key = \"{own_key}\"\n");
    let dtls = "srtp = \"required\"\nsrtp_keys = \"dtls\"\n";
    let sealed =
        |n: usize| format!("encryption = \"vos\"\nvos = {{ key = \"{}\", media = \"xor\" }}\n", VOS_KEYS[n]);
    let turn = format!(
        "[nat]\nturn = {{ uri = \"turn:{relay}?transport=udp\", user = \"typed\", password = \"{RELAY_PASSWORD}\" }}\n"
    );
    let handed = format!(
        "[nat]\nturn = {{ service = \"http://{service}/turn?key={QUERY_KEY}\", token = \"{TOKEN}\" }}\n"
    );
    let balance = format!(
        "[balance]\nurl = \"http://{http}/balance?user={{user}}&password={{password}}\"\n\
         [balance.top_up]\nurl = \"http://{http}/external/server/PayByPhoneCard?again={{card}}\"\n\
         body = '{{\"ownerName\":\"{{account}}\",\"pin\":\"{{card}}\",\"password\":\"{{pin}}\"}}'\n",
        http = at("http")
    );
    let account = [
        (&tls, shown + &balance),
        (&tls, sdes),
        (&udp, dtls.to_owned() + &turn),
        (&udp, dtls.to_owned() + &handed),
        (&vos, sealed(0)),
        (&vos, sealed(1)),
    ];
    let mut phones: Vec<Running> = (0..6)
        .map(|n| {
            let (number, password, (proxy, more)) = (1001 + n, PASSWORDS[n], &account[n]);
            let data = kept.join(format!("data-{number}"));
            let config = format!(
                "data = \"{}\"\nbind = \"{any}\"\n[account]\nuri = \"sip:{number}@offhook.test\"\n\
                 proxy = \"{proxy}\"\npassword = \"{password}\"\n{more}",
                data.display()
            );
            let config = write(&format!("{number}.toml"), &config);
            // The first one's is what keys are learnt from.
            let folder = if n == 0 { &given } else { &kept };
            let capture = folder.join(format!("{number}.pcapng"));
            let mut args =
                vec!["phone", "--json", "--config", &config, "--capture", capture.to_str().expect("words")];
            if n == 0 {
                args.push("--capture-secrets");
            }
            let mut phone = Running::start(&args, &kept, &number.to_string());
            if n == 0 {
                let mut told = [false; 2];
                while told != [true; 2] {
                    let line = phone.until(|_| true);
                    told[0] |= line["event"] == "registration" && line["state"] == "registered";
                    told[1] |= line["event"] == "balance";
                }
                for (pin, done) in [(WRONG_PIN, false), (PIN, true)] {
                    phone.say(&format!(r#"{{"cmd":"top_up","card":"1.00-{PIN}","pin":"{pin}"}}"#));
                    phone.until(|line| line["event"] == "top_up" && line["done"] == done);
                }
            } else {
                phone.until(|line| line["event"] == "registration" && line["state"] == "registered");
            }
            phone
        })
        .collect();
    let request = asked.recv_timeout(PATIENCE).expect("the service is asked");
    assert!(request.contains(QUERY_KEY) && request.contains(TOKEN), "{request}");

    for (pair, encrypted) in phones.chunks_mut(2).zip(["sdes", "dtls", "vos-xor"]) {
        let [caller, called] = pair else { unreachable!("they come in pairs") };
        let number = match encrypted {
            "sdes" => 1002,
            "dtls" => 1004,
            _ => 1006,
        };
        caller.say(&format!(r#"{{"cmd":"call","to":"{number}"}}"#));
        called.until_call("ringing");
        called.say(r#"{"cmd":"answer","call":1}"#);
        let agreed = |line: &Value| {
            line["event"] == "call" && line["state"] == "active" && line["encrypted"] == encrypted
        };
        caller.until(agreed);
        called.until(agreed);
        for command in ["hold", "resume"] {
            caller.say(&format!(r#"{{"cmd":"{command}","call":1}}"#));
            caller.until_call(if command == "hold" { "held" } else { "active" });
        }
        caller.say(r#"{"cmd":"status"}"#);
        caller.say(r#"{"cmd":"history"}"#);
        caller.say(r#"{"cmd":"hangup","call":1}"#);
        caller.until_call("ended");
        called.until_call("ended");
    }
    let mut users =
        [signed.recv_timeout(PATIENCE), signed.recv_timeout(PATIENCE)].map(|it| it.expect("a user"));
    while users[0] == users[1] {
        users[1] = signed.recv_timeout(PATIENCE).expect("the other user");
    }
    phones.iter_mut().for_each(Running::end);
    drop(exchange);

    let mut wanted = Wanted::default();
    let said = [RELAY_PASSWORD, HANDED_PASSWORD, TOKEN, QUERY_KEY, PIN, WRONG_PIN];
    for secret in PASSWORDS.iter().chain(&VOS_KEYS).chain(&said) {
        wanted.add(secret, secret.as_bytes());
    }
    wanted.add("the client's key", &own.signing_key.serialize_der()[40..]);
    let told = fs::read(given.join("1001.pcapng")).expect("a capture");
    let keys = keys_of(&told);
    assert!(keys.len() >= 2, "{} keys of both sides", keys.len());
    for key in &keys {
        wanted.add("a master key", &unbase64(key).expect("it is base64"));
        // As it stands there, to its last letter.
        wanted.0.insert(key.clone(), "a master key".to_owned());
    }
    // It would be found: they are in what is not searched.
    assert_eq!(wanted.found(&told), ["a master key"]);
    assert!(wanted.found(&fs::read(given.join("1003.toml")).expect("settings")).contains(&RELAY_PASSWORD));

    let files = files_in(&kept);
    for name in
        ["1002.pcapng", "1006.pcapng", "1001.stdout", "exchange.stdout", "exchange.stderr", "phone.db"]
    {
        let is_it = |path: &&PathBuf| path.file_name().is_some_and(|it| it == name);
        assert!(files.iter().any(|path| is_it(&path)), "{name} is not among {files:?}");
    }
    for path in &files {
        let found = wanted.found(&fs::read(path).expect("it is there"));
        assert!(found.is_empty(), "{}: {found:?}", path.display());
    }
}
