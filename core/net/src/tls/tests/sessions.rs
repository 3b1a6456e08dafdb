//! Both versions, sessions that go on, and a WebSocket inside.

use std::sync::Arc;

use base::{NetworkId, Transport, Untrusted};
use bytes::Bytes;
use rcgen::KeyPair;
use rustls::pki_types::PrivateKeyDer;
use rustls::version::{TLS12, TLS13};
use rustls::{ServerConfig, SupportedProtocolVersion};
use sip::order::Order;

use super::super::judge::provider;
use super::super::{Identity, Session, Shake};
use super::{Authority, DOMAIN, OPTIONS, Told, any, client, names, net, next, open, server};
use crate::Limits;

fn of_version(authority: &Authority, versions: &[&'static SupportedProtocolVersion]) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = names(&[DOMAIN]).signed_by(&key, &authority.issuer).unwrap();
    let config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        )
        .unwrap();
    Identity(Arc::new(config))
}

#[tokio::test]
async fn a_second_connection_to_a_server_goes_on_from_the_first_by_either_version() {
    let authority = Authority::new();
    for version in [&TLS12, &TLS13] {
        let (mut bob, at) = server(of_version(&authority, &[version]), Limits::default());
        let mut ann = client(authority.trusts());
        for round in 0..3 {
            open(&mut ann, at, DOMAIN);
            let (ours, theirs) = tokio::join!(next(&mut ann), next(&mut bob));
            let (Told::Up(to_bob, Transport::Tls), Told::Up(to_ann, Transport::Tls)) = (ours, theirs) else {
                panic!("no connection")
            };
            // What comes back brings the tickets along.
            ann.execute(Order::Send { flow: to_bob, to: any(), bytes: Bytes::from_static(OPTIONS) });
            assert_eq!(next(&mut bob).await, Told::Bytes(OPTIONS.to_vec()));
            bob.execute(Order::Send { flow: to_ann, to: any(), bytes: Bytes::from_static(b"\r\n") });
            assert_eq!(next(&mut ann).await, Told::Bytes(b"\r\n".to_vec()));
            ann.execute(Order::CloseFlow { flow: to_bob });
            assert_eq!((next(&mut ann).await, next(&mut bob).await), (Told::Down, Told::Down));
            assert_eq!((ann.counters().shaken, ann.counters().resumed), (round + 1, round), "{version:?}");
            assert_eq!(bob.counters().resumed, round, "{version:?}");
        }
        // Who trusts by other rules begins anew.
        let mut cem = client(authority.trusts());
        open(&mut cem, at, DOMAIN);
        let (ours, _) = tokio::join!(next(&mut cem), next(&mut bob));
        assert!(matches!(ours, Told::Up(..)) && cem.counters().resumed == 0);
    }
}

/// Bytes from one to the other.
#[derive(Default)]
struct Pipe {
    there: Vec<u8>,
    back: Vec<u8>,
}

impl std::io::Read for Pipe {
    fn read(&mut self, room: &mut [u8]) -> std::io::Result<usize> {
        let len = self.back.len().min(room.len());
        if len == 0 {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        room[..len].copy_from_slice(&self.back[..len]);
        self.back.drain(..len);
        Ok(len)
    }
}

impl std::io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.there.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Client and server of a session that is there.
fn shaken(identity: &Identity, authority: &Authority) -> (Session, Session, Pipe) {
    let mut client = Session::toward(&authority.trusts(), DOMAIN).unwrap();
    let (mut server, mut pipe) = (Session::accepted(identity), Pipe::default());
    let mut done = (false, false);
    while done != (true, true) {
        done.0 = client.shake(&mut pipe).unwrap() == Shake::Done;
        std::mem::swap(&mut pipe.there, &mut pipe.back);
        done.1 = server.shake(&mut pipe).unwrap() == Shake::Done;
        std::mem::swap(&mut pipe.there, &mut pipe.back);
    }
    (client, server, pipe)
}

#[test]
fn the_newer_version_is_taken_where_both_have_it_and_nothing_older_than_the_older() {
    let authority = Authority::new();
    for (versions, newer) in [(&[&TLS12, &TLS13][..], true), (&[&TLS13], true), (&[&TLS12], false)] {
        let (client, server, _) = shaken(&of_version(&authority, versions), &authority);
        assert_eq!((client.is_tls13(), server.is_tls13()), (newer, newer), "{versions:?}");
    }
}

#[tokio::test]
async fn a_websocket_under_tls_is_asked_for_by_its_name_and_pinged_inside() {
    let authority = Authority::new();
    let mut bob = net(Limits::default());
    bob.set_identity(authority.signs(&names(&[DOMAIN])));
    let at = bob.listen(Transport::Wss, any()).unwrap();
    let mut ann = client(authority.trusts());
    let (network, transport) = (NetworkId::SYSTEM, Transport::Wss);
    for (name, is_it) in [("other.test", false), (DOMAIN, true)] {
        ann.execute(Order::OpenFlow { network, transport, remote: at, name: Some(name.into()) });
        if !is_it {
            for told in [Told::Untrusted(name.into(), Untrusted::Issuer), Told::Failed] {
                let heard = tokio::select! {
                    heard = next(&mut ann) => heard,
                    _ = bob.next() => panic!("somebody was let in"),
                };
                assert_eq!(heard, told);
            }
            continue;
        }
        let (ours, theirs) = tokio::join!(next(&mut ann), next(&mut bob));
        let (Told::Up(to_bob, Transport::Wss), Told::Up(to_ann, Transport::Wss)) = (ours, theirs) else {
            panic!("no connection")
        };
        for bytes in [&b"\r\n\r\n"[..], OPTIONS] {
            ann.execute(Order::Send { flow: to_bob, to: any(), bytes: Bytes::from_static(bytes) });
        }
        assert_eq!(next(&mut bob).await, Told::Bytes(OPTIONS.to_vec()));
        let large: Vec<u8> = vec![b'x'; 65_000];
        bob.execute(Order::Send { flow: to_ann, to: any(), bytes: large.clone().into() });
        let heard = tokio::select! {
            heard = next(&mut ann) => heard,
            _ = async { loop { bob.next().await; } } => unreachable!(),
        };
        assert_eq!(heard, Told::Bytes(large));
    }
}
