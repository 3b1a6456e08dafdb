//! Asks a provider what is left on an account.
//!
//! One request, by TLS unless the user has said otherwise, with the account's trust; a digest challenge (RFC 7616) is
//! answered once. What the answer means is [`balance`]'s, and when to ask is [`balance::Pace`]'s. It is sent on to the same
//! server alone: what is asked for holds a password.

use std::time::Duration;

use balance::{About, Auth, Balance, Known, MAX_ANSWER, Reading, Request, Template, TemplateError, Unread};
use base::Secret;
use offhook_net::tls::Trusts;
use reqwest::header::{HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url};
use sip::digest::{Challenge, Credentials, Over};

use crate::clock;
use crate::web::{self, NoBody, NoClient, host};

/// Why there is no balance. Its `Display` is a sentence for a person, and quotes neither the address nor the answer: both
/// may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoBalance {
    /// Let the user correct it.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// Let the user correct it.
    #[error("the address of the balance cannot be asked: is it whole?")]
    Address,
    /// No connection, or a certificate that is not trusted. Ask again later.
    #[error("the provider's balance cannot be reached, or its certificate is not trusted")]
    Unreachable,
    /// Ask again later.
    #[error("the provider's balance does not answer")]
    Silent,
    /// 401 or 403: for the user to see to.
    #[error("the provider does not take the user name and password for the balance")]
    Refused,
    /// It sends elsewhere, or to where nothing is secret.
    #[error("the provider's balance has moved to where a password must not follow")]
    Moved,
    /// 429 or 503: not before that time.
    #[error("the provider wants to be asked for the balance more seldom")]
    Busy(Option<Duration>),
    /// Another status. Ask again later.
    #[error("the provider's balance answers with status {0}")]
    Status(u16),
    /// What it answers is of no use.
    #[error(transparent)]
    Unread(#[from] Unread),
    /// This machine is out of something. Ask again later.
    #[error("there is nothing left to ask for the balance with")]
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

/// How one account's balance is asked for.
#[derive(Clone, Debug)]
pub struct Teller {
    /// What is asked.
    pub template: Template,
    /// How the answer is read.
    pub reading: Reading,
}

impl Teller {
    /// The server's name, by which [`Trusts`] knows it.
    pub fn host(&self) -> Option<String> {
        Url::parse(&self.template.url).ok().and_then(|url| host(&url).map(str::to_owned))
    }

    /// Asks, for five seconds at most: not for a thread that has something else to do.
    ///
    /// # Errors
    /// - [`NoBalance`]: show its sentence; the last balance stays, with its age.
    pub fn ask(&self, known: &Known, trusts: &Trusts) -> Result<Balance, NoBalance> {
        Ok(self.reading.read(&fetch(&self.template, known, trusts)?)?)
    }
}

/// What a template's answer is, as bytes: for minutes left, for a card, for a call back.
pub(crate) fn fetch(template: &Template, known: &Known, trusts: &Trusts) -> Result<Vec<u8>, NoBalance> {
    let request = template.fill(known, &About::Account)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| NoBalance::System)?;
    let answer = runtime.block_on(exchange(&request, trusts));
    // The system's resolver may sit in a thread of its own for longer than anybody waits.
    runtime.shutdown_background();
    answer
}

async fn exchange(request: &Request, trusts: &Trusts) -> Result<Vec<u8>, NoBalance> {
    let url = Url::parse(request.url.expose()).map_err(|_| NoBalance::Address)?;
    let server = host(&url).ok_or(NoBalance::Address)?.to_owned();
    let (own, port) = (server.clone(), url.port_or_known_default());
    let same = move |to: &Url| host(to) == Some(&own) && to.port_or_known_default() == port;
    let client = web::client(trusts, &server, url.scheme() == "https", same).map_err(|why| match why {
        NoClient::Trust => NoBalance::Unreachable,
        NoClient::System => NoBalance::System,
    })?;
    let mut answer = send(first(&client, request, &url)?).await?;
    if answer.status() == StatusCode::UNAUTHORIZED
        && let Auth::Digest(user, password) = &request.auth
        && let Some(value) = digest(&answer, request, &url, user, password)?
    {
        let again = plain(&client, request, &url)?.header("authorization", value);
        answer = send(again).await?;
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

async fn send(request: RequestBuilder) -> Result<Response, NoBalance> {
    request.send().await.map_err(|error| refusal(&error))
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

/// Seconds; a date is as good as none.
fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
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
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpListener};
    use std::sync::mpsc::{Receiver, channel};

    use super::*;

    /// A server on this machine that answers each request's head by its path, and the heads that it got.
    fn server(answer: impl Fn(&str, &str) -> String + Send + 'static) -> (SocketAddr, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, heads) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (mut stream, mut head) = (stream.unwrap(), Vec::new());
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                    head.push(byte[0]);
                }
                let head = String::from_utf8(head).unwrap();
                let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
                let _ = stream.write_all(answer(&path, &head).as_bytes());
                if tell.send(head).is_err() {
                    return;
                }
            }
        });
        (address, heads)
    }

    fn status(line: &str, body: &str) -> String {
        format!("HTTP/1.1 {line}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    fn known() -> Known {
        let password = Secret::new("hush&hush".to_owned());
        Known { user: "1001".into(), password, account: "1001".into(), number: "1002".into() }
    }

    fn teller(address: SocketAddr, path: &str) -> Teller {
        let url = format!("http://{address}{path}");
        Teller { template: Template { allow_clear: true, ..Template::get(url) }, reading: Reading::Bare }
    }

    fn ask(address: SocketAddr, path: &str) -> Result<Balance, NoBalance> {
        teller(address, path).ask(&known(), &Trusts::default())
    }

    #[test]
    fn a_provider_is_asked_by_its_template_and_what_it_answers_is_read() {
        let (address, heads) = server(|_, _| status("200 OK", "12.34"));
        let balance = ask(address, "/b?u={user}&p={password}").unwrap();
        assert_eq!(balance.amount.to_string(), "12.34");
        assert!(heads.recv().unwrap().starts_with("GET /b?u=1001&p=hush%26hush HTTP/1.1\r\n"));
    }

    #[test]
    fn a_digest_challenge_is_answered_once_with_the_password_that_is_never_sent() {
        let challenge = "WWW-Authenticate: Digest realm=\"b\", nonce=\"n\", qop=\"auth\", algorithm=SHA-256";
        let (address, heads) = server(move |path, head| {
            let asked = format!("401 No\r\n{challenge}");
            let answered = head.to_ascii_lowercase().contains("authorization: digest username=\"1001\"");
            if answered && path == "/right" { status("200 OK", "7") } else { status(&asked, "") }
        });
        let mut teller = teller(address, "/right");
        teller.template.auth = Auth::Digest("{user}".into(), Secret::new("{password}".into()));
        assert_eq!(teller.ask(&known(), &Trusts::default()).unwrap().amount.to_string(), "7");
        teller.template.url = format!("http://{address}/wrong");
        assert_eq!(teller.ask(&known(), &Trusts::default()), Err(NoBalance::Refused));
        let heads: Vec<String> = heads.try_iter().collect();
        assert!(heads.len() == 4 && heads.iter().all(|head| !head.contains("hush")), "{heads:?}");
    }

    #[test]
    fn hostile_servers_are_told_for_what_they_are_within_a_bound() {
        let (address, _heads) = server(|path, _| match path {
            "/file" => status("302 Found\r\nLocation: file:///etc/passwd", ""),
            "/other" => status("302 Found\r\nLocation: http://192.0.2.1/", ""),
            "/round" => status("302 Found\r\nLocation: /round", ""),
            "/huge" => format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(10_000_000)),
            "/page" => status("200 OK\r\nContent-Type: text/plain", "<!doctype html><p>Log in</p>"),
            "/busy" => status("429 Slow\r\nRetry-After: 120", ""),
            "/down" => status("500 Oops", ""),
            "/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n1".into(),
            _ => "220 mail\r\n".into(),
        });
        for (path, why) in [
            ("/file", NoBalance::Moved),
            ("/other", NoBalance::Moved),
            ("/round", NoBalance::Moved),
            ("/huge", NoBalance::Unread(Unread::TooLong)),
            ("/page", NoBalance::Unread(Unread::WebPage)),
            ("/busy", NoBalance::Busy(Some(Duration::from_secs(120)))),
            ("/down", NoBalance::Status(500)),
            ("/cut", NoBalance::Unreachable),
            ("/mail", NoBalance::Unreachable),
        ] {
            let error = ask(address, path).unwrap_err();
            assert_eq!(error, why, "{path}");
            assert!(!error.to_string().contains("127.0.0.1"), "{error}");
        }
    }
}
