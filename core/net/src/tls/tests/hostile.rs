//! Servers and clients that mean no good: each ends in one word, in time.

use std::process::Command;
use std::time::{Duration, Instant};

use base::Untrusted;
use rustls::SignatureScheme;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::super::judge::provider;
use super::super::{Identity, Trust};
use super::{Authority, DOMAIN, Told, any, client, fares, names, next, open, server, trusts};
use crate::Limits;

/// A handshake record.
fn record(body: &[u8]) -> Vec<u8> {
    let mut record = vec![0x16, 3, 3];
    record.extend_from_slice(&(body.len() as u16).to_be_bytes());
    record.extend_from_slice(body);
    record
}

/// What the client makes of a server that answers its first bytes so, a piece at a time.
async fn makes_of(answer: Vec<u8>, at_once: usize, limits: Limits) -> (Told, Duration) {
    let listener = TcpListener::bind(any()).await.unwrap();
    let mut ann = super::net(limits);
    ann.set_trusts(Authority::new().trusts());
    open(&mut ann, listener.local_addr().unwrap(), DOMAIN);
    let serve = async {
        let (mut tcp, _) = listener.accept().await.unwrap();
        let mut hello = [0; 2048];
        let _ = tcp.read(&mut hello).await;
        for piece in answer.chunks(at_once) {
            if tcp.write_all(piece).await.is_err() {
                break;
            }
            if at_once < 100 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        std::future::pending::<()>().await;
    };
    let began = Instant::now();
    tokio::select! {
        told = next(&mut ann) => (told, began.elapsed()),
        () = serve => unreachable!(),
    }
}

#[tokio::test]
async fn a_server_that_talks_nonsense_or_without_end_or_drips_is_given_up_in_time() {
    // A ServerHello that says it is 64 KiB and a byte, in records that never complete it.
    let mut endless = vec![2, 1, 0, 1];
    endless.resize(0x3fff, 0);
    let endless = [record(&endless), record(&vec![0; 0x3fff]).repeat(5)].concat();
    let limits = || Limits { handshake: Duration::from_millis(400), ..Limits::default() };
    for (what, answer, at_once) in [
        ("garbage", b"220 mail.test ESMTP\r\n".to_vec(), 1000),
        ("an alert", vec![0x15, 3, 3, 0, 2, 2, 40], 1000),
        ("a record of no version", vec![0x16, 9, 9, 0, 4, 2, 0, 0, 0], 1000),
        ("64 KiB of handshake", endless.clone(), 16_000),
        ("the same, a byte at a time", endless, 1),
    ] {
        let (told, took) = makes_of(answer, at_once, limits()).await;
        assert_eq!(told, Told::Failed, "{what}");
        assert!(took < Duration::from_secs(2), "{what}: {took:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_whom_nobody_has_asked_is_refused_by_its_name() {
    // Servers of several names that do not know ours show another's: the same word as for any wrong name.
    let authority = Authority::new();
    let told =
        fares(authority.signs(&names(&["first.test", "second.test"])), authority.trusts(), DOMAIN).await;
    assert_eq!(told, Err(Untrusted::Name));
}

/// RFC 5922 section 7.1 lets an old one speak where nothing else does; no authority has signed such for years.
#[tokio::test]
async fn a_common_name_is_nobodys_name() {
    let authority = Authority::new();
    for others in [&[][..], &["other.test"]] {
        let mut params = names(others);
        params.distinguished_name.push(rcgen::DnType::CommonName, DOMAIN);
        let told = fares(authority.signs(&params), authority.trusts(), DOMAIN).await;
        assert_eq!(told, Err(Untrusted::Name), "{others:?}");
    }
}

#[test]
fn no_signature_by_sha1_is_taken_in_a_handshake() {
    let schemes = provider().signature_verification_algorithms.supported_schemes();
    assert!(!schemes.contains(&SignatureScheme::RSA_PKCS1_SHA1));
    assert!(!schemes.contains(&SignatureScheme::ECDSA_SHA1_Legacy));
}

/// `rcgen` signs nothing so weak: the tool that everybody has does.
#[tokio::test]
async fn a_certificate_signed_by_sha1_is_refused_though_we_trust_who_signed_it() {
    let dir = std::env::temp_dir().join(format!("offhook-sha1-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let made = |digest: &str| -> Option<(Identity, Trust)> {
        let run = |args: &str| {
            let args = args.replace("DIGEST", digest);
            let done = Command::new("openssl").args(args.split(' ')).current_dir(&dir).output().ok()?;
            done.status.success().then_some(())
        };
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
        std::fs::write(dir.join("names"), format!("subjectAltName=DNS:{DOMAIN}\n")).ok()?;
        run(&format!("req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca -sha256"))?;
        run(&format!("req -new {key} -keyout our.key -out our.csr -subj /CN=our"))?;
        run(
            "x509 -req -in our.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 2 -extfile names -out our.pem -DIGEST",
        )?;
        let file = |name: &str| std::fs::read(dir.join(name)).ok();
        let identity = Identity::from_pem(&file("our.pem")?, &file("our.key")?).ok()?;
        Some((identity, Trust::authority(&file("ca.pem")?).ok()?))
    };
    for (digest, told) in [("sha256", Ok(())), ("sha1", Err(Untrusted::Issuer))] {
        let Some((identity, trust)) = made(digest) else {
            use std::io::Write as _;
            let _ = writeln!(
                std::io::stderr(),
                "skipped: a certificate by {digest}, for openssl does not make one here"
            );
            continue;
        };
        assert_eq!(fares(identity, trusts(trust), DOMAIN).await, told, "{digest}");
    }
    let _ = std::fs::remove_dir_all(dir);
}

#[tokio::test]
async fn strangers_within_their_handshakes_are_bounded_and_do_not_keep_others_out_for_long() {
    let authority = Authority::new();
    let limits = Limits { handshake: Duration::from_millis(500), handshakes: 5, ..Limits::default() };
    let (mut bob, at) = server(authority.signs(&names(&[DOMAIN])), limits);
    let mut strangers = Vec::new();
    for _ in 0..20 {
        let mut stranger = TcpStream::connect(at).await.unwrap();
        // The first bytes of a hello, and then nothing.
        let _ = stranger.write_all(&[0x16, 3, 1]).await;
        strangers.push(stranger);
    }
    let within = async {
        while bob.counters().turned_away < 15 {
            assert!(tokio::time::timeout(Duration::from_millis(50), bob.next()).await.is_err());
        }
    };
    tokio::time::timeout(Duration::from_secs(5), within).await.expect("all but five are turned away");
    let _ = tokio::time::timeout(Duration::from_millis(700), bob.next()).await;
    assert_eq!((bob.counters().unshaken, bob.counters().turned_away), (5, 15));
    let mut ann = client(authority.trusts());
    open(&mut ann, at, DOMAIN);
    let (ours, theirs) = tokio::join!(next(&mut ann), next(&mut bob));
    assert!(matches!((ours, theirs), (Told::Up(..), Told::Up(..))));
}
