//! `balance`: what an account's provider is asked, and how its answers are read; as it is written down.
//!
//! ```text
//!  balance             what is left; `vos` is a switch's JSON interface, all of it
//!  balance.minutes     how long that is enough for, to a number      unit
//!  balance.top_up      takes a card                                  is, words
//!  balance.callback    rings the person, then who is wanted          is, words, caller
//! ```
//! A table below without an `auth` says who asks as `balance` does, and so may it go in clear. What may hold a key (passwords,
//! tokens, and all header fields) is never written, but kept beside: [`AskSecrets`]. Knows nothing of when to ask, nor how.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::words::{Hidden, Long, Text};
use crate::{AskSecrets, Secrets};

/// Header fields, and fields of a form, at most.
const MOST: usize = 32;

/// What the tables have in common, without their secrets' places being written twice.
pub(crate) struct Question {
    pub(crate) url: Option<Long>,
    pub(crate) method: Option<MethodName>,
    pub(crate) body: Option<BodyForm>,
    pub(crate) auth: Option<AuthName>,
    pub(crate) user: Option<Text>,
    pub(crate) own: AskSecrets,
    pub(crate) format: Option<FormatName>,
    pub(crate) pointer: Option<Text>,
    pub(crate) path: Option<Text>,
    pub(crate) regex: Option<Text>,
    pub(crate) allow_clear: Option<bool>,
}

/// A table that asks something, with fields of its own behind those that all of them have.
macro_rules! asking {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $field:ident: $kind:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Default, Deserialize, Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// Whom to ask: `https://...`, with places for what is known.
            pub url: Option<Long>,
            /// GET or POST; as the body has it.
            pub method: Option<MethodName>,
            /// What is sent.
            pub body: Option<BodyForm>,
            /// Header fields beside the usual.
            #[serde(skip_serializing, deserialize_with = "few")]
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
            /// How the answer is read; `auto` as a rule.
            pub format: Option<FormatName>,
            /// Of `json`: where what is wanted stands.
            pub pointer: Option<Text>,
            /// Of `xml`.
            pub path: Option<Text>,
            /// Of `text`.
            pub regex: Option<Text>,
            /// Passwords may go without TLS.
            pub allow_clear: Option<bool>,
            $($(#[$of])* pub $field: $kind,)*
        }

        impl $name {
            /// Its secrets, taken out of it.
            pub(crate) fn part(&mut self) -> AskSecrets {
                AskSecrets {
                    password: self.password.take(),
                    token: self.token.take(),
                    headers: std::mem::take(&mut self.headers),
                }
            }

            /// The reverse.
            pub(crate) fn join(&mut self, secrets: &AskSecrets) {
                self.password.clone_from(&secrets.password);
                self.token.clone_from(&secrets.token);
                self.headers.clone_from(&secrets.headers);
            }

            /// What it has in common with the others, taken out of it.
            pub(crate) fn question(&mut self) -> Question {
                Question {
                    own: self.part(),
                    url: self.url.take(),
                    method: self.method,
                    body: self.body.take(),
                    auth: self.auth,
                    user: self.user.take(),
                    format: self.format,
                    pointer: self.pointer.take(),
                    path: self.path.take(),
                    regex: self.regex.take(),
                    allow_clear: self.allow_clear,
                }
            }
        }

        /// Without what may be a password, and so by hand.
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
}

asking! {
    /// `balance`: what is left, and what else can be asked for.
    BalanceForm {
        /// A VOS switch's JSON interface, all of it: `https://billing.example/external/server`, or the server's name alone.
        /// What else is said takes the place of its part.
        vos: Option<Text>,
        /// Where the answer says in what it is: a pointer or a path, as the amount's.
        currency: Option<Text>,
        /// For how long a call could be.
        minutes: Option<Box<MinutesForm>>,
        /// Takes a card.
        top_up: Option<Box<TopUpForm>>,
        /// Calls back.
        callback: Option<Box<CallBackForm>>,
    }
}

asking! {
    /// `balance.minutes`: for how long a call to `{number}` could be.
    MinutesForm {
        /// What the number in the answer counts; seconds as a rule.
        unit: Option<UnitName>,
    }
}

asking! {
    /// `balance.top_up`: takes a `{card}` with its `{pin}`.
    TopUpForm {
        /// What stands at the place when it is done.
        is: Option<Text>,
        /// Where the provider's own words stand, by the same kind of place.
        words: Option<Text>,
    }
}

asking! {
    /// `balance.callback`: rings `{caller}`, then `{callee}`.
    CallBackForm {
        /// What stands at the place when it is done.
        is: Option<Text>,
        /// Where the provider's own words stand, by the same kind of place.
        words: Option<Text>,
        /// Where the person is; else at the account's own number.
        caller: Option<Text>,
    }
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

/// What a length of time is counted in.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum UnitName {
    /// As it says.
    Seconds,
    /// As it says.
    Minutes,
}

fn few<'de, D: Deserializer<'de>>(source: D) -> Result<BTreeMap<String, Hidden>, D::Error> {
    // The reader's own words may quote what is there.
    let headers = BTreeMap::<String, Hidden>::deserialize(source)
        .map_err(|_| de::Error::custom("header fields are names with texts of at most 16384 bytes"))?;
    if headers.len() > MOST { Err(de::Error::custom(format!("name at most {MOST}"))) } else { Ok(headers) }
}

impl BalanceForm {
    /// The secrets of all its tables, taken out of them.
    pub(crate) fn part_all(&mut self, secrets: &mut Secrets) {
        secrets.balance = self.part();
        secrets.balance_minutes = self.minutes.as_mut().map(|it| it.part()).unwrap_or_default();
        secrets.balance_top_up = self.top_up.as_mut().map(|it| it.part()).unwrap_or_default();
        secrets.balance_callback = self.callback.as_mut().map(|it| it.part()).unwrap_or_default();
    }

    /// The reverse.
    pub(crate) fn join_all(&mut self, secrets: &Secrets) {
        self.join(&secrets.balance);
        self.minutes.iter_mut().for_each(|it| it.join(&secrets.balance_minutes));
        self.top_up.iter_mut().for_each(|it| it.join(&secrets.balance_top_up));
        self.callback.iter_mut().for_each(|it| it.join(&secrets.balance_callback));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_written_so_that_no_name_in_it_looks_like_a_secrets() {
        let text = "url = \"https://b.test/\"\nbody = { password = \"{password}\", u = \"{user}\" }\n";
        let form: BalanceForm = toml::from_str(text).unwrap();
        let written = serde_json::to_value(&form).unwrap();
        assert_eq!(written["body"].to_string(), r#"[["password","{password}"],["u","{user}"]]"#);
        let again: BalanceForm = serde_json::from_value(written).unwrap();
        assert!(matches!(again.body, Some(BodyForm::Form(fields)) if fields.len() == 2));
    }

    #[test]
    fn a_key_that_is_another_tables_or_nobodys_is_named() {
        for (text, key) in [
            ("unit = \"minutes\"", "`unit`"),
            ("[minutes]\nvos = \"b.test\"", "`vos`"),
            ("[minutes.minutes]", "`minutes`"),
            ("[top_up]\ncaller = \"1\"", "`caller`"),
            ("[callback]\ncurrency = \"/c\"", "`currency`"),
            ("[callback]\npasswort = \"hush\"", "`passwort`"),
        ] {
            let error = toml::from_str::<BalanceForm>(text).map(drop).unwrap_err();
            assert!(error.message().contains(&format!("unknown field {key}")), "{text}: {error}");
        }
        let header = toml::from_str::<BalanceForm>("headers = \"hush\"").map(drop).unwrap_err();
        assert!(!header.message().contains("hush"), "{header}");
    }
}
