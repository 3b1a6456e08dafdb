//! What an account knows of its server: the certificate that it has taken for the one, and the one that it shows.

use std::sync::Arc;

use base::{Certificate, ClientCertificate, Fingerprint, Transport, Untrusted};
use rcgen::KeyPair;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::super::judge::provider;
use super::super::{Identity, Trust, Trusts, Unusable, client_certificate};
use super::{Authority, DOMAIN, Told, client, names, next, open, server};
use crate::{Limits, NetEvent};

/// What is told of a server that is not trusted.
async fn refused(identity: Identity, trusts: Trusts) -> (Untrusted, Certificate) {
    let (mut bob, at) = server(identity, Limits::default());
    let mut ann = client(trusts);
    open(&mut ann, at, DOMAIN);
    loop {
        tokio::select! {
            event = ann.next() => match event {
                NetEvent::Untrusted { why, certificate: Some(certificate), .. } => return (why, *certificate),
                other => panic!("{other:?}"),
            },
            _ = bob.next() => {}
        }
    }
}

async fn is_taken(identity: Identity, trusts: Trusts) -> bool {
    super::fares(identity, trusts, DOMAIN).await.is_ok()
}

#[tokio::test]
async fn a_certificate_that_is_refused_is_shown_and_taken_once_it_is_known() {
    let (authority, mut trusts) = (Authority::new(), Trusts::default());
    let params = names(&[DOMAIN, "other.test"]);
    let identity = authority.signs(&params);
    let (why, shown) = refused(identity.clone(), trusts.clone()).await;
    assert_eq!(
        (why, shown.names.as_slice()),
        (Untrusted::Issuer, &[DOMAIN.to_owned(), "other.test".into()][..])
    );
    assert_eq!(
        (shown.subject.as_str(), shown.issuer.as_str()),
        ("CN=rcgen self signed cert", "CN=rcgen self signed cert")
    );
    assert_eq!(shown.not_before, "1975-01-01 00:00:00 UTC");
    trusts.know(DOMAIN, Some(shown.fingerprint), None).unwrap();
    assert!(is_taken(identity.clone(), trusts.clone()).await);
    // Another one in its place is not taken, though it is as good; nor this one, once it is forgotten.
    let (why, other) = refused(authority.signs(&params), trusts.clone()).await;
    assert_eq!(why, Untrusted::Changed);
    assert_ne!(other.fingerprint, shown.fingerprint);
    trusts.know(DOMAIN, None, None).unwrap();
    assert_eq!(refused(identity.clone(), trusts).await.0, Untrusted::Issuer);
    // What is known of a server goes before what is known of authorities.
    let mut trusts = authority.trusts();
    trusts.know("OFFHOOK.test.", Some(Fingerprint([0; 32])), None).unwrap();
    assert_eq!(refused(identity, trusts).await.0, Untrusted::Changed);
}

#[tokio::test]
async fn whom_an_account_trusts_is_trusted_for_its_servers_until_it_goes() {
    let authority = Authority::new();
    let trusts = Trusts::default();
    let clone = trusts.clone();
    let by = |names: &[&str], trust| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        trusts.authorities().set(7, &names, trust);
    };
    let trust = || Trust::authority(authority.pem.as_bytes()).ok();
    let taken = || is_taken(authority.signs(&names(&[DOMAIN])), clone.clone());
    by(&["relay.test", "OFFHOOK.test."], trust());
    assert!(taken().await);
    by(&["other.test"], trust());
    assert!(!taken().await, "for another server it says nothing");
    by(&[DOMAIN], trust());
    assert!(taken().await);
    by(&[], None);
    assert!(!taken().await);
}

/// A server that lets in whom this authority has signed.
fn strict(authority: &Authority, clients: &Authority) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = names(&[DOMAIN]).signed_by(&key, &authority.issuer).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(clients.pem.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Identity(Arc::new(config))
}

fn client_of(authority: &Authority) -> ClientCertificate {
    let key = KeyPair::generate().unwrap();
    let certificate = names(&["ann.test"]).signed_by(&key, &authority.issuer).unwrap();
    client_certificate(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
}

#[tokio::test]
async fn a_server_that_asks_who_connects_is_shown_the_accounts_certificate() {
    let (authority, ours, theirs) = (Authority::new(), Authority::new(), Authority::new());
    for (shown, let_in) in [(Some(client_of(&ours)), true), (Some(client_of(&theirs)), false), (None, false)]
    {
        let (mut bob, at) = server(strict(&authority, &ours), Limits::default());
        let mut trusts = authority.trusts();
        trusts.know(DOMAIN, None, shown.as_ref()).unwrap();
        let mut ann = client(trusts);
        open(&mut ann, at, DOMAIN);
        if let_in {
            let (ours, theirs) = tokio::join!(next(&mut ann), next(&mut bob));
            assert!(matches!((ours, theirs), (Told::Up(..), Told::Up(_, Transport::Tls))));
            continue;
        }
        // By TLS 1.3 the client is done before the server has looked.
        let mut end = Vec::new();
        while !matches!(end.last(), Some(Told::Down | Told::Failed)) {
            tokio::select! {
                told = next(&mut ann) => end.push(told),
                told = bob.next() => panic!("{told:?} of somebody unknown"),
            }
        }
    }
}

#[test]
fn what_cannot_be_shown_says_why() {
    let (one, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let pem = names(&["ann.test"]).self_signed(&one).unwrap().pem();
    let read =
        |certificate: &str, key: &str| client_certificate(certificate.as_bytes(), key.as_bytes()).err();
    assert_eq!(read(&pem, &one.serialize_pem()), None);
    assert_eq!(read(&pem, &other.serialize_pem()), Some(Unusable::Pair));
    assert_eq!(read(&pem, "none"), Some(Unusable::Key));
    assert_eq!(read("none", &one.serialize_pem()), Some(Unusable::Certificate));
    let shown = client_certificate(pem.as_bytes(), one.serialize_pem().as_bytes()).unwrap();
    assert_eq!(format!("{shown:?}"), "ClientCertificate(1 of them)");
    let broken = ClientCertificate { chain: vec![vec![0x30, 0]], ..shown };
    let mut trusts = Trusts::default();
    assert_eq!(trusts.know(DOMAIN, Some(Fingerprint([0; 32])), Some(&broken)), Err(Unusable::Pair));
}
