//! The exchange's web side, for trial and test: what is left on an account, in the forms that dialers understand, and a
//! status page.
//!
//! ```text
//!  GET  /                                 status, for people
//!  GET  /balance?user=1001                {"balance":"12.34","currency":"EUR"}
//!  POST /external/server/GetCustomer      the VOS vendor's JSON; also GetAvailableTime, PayByPhoneCard, CallBack
//!  POST /thirdparty/getcustomer.jsp       the older form, with its password checked
//! ```
//! The JSON interface asks for no password, as the vendor's does not: listen on loopback, or behind something that asks.
//! Bounded: so many connections, so much of a request, so long. A card's amount is what stands before the first `-` of its
//! number, and its PIN is what stands behind: `5.00-7777` is five with 7777. A call back is promised to users, and rings nobody.
//! Decides nothing about calls.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base::Transport;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use offhook_net::ListenError;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::Wish;

/// Connections at once.
const MOST_CONNECTIONS: usize = 64;
/// Bytes of a request's body.
const LARGEST_BODY: usize = 16 * 1024;
/// For a request's head to come.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is asked of the exchange.
pub(super) enum Question {
    /// What is left, and for how many seconds that is enough.
    Funds {
        user: String,
        /// Refused unless it is the user's.
        password: Option<String>,
    },
    /// Money comes.
    TopUp { user: String, amount: balance::Amount },
    /// For the status page.
    Status,
}

/// What it says.
pub(super) enum Told {
    /// Of a user.
    Funds { balance: balance::Amount, currency: Option<String>, seconds: Option<u64> },
    /// A line each.
    Status(Vec<String>),
    /// The money is there.
    Done,
    /// No such user, or another password.
    Nobody,
}

type Asker = mpsc::UnboundedSender<Wish>;

/// Listens, and answers as long as the runtime that it is called in runs.
pub(super) fn begin(at: SocketAddr, asker: Asker) -> Result<SocketAddr, ListenError> {
    let refused = |error| ListenError::of(Transport::Tcp, at, error);
    let listener = std::net::TcpListener::bind(at).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let listener = TcpListener::from_std(listener).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    tokio::spawn(accept(listener, asker));
    Ok(address)
}

async fn accept(listener: TcpListener, asker: Asker) {
    let room = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let Ok(place) = room.clone().acquire_owned().await else { return };
        let Ok((stream, _)) = listener.accept().await else {
            // Out of files, as a rule: another moment may have some.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let asker = asker.clone();
        tokio::spawn(async move {
            let answer = service_fn(move |request| answer(request, asker.clone()));
            let mut server = hyper::server::conn::http1::Builder::new();
            server.timer(TokioTimer::new()).header_read_timeout(PATIENCE).keep_alive(false);
            // Who hangs up, or speaks no HTTP, is nobody's concern.
            let serving = server.serve_connection(TokioIo::new(stream), answer);
            let _ = tokio::time::timeout(2 * PATIENCE, serving).await;
            drop(place);
        });
    }
}

async fn answer(request: Request<Incoming>, asker: Asker) -> Result<Response<Full<Bytes>>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let Ok(body) = Limited::new(request.into_body(), LARGEST_BODY).collect().await else {
        return Ok(reply(StatusCode::PAYLOAD_TOO_LARGE, "text/plain", "too large".into()));
    };
    let body = body.to_bytes();
    Ok(match (&method, &*path) {
        (&Method::GET, "/") => status(&asker).await,
        (&Method::GET, "/balance") => balance(&asker, &query).await,
        (&Method::POST, "/thirdparty/getcustomer.jsp") => legacy(&asker, &body).await,
        (&Method::POST, path) if path.starts_with("/external/server/") => {
            vendor(&asker, path.trim_start_matches("/external/server/"), &body).await
        }
        (_, "/" | "/balance" | "/thirdparty/getcustomer.jsp") => {
            reply(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "not so".into())
        }
        _ => reply(StatusCode::NOT_FOUND, "text/plain", "nothing here".into()),
    })
}

fn reply(status: StatusCode, kind: &'static str, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert("content-type", hyper::header::HeaderValue::from_static(kind));
    headers.insert("cache-control", hyper::header::HeaderValue::from_static("no-store"));
    response
}

fn as_json(value: &Value) -> Response<Full<Bytes>> {
    reply(StatusCode::OK, "application/json", value.to_string())
}

/// Asks the exchange, which is on the same thread but busy with its own.
async fn ask(asker: &Asker, question: Question) -> Told {
    let (tell, told) = oneshot::channel();
    if asker.send(Wish::Web(question, tell)).is_err() {
        return Told::Nobody;
    }
    told.await.unwrap_or(Told::Nobody)
}

async fn funds(asker: &Asker, user: &str, password: Option<String>) -> Told {
    ask(asker, Question::Funds { user: user.to_owned(), password }).await
}

async fn status(asker: &Asker) -> Response<Full<Bytes>> {
    match ask(asker, Question::Status).await {
        Told::Status(lines) => reply(StatusCode::OK, "text/plain; charset=utf-8", lines.join("\n") + "\n"),
        _ => reply(StatusCode::SERVICE_UNAVAILABLE, "text/plain", "ending".into()),
    }
}

async fn balance(asker: &Asker, query: &str) -> Response<Full<Bytes>> {
    let fields = fields(query.as_bytes());
    match funds(asker, field(&fields, "user"), None).await {
        Told::Funds { balance, currency, .. } => {
            as_json(&json!({"balance": balance.to_string(), "currency": currency}))
        }
        _ => reply(StatusCode::NOT_FOUND, "text/plain", "no such user".into()),
    }
}

/// The vendor's JSON.
async fn vendor(asker: &Asker, name: &str, body: &[u8]) -> Response<Full<Bytes>> {
    let refused = |code: i64, words: &str| as_json(&json!({"retCode": code, "exception": words}));
    let Ok(asked) = serde_json::from_slice::<Value>(body) else {
        return refused(-10124, "Bad input.");
    };
    let text = |pointer: &str| asked.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    match name {
        "GetCustomer" => {
            let account = text("/accounts/0");
            if account.is_empty() {
                return refused(-12103, "Parameter missing.");
            }
            match funds(asker, &account, None).await {
                Told::Funds { balance, .. } => as_json(&raw_money(
                    json!({"retCode": 0, "infoCustomers": [{"account": account, "limitMoney": 0, "lockType": 0}]}),
                    "/infoCustomers/0",
                    "money",
                    balance,
                )),
                _ => refused(-10007, "Not found, operation failed."),
            }
        }
        "GetAvailableTime" if text("/calleeE164").is_empty() => refused(-12103, "Parameter missing."),
        "GetAvailableTime" => match funds(asker, &text("/billingName"), None).await {
            Told::Funds { balance, seconds, .. } => {
                let account = text("/billingName");
                let remain = seconds.unwrap_or(359_999).min(359_999);
                as_json(&raw_money(
                    json!({"retCode": 0, "infoAvailableTime": {"account": account, "timeRemain": remain}}),
                    "/infoAvailableTime",
                    "accountMoney",
                    balance,
                ))
            }
            _ => refused(-10007, "Not found, operation failed."),
        },
        "PayByPhoneCard" if text("/password").is_empty() => refused(-12103, "Parameter missing."),
        "PayByPhoneCard" => {
            let card = text("/pin");
            let amount = card.split_once('-').filter(|(_, pin)| *pin == text("/password"));
            let Some(amount) = amount.and_then(|(amount, _)| amount.parse().ok()) else {
                return refused(-10007, "Not found, operation failed.");
            };
            match ask(asker, Question::TopUp { user: text("/ownerName"), amount }).await {
                Told::Done => as_json(&json!({"retCode": 0})),
                _ => refused(-10007, "Not found, operation failed."),
            }
        }
        "CallBack" => {
            let (caller, callee) = (text("/callerE164"), text("/calleeE164s/0"));
            if caller.is_empty() || callee.is_empty() {
                return refused(-12103, "Parameter missing.");
            }
            match funds(asker, &caller, None).await {
                Told::Funds { .. } => {
                    as_json(&json!({"retCode": 0, "callIdentifier": format!("{caller}-{callee}")}))
                }
                _ => refused(-10007, "Not found, operation failed."),
            }
        }
        _ => refused(-10007, "Not found, operation failed."),
    }
}

/// Money as the vendor writes it, a JSON number, with all of its digits.
fn raw_money(mut value: Value, pointer: &str, name: &str, money: balance::Amount) -> Value {
    let number = serde_json::from_str(&money.to_string()).unwrap_or(Value::Null);
    if let Some(Value::Object(object)) = value.pointer_mut(pointer) {
        object.insert(name.to_owned(), number);
    }
    value
}

/// `0|account;name;balance;validity;overdraft`.
async fn legacy(asker: &Asker, body: &[u8]) -> Response<Full<Bytes>> {
    let fields = fields(body);
    let (name, login) = (field(&fields, "name"), field(&fields, "loginName"));
    let password = field(&fields, "loginPassword").to_owned();
    let told = if name == login { funds(asker, name, Some(password)).await } else { Told::Nobody };
    let text = match told {
        Told::Funds { balance, .. } => format!("0|{name};{name};{balance};0;0"),
        _ => "-10007|Not found, operation failed.".to_owned(),
    };
    reply(StatusCode::OK, "text/plain; charset=utf-8", text)
}

/// `a=b&c=d`, percent-encoded. WHATWG URL section 5.1.
fn fields(form: &[u8]) -> Vec<(String, String)> {
    form_urlencoded::parse(form).into_owned().collect()
}

fn field<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
    fields.iter().find(|(it, _)| it == name).map_or("", |(_, value)| value)
}
