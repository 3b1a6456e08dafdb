//! How an account's provider is asked what is left, as a screen sets it, and how that stands in the account's document.
//!
//! Most people's provider has a VOS switch, or something before it: [`BalanceSettings::vos`] is then all, and minutes, cards and
//! calls back come with it. A provider that has those otherwise says so in a document of its own; they stay when this is changed.
//! Decides nothing: how answers are read is `balance`'s.

use std::collections::BTreeMap;
use std::str::FromStr;

use account::words::{Hidden, Text};
use account::{AskSecrets, AuthName, BalanceForm, BodyForm, FormatName};
use base::Secret;
use offhook_io::balance::Kept;
use serde::Deserialize;

use crate::document::bad;
use crate::error::{BadSetting, Field, PhoneError};

/// Longer than any header field that works, in bytes.
const LONGEST: usize = 4_096;
/// Fields of a form, and headers.
const MOST_FIELDS: usize = 32;

/// How an account's provider is asked what is left. In `url`, `json`, the values of `form` and `headers`, and `user` these
/// places are filled: `{user}`, `{password}`, `{account}`, `{number}`, each written as its place wants it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, uniffi::Record)]
pub struct BalanceSettings {
    /// A VOS switch's web interface: the server's name or address, with a port if it needs one; or all of it
    /// (`https://billing.example/external/server`). Then `url`, `json` and `form` mean nothing.
    #[uniffi(default = "")]
    #[serde(default)]
    pub vos: String,
    /// What is asked: `https://billing.example/balance?user={user}`.
    #[uniffi(default = "")]
    #[serde(default)]
    pub url: String,
    /// Sent with it as JSON; empty: nothing.
    #[uniffi(default = "")]
    #[serde(default)]
    pub json: String,
    /// Sent with it as a form; empty: nothing.
    #[uniffi(default = [])]
    #[serde(default)]
    pub form: Vec<BalanceField>,
    /// Sent with it. They lie with the account's secrets, for some are keys.
    #[uniffi(default = [])]
    #[serde(default)]
    pub headers: Vec<BalanceField>,
    /// How the web server is told who asks; none: not.
    #[uniffi(default = None)]
    #[serde(default)]
    pub sign: Option<BalanceSign>,
    /// As whom; empty: as the account's own user.
    #[uniffi(default = "")]
    #[serde(default)]
    pub user: String,
    /// How the answer is read; none: whichever it is.
    #[uniffi(default = None)]
    #[serde(default)]
    pub format: Option<BalanceFormat>,
    /// Where the amount is in it: a JSON pointer (`/account/balance`), a path of XML elements (`response/@money`), or an
    /// expression whose first group it is. Empty, in a text: all of it.
    #[uniffi(default = "")]
    #[serde(default)]
    pub amount: String,
    /// Where the currency is, by the same kind of place; empty: it does not say.
    #[uniffi(default = "")]
    #[serde(default)]
    pub currency: String,
    /// Go without TLS where the address says `http:`; anybody on the way reads the password then.
    #[uniffi(default = false)]
    #[serde(default)]
    pub allow_clear: bool,
}

/// A field of a form, or a header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, uniffi::Record)]
pub struct BalanceField {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// How a web server is told who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, uniffi::Enum)]
pub enum BalanceSign {
    /// User and password, as they are.
    Basic,
    /// User, and that the password is known.
    Digest,
    /// A token.
    Bearer,
}

/// How an answer is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, uniffi::Enum)]
pub enum BalanceFormat {
    /// A VOS switch's JSON.
    VosJson,
    /// A VOS switch's older form.
    VosForm,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// Text.
    Text,
}

/// What is left, as it was told last.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Balance {
    /// How much: an exact decimal (`-0.0125`), to be shown as it is or rounded, and never to be computed with as a float.
    pub amount: String,
    /// In what, where the provider says so: `EUR`.
    pub currency: Option<String>,
    /// How far below zero it may go.
    pub overdraft: Option<String>,
    /// Until when it can be used, in milliseconds since 1970.
    pub valid_until_ms: Option<i64>,
    /// When it was told, in milliseconds since 1970: show its age.
    pub told_ms: i64,
}

impl BalanceSettings {
    /// As the screen shows a document.
    pub(crate) fn of(form: &BalanceForm, secrets: &AskSecrets) -> Self {
        let text = |it: &Option<Text>| it.as_ref().map(ToString::to_string).unwrap_or_default();
        let field = |name: &str, value: &str| BalanceField { name: name.into(), value: value.into() };
        let (json, fields) = match &form.body {
            None => (String::new(), Vec::new()),
            Some(BodyForm::Json(text)) => (text.to_string(), Vec::new()),
            Some(BodyForm::Form(fields)) => {
                let fields = fields.iter().map(|(name, value)| field(name.as_str(), value.as_str()));
                (String::new(), fields.collect())
            }
        };
        let place = [&form.pointer, &form.path, &form.regex].into_iter().find(|it| it.is_some());
        Self {
            vos: text(&form.vos),
            url: form.url.as_ref().map(ToString::to_string).unwrap_or_default(),
            json,
            form: fields,
            headers: secrets.headers.iter().map(|(name, value)| field(name, value.0.expose())).collect(),
            sign: form.auth.map(|it| match it {
                AuthName::Basic => BalanceSign::Basic,
                AuthName::Digest => BalanceSign::Digest,
                AuthName::Bearer => BalanceSign::Bearer,
            }),
            user: text(&form.user),
            format: match form.format.unwrap_or_default() {
                FormatName::Auto => None,
                FormatName::Vos => Some(BalanceFormat::VosJson),
                FormatName::VosForm => Some(BalanceFormat::VosForm),
                FormatName::Json => Some(BalanceFormat::Json),
                FormatName::Xml => Some(BalanceFormat::Xml),
                FormatName::Text => Some(BalanceFormat::Text),
            },
            amount: place.map(text).unwrap_or_default(),
            currency: text(&form.currency),
            allow_clear: form.allow_clear.unwrap_or(false),
        }
    }

    /// What the document has of it, and the secrets beside that, with those that were `before`. `secret`: as `set_balance` has it.
    ///
    /// # Errors
    /// `BadSetting`: show its sentence.
    pub(crate) fn form(
        &self,
        before: Option<(&BalanceForm, &AskSecrets)>,
        secret: Option<String>,
    ) -> Result<(BalanceForm, AskSecrets), PhoneError> {
        if [&self.vos, &self.url].into_iter().all(|it| it.trim().is_empty()) {
            return Err(bad(Field::Balance, BadSetting::Missing));
        }
        let (form, known) = before.unzip();
        let mut form = form.cloned().unwrap_or_default();
        form.vos = short(&self.vos)?;
        let by_vos = form.vos.is_some();
        form.url = if by_vos { None } else { long(&self.url)? };
        form.body = if by_vos { None } else { self.body()? };
        form.method = form.method.filter(|_| form.body.is_some());
        form.auth = self.sign.map(|sign| match sign {
            BalanceSign::Basic => AuthName::Basic,
            BalanceSign::Digest => AuthName::Digest,
            BalanceSign::Bearer => AuthName::Bearer,
        });
        form.user = short(&self.user)?;
        form.format = self.format.map(|format| match format {
            BalanceFormat::VosJson => FormatName::Vos,
            BalanceFormat::VosForm => FormatName::VosForm,
            BalanceFormat::Json => FormatName::Json,
            BalanceFormat::Xml => FormatName::Xml,
            BalanceFormat::Text => FormatName::Text,
        });
        let place = |of| if self.format == Some(of) { short(&self.amount) } else { Ok(None) };
        form.pointer = place(BalanceFormat::Json)?;
        form.path = place(BalanceFormat::Xml)?;
        form.regex = place(BalanceFormat::Text)?;
        form.currency = short(&self.currency)?;
        form.allow_clear = Some(true).filter(|_| self.allow_clear);

        let known = known.cloned().unwrap_or_default();
        let own = match secret {
            None => known.token.or(known.password),
            Some(secret) => Some(Hidden(Secret::new(secret))).filter(|it| !it.0.expose().is_empty()),
        };
        let (token, password) =
            if self.sign == Some(BalanceSign::Bearer) { (own, None) } else { (None, own) };
        let header = |it: &BalanceField| (it.name.clone(), Hidden(Secret::new(it.value.clone())));
        if self.headers.len() > MOST_FIELDS || self.headers.iter().any(|it| it.value.len() > LONGEST) {
            return Err(bad(Field::Balance, BadSetting::TooLong));
        }
        Ok((form, AskSecrets { password, token, headers: self.headers.iter().map(header).collect() }))
    }

    fn body(&self) -> Result<Option<BodyForm>, PhoneError> {
        if let Some(json) = long(&self.json)? {
            return Ok(Some(BodyForm::Json(json)));
        }
        if self.form.len() > MOST_FIELDS {
            return Err(bad(Field::Balance, BadSetting::TooLong));
        }
        let field = |it: &BalanceField| {
            Ok((short(&it.name)?.unwrap_or_default(), short(&it.value)?.unwrap_or_default()))
        };
        let fields: BTreeMap<Text, Text> = self.form.iter().map(field).collect::<Result<_, PhoneError>>()?;
        Ok(Some(BodyForm::Form(fields)).filter(|_| !self.form.is_empty()))
    }
}

fn short(given: &str) -> Result<Option<Text>, PhoneError> {
    crate::document::text(Field::Balance, given)
}

/// None: it is empty.
fn long<const MOST: usize>(given: &str) -> Result<Option<Text<MOST>>, PhoneError> {
    let given = given.trim();
    let why = if given.len() > MOST { BadSetting::TooLong } else { BadSetting::Unusable };
    let text = Text::from_str(given).map_err(|_| bad(Field::Balance, why))?;
    Ok(Some(text).filter(|_| !given.is_empty()))
}

impl Balance {
    pub(crate) fn of(kept: &Kept) -> Self {
        Self {
            amount: kept.balance.amount.to_string(),
            currency: kept.balance.currency.clone(),
            overdraft: kept.balance.overdraft.map(|it| it.to_string()),
            valid_until_ms: kept.balance.valid_until,
            told_ms: kept.told,
        }
    }
}
