//! Asks a provider what is left on an account.
//!
//! One request, by TLS unless the user has said otherwise, with the account's trust; a digest challenge (RFC 7616) is
//! answered once. What the answer means is [`balance`]'s, and when to ask is [`balance::Pace`]'s. It is sent on to the same
//! server alone: what is asked for holds a password.

use std::time::{Duration, SystemTime};

use balance::{About, Auth, Balance, Known, MAX_ANSWER, Request, Teller, Template, TemplateError, Unread};
use base::Secret;
use offhook_net::tls::Trusts;
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use sip::digest::{Challenge, Credentials, Over};

use crate::clock;
use crate::web::{self, NoBody, NoClient, host};

/// Why there is no answer of use. Its `Display` is a sentence for a person, and quotes neither the address nor the answer: both
/// may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBalance {
    /// Let the user correct it.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Let the user correct it.
    #[error("the provider's address cannot be asked: is it whole?")]
    Address,
    /// No connection, or a certificate that is not trusted. Ask again later.
    #[error("the provider cannot be reached, or its certificate is not trusted")]
    Unreachable,
    /// Ask again later.
    #[error("the provider does not answer")]
    Silent,
    /// 401 or 403: for the user to see to.
    #[error("the provider does not take the user name and password")]
    Refused,
    /// It sends elsewhere, or to where nothing is secret.
    #[error("the provider's page has moved to where a password must not follow")]
    Moved,
    /// 429 or 503: not before that time.
    #[error("the provider wants to be asked more seldom")]
    Busy(Option<Duration>),
    /// Another status. Ask again later.
    #[error("the provider answers with status {0}")]
    Status(u16),
    /// What it answers is of no use.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// This machine is out of something. Ask again later.
    #[error("there is nothing left to ask the provider with")]
    System,
}

impl NoBalance {
    /// Whether it may come by itself, without the user.
    pub fn mends(&self) -> bool {
        match self {
            Self::Unreachable | Self::Silent | Self::Busy(_) | Self::System => true,
            Self::Status(status) => *status >= 500,
            Self::Template(_) | Self::Address | Self::Refused | Self::Moved | Self::Unread(_) => false,
        }
    }

    /// For how long the provider wants to be left alone.
    pub fn wait(&self) -> Option<Duration> {
        if let Self::Busy(wait) = self { *wait } else { None }
    }
}

/// Asks, for five seconds at most: not for a thread that has something else to do.
pub(crate) fn ask(teller: &Teller, known: &Known, trusts: &Trusts) -> Result<Balance, NoBalance> {
    let answer = fetch(&teller.template, known, &About::Account, trusts).map_err(|failed| failed.why)?;
    Ok(teller.reading.read(&answer)?)
}

/// Whether a request may have reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    No,
    Perhaps,
}

/// Why nothing was fetched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) why: NoBalance,
    pub(crate) sent: Sent,
}

/// The server's name, by which [`Trusts`] knows it.
pub(crate) fn host_of(template: &Template) -> Option<String> {
    Url::parse(&template.url).ok().and_then(|url| host(&url).map(str::to_owned))
}

/// What a template's answer is, as bytes.
pub(crate) fn fetch(
    template: &Template,
    known: &Known,
    about: &About,
    trusts: &Trusts,
) -> Result<Vec<u8>, Failed> {
    fetch_within(web::PATIENCE, template, known, about, trusts)
}

fn fetch_within(
    patience: Duration,
    template: &Template,
    known: &Known,
    about: &About,
    trusts: &Trusts,
) -> Result<Vec<u8>, Failed> {
    let unsent = |why| Failed { why, sent: Sent::No };
    let request = template.fill(known, about).map_err(|error| unsent(error.into()))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| unsent(NoBalance::System))?;
    let mut sent = Sent::No;
    // A challenge that is answered, and places that it is sent on to, take no longer together.
    let answer = runtime.block_on(async {
        let asking = exchange(&request, trusts, &mut sent);
        tokio::time::timeout(patience, asking).await.unwrap_or(Err(NoBalance::Silent))
    });
    // The system's resolver may sit in a thread of its own for longer than anybody waits.
    runtime.shutdown_background();
    answer.map_err(|why| Failed { why, sent })
}

async fn exchange(request: &Request, trusts: &Trusts, sent: &mut Sent) -> Result<Vec<u8>, NoBalance> {
    let url = Url::parse(request.url.expose()).map_err(|_| NoBalance::Address)?;
    let server = host(&url).ok_or(NoBalance::Address)?.to_owned();
    let (own, port) = (server.clone(), url.port_or_known_default());
    let same = move |to: &Url| host(to) == Some(&own) && to.port_or_known_default() == port;
    let client = web::client(trusts, &server, url.scheme() == "https", same).map_err(|why| match why {
        NoClient::Trust => NoBalance::Unreachable,
        NoClient::System => NoBalance::System,
    })?;
    let mut answer = send(first(&client, request, &url)?, sent).await?;
    if answer.status() == StatusCode::UNAUTHORIZED
        && let Auth::Digest(user, password) = &request.auth
        && let Some(value) = digest(&answer, request, &url, user, password)?
    {
        let again = plain(&client, request, &url)?.header("authorization", value);
        answer = send(again, sent).await?;
    }
    let status = answer.status();
    if status.is_redirection() {
        return Err(NoBalance::Moved);
    }
    match status {
        _ if status.is_success() => {}
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(NoBalance::Refused),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
            return Err(NoBalance::Busy(retry_after(&answer)));
        }
        _ => return Err(NoBalance::Status(status.as_u16())),
    }
    web::body(&mut answer, MAX_ANSWER).await.map_err(|why| match why {
        NoBody::TooLong => Unread::TooLong.into(),
        NoBody::Broken(error) => refusal(&error),
    })
}

/// Until it has failed to connect it may have arrived: whoever stops waiting in between does not know either.
async fn send(request: RequestBuilder, sent: &mut Sent) -> Result<Response, NoBalance> {
    let before = std::mem::replace(sent, Sent::Perhaps);
    request.send().await.map_err(|error| {
        if error.is_connect() || error.is_builder() {
            *sent = before;
        }
        refusal(&error)
    })
}

fn plain(client: &Client, request: &Request, url: &Url) -> Result<RequestBuilder, NoBalance> {
    let mut builder = if request.post {
        client.post(url.clone()).body(request.body.expose().clone())
    } else {
        client.get(url.clone())
    };
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(value);
        let bad = || NoBalance::Template(TemplateError::BadHeader(String::new()));
        builder = builder.header(name.map_err(|_| bad())?, value.map_err(|_| bad())?);
    }
    Ok(builder)
}

fn first(client: &Client, request: &Request, url: &Url) -> Result<RequestBuilder, NoBalance> {
    let builder = plain(client, request, url)?;
    Ok(match &request.auth {
        Auth::None | Auth::Digest(..) => builder,
        Auth::Basic(user, password) => builder.basic_auth(user, Some(password.expose())),
        Auth::Bearer(token) => builder.bearer_auth(token.expose()),
    })
}

/// What answers a challenge; `None`: there is none that we understand.
fn digest(
    answer: &Response,
    request: &Request,
    url: &Url,
    user: &str,
    password: &Secret<String>,
) -> Result<Option<String>, NoBalance> {
    let challenges = answer.headers().get_all(WWW_AUTHENTICATE);
    let Some(challenge) = challenges.iter().find_map(|value| Challenge::read(value.as_bytes())) else {
        return Ok(None);
    };
    let mut rng = clock::seeded().map_err(|_| NoBalance::System)?;
    let cnonce: String = rng.token::<16>().map(char::from).iter().collect();
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let method = if request.post { "POST" } else { "GET" };
    let over = Over { method, uri: &target, body: request.body.expose() };
    let who = Credentials { user: user.to_owned(), password: password.clone(), realm: None };
    Ok(Some(challenge.answer(&over, &who, &cnonce, 1)))
}

/// Seconds, or a date. RFC 9110 section 10.2.3.
fn retry_after(answer: &Response) -> Option<Duration> {
    let value = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    let seconds = value.parse().ok().map(Duration::from_secs);
    seconds.or_else(|| httpdate::parse_http_date(value).ok()?.duration_since(SystemTime::now()).ok())
}

/// The client's own words quote the address.
fn refusal(error: &reqwest::Error) -> NoBalance {
    if error.is_timeout() {
        NoBalance::Silent
    } else if error.is_builder() {
        NoBalance::Address
    } else {
        NoBalance::Unreachable
    }
}

#[cfg(test)]
#[path = "teller_tests.rs"]
mod tests;
