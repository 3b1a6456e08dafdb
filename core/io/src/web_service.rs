//! For tests: a web service on this machine, with or without TLS, that answers each request by its path.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Answers as `answer` has it by the path, with silence for `None`; and the requests that it got, with their bodies.
pub(crate) fn service(
    answer: impl Fn(&str) -> Option<String> + Send + 'static,
) -> (SocketAddr, Receiver<String>) {
    service_by(Some, move |path, _| answer(path))
}

/// The same by what `accept` makes of each connection, if anything; and by the whole request.
pub(crate) fn service_by<S: Read + Write + Send + 'static>(
    accept: impl Fn(TcpStream) -> Option<S> + Send + 'static,
    answer: impl Fn(&str, &str) -> Option<String> + Send + 'static,
) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, requests) = channel();
    std::thread::spawn(move || {
        let mut silent = Vec::new();
        for stream in listener.incoming() {
            let Some(mut stream) = accept(stream.unwrap()) else { continue };
            let request = request(&mut stream);
            if request.is_empty() {
                continue; // who does not trust us asks nothing
            }
            // Told first: whoever has the answer may look at once.
            let gone = tell.send(request.clone()).is_err();
            match answer(request.split(' ').nth(1).unwrap_or_default(), &request) {
                Some(answer) => drop(stream.write_all(answer.as_bytes())),
                None => silent.push(stream),
            }
            if gone {
                return;
            }
        }
    });
    (address, requests)
}

/// Head and body of a request, as far as it comes.
fn request(stream: &mut impl Read) -> String {
    let (mut request, mut byte) = (Vec::new(), [0]);
    let mut left = None;
    while left != Some(0) && stream.read(&mut byte).unwrap_or(0) == 1 {
        request.push(byte[0]);
        left = match left {
            Some(left) => Some(left - 1),
            None if request.ends_with(b"\r\n\r\n") => Some(length(&request)),
            None => None,
        };
    }
    String::from_utf8(request).unwrap()
}

fn length(head: &[u8]) -> usize {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.map_or(0, |length| length.trim().parse().unwrap())
}

/// For [`service_by`]: TLS as `localhost`; and the authority that has signed its certificate, as PEM.
pub(crate) fn under_tls()
-> (impl Fn(TcpStream) -> Option<StreamOwned<ServerConnection, TcpStream>> + Send + 'static, String) {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &authority).unwrap();
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.into()], PrivatePkcs8KeyDer::from(key.serialize_der()).into());
    let config = Arc::new(config.unwrap());
    let accept = move |stream| {
        let mut stream = StreamOwned::new(ServerConnection::new(config.clone()).unwrap(), stream);
        stream.conn.complete_io(&mut stream.sock).is_ok().then_some(stream)
    };
    (accept, authority.pem())
}

pub(crate) fn ok(body: &str) -> String {
    status("200 OK", body)
}

/// `line`: the status, and perhaps more header fields.
pub(crate) fn status(line: &str, body: &str) -> String {
    format!("HTTP/1.1 {line}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

pub(crate) fn moved(to: &str) -> String {
    status(&format!("302 Found\r\nLocation: {to}"), "")
}
