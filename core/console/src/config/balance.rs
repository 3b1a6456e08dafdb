//! `[balance]`: who is asked what is left, and how the answer is read.

use std::collections::BTreeMap;

use base::Secret;
use offhook_io::Teller;
use offhook_io::balance::{Auth, Body, Reading, Template};
use serde::Deserialize;

/// `[balance]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalanceTable {
    url: String,
    method: Option<MethodName>,
    body: Option<BodyTable>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    auth: Option<AuthName>,
    user: Option<String>,
    password: Option<String>,
    token: Option<String>,
    #[serde(default)]
    format: FormatName,
    pointer: Option<String>,
    path: Option<String>,
    regex: Option<String>,
    currency: Option<String>,
    #[serde(default)]
    allow_clear: bool,
}

/// A form's fields, or the text of a JSON body.
#[derive(Deserialize)]
#[serde(untagged)]
enum BodyTable {
    Form(BTreeMap<String, String>),
    Json(String),
}

#[derive(Clone, Copy, Deserialize)]
enum MethodName {
    #[serde(rename = "GET")]
    Get,
    #[serde(rename = "POST")]
    Post,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AuthName {
    Basic,
    Bearer,
    Digest,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum FormatName {
    #[default]
    Auto,
    Vos,
    VosForm,
    Json,
    Xml,
    Text,
}

/// Without what may be a password, and so by hand.
impl std::fmt::Debug for BalanceTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BalanceTable").finish_non_exhaustive()
    }
}

impl BalanceTable {
    /// The error is a sentence that names the key.
    pub(crate) fn teller(mut self) -> Result<Teller, String> {
        let auth = self.auth()?;
        let reading = self.reading()?;
        let body = match (self.method, self.body) {
            (Some(MethodName::Get), Some(_)) => return Err("body: a GET has none".to_owned()),
            (_, Some(BodyTable::Json(text))) => Some(Body::Json(text)),
            (_, Some(BodyTable::Form(fields))) => Some(Body::Form(fields.into_iter().collect())),
            (Some(MethodName::Post), None) => Some(Body::Form(Vec::new())),
            (_, None) => None,
        };
        let headers = self.headers.into_iter().collect();
        let template = Template { url: self.url, body, headers, auth, allow_clear: self.allow_clear };
        template.check().map_err(|error| error.to_string())?;
        Ok(Teller { template, reading })
    }

    fn auth(&mut self) -> Result<Auth, String> {
        // Moved and not copied, so that what is left of them is wiped; whether they are used or not.
        let (password, token) = (self.password.take().map(Secret::new), self.token.take().map(Secret::new));
        let user = || self.user.clone().unwrap_or_else(|| "{user}".to_owned());
        let password = password.unwrap_or_else(|| Secret::new("{password}".to_owned()));
        Ok(match self.auth {
            None => Auth::None,
            Some(AuthName::Basic) => Auth::Basic(user(), password),
            Some(AuthName::Digest) => Auth::Digest(user(), password),
            Some(AuthName::Bearer) => Auth::Bearer(token.ok_or("auth: a bearer needs a `token`")?),
        })
    }

    fn reading(&self) -> Result<Reading, String> {
        let needed =
            |key: &str, given: &Option<String>| given.clone().ok_or(format!("format: it needs a `{key}`"));
        let currency = self.currency.clone();
        Ok(match self.format {
            FormatName::Auto => Reading::Auto,
            FormatName::Vos => Reading::VosJson,
            FormatName::VosForm => Reading::VosForm,
            FormatName::Json => Reading::Json { amount: needed("pointer", &self.pointer)?, currency },
            FormatName::Xml => Reading::Xml { amount: needed("path", &self.path)?, currency },
            FormatName::Text => match &self.regex {
                Some(regex) => Reading::text(regex).map_err(|error| format!("regex: {error}"))?,
                None => Reading::Bare,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn teller(text: &str) -> Result<Teller, String> {
        toml::from_str::<BalanceTable>(text).map_err(|error| error.to_string())?.teller()
    }

    #[test]
    fn what_is_asked_and_how_it_is_read_is_taken_from_the_file() {
        let get = teller("url = \"http://127.0.0.1:8080/balance?user={user}\"\nmethod = \"GET\"\n").unwrap();
        assert!(get.template.body.is_none() && matches!(get.reading, Reading::Auto));
        let form = "url = \"https://b.test/c.jsp\"\nformat = \"vos-form\"\nbody = { name = \"{account}\" }\n";
        let form = teller(form).unwrap();
        assert!(matches!(form.template.body, Some(Body::Form(fields)) if fields.len() == 1));
        let json = "url = \"https://b.test/\"\nbody = '{\"a\":\"{account}\"}'\nformat = \"json\"\npointer = \"/b\"\n";
        assert!(matches!(teller(json).unwrap().reading, Reading::Json { currency: None, .. }));
    }

    #[test]
    fn what_cannot_be_asked_is_told_with_its_key() {
        for (text, says) in [
            ("url = \"http://b.test/?p={password}\"\n", "https://"),
            ("url = \"https://b.test/{pin}\"\n", "{pin}"),
            ("url = \"https://b.test/\"\nformat = \"json\"\n", "`pointer`"),
            ("url = \"https://b.test/\"\nformat = \"text\"\nregex = \"(\"\n", "regex"),
            ("url = \"https://b.test/\"\nauth = \"bearer\"\n", "`token`"),
            ("url = \"https://b.test/\"\nmethod = \"GET\"\nbody = \"{}\"\n", "body"),
        ] {
            let error = teller(text).unwrap_err();
            assert!(error.contains(says), "{error}");
        }
    }
}
