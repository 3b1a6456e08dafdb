//! `balance`: who is asked what is left on an account, and how the answer is read.
//!
//! Knows nothing of when to ask, nor how.

use std::collections::BTreeMap;

use balance::{Auth, Body, Reading, Template};
use base::Secret;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::words::{Hidden, Long, Text};

/// Header fields, and fields of a form, at most.
const MOST: usize = 32;

/// As it is written down. What may hold a key (all header fields) is never written, but kept beside.
#[derive(Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct BalanceForm {
    /// Whom to ask: `https://...`, with places for what is known.
    pub url: Long,
    /// GET or POST; as the body has it.
    pub method: Option<MethodName>,
    /// What is sent.
    pub body: Option<BodyForm>,
    /// Header fields beside the usual.
    #[serde(default, skip_serializing, deserialize_with = "few")]
    pub headers: BTreeMap<String, Hidden>,
    /// How we say who we are.
    pub auth: Option<AuthName>,
    /// For `auth`: `{user}` as a rule.
    pub user: Option<Text>,
    /// For `auth`: the account's as a rule.
    #[serde(skip_serializing)]
    pub password: Option<Hidden>,
    /// For a bearer.
    #[serde(skip_serializing)]
    pub token: Option<Hidden>,
    /// How the answer is read.
    #[serde(default)]
    pub format: FormatName,
    /// Of `json`: where the amount stands.
    pub pointer: Option<Text>,
    /// Of `xml`.
    pub path: Option<Text>,
    /// Of `text`.
    pub regex: Option<Text>,
    /// What it is in, where the answer does not say.
    pub currency: Option<Text>,
    /// Passwords may go without TLS.
    #[serde(default)]
    pub allow_clear: bool,
}

/// A form's fields, or the text of a JSON body.
#[derive(Clone)]
pub enum BodyForm {
    /// Of a form.
    Form(BTreeMap<Text, Text>),
    /// Of JSON.
    Json(Long),
}

impl<'de> Deserialize<'de> for BodyForm {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Given {
            Table(BTreeMap<Text, Text>),
            Pairs(Vec<(Text, Text)>),
            Json(Long),
        }
        let fields = match Given::deserialize(source) {
            Ok(Given::Json(text)) => return Ok(Self::Json(text)),
            Ok(Given::Table(fields)) => fields,
            Ok(Given::Pairs(fields)) => fields.into_iter().collect(),
            Err(_) => return Err(de::Error::custom("a body is the text of JSON, or a form's fields")),
        };
        if fields.len() > MOST {
            return Err(de::Error::custom(format!("a form has at most {MOST} fields here")));
        }
        Ok(Self::Form(fields))
    }
}

/// Fields as pairs: one that is named `password` is a place for it, and not the password.
impl Serialize for BodyForm {
    fn serialize<S: Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Form(fields) => sink.collect_seq(fields),
            Self::Json(text) => text.serialize(sink),
        }
    }
}

/// How it is asked.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum MethodName {
    /// Nothing is sent with it.
    #[serde(rename = "GET")]
    Get,
    /// With a body.
    #[serde(rename = "POST")]
    Post,
}

/// How the web server is told who asks.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthName {
    /// RFC 7617.
    Basic,
    /// RFC 6750.
    Bearer,
    /// RFC 7616.
    Digest,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FormatName {
    /// Whatever it looks like.
    #[default]
    Auto,
    /// A VOS server's JSON.
    Vos,
    /// A VOS server's older form.
    VosForm,
    /// JSON, at `pointer`.
    Json,
    /// XML, at `path`.
    Xml,
    /// Text, by `regex`.
    Text,
}

fn few<'de, D: Deserializer<'de>>(source: D) -> Result<BTreeMap<String, Hidden>, D::Error> {
    let headers = BTreeMap::<String, Hidden>::deserialize(source)?;
    if headers.len() > MOST { Err(de::Error::custom(format!("name at most {MOST}"))) } else { Ok(headers) }
}

/// Without what may be a password, and so by hand.
impl std::fmt::Debug for BalanceForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BalanceForm")
    }
}

impl BalanceForm {
    /// What is asked, and how the answer is read.
    ///
    /// # Errors
    /// A sentence that names the key.
    pub fn asked(mut self) -> Result<(Template, Reading), String> {
        let auth = self.auth()?;
        let reading = self.reading()?;
        let fields = |fields: BTreeMap<Text, Text>| {
            fields.into_iter().map(|(name, value)| (name.into_inner(), value.into_inner())).collect()
        };
        let body = match (self.method, self.body) {
            (Some(MethodName::Get), Some(_)) => return Err("body: a GET has none".to_owned()),
            (_, Some(BodyForm::Json(text))) => Some(Body::Json(text.into_inner())),
            (_, Some(BodyForm::Form(all))) => Some(Body::Form(fields(all))),
            (Some(MethodName::Post), None) => Some(Body::Form(Vec::new())),
            (_, None) => None,
        };
        let headers =
            self.headers.into_iter().map(|(name, value)| (name, value.0.expose().clone())).collect();
        let template =
            Template { url: self.url.into_inner(), body, headers, auth, allow_clear: self.allow_clear };
        template.check().map_err(|error| error.to_string())?;
        Ok((template, reading))
    }

    fn auth(&mut self) -> Result<Auth, String> {
        // Moved and not copied, so that what is left of them is wiped; whether they are used or not.
        let (password, token) = (self.password.take().map(|it| it.0), self.token.take().map(|it| it.0));
        let user = || self.user.clone().map_or_else(|| "{user}".to_owned(), Text::into_inner);
        let password = password.unwrap_or_else(|| Secret::new("{password}".to_owned()));
        Ok(match self.auth {
            None => Auth::None,
            Some(AuthName::Basic) => Auth::Basic(user(), password),
            Some(AuthName::Digest) => Auth::Digest(user(), password),
            Some(AuthName::Bearer) => Auth::Bearer(token.ok_or("auth: a bearer needs a `token`")?),
        })
    }

    fn reading(&self) -> Result<Reading, String> {
        let needed = |key: &str, given: &Option<Text>| {
            given.clone().map(Text::into_inner).ok_or(format!("format: it needs a `{key}`"))
        };
        let currency = self.currency.clone().map(Text::into_inner);
        Ok(match self.format {
            FormatName::Auto => Reading::Auto,
            FormatName::Vos => Reading::VosJson,
            FormatName::VosForm => Reading::VosForm,
            FormatName::Json => Reading::Json { amount: needed("pointer", &self.pointer)?, currency },
            FormatName::Xml => Reading::Xml { amount: needed("path", &self.path)?, currency },
            FormatName::Text => match &self.regex {
                Some(regex) => Reading::text(regex.as_str()).map_err(|error| format!("regex: {error}"))?,
                None => Reading::Bare,
            },
        })
    }

    /// The account's own password is sent along as it is, to be read by the server that is asked.
    pub(crate) fn shows_password(&self) -> bool {
        let place = |text: &str| text.contains("{password}");
        let within = match &self.body {
            Some(BodyForm::Form(fields)) => fields.values().any(|value| place(value.as_str())),
            Some(BodyForm::Json(text)) => place(text.as_str()),
            None => false,
        };
        let basic = matches!(self.auth, Some(AuthName::Basic)) && self.password.is_none();
        let headers = self.headers.values().any(|value| place(value.0.expose()));
        within || basic || headers || place(self.url.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Result<(Template, Reading), String> {
        toml::from_str::<BalanceForm>(text).map_err(|error| error.to_string())?.asked()
    }

    #[test]
    fn what_is_asked_and_how_it_is_read_is_taken_from_the_file() {
        let get = asked("url = \"http://127.0.0.1:8080/balance?user={user}\"\nmethod = \"GET\"\n").unwrap();
        assert!(get.0.body.is_none() && matches!(get.1, Reading::Auto));
        let form = "url = \"https://b.test/c.jsp\"\nformat = \"vos-form\"\nbody = { name = \"{account}\" }\n";
        let form = asked(form).unwrap();
        assert!(matches!(form.0.body, Some(Body::Form(fields)) if fields.len() == 1));
        let json = "url = \"https://b.test/\"\nbody = '{\"a\":\"{account}\"}'\nformat = \"json\"\npointer = \"/b\"\n";
        assert!(matches!(asked(json).unwrap().1, Reading::Json { currency: None, .. }));
    }

    #[test]
    fn a_form_is_written_so_that_no_name_in_it_looks_like_a_secrets() {
        let text = "url = \"https://b.test/\"\nbody = { password = \"{password}\", u = \"{user}\" }\n";
        let form: BalanceForm = toml::from_str(text).unwrap();
        let written = serde_json::to_value(&form).unwrap();
        assert_eq!(written["body"].to_string(), r#"[["password","{password}"],["u","{user}"]]"#);
        let (template, _) = serde_json::from_value::<BalanceForm>(written).unwrap().asked().unwrap();
        assert!(matches!(template.body, Some(Body::Form(fields)) if fields.len() == 2));
    }

    #[test]
    fn what_cannot_be_asked_is_told_with_its_key() {
        for (text, says) in [
            ("url = \"http://b.test/?p={password}\"\n", "https://"),
            ("url = \"https://b.test/{pin}\"\n", "{pin}"),
            ("url = \"https://b.test/\"\nformat = \"text\"\nregex = \"(\"\n", "regex"),
            ("url = \"https://b.test/\"\nauth = \"bearer\"\n", "`token`"),
            ("url = \"https://b.test/\"\nmethod = \"GET\"\nbody = \"{}\"\n", "body"),
        ] {
            let error = asked(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
        let missing = asked("url = \"https://b.test/\"\nformat = \"json\"\n").unwrap_err();
        assert!(missing.contains("`pointer`"), "{missing}");
    }
}
