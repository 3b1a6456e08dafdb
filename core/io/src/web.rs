//! One client of the web, as the phone uses it: with the account's trust, bounded in time and bytes, and never sent on from
//! TLS to the clear.
//!
//! Knows not what is asked.

use std::time::Duration;

use offhook_net::tls::{Trust, Trusts};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, Url};

/// From the first question to the last byte.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
/// Places that one answer may send us on to.
const MAX_REDIRECTS: usize = 3;

/// Why there is no client.
pub(crate) enum NoClient {
    /// Nobody is trusted to sign for that server.
    Trust,
    /// This machine is out of something.
    System,
}

/// Why an answer was not read.
pub(crate) enum NoBody {
    /// Longer than allowed.
    TooLong,
    /// The connection broke, or took too long.
    Broken(reqwest::Error),
}

/// A client for one server. `goes_on`: whether it may be sent on to there.
pub(crate) fn client(
    trusts: &Trusts,
    host: &str,
    secure: bool,
    goes_on: impl Fn(&Url) -> bool + Send + Sync + 'static,
) -> Result<Client, NoClient> {
    client_by(trusts, host, secure, goes_on, |it| it)
}

/// The same, and otherwise as `change` has it.
pub(crate) fn client_by(
    trusts: &Trusts,
    host: &str,
    secure: bool,
    goes_on: impl Fn(&Url) -> bool + Send + Sync + 'static,
    change: impl FnOnce(ClientBuilder) -> ClientBuilder,
) -> Result<Client, NoClient> {
    // One must be given even where none is spoken: then it trusts nobody, and loads no authorities.
    let nobody = || {
        let mut trusts = Trusts::default();
        trusts.set(host, Trust::pin(base::Fingerprint([0; 32])));
        trusts.of(host)
    };
    let tls = if secure { trusts.of(host) } else { nobody() }.ok_or(NoClient::Trust)?;
    let policy = Policy::custom(move |step| {
        let stays = step.url().scheme() == if secure { "https" } else { "http" };
        let may = stays && goes_on(step.url()) && step.previous().len() <= MAX_REDIRECTS;
        if may { step.follow() } else { step.stop() }
    });
    let builder = Client::builder()
        .tls_backend_preconfigured((*tls).clone())
        .timeout(PATIENCE)
        .redirect(policy)
        .referer(false) // it would carry a key in the query to whom we are sent on to
        .no_proxy()
        .user_agent(concat!("Offhook/", env!("CARGO_PKG_VERSION")));
    change(builder).build().map_err(|_| NoClient::System)
}

/// All of an answer's body, if it is no longer than `most`.
pub(crate) async fn body(answer: &mut Response, most: usize) -> Result<Vec<u8>, NoBody> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(NoBody::Broken)? {
        if body.len() + chunk.len() > most {
            return Err(NoBody::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The server's name; an IPv6 address without brackets.
pub(crate) fn host(url: &Url) -> Option<&str> {
    url.host_str().map(|host| host.trim_start_matches('[').trim_end_matches(']'))
}
