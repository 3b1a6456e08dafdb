//! An account's document: JSON without secrets, kept by a store and handed from one phone to another.
//!
//! RFC 8259 for the text. What an older program does not know is kept and told of; a form with another number is refused. An
//! error names its field, and quotes no secret. Knows no files, and not what the fields do together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Secrets;
use crate::form::Form;
use crate::paths::{TABLES, is_known, is_there, names_in, names_of, names_within, put, table_mut};
use crate::words::{Text, Version, excerpt};

/// Longest document that is read, in bytes.
pub const MAX_DOCUMENT: usize = 64 * 1024;
/// Fields that are not known and kept, at most.
const MOST_UNKNOWN: usize = 64;

/// An account without its secrets.
#[derive(Clone, Default)]
pub struct Document {
    form: Form,
    /// What is not known here, by its path.
    unknown: BTreeMap<String, Value>,
}

/// A field that cannot be used: `Display` is a sentence that names it. Show it beside the field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct BadField {
    /// As the document has it: `nat.stun`.
    pub field: String,
    /// In words; no secret is in it.
    pub why: String,
}

impl BadField {
    pub(crate) fn new(field: &str, why: impl ToString) -> Self {
        bad(field, &why)
    }

    /// The same of a table that stands in another.
    pub(crate) fn within(self, table: &str) -> Self {
        Self { field: format!("{table}.{}", self.field), why: self.why }
    }
}

/// Why a text is no account's document. Show the sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Nobody's account is so long.
    #[error("that is longer than any account's document: 65536 bytes")]
    TooLong,
    /// Not the form that it should have.
    #[error("that is no JSON: line {line}, column {column}")]
    NotJson {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// JSON of another kind.
    #[error("that is no account's document: it is a JSON object with \"offhook\": 1 and a \"uri\"")]
    NotAnAccount,
    /// So many fields are not of this program.
    #[error("that is no account's document: most of it is not known here")]
    Strange,
    /// One field.
    #[error(transparent)]
    Field(#[from] BadField),
}

impl Document {
    /// Of a form whose secrets were taken out.
    pub(crate) fn of(form: Form) -> Self {
        Self { form: Form { offhook: Some(Version(1)), ..form }, unknown: BTreeMap::new() }
    }

    /// Reads a document, and the secrets that somebody wrote into it.
    ///
    /// # Errors
    /// [`Unreadable`]: show its sentence.
    pub fn read(json: &str) -> Result<(Self, Secrets), Unreadable> {
        if json.len() > MAX_DOCUMENT {
            return Err(Unreadable::TooLong);
        }
        let value: Value = serde_json::from_str(json)
            .map_err(|error| Unreadable::NotJson { line: error.line(), column: error.column() })?;
        let Value::Object(fields) = value else { return Err(Unreadable::NotAnAccount) };
        if !fields.contains_key("offhook") || !fields.contains_key("uri") {
            return Err(Unreadable::NotAnAccount);
        }
        Self::of_fields(fields)
    }

    fn of_fields(mut fields: Map<String, Value>) -> Result<(Self, Secrets), Unreadable> {
        // First: in another form, the others mean something else.
        let version = fields.get("offhook").cloned().unwrap_or(Value::Null);
        Version::deserialize(version).map_err(|why| bad("offhook", &why))?;
        let unknown = take_unknown(&mut fields)?;
        let form = Form::deserialize(&fields).map_err(|why| blame(&fields, &why))?;
        let (mut document, secrets) = form.part();
        document.unknown = unknown;
        Ok((document, secrets))
    }

    /// The document as JSON, in a stable order.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(&self.fields()).expect("an account's fields are always JSON")
    }

    fn fields(&self) -> Map<String, Value> {
        let mut fields = written(&self.form);
        for (path, value) in &self.unknown {
            put(&mut fields, path, Some(value.clone()));
        }
        fields
    }

    /// Its fields.
    pub const fn form(&self) -> &Form {
        &self.form
    }

    /// The same with other fields, and the secrets that stand in those; fields that are not known here stay.
    #[must_use]
    pub fn with(&self, form: Form) -> (Self, Secrets) {
        let (document, secrets) = form.part();
        (Self { unknown: self.unknown.clone(), ..document }, secrets)
    }

    /// Those of its fields that are not as usual, by their paths.
    pub fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        names_within(&self.fields(), "", &mut names);
        names
    }

    /// Fields that this program does not know, by their paths.
    pub fn unknown(&self) -> impl Iterator<Item = &str> {
        self.unknown.keys().map(String::as_str)
    }

    /// What a provider says beside the account: who it is, and whether it is to be the default.
    pub(crate) fn take_offer(&mut self) -> (Option<Text>, bool) {
        (self.form.provider.take(), self.form.default.take().unwrap_or(false))
    }

    /// Without the fields that are not known.
    pub fn without_unknown(mut self) -> Self {
        self.unknown.clear();
        self
    }

    /// Changes one field, by its path (`nat.stun`); `None` removes it. A text may be JSON. A secret goes into `secrets`.
    ///
    /// # Errors
    /// [`BadField`]: it cannot be used, and nothing has changed.
    pub fn set(&mut self, secrets: &mut Secrets, path: &str, value: Option<&str>) -> Result<(), BadField> {
        if !is_known(path) {
            return Err(BadField::new(&excerpt(path), "there is no such field"));
        }
        let mut form = self.form.clone();
        form.join(secrets);
        let kept = form_with_secrets(&form, secrets);
        // What looks like a number may be a name: `auth_user=1001`.
        let ways: Vec<Option<Value>> = match value {
            None => vec![None],
            Some(text) => {
                serde_json::from_str(text).ok().into_iter().chain([text.into()]).map(Some).collect()
            }
        };
        let mut refused = None;
        for value in ways {
            let mut fields = kept.clone();
            put(&mut fields, path, value);
            match Self::of_fields(fields) {
                Ok((document, read)) => {
                    let mut unknown = std::mem::take(&mut self.unknown);
                    let fields = document.fields();
                    // Of a table that is gone, nothing is left.
                    unknown.retain(|path, _| is_there(&fields, path));
                    *self = Self { unknown, ..document };
                    *secrets = read;
                    return Ok(());
                }
                Err(Unreadable::Field(why)) => drop(refused.get_or_insert(why)),
                Err(other) => drop(refused.get_or_insert_with(|| BadField::new(path, other))),
            }
        }
        Err(refused.expect("one way was tried, and what was not taken was refused"))
    }
}

/// Not what is in it.
impl std::fmt::Debug for Document {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Document")
    }
}

/// Its fields without its secrets.
fn written(form: &Form) -> Map<String, Value> {
    match serde_json::to_value(form).ok().and_then(pruned) {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(), // a struct of names and texts is always an object
    }
}

/// Both as they would be read together.
fn form_with_secrets(form: &Form, secrets: &Secrets) -> Map<String, Value> {
    let mut fields = written(form);
    let open = |it: &crate::words::Hidden| Value::String(it.0.expose().clone());
    let named =
        [("password", &secrets.password), ("tls_key", &secrets.tls_key), ("vos.key", &secrets.vos_key)];
    for (path, secret) in named {
        if let Some(secret) = secret {
            put(&mut fields, path, Some(open(secret)));
        }
    }
    if let (Some(prid), Some(_)) = (&secrets.push_prid, &form.push) {
        put(&mut fields, "push.prid", Some(open(prid)));
    }
    for (table, asks) in secrets.asks() {
        let password = asks.password.as_ref().map(open);
        let token = asks.token.as_ref().map(open);
        let headers = asks.headers.iter().map(|(name, value)| (name.clone(), open(value)));
        let headers = Some(Value::Object(headers.collect())).filter(|_| !asks.headers.is_empty());
        for (name, value) in [("password", password), ("token", token), ("headers", headers)] {
            let path = format!("{table}.{name}");
            if value.is_some() && is_there(&fields, &path) {
                put(&mut fields, &path, value);
            }
        }
    }
    if let Some(nat) = &form.nat {
        let relays = nat.turn.relays.iter().map(|relay| {
            let mut one = Map::new();
            one.insert("uri".into(), relay.uri.as_str().into());
            one.insert("user".into(), relay.user.as_str().into());
            if let Some(password) = &relay.password {
                one.insert("password".into(), open(password));
            }
            Value::Object(one)
        });
        let relays: Vec<Value> = relays.collect();
        if let Some(service) = &nat.turn.service {
            let mut one = Map::new();
            one.insert("service".into(), open(&service.service));
            if let Some(token) = &service.token {
                one.insert("token".into(), open(token));
            }
            put(&mut fields, "nat.turn", Some(Value::Object(one)));
        } else if !relays.is_empty() {
            put(&mut fields, "nat.turn", Some(Value::Array(relays)));
        }
    }
    fields
}

/// Takes out what this program has no name for.
fn take_unknown(fields: &mut Map<String, Value>) -> Result<BTreeMap<String, Value>, Unreadable> {
    let mut unknown = BTreeMap::new();
    let mut take = |within: &mut Map<String, Value>, known: &[&str], before: &str| {
        let strange: Vec<String> = within.keys().filter(|name| !known.contains(&&***name)).cloned().collect();
        for name in strange {
            // A dot in a name would lead elsewhere when it is put back.
            if let Some(value) = within.remove(&name).filter(|_| !name.contains('.')) {
                unknown.insert(format!("{before}{name}"), value);
            }
        }
    };
    take(fields, names_of::<Form>(), "");
    for table in TABLES {
        if let Some(within) = table_mut(fields, table, false) {
            take(within, names_in(table), &format!("{table}."));
        }
    }
    if unknown.len() > MOST_UNKNOWN { Err(Unreadable::Strange) } else { Ok(unknown) }
}

/// Which field it was: the one that cannot be read alone.
fn blame(fields: &Map<String, Value>, why: &serde_json::Error) -> BadField {
    let alone = |path: &str, value: &Value| {
        let mut only = Map::new();
        put(&mut only, path, Some(value.clone()));
        Form::deserialize(Value::Object(only)).err()
    };
    let mut found = bad("account", why);
    let mut next = Some((fields, String::new()));
    while let Some((within, before)) = next.take() {
        let culprit = within.iter().find_map(|(name, value)| {
            let path = format!("{before}{name}");
            let why = alone(&path, value)?;
            Some((path, value, why))
        });
        let Some((path, value, why)) = culprit else { break };
        found = bad(&path, &why);
        next = value.as_object().filter(|_| TABLES.contains(&&*path)).map(|within| (within, path + "."));
    }
    found
}

fn bad(field: &str, why: &impl ToString) -> BadField {
    let why: String = why.to_string().chars().take(300).collect();
    // Neither may steer a screen.
    let shown = |text: &str| {
        text.chars().map(|it| if crate::words::is_hidden(it) { '\u{fffd}' } else { it }).collect()
    };
    BadField { field: excerpt(field), why: shown(&why) }
}

/// Without what is as usual. A table stays, though nothing be left in it: that it is there says something.
fn pruned(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Array(all) if all.is_empty() => None,
        Value::Array(all) => Some(Value::Array(all.into_iter().filter_map(pruned).collect())),
        Value::Object(fields) => {
            let fields = fields.into_iter().filter_map(|(name, value)| Some((name, pruned(value)?)));
            Some(Value::Object(fields.collect()))
        }
        other => Some(other),
    }
}

/// One field of a document as JSON, for a person: `None` where it is as usual.
pub fn field(document: &Document, path: &str) -> Option<String> {
    let whole = Value::Object(document.fields());
    let value = path.split('.').try_fold(&whole, |within, name| within.get(name))?;
    Some(match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

impl Serialize for Document {
    fn serialize<S: serde::Serializer>(&self, sink: S) -> Result<S::Ok, S::Error> {
        self.fields().serialize(sink)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::AskSecrets;

    /// Every field that a document may have.
    pub(crate) const WHOLE: &str = include_str!("whole.json");

    fn account(more: &str) -> Result<(Document, Secrets), Unreadable> {
        Document::read(&format!("{{\"offhook\":1,\"uri\":\"sip:a@b.test\"{more}}}"))
    }

    #[test]
    fn a_document_is_written_as_it_was_read_and_without_its_secrets() {
        let (document, secrets) = Document::read(WHOLE).unwrap();
        assert_eq!(document.unknown().count(), 0);
        let json = document.to_json();
        assert!(!json.contains("hush"), "{json}");
        let (again, none) = Document::read(&json).unwrap();
        assert!(none.is_empty() && again.to_json() == json);
        let whole: Value = serde_json::from_str(WHOLE).unwrap();
        let missing: Vec<_> = names_of::<Form>().iter().filter(|name| whole.get(name).is_none()).collect();
        assert!(missing.is_empty(), "the example lacks {missing:?}");
        for table in TABLES {
            let there = table.split('.').try_fold(&whole, |within, name| within.get(name)).unwrap();
            let lacks = |name: &&&str| there.get(**name).is_none();
            let missing: Vec<_> = names_in(table).iter().filter(lacks).collect();
            assert!(missing.is_empty() || table.starts_with("balance"), "{table} lacks {missing:?}");
        }
        let map = secrets.to_map();
        assert_eq!(Secrets::of_map(&map), secrets);
        let mut kept: Vec<&str> = map.values().map(|it| it.expose().as_str()).collect();
        kept.sort_unstable();
        let all: Vec<String> = ["1", "10", "11", "12", "2", "3", "4", "5", "6", "7", "8", "9"]
            .map(|number| format!("hush-{number}"))
            .into();
        assert_eq!(kept, all);
    }

    #[test]
    fn the_readme_has_every_field() {
        const README: &str = include_str!("../../../README.md");
        let within = TABLES.iter().flat_map(|table| names_in(table));
        let rules = names_of::<crate::RuleForm>().iter();
        for name in names_of::<Form>().iter().chain(within).chain(rules) {
            assert!(README.contains(&format!("\"{name}\": ")), "{name}");
        }
    }

    #[test]
    fn what_is_not_known_is_kept_and_told_of() {
        let more = r#","shoe":{"by":"fcm"},"nat":{"stun":"stun:s.test","quic":true},
            "balance":{"vos":"b.test","top_up":{"url":"https://b.test/","by":"shop"}}"#;
        let (mut document, mut secrets) = account(more).unwrap();
        assert_eq!(document.unknown().collect::<Vec<_>>(), ["balance.top_up.by", "nat.quic", "shoe"]);
        let json = document.to_json();
        let (again, _) = Document::read(&json).unwrap();
        assert_eq!(again.to_json(), json);
        assert!(
            json.contains("\"fcm\"") && json.contains("\"quic\": true") && json.contains("shop"),
            "{json}"
        );
        assert!(!again.without_unknown().to_json().contains("fcm"));
        // It does not bring back what was taken away.
        document.set(&mut secrets, "balance", None).unwrap();
        assert_eq!(document.unknown().collect::<Vec<_>>(), ["nat.quic", "shoe"]);
    }

    #[test]
    fn a_field_that_cannot_be_used_is_named_and_no_secret_is_quoted() {
        for (more, field, why) in [
            (r#","expires":"long""#, "expires", "invalid type"),
            (r#","codecs":["MP3"]"#, "codecs", "`MP3` is unknown"),
            (r#","codecs":[]"#, "codecs", "at least one"),
            (r#","nat":{"stun":"s.test"}"#, "nat.stun", "`s.test` is not a STUN server"),
            (r#","nat":{"turn":[{"uri":"turn:r.test","user":"u","pass":"hush"}]}"#, "nat.turn", "a relay is"),
            (r#","nat":{"turn":{"service":"http://r.test/?hush"}}"#, "nat.turn", "anybody on the way"),
            (r#","password":4711"#, "password", "it is no text"),
            (r#","transport":"sctp""#, "transport", "known are auto, udp"),
            (r#","display_name":"a\u202eb""#, "display_name", "nobody sees"),
            (r#","vos":{"media":"rc4"}"#, "vos.media", "not supported"),
            (r#","balance":{"url":"https://b.test/","method":"PUT"}"#, "balance.method", "unknown variant"),
            (r#","balance":{"minutes":{"unit":"hours"}}"#, "balance.minutes.unit", "unknown variant"),
            (r#","balance":{"top_up":{"headers":"hush"}}"#, "balance.top_up.headers", "header fields are"),
            (r#","balance":{"callback":{"password":4711}}"#, "balance.callback.password", "it is no text"),
            (r#","balance":{"callback":[7]}"#, "balance.callback", "invalid"),
            (r#","session_expires":30"#, "session_expires", "at least 90"),
            (r#","dial_plan":[{"begin":"0"}]"#, "dial_plan", "unknown field"),
            (r#","tls_pin":"12:34""#, "tls_pin", "64 hexadecimal digits"),
        ] {
            let Err(Unreadable::Field(bad)) = account(more).map(drop) else { panic!("{more}") };
            assert!(bad.field == field && bad.why.contains(why), "{bad}");
            assert!(!bad.why.contains("hush") && !bad.why.contains("4711"), "{bad}");
        }
        assert!(account(r#","uri":"sip:a:hush@b.test""#).unwrap_err().to_string().starts_with("uri: "));
    }

    #[test]
    fn what_is_no_document_of_this_form_is_said_to_be_none() {
        assert_eq!(Document::read("[1]").unwrap_err(), Unreadable::NotAnAccount);
        assert_eq!(Document::read("{\"uri\":\"sip:a@b\"}").unwrap_err(), Unreadable::NotAnAccount);
        assert_eq!(Document::read("{\n,").unwrap_err(), Unreadable::NotJson { line: 2, column: 1 });
        assert_eq!(Document::read(&" ".repeat(MAX_DOCUMENT + 1)).unwrap_err(), Unreadable::TooLong);
        assert!(Document::read(&"[".repeat(MAX_DOCUMENT)).is_err(), "deep");
        let newer = Document::read(r#"{"offhook":2,"uri":7}"#).unwrap_err().to_string();
        assert!(newer.contains("offhook: form 2 is not known here"), "{newer}");
        let strange: Vec<String> = (0..100).map(|at| format!(",\"x{at}\":1")).collect();
        assert_eq!(account(&strange.concat()).unwrap_err(), Unreadable::Strange);
    }

    #[test]
    fn one_field_is_changed_and_the_others_stay() {
        let (mut document, mut secrets) = Document::read(WHOLE).unwrap();
        document.set(&mut secrets, "auth_user", Some("1001")).unwrap();
        document.set(&mut secrets, "password", Some("4711")).unwrap();
        document.set(&mut secrets, "codecs", Some(r#"["opus"]"#)).unwrap();
        document.set(&mut secrets, "nat.ice", Some("false")).unwrap();
        document.set(&mut secrets, "balance.top_up.url", Some("https://cards.test/")).unwrap();
        document.set(&mut secrets, "balance.callback.token", Some("hush-0")).unwrap();
        document.set(&mut secrets, "balance.minutes", None).unwrap();
        let shown = |path| field(&document, path);
        assert_eq!(shown("auth_user").as_deref(), Some("1001"));
        assert_eq!(shown("codecs").as_deref(), Some("[\"opus\"]"));
        assert_eq!((shown("nat.ice").as_deref(), shown("balance.minutes")), (Some("false"), None));
        assert_eq!(shown("balance.top_up.url").as_deref(), Some("https://cards.test/"));
        assert_eq!(secrets.password.as_ref().map(|it| &**it.0.expose()), Some("4711"));
        assert_eq!(secrets.balance_callback.token.as_ref().map(|it| &**it.0.expose()), Some("hush-0"));
        assert!(
            secrets.balance_minutes == AskSecrets::default() && secrets.balance_top_up.password.is_some()
        );
        document.set(&mut secrets, "balance", None).unwrap();
        assert!(secrets.balance.token.is_none() && secrets.relays.len() == 1 && secrets.tls_key.is_some());
        for (path, value) in [
            ("expires", "x"),
            ("nat.x", "1"),
            ("balance.top_up.vos", "b.test"),
            ("offhook", "2"),
            ("x", "1"),
            ("uri", "bob"),
        ] {
            let error = document.set(&mut secrets, path, Some(value)).unwrap_err();
            assert_eq!(error.field, path);
        }
        let (mut bare, mut none) = account("").unwrap();
        bare.set(&mut none, "nat.stun", None).unwrap();
        assert_eq!(field(&bare, "nat"), None, "its being there would say something");
    }
}
