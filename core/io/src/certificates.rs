//! Fetches certificates of those who sign for callers, from where a stranger says that they are.
//!
//! One GET by TLS, bounded in time and bytes, sent on to nowhere; and only to addresses that are on the internet, however the
//! name resolves, unless the account has named the host: who calls must not make this phone ask for him inside a house. A
//! fetch is a task beside the signalling; none outlives it. RFC 8224 section 7.2, RFC 9111 section 5.2 (how long it keeps).

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use offhook_net::tls::Trusts;
use phone::{BadAddress, Fetch, FetchId, Fetched, MAX_CERTIFICATES, NotHad};
use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, CACHE_CONTROL, HeaderMap};
use stir::address::is_public;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::web::{self, NoBody, NoClient, host};

/// Longer than the phone itself waits, by a little: what comes late is kept for the next call.
const PATIENCE: Duration = Duration::from_secs(4);

/// What came of a fetch.
type Came = (FetchId, Result<Fetched, NotHad>);

/// All fetches that are under way.
#[derive(Debug)]
pub(crate) struct Certificates {
    tell: UnboundedSender<Came>,
    came: UnboundedReceiver<Came>,
}

impl Default for Certificates {
    fn default() -> Self {
        let (tell, came) = unbounded_channel();
        Self { tell, came }
    }
}

impl Certificates {
    /// Fetches it in a task of its own.
    pub(crate) fn fetch(&mut self, what: Fetch, trusts: &Trusts) {
        let (trusts, tell) = (trusts.clone(), self.tell.clone());
        tokio::spawn(async move {
            let answer = tokio::time::timeout(PATIENCE, get(&what, &trusts)).await;
            // A phone that has gone wants no answer.
            let _ = tell.send((what.id, answer.unwrap_or(Err(NotHad::Silent))));
        });
    }

    /// What came of one.
    pub(crate) async fn came(&mut self) -> Came {
        match self.came.recv().await {
            Some(came) => came,
            None => std::future::pending().await, // we hold the other end
        }
    }
}

async fn get(what: &Fetch, trusts: &Trusts) -> Result<Fetched, NotHad> {
    let url = Url::parse(&what.url).map_err(|_| NotHad::Address(BadAddress::Broken))?;
    // Read twice, and alike: otherwise the host that was looked at is not the one that is asked.
    if url.scheme() != "https" || host(&url) != Some(&what.host) {
        return Err(NotHad::Address(BadAddress::Broken));
    }
    if !what.named && what.host.parse().is_ok_and(|ip| !is_public(ip)) {
        return Err(NotHad::Address(BadAddress::Private));
    }
    let resolver = Resolver { anywhere: what.named };
    let client =
        web::client_by(trusts, &what.host, true, |_| false, |it| it.dns_resolver(Arc::new(resolver)));
    let client = client.map_err(|why| match why {
        NoClient::Trust => NotHad::Unreachable,
        NoClient::System => NotHad::Busy,
    })?;
    let request = client.get(url).header(ACCEPT, "application/pem-certificate-chain, application/pkix-cert");
    let mut answer = request.send().await.map_err(|error| refusal(&error))?;
    match answer.status() {
        status if status.as_u16() == 200 => {}
        status if status.is_redirection() => return Err(NotHad::Moved),
        status => return Err(NotHad::Status(status.as_u16())),
    }
    let good_for = good_for(answer.headers());
    let bytes = web::body(&mut answer, MAX_CERTIFICATES).await.map_err(|why| match why {
        NoBody::TooLong => NotHad::TooLong,
        NoBody::Broken(error) => refusal(&error),
    })?;
    Ok(Fetched { bytes, good_for })
}

/// The client's own words quote the address.
fn refusal(error: &reqwest::Error) -> NotHad {
    let inside = |error: &reqwest::Error| {
        let mut cause = std::error::Error::source(error);
        while let Some(it) = cause {
            if it.is::<Inside>() {
                return true;
            }
            cause = it.source();
        }
        false
    };
    if error.is_timeout() {
        NotHad::Silent
    } else if inside(error) {
        NotHad::Address(BadAddress::Private)
    } else {
        NotHad::Unreachable
    }
}

/// For how long an answer may be kept; `None`: it says nothing of that.
fn good_for(headers: &HeaderMap) -> Option<Duration> {
    let said: Vec<_> = headers.get_all(CACHE_CONTROL).iter().filter_map(|it| it.to_str().ok()).collect();
    let mut words = said.iter().flat_map(|it| it.split(',')).map(str::trim);
    if words.clone().any(|it| it.eq_ignore_ascii_case("no-store") || it.eq_ignore_ascii_case("no-cache")) {
        return Some(Duration::ZERO);
    }
    let age = words.find_map(|it| {
        let (name, seconds) = it.split_once('=')?;
        name.trim().eq_ignore_ascii_case("max-age").then(|| seconds.trim().trim_matches('"').parse().ok())?
    })?;
    Some(Duration::from_secs(age))
}

/// The system's, without what is not on the internet. A name that leads inside is refused whole: half of it would be a way to
/// try.
struct Resolver {
    anywhere: bool,
}

/// A name leads into a private network.
#[derive(Debug, thiserror::Error)]
#[error("the name leads into a private network")]
struct Inside;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let anywhere = self.anywhere;
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !anywhere && found.iter().any(|it| !is_public(it.ip())) {
                return Err(Inside.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests;
