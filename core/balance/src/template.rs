//! How a provider is asked: an address, perhaps a body, with places for what is known of the account.
//!
//! What is put in a place is written as that place wants it: percent-encoded in an address (RFC 3986 section 2.1) and in a
//! form, escaped in a JSON string. So a password with `&` or `"` in it arrives whole, and changes nothing else. Which places
//! there are depends on what is asked: `{card}` stands where a card is paid in, and nowhere else.

use std::fmt;

use base::Secret;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what RFC 3986 section 2.3 leaves as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What stands in the places.
#[derive(Clone)]
pub struct Known {
    /// `{user}`: whom the account authenticates as.
    pub user: String,
    /// `{password}`: its password.
    pub password: Secret<String>,
    /// `{account}`: the user part of its address of record.
    pub account: String,
    /// `{number}`, where no other is asked about: the account's own.
    pub number: String,
}

/// What is asked, with what stands in its own places.
#[derive(Clone, Default)]
pub enum About {
    /// The account; `{number}` is its own.
    #[default]
    Account,
    /// A call to `{number}`.
    Number(String),
    /// A `{card}` and its `{pin}`, to be paid in.
    Card(Card),
    /// A call that the provider makes: it rings `{caller}`, then `{callee}`, who is the `{number}` as well.
    CallBack {
        /// Where the person is.
        caller: String,
        /// Whom the person wants.
        callee: String,
    },
}

/// A card with money on it, as a shop sells it.
#[derive(Clone)]
pub struct Card {
    /// What is printed on it.
    pub number: Secret<String>,
    /// What was hidden; empty where a card has none.
    pub pin: Secret<String>,
}

/// How it is asked.
#[derive(Clone)]
pub struct Template {
    /// `https://host/path?user={user}`.
    pub url: String,
    /// What is sent with it; `None`: a GET.
    pub body: Option<Body>,
    /// Headers beside those of the body and the authentication.
    pub headers: Vec<(String, String)>,
    /// Who we say we are.
    pub auth: Auth,
    /// Let it go without TLS: the password is then anybody's on the way.
    pub allow_clear: bool,
}

/// What a POST carries.
#[derive(Clone)]
pub enum Body {
    /// JSON, with places inside of its strings.
    Json(String),
    /// Fields of a form.
    Form(Vec<(String, String)>),
}

/// How the web server is told who asks.
#[derive(Clone, Default)]
pub enum Auth {
    /// Not.
    #[default]
    None,
    /// RFC 7617, by user name and password: each may have places.
    Basic(String, Secret<String>),
    /// RFC 6750, by a token.
    Bearer(Secret<String>),
    /// RFC 7616, by user name and password: the fetcher answers the challenge.
    Digest(String, Secret<String>),
}

/// What is to be fetched. No `Debug`: it holds passwords.
pub struct Request {
    /// POST rather than GET.
    pub post: bool,
    /// Where.
    pub url: Secret<String>,
    /// All of them, those of the body too.
    pub headers: Vec<(String, String)>,
    /// Empty for a GET.
    pub body: Secret<Vec<u8>>,
    /// What is left of it for the fetcher.
    pub auth: Auth,
}

/// A template that cannot be used. Show it beside the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Neither `https://` nor, if allowed, `http://`.
    #[error(
        "the address must begin with https:// (http:// only if that is allowed, and then anybody on the way can read the password)"
    )]
    NotSecure,
    /// A place that is not known, or not where this is asked.
    #[error(
        "there is no {{{0}}} here: places are {{user}}, {{password}}, {{account}} and {{number}}; for a card also {{card}} and {{pin}}, for a call back {{caller}} and {{callee}}"
    )]
    UnknownPlace(String),
    /// In the part that names the server: what is known of the account must not choose who gets it.
    #[error("the server's name can have no places")]
    PlaceInHost,
    /// Something that no server's name has: what reads it leniently asks another than what is shown.
    #[error("the server's name has characters that no server's name has")]
    BadHost,
    /// A header with a line's end in it.
    #[error("the header {0} cannot be sent as it is")]
    BadHeader(String),
}

/// How a place wants its text.
#[derive(Clone, Copy)]
enum Escape {
    Percent,
    Json,
    Plain,
}

impl Template {
    /// A GET of `url`.
    pub fn get(url: impl Into<String>) -> Self {
        Self { url: url.into(), body: None, headers: Vec::new(), auth: Auth::None, allow_clear: false }
    }

    /// A POST of `body` to `url`.
    pub fn post(url: impl Into<String>, body: Body) -> Self {
        Self { body: Some(body), ..Self::get(url) }
    }

    /// Whether it can be used to ask about the account.
    ///
    /// # Errors
    /// - [`TemplateError`]: show it beside the field.
    pub fn check(&self) -> Result<(), TemplateError> {
        self.check_for(&About::Account)
    }

    /// Whether it can be used to ask about that; what stands in its places does not matter.
    ///
    /// # Errors
    /// - [`TemplateError`]: show it beside the field.
    pub fn check_for(&self, about: &About) -> Result<(), TemplateError> {
        let nobody = Known {
            user: String::new(),
            password: Secret::new(String::new()),
            account: String::new(),
            number: String::new(),
        };
        self.fill(&nobody, about).map(drop)
    }

    /// Whether the account's password goes in it as it is, for the server to read: a digest says only that it is known.
    pub fn shows_password(&self) -> bool {
        let place = |text: &str| text.contains("{password}");
        let within = match &self.body {
            Some(Body::Form(fields)) => fields.iter().any(|(_, value)| place(value)),
            Some(Body::Json(text)) => place(text),
            None => false,
        };
        let signed = match &self.auth {
            Auth::Basic(user, password) => place(user) || place(password.expose()),
            Auth::Bearer(token) => place(token.expose()),
            Auth::Digest(user, _) => place(user),
            Auth::None => false,
        };
        within || signed || self.headers.iter().any(|(_, value)| place(value)) || place(&self.url)
    }

    /// With what is known in its places.
    ///
    /// # Errors
    /// - [`TemplateError`]: show it beside the field; nothing is asked.
    pub fn fill(&self, known: &Known, about: &About) -> Result<Request, TemplateError> {
        let known = &Places { known, about };
        let rest = match (self.url.strip_prefix("https://"), self.url.strip_prefix("http://")) {
            (Some(rest), _) => rest,
            (None, Some(rest)) if self.allow_clear || is_here(rest) => rest,
            _ => return Err(TemplateError::NotSecure),
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.contains(['{', '}', '@']) || host.is_empty() {
            return Err(TemplateError::PlaceInHost);
        }
        // A browser drops tabs and line ends, and goes on behind `\` as behind `/`.
        if !host.bytes().all(|it| it.is_ascii_graphic() && it != b'\\') {
            return Err(TemplateError::BadHost);
        }
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            let value = put(value, known, Escape::Plain)?;
            let token = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
            if name.is_empty() || !name.bytes().all(token) || value.chars().any(char::is_control) {
                return Err(TemplateError::BadHeader(name.clone()));
            }
            headers.push((name.clone(), value));
        }
        let body = match &self.body {
            None => Vec::new(),
            Some(Body::Json(text)) => {
                headers.push(("Content-Type".into(), "application/json; charset=utf-8".into()));
                put(text, known, Escape::Json)?.into_bytes()
            }
            Some(Body::Form(fields)) => {
                headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
                let fields = fields.iter().map(|(name, value)| {
                    let mut field = String::new();
                    percent(name, &mut field);
                    Ok(field + "=" + &put(value, known, Escape::Percent)?)
                });
                fields.collect::<Result<Vec<_>, TemplateError>>()?.join("&").into_bytes()
            }
        };
        let auth = match &self.auth {
            Auth::None => Auth::None,
            Auth::Bearer(token) => Auth::Bearer(secret(token, known)?),
            Auth::Basic(user, password) => {
                Auth::Basic(put(user, known, Escape::Plain)?, secret(password, known)?)
            }
            Auth::Digest(user, password) => {
                Auth::Digest(put(user, known, Escape::Plain)?, secret(password, known)?)
            }
        };
        Ok(Request {
            post: self.body.is_some(),
            url: Secret::new(put(&self.url, known, Escape::Percent)?),
            headers,
            body: Secret::new(body),
            auth,
        })
    }
}

/// Nothing on this machine is on the way. `rest`: behind `http://`.
fn is_here(rest: &str) -> bool {
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(inside) => inside.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name == "localhost" || name.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

/// All that may stand in a place.
struct Places<'a> {
    known: &'a Known,
    about: &'a About,
}

impl Places<'_> {
    fn at(&self, word: &str) -> Option<&str> {
        Some(match (word, self.about) {
            ("user", _) => &self.known.user,
            ("password", _) => self.known.password.expose(),
            ("account", _) => &self.known.account,
            ("number", About::Number(number)) => number,
            ("number" | "callee", About::CallBack { callee, .. }) => callee,
            ("caller", About::CallBack { caller, .. }) => caller,
            ("number", About::Account | About::Card(_)) => &self.known.number,
            ("card", About::Card(card)) => card.number.expose(),
            ("pin", About::Card(card)) => card.pin.expose(),
            _ => return None,
        })
    }
}

fn secret(text: &Secret<String>, known: &Places<'_>) -> Result<Secret<String>, TemplateError> {
    put(text.expose(), known, Escape::Plain).map(Secret::new)
}

/// A brace that begins no word is itself: JSON is full of them.
fn put(text: &str, known: &Places<'_>, escape: Escape) -> Result<String, TemplateError> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        whole.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let word = rest.split_once('}').map(|(word, _)| word);
        let word = word.filter(|word| !word.is_empty() && word.bytes().all(|it| it.is_ascii_lowercase()));
        let Some(word) = word else {
            whole.push('{');
            continue;
        };
        rest = &rest[word.len() + 1..];
        let value = known.at(word).ok_or_else(|| TemplateError::UnknownPlace(word.to_owned()))?;
        match escape {
            Escape::Percent => percent(value, &mut whole),
            Escape::Json => json(value, &mut whole),
            Escape::Plain => whole.push_str(value),
        }
    }
    whole.push_str(rest);
    Ok(whole)
}

fn percent(value: &str, whole: &mut String) {
    whole.extend(utf8_percent_encode(value, RESERVED));
}

/// RFC 8259 section 7.
fn json(value: &str, whole: &mut String) {
    let quoted = serde_json::Value::from(value).to_string();
    whole.push_str(quoted.trim_start_matches('"').strip_suffix('"').unwrap_or_default());
}

impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Template")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        Known {
            user: "1001".into(),
            password: Secret::new("s&c \"ré}t\\".into()),
            account: "1001".into(),
            number: "+49 30".into(),
        }
    }

    #[test]
    fn each_place_gets_its_text_as_that_place_wants_it() {
        assert_eq!(
            &**Template::get("https://billing.example/{account}")
                .fill(&Known { account: "a-b.c_d~e/f".into(), ..known() }, &About::Account)
                .unwrap()
                .url
                .expose(),
            "https://billing.example/a-b.c_d~e%2Ff"
        );
        let url = "https://billing.example/b?u={user}&p={password}&n={number}";
        let request = Template::get(url).fill(&known(), &About::Account).unwrap();
        let expected = "https://billing.example/b?u=1001&p=s%26c%20%22r%C3%A9%7Dt%5C&n=%2B49%2030";
        assert_eq!((&**request.url.expose(), request.post), (expected, false));

        let body = Body::Json(r#"{"accounts":["{account}"],"key":"{password}"}"#.into());
        let request =
            Template::post("https://billing.example/", body).fill(&known(), &About::Account).unwrap();
        let body: serde_json::Value = serde_json::from_slice(request.body.expose()).unwrap();
        assert_eq!((&body["accounts"][0], &body["key"]), (&"1001".into(), &"s&c \"ré}t\\".into()));

        let body =
            Body::Form(vec![("login name".into(), "{user}".into()), ("p".into(), "{password}".into())]);
        let request =
            Template::post("https://billing.example/", body).fill(&known(), &About::Account).unwrap();
        assert_eq!(request.body.expose(), b"login%20name=1001&p=s%26c%20%22r%C3%A9%7Dt%5C");
        assert_eq!(request.headers[0].1, "application/x-www-form-urlencoded");
    }

    #[test]
    fn a_password_goes_by_tls_to_a_server_that_the_template_names_and_nowhere_else() {
        let refused = |template: Template| template.fill(&known(), &About::Account).err();
        assert_eq!(refused(Template::get("http://billing.example/")), Some(TemplateError::NotSecure));
        assert_eq!(
            refused(Template::get("http://127.0.0.1.billing.example/")),
            Some(TemplateError::NotSecure)
        );
        assert_eq!(refused(Template::get("http://127.0.0.1:8080/")), None);
        assert_eq!(refused(Template::get("http://[::1]/")), None);
        assert_eq!(refused(Template::get("file:///etc/passwd")), Some(TemplateError::NotSecure));
        assert_eq!(refused(Template::get("https://{user}.example/")), Some(TemplateError::PlaceInHost));
        assert_eq!(refused(Template::get("https://a@b.example/")), Some(TemplateError::PlaceInHost));
        let unknown = TemplateError::UnknownPlace("pin".into());
        assert_eq!(refused(Template::get("https://billing.example/{pin}")), Some(unknown));
        for strange in
            ["https://bill\ning.example/", "https://b\\illing.example/", "https://b\u{456}lling.example/"]
        {
            assert_eq!(refused(Template::get(strange)), Some(TemplateError::BadHost), "{strange:?}");
        }
        let clear = Template { allow_clear: true, ..Template::get("http://billing.example/") };
        assert_eq!(refused(clear), None);
        let header = vec![("X-User".into(), "{user}\r\nX: y".into())];
        let header = Template { headers: header, ..Template::get("https://billing.example/") };
        assert_eq!(refused(header), Some(TemplateError::BadHeader("X-User".into())));
    }

    #[test]
    fn a_password_is_shown_where_the_server_reads_it_and_not_by_a_digest() {
        let own = || Secret::new("{password}".to_owned());
        let signed = |auth| Template { auth, ..Template::get("https://b.example/{user}") }.shows_password();
        assert!(!signed(Auth::None) && !signed(Auth::Digest("{user}".into(), own())));
        assert!(signed(Auth::Basic("{user}".into(), own())) && signed(Auth::Bearer(own())));
        assert!(!signed(Auth::Basic("{user}".into(), Secret::new("another".into()))));
        let form = Body::Form(vec![("p".into(), "{password}".into())]);
        assert!(Template::post("https://b.example/", form).shows_password());
        assert!(Template::get("https://b.example/{password}").shows_password());
    }

    #[test]
    fn a_place_is_there_only_where_that_is_asked() {
        let card = Card { number: Secret::new("12 34".into()), pin: Secret::new("p\"{user}".into()) };
        let call = About::CallBack { caller: "+491".into(), callee: "+492".into() };
        let url = |template: &str, about: &About| {
            let request = Template::get(format!("https://b.example/{template}")).fill(&known(), about);
            request.map(|it| it.url.expose().trim_start_matches("https://b.example/").to_owned())
        };
        let no = |word: &str| Err(TemplateError::UnknownPlace(word.into()));
        let number = About::Number("0301".into());
        assert_eq!(url("{account}/{number}", &number), Ok("1001/0301".into()));
        assert_eq!(url("{caller}/{callee}/{number}", &call), Ok("%2B491/%2B492/%2B492".into()));
        for about in [&About::Account, &number, &call] {
            assert_eq!((url("{card}", about), url("{pin}", about)), (no("card"), no("pin")));
        }
        let about = About::Card(card);
        assert_eq!((url("{caller}", &about), url("{callee}", &number)), (no("caller"), no("callee")));
        // What stands in a place is text, and no place again.
        let body = Body::Json(r#"{"card":"{card}","pin":"{pin}"}"#.into());
        let request = Template::post("https://b.example/", body).fill(&known(), &about).unwrap();
        assert_eq!(request.body.expose(), br#"{"card":"12 34","pin":"p\"{user}"}"#);
    }
}
