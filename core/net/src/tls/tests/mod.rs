//! TLS over loopback: real sockets, certificates made on the spot.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use base::{Fingerprint, FlowId, NetworkId, Transport, Untrusted};
use bytes::Bytes;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, SanType, date_time_ymd};
use sha2::{Digest as _, Sha256};
use sip::order::Order;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

mod hostile;
mod known;
mod sessions;

use super::{Identity, Trust, Trusts, Unusable};
use crate::{Limits, NameServers, Net, NetEvent};

const DOMAIN: &str = "offhook.test";
const OPTIONS: &[u8] = b"OPTIONS sip:a@b SIP/2.0\r\nContent-Length: 0\r\n\r\n";

/// An authority of our own.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    fn signs(&self, params: &CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().pem();
        Identity::from_pem(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    fn trusts(&self) -> Trusts {
        trusts(Trust::authority(self.pem.as_bytes()).unwrap())
    }
}

fn trusts(trust: Trust) -> Trusts {
    let mut trusts = Trusts::default();
    trusts.set("Offhook.TEST", trust.clone());
    trusts.set("127.0.0.1", trust);
    trusts
}

fn names(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn uris(uris: &[&str], dns: &[&str]) -> CertificateParams {
    let mut params = names(dns);
    let uris = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
    params.subject_alt_names.extend(uris);
    params
}

fn any() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 0).into()
}

fn net(limits: Limits) -> Net {
    Net::new(limits, NameServers::These(Vec::new()))
}

/// A server with that certificate, and where it listens.
fn server(identity: Identity, limits: Limits) -> (Net, SocketAddr) {
    let mut bob = net(limits);
    bob.set_identity(identity);
    let at = bob.listen(Transport::Tls, any()).unwrap();
    (bob, at)
}

fn client(trusts: Trusts) -> Net {
    let mut ann = net(Limits::default());
    ann.set_trusts(trusts);
    ann
}

fn open(ann: &mut Net, remote: SocketAddr, name: &str) {
    let (network, transport, name) = (NetworkId::SYSTEM, Transport::Tls, Some(name.into()));
    ann.execute(Order::OpenFlow { network, transport, remote, name });
}

/// What is told next, in words that can be compared.
#[derive(Debug, PartialEq, Eq)]
enum Told {
    Up(FlowId, Transport),
    Untrusted(String, Untrusted),
    Failed,
    Down,
    Bytes(Vec<u8>),
}

async fn next(net: &mut Net) -> Told {
    match tokio::time::timeout(Duration::from_secs(5), net.next()).await.expect("news in time") {
        NetEvent::FlowUp { flow, transport, .. } => Told::Up(flow, transport),
        NetEvent::Untrusted { name, why, .. } => Told::Untrusted(name.to_string(), why),
        NetEvent::FlowFailed { .. } => Told::Failed,
        NetEvent::FlowDown { .. } => Told::Down,
        NetEvent::Bytes { bytes, .. } => Told::Bytes(bytes.to_vec()),
        NetEvent::Resolved { .. } => panic!("nothing was asked"),
    }
}

/// How the client fares with a server that has this certificate, asked for under that name.
async fn fares(identity: Identity, trusts: Trusts, name: &str) -> Result<(), Untrusted> {
    let (mut bob, at) = server(identity, Limits::default());
    let mut ann = client(trusts);
    open(&mut ann, at, name);
    let told = tokio::select! {
        told = next(&mut ann) => told,
        // It may think that it has a connection, until it hears otherwise.
        () = async { loop { bob.next().await; } } => unreachable!(),
    };
    match told {
        Told::Up(_, Transport::Tls) => Ok(()),
        Told::Untrusted(told, why) => {
            assert_eq!(told, name);
            assert_eq!(next(&mut ann).await, Told::Failed);
            Err(why)
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_stream_under_tls_carries_both_ways_in_any_amount_and_its_end_is_told() {
    let authority = Authority::new();
    let (mut bob, at) = server(authority.signs(&names(&[DOMAIN])), Limits::default());
    let mut ann = client(authority.trusts());
    open(&mut ann, at, DOMAIN);
    open(&mut ann, at, DOMAIN); // one connection
    let (Told::Up(to_bob, Transport::Tls), Told::Up(to_ann, Transport::Tls)) =
        tokio::join!(next(&mut ann), next(&mut bob))
    else {
        panic!("no session")
    };
    let send = |flow, bytes: Vec<u8>| Order::Send { flow, to: at, bytes: Bytes::from(bytes) };
    ann.execute(send(to_bob, OPTIONS.to_vec()));
    assert_eq!(next(&mut bob).await, Told::Bytes(OPTIONS.to_vec()));
    // More than any buffer on the way holds, and what waits is still written after the close.
    let much: Vec<u8> = (0..120_000_u32).map(|i| i as u8).collect();
    bob.execute(send(to_ann, much.clone()));
    bob.execute(Order::CloseFlow { flow: to_ann });
    assert_eq!(next(&mut bob).await, Told::Down);
    let mut got = Vec::new();
    loop {
        tokio::select! {
            told = next(&mut ann) => match told {
                Told::Bytes(bytes) => got.extend(bytes),
                Told::Down => break,
                other => panic!("{other:?}"),
            },
            _ = bob.next() => panic!("nothing more is told of what was closed"),
        }
    }
    assert_eq!(got, much);
}

#[tokio::test]
async fn a_certificate_is_taken_by_whole_names_and_a_sip_uri_speaks_before_dns() {
    let authority = Authority::new();
    for (params, name, fares_well) in [
        (names(&[DOMAIN]), DOMAIN, true),
        (names(&["other.test", "OFFHOOK.test"]), DOMAIN, true),
        (names(&["127.0.0.1"]), "127.0.0.1", true),
        (names(&["other.test"]), DOMAIN, false),
        (names(&["*.test"]), DOMAIN, false),
        (names(&["sip.offhook.test"]), DOMAIN, false),
        (names(&[DOMAIN]), "127.0.0.1", false),
        (uris(&["SIP:offhook.test"], &[]), DOMAIN, true),
        (uris(&["sip:offhook.test:5061;transport=tls"], &["other.test"]), DOMAIN, true),
        (uris(&["sip:other.test"], &[DOMAIN]), DOMAIN, false),
        (uris(&["sip:ann@offhook.test"], &[]), DOMAIN, false),
        (uris(&["https://other.test"], &[DOMAIN]), DOMAIN, true),
    ] {
        let shown = format!("{:?}", params.subject_alt_names);
        let told = fares(authority.signs(&params), authority.trusts(), name).await;
        assert_eq!(told, if fares_well { Ok(()) } else { Err(Untrusted::Name) }, "{shown} for {name}");
    }
}

#[tokio::test]
async fn who_is_not_signed_by_whom_we_trust_or_is_out_of_date_is_refused_with_the_reason() {
    let (ours, theirs) = (Authority::new(), Authority::new());
    let refused = fares(theirs.signs(&names(&[DOMAIN])), ours.trusts(), DOMAIN).await;
    assert_eq!(refused, Err(Untrusted::Issuer), "another authority's");
    let refused = fares(ours.signs(&names(&[DOMAIN])), Trusts::default(), DOMAIN).await;
    assert_eq!(refused, Err(Untrusted::Issuer), "the platform knows nothing of ours");
    let dated = |from: i32, to: i32| {
        let mut params = names(&[DOMAIN]);
        (params.not_before, params.not_after) = (date_time_ymd(from, 1, 1), date_time_ymd(to, 1, 1));
        ours.signs(&params)
    };
    assert_eq!(fares(dated(2001, 2002), ours.trusts(), DOMAIN).await, Err(Untrusted::Date));
    assert_eq!(fares(dated(2090, 2091), ours.trusts(), DOMAIN).await, Err(Untrusted::Date));
}

#[tokio::test]
async fn a_self_signed_certificate_is_taken_where_it_is_pinned_or_is_the_authority_and_nowhere_else() {
    let key = KeyPair::generate().unwrap();
    let certificate = names(&[DOMAIN]).self_signed(&key).unwrap();
    let identity =
        || Identity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap();
    let hex: Vec<String> = Sha256::digest(certificate.der()).iter().map(|b| format!("{b:02X}")).collect();
    let pinned = trusts(Trust::pin(hex.join(":").parse().unwrap()));
    assert_eq!(fares(identity(), pinned.clone(), DOMAIN).await, Ok(()));
    assert_eq!(fares(identity(), pinned, "127.0.0.1").await, Ok(()), "whatever its name");
    let itself = trusts(Trust::authority(certificate.pem().as_bytes()).unwrap());
    assert_eq!(fares(identity(), itself, DOMAIN).await, Ok(()));
    assert_eq!(fares(identity(), Trusts::default(), DOMAIN).await, Err(Untrusted::Issuer));
    let other = trusts(Trust::pin(Fingerprint([0; 32])));
    assert_eq!(fares(identity(), other, DOMAIN).await, Err(Untrusted::Changed));
}

/// `openssl req -x509` makes such: it may sign others, and shows itself.
#[tokio::test]
async fn an_authority_that_shows_its_own_certificate_is_taken_where_that_very_one_is_trusted() {
    let key = KeyPair::generate().unwrap();
    let fares_with = async |params: &CertificateParams, name: &str| {
        let certificate = params.self_signed(&key).unwrap().pem();
        let identity = Identity::from_pem(certificate.as_bytes(), key.serialize_pem().as_bytes()).unwrap();
        fares(identity, trusts(Trust::authority(certificate.as_bytes()).unwrap()), name).await
    };
    let mut params = names(&[DOMAIN]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    assert_eq!(fares_with(&params, DOMAIN).await, Ok(()));
    assert_eq!(fares_with(&params, "127.0.0.1").await, Err(Untrusted::Name));
    params.not_after = date_time_ymd(2020, 1, 1);
    params.not_before = date_time_ymd(2019, 1, 1);
    assert_eq!(fares_with(&params, DOMAIN).await, Err(Untrusted::Date));
}

#[tokio::test]
async fn nobody_to_ask_for_is_a_failure_and_no_connection() {
    let listener = TcpListener::bind(any()).await.unwrap();
    let remote = listener.local_addr().unwrap();
    let mut ann = client(Trusts::default());
    let (network, transport) = (NetworkId::SYSTEM, Transport::Tls);
    ann.execute(Order::OpenFlow { network, transport, remote, name: None });
    assert_eq!(next(&mut ann).await, Told::Failed);
    assert!(tokio::time::timeout(Duration::from_millis(50), listener.accept()).await.is_err());
}

#[tokio::test]
async fn a_server_that_is_slow_or_speaks_something_else_or_too_much_is_given_up() {
    for (says, limits) in [
        (&b"SIP/2.0 400 Bad Request\r\n\r\n"[..], Limits::default()),
        (b"", Limits { handshake: Duration::from_millis(100), ..Limits::default() }),
    ] {
        let listener = TcpListener::bind(any()).await.unwrap();
        let mut ann = net(limits);
        ann.set_trusts(trusts(Trust::pin(Fingerprint([0; 32]))));
        open(&mut ann, listener.local_addr().unwrap(), DOMAIN);
        let serve = async {
            let (mut tcp, _) = listener.accept().await.unwrap();
            tcp.write_all(says).await.unwrap();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            told = next(&mut ann) => assert_eq!(told, Told::Failed),
            () = serve => {}
        }
    }
}

#[tokio::test]
async fn a_listener_drops_strangers_that_are_slow_or_speak_no_tls_and_tells_of_none() {
    let authority = Authority::new();
    let limits = Limits { handshake: Duration::from_millis(200), per_address: 3, ..Limits::default() };
    let (mut bob, at) = server(authority.signs(&names(&[DOMAIN])), limits);
    let garbage: &[u8] = &[0x16, 3, 1, 0x40, 0, 1, 0, 0xff, 0xff];
    // As long as a record may be, record after record of a ClientHello that never ends.
    let mut endless = vec![0x16, 3, 1, 0x3f, 0xff, 1, 0, 0xff, 0xff];
    endless.resize(5 + 0x3fff, 0);
    for says in [OPTIONS, garbage, &endless.repeat(8)] {
        let mut stranger = TcpStream::connect(at).await.unwrap();
        let talk = async {
            // It may hang up before it has heard all of it.
            let _ = stranger.write_all(says).await;
            let mut answer = Vec::new();
            let _ = stranger.read_to_end(&mut answer).await;
        };
        tokio::select! {
            () = talk => {}
            told = bob.next() => panic!("{told:?} of a stranger"),
        }
    }
    assert_eq!((bob.counters().unshaken, bob.counters().turned_away), (3, 0), "each made room for the next");
    // And the house is still open.
    let mut ann = client(authority.trusts());
    open(&mut ann, at, DOMAIN);
    let (ours, theirs) = tokio::join!(next(&mut ann), next(&mut bob));
    assert!(matches!((ours, theirs), (Told::Up(..), Told::Up(..))));
}

#[tokio::test]
async fn a_server_needs_a_certificate_and_files_that_are_none_say_so() {
    let mut bob = net(Limits::default());
    let at = any();
    let told = bob.listen(Transport::Tls, at).unwrap_err().to_string();
    assert_eq!(told, "there is no certificate to listen with for tls on 127.0.0.1:0");
    let (one, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let certificate = names(&[DOMAIN]).self_signed(&one).unwrap().pem();
    let of = |certificate: &str, key: &str| Identity::from_pem(certificate.as_bytes(), key.as_bytes()).err();
    assert_eq!(of(&certificate, &one.serialize_pem()), None);
    assert_eq!(of(&certificate, &other.serialize_pem()), Some(Unusable::Pair));
    assert_eq!(of("", &one.serialize_pem()), Some(Unusable::Certificate));
    assert_eq!(of(&certificate, &certificate), Some(Unusable::Key));
    assert_eq!(Trust::authority(b"none").err(), Some(Unusable::Certificate));
}
