//! Fetches the document of an account that somebody hands out by a link.
//!
//! One GET, by TLS unless it is for this machine, bounded in time and bytes, sent on within its own server alone: who the
//! person was shown is who is asked. What the answer means is the crate `account`'s. Knows no accounts.

use base::Secret;
use offhook_net::tls::Trusts;
use reqwest::Url;
use reqwest::header::{ACCEPT, CONTENT_TYPE};

use crate::web::{self, NoBody, NoClient, host};

/// What a link leads to.
#[derive(Clone)]
pub struct Fetched {
    /// Its `Content-Type`, if it has one that is text.
    pub content_type: Option<String>,
    /// Its bytes. There may be a password in them.
    pub body: Secret<Vec<u8>>,
}

/// Why a link leads to nothing. Its `Display` is a sentence for a person, and quotes neither the address nor the answer: both
/// may hold a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotFetched {
    /// Let the person correct it.
    #[error("the link to the account must be https://HOST/PATH")]
    Address,
    /// No connection, or a certificate that is not trusted.
    #[error("the server of the link cannot be reached, or its certificate is not trusted")]
    Unreachable,
    /// Ask again later.
    #[error("the server of the link does not answer")]
    Silent,
    /// 401, 403, 404 or 410: a link is often good for one time.
    #[error("the link is not good, or not good any more: the server answers with status {0}")]
    Gone(u16),
    /// Another status than 2xx.
    #[error("the server of the link answers with status {0}")]
    Status(u16),
    /// To another server, or to where anybody on the way can read and change it.
    #[error(
        "the link leads on to another server, or away from TLS: ask whoever gave it for the link to there"
    )]
    Moved,
    /// Longer than any account.
    #[error("the link leads to something longer than any account")]
    TooLong,
    /// This machine is out of something.
    #[error("there is nothing left to fetch the account with")]
    System,
}

/// What `url` leads to, of at most so many bytes. It takes five seconds at most: not for a thread that has something else to
/// do.
///
/// # Errors
/// - [`NotFetched`]: show its sentence.
pub fn fetch(url: &Secret<String>, most: usize, trusts: &Trusts) -> Result<Fetched, NotFetched> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| NotFetched::System)?;
    let answer = runtime.block_on(get(url, most, trusts));
    // The system's resolver may sit in a thread of its own for longer than anybody waits.
    runtime.shutdown_background();
    answer
}

async fn get(url: &Secret<String>, most: usize, trusts: &Trusts) -> Result<Fetched, NotFetched> {
    let url = Url::parse(url.expose()).map_err(|_| NotFetched::Address)?;
    let server = host(&url).ok_or(NotFetched::Address)?.to_owned();
    let here = server == "localhost" || server.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    let secure = url.scheme() == "https";
    let may = secure || here && url.scheme() == "http";
    if !may {
        return Err(NotFetched::Address);
    }
    let (own, port) = (server.clone(), url.port_or_known_default());
    let same = move |to: &Url| host(to) == Some(&own) && to.port_or_known_default() == port;
    let client = web::client(trusts, &server, secure, same).map_err(|why| match why {
        NoClient::Trust => NotFetched::Unreachable,
        NoClient::System => NotFetched::System,
    })?;
    let request = client.get(url).header(ACCEPT, "application/json");
    let mut answer = request.send().await.map_err(|error| refusal(&error))?;
    match answer.status() {
        status if status.is_success() => {}
        status if status.is_redirection() => return Err(NotFetched::Moved),
        status if [401, 403, 404, 410].contains(&status.as_u16()) => {
            return Err(NotFetched::Gone(status.as_u16()));
        }
        status => return Err(NotFetched::Status(status.as_u16())),
    }
    let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let content_type = kind.map(str::to_owned);
    let body = web::body(&mut answer, most).await.map_err(|why| match why {
        NoBody::TooLong => NotFetched::TooLong,
        NoBody::Broken(error) => refusal(&error),
    })?;
    Ok(Fetched { content_type, body: Secret::new(body) })
}

/// The client's own words quote the address.
fn refusal(error: &reqwest::Error) -> NotFetched {
    if error.is_timeout() {
        NotFetched::Silent
    } else if error.is_builder() {
        NotFetched::Address
    } else {
        NotFetched::Unreachable
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web_service::service;

    fn status(line: &str, body: &str) -> String {
        format!("HTTP/1.1 {line}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    fn ask(url: String) -> Result<Fetched, NotFetched> {
        fetch(&Secret::new(url), 1000, &Trusts::default())
    }

    #[test]
    fn what_a_link_leads_to_comes_with_its_type_and_is_told_in_words_where_it_does_not() {
        let (at, _requests) = service(|path| {
            Some(match path {
                "/a?token=hush" | "/there" => status("200 OK\r\nContent-Type: application/json", "{}"),
                "/on" => status("302 Found\r\nLocation: /there", ""),
                "/other" => status("302 Found\r\nLocation: http://192.0.2.1/", ""),
                "/file" => status("302 Found\r\nLocation: file:///etc/passwd", ""),
                "/round" => status("302 Found\r\nLocation: /round", ""),
                "/used" => status("410 Gone", ""),
                "/down" => status("500 Oops", ""),
                "/long" => status("200 OK", &" ".repeat(1001)),
                "/endless" => format!("HTTP/1.1 200 OK\r\n\r\n{}", " ".repeat(100_000)),
                "/cut" => "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".into(),
                _ => "220 mail\r\n".into(),
            })
        });
        for path in ["/a?token=hush", "/on"] {
            let fetched = ask(format!("http://{at}{path}")).ok().unwrap();
            assert_eq!(fetched.content_type.as_deref(), Some("application/json"));
            assert_eq!(fetched.body.expose(), b"{}");
        }
        for (path, why) in [
            ("/other", NotFetched::Moved),
            ("/file", NotFetched::Moved),
            ("/round", NotFetched::Moved),
            ("/used", NotFetched::Gone(410)),
            ("/down", NotFetched::Status(500)),
            ("/long", NotFetched::TooLong),
            ("/endless", NotFetched::TooLong),
            ("/cut", NotFetched::Unreachable),
            ("/mail", NotFetched::Unreachable),
        ] {
            assert_eq!(ask(format!("http://{at}{path}")).err(), Some(why), "{path}");
            assert!(!why.to_string().contains("127.0.0.1"), "{why}");
        }
    }

    #[test]
    fn a_link_goes_by_tls_alone_unless_to_this_machine() {
        for url in
            ["http://h.test/", "http://127.0.0.1.h.test/", "ftp://127.0.0.1/", "file:///etc/passwd", ""]
        {
            assert_eq!(ask(url.into()).err(), Some(NotFetched::Address), "{url}");
        }
    }
}
