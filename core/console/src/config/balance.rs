//! `[balance]`: what the account's provider is asked, and how its answers are read.
//!
//! ```text
//!  [balance]           what is left; `vos` is a switch's JSON interface, all of it
//!  [balance.minutes]   how long that is enough for, to a number      unit
//!  [balance.top_up]    takes a card                                  is, words
//!  [balance.callback]  rings the person, then who is wanted          is, words, caller
//! ```
//! A table without an `auth` says who asks as `[balance]` does.

use std::collections::BTreeMap;

use account::words::Hidden;
use account::{AuthName, BodyForm, FormatName, MethodName};
use base::Secret;
use offhook_io::balance::{
    About, Auth, Body, Card, Place, Reading, ReceiptReading, Template, TimeReading, Unit,
};
use offhook_io::{Errand, MinutesTeller, Provider, Teller};
use serde::Deserialize;

/// `[balance]`, and each table below it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BalanceTable {
    /// Where a switch's JSON interface is: `https://billing.example/external/server`.
    vos: Option<String>,
    url: Option<String>,
    method: Option<MethodName>,
    body: Option<BodyForm>,
    #[serde(default)]
    headers: BTreeMap<String, Hidden>,
    auth: Option<AuthName>,
    user: Option<String>,
    password: Option<Hidden>,
    token: Option<Hidden>,
    format: Option<FormatName>,
    pointer: Option<String>,
    path: Option<String>,
    regex: Option<String>,
    currency: Option<String>,
    allow_clear: Option<bool>,
    unit: Option<UnitName>,
    is: Option<String>,
    words: Option<String>,
    caller: Option<String>,
    minutes: Option<Box<BalanceTable>>,
    top_up: Option<Box<BalanceTable>>,
    callback: Option<Box<BalanceTable>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UnitName {
    Seconds,
    Minutes,
}

/// Without what may be a password, and so by hand.
impl std::fmt::Debug for BalanceTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BalanceTable").finish_non_exhaustive()
    }
}

impl BalanceTable {
    /// What the provider can be asked, and where it rings the person, if that is said. The error is a sentence that names the
    /// key.
    pub(crate) fn provider(mut self) -> Result<(Provider, Option<String>), String> {
        let [minutes, top_up, callback] =
            [&mut self.minutes, &mut self.top_up, &mut self.callback].map(Option::take);
        let own = self.auth()?;
        if self.url.is_none()
            && self.vos.is_none()
            && minutes.is_none()
            && top_up.is_none()
            && callback.is_none()
        {
            return Err("url: it is missing".to_owned());
        }
        let mut provider = match self.vos.take() {
            Some(base) => {
                let mut provider = Provider::vos(&base);
                self.switch(&mut provider, &own)?;
                provider
            }
            None => Provider::default(),
        };
        self.only(&["currency"])?;
        if self.url.is_some() {
            let reading = self.reading()?;
            let template = self.template(&own, &About::Account)?;
            provider.balance = Some(Teller { template, reading });
        }
        let within = |name: &str, error: String| format!("{name}.{error}");
        let given = (self.allow_clear, &own);
        if let Some(mut table) = minutes {
            let made = table.below(given, &["unit"], &About::Number(String::new()));
            let template = made.map_err(|error| within("minutes", error))?;
            let reading = table.time_reading().map_err(|error| within("minutes", error))?;
            provider.minutes = Some(MinutesTeller { template, reading });
        }
        if let Some(mut table) = top_up {
            let nothing = || Secret::new(String::new());
            let about = About::Card(Card { number: nothing(), pin: nothing() });
            let template =
                table.below(given, &["is", "words"], &about).map_err(|error| within("top_up", error))?;
            let reading = table.receipt_reading().map_err(|error| within("top_up", error))?;
            provider.top_up = Some(Errand { template, reading });
        }
        let mut caller = None;
        if let Some(mut table) = callback {
            caller = table.caller.take();
            // A switch's preset wants no more than where to ring.
            if table.url.is_some() || provider.call_back.is_none() {
                let about = About::CallBack { caller: String::new(), callee: String::new() };
                let made = table.below(given, &["is", "words"], &about);
                let template = made.map_err(|error| within("callback", error))?;
                let reading = table.receipt_reading().map_err(|error| within("callback", error))?;
                provider.call_back = Some(Errand { template, reading });
            }
        }
        Ok((provider, caller))
    }

    /// The preset's templates, asked as this table says.
    fn switch(&self, provider: &mut Provider, auth: &Auth) -> Result<(), String> {
        let templates = [
            provider.balance.as_mut().map(|it| &mut it.template),
            provider.minutes.as_mut().map(|it| &mut it.template),
            provider.top_up.as_mut().map(|it| &mut it.template),
            provider.call_back.as_mut().map(|it| &mut it.template),
        ];
        for template in templates.into_iter().flatten() {
            template.auth = auth.clone();
            template.headers = self.shown_headers();
            template.allow_clear = self.allow_clear.unwrap_or(false);
        }
        let balance = provider.balance.as_ref().map(|it| it.template.check());
        balance.transpose().map(drop).map_err(|error| format!("vos: {error}"))
    }

    /// What a table below `[balance]` asks.
    fn below(
        &mut self,
        (clear, auth): (Option<bool>, &Auth),
        keys: &[&str],
        about: &About,
    ) -> Result<Template, String> {
        if self.vos.is_some() || self.minutes.is_some() || self.top_up.is_some() || self.callback.is_some() {
            return Err("vos, minutes, top_up, callback: they stand in [balance]".to_owned());
        }
        self.only(keys)?;
        self.allow_clear = self.allow_clear.or(clear);
        let own = if self.auth.is_some() { self.auth()? } else { auth.clone() };
        self.template(&own, about)
    }

    /// Keys that are another table's.
    fn only(&self, these: &[&str]) -> Result<(), String> {
        for (key, given) in [
            ("unit", self.unit.is_some()),
            ("is", self.is.is_some()),
            ("words", self.words.is_some()),
            ("caller", self.caller.is_some()),
            ("currency", self.currency.is_some()),
        ] {
            if given && !these.contains(&key) {
                return Err(format!("{key}: it means nothing here"));
            }
        }
        Ok(())
    }

    fn template(&mut self, auth: &Auth, about: &About) -> Result<Template, String> {
        let body = match (self.method, self.body.take()) {
            (Some(MethodName::Get), Some(_)) => return Err("body: a GET has none".to_owned()),
            (_, Some(BodyForm::Json(text))) => Some(Body::Json(text.into_inner())),
            (_, Some(BodyForm::Form(fields))) => Some(Body::Form(
                fields.into_iter().map(|(name, value)| (name.into_inner(), value.into_inner())).collect(),
            )),
            (Some(MethodName::Post), None) => Some(Body::Form(Vec::new())),
            (_, None) => None,
        };
        let url = self.url.take().ok_or("url: it is missing")?;
        let headers = self.shown_headers();
        let template = Template {
            url,
            body,
            headers,
            auth: auth.clone(),
            allow_clear: self.allow_clear.unwrap_or(false),
        };
        template.check_for(about).map_err(|error| format!("url: {error}"))?;
        Ok(template)
    }

    fn shown_headers(&self) -> Vec<(String, String)> {
        self.headers.iter().map(|(name, value)| (name.clone(), value.0.expose().clone())).collect()
    }

    fn auth(&mut self) -> Result<Auth, String> {
        let (password, token) = (self.password.take().map(|it| it.0), self.token.take().map(|it| it.0));
        let user = || self.user.clone().unwrap_or_else(|| "{user}".to_owned());
        let password = password.unwrap_or_else(|| Secret::new("{password}".to_owned()));
        Ok(match self.auth {
            None => Auth::None,
            Some(AuthName::Basic) => Auth::Basic(user(), password),
            Some(AuthName::Digest) => Auth::Digest(user(), password),
            Some(AuthName::Bearer) => Auth::Bearer(token.ok_or("auth: a bearer needs a `token`")?),
        })
    }

    fn needed(key: &str, given: Option<&String>) -> Result<String, String> {
        given.cloned().ok_or_else(|| format!("format: it needs a `{key}`"))
    }

    fn reading(&self) -> Result<Reading, String> {
        let currency = self.currency.clone();
        Ok(match self.format.unwrap_or(FormatName::Auto) {
            FormatName::Auto => Reading::Auto,
            FormatName::Vos => Reading::VosJson,
            FormatName::VosForm => Reading::VosForm,
            FormatName::Json => {
                Reading::Json { amount: Self::needed("pointer", self.pointer.as_ref())?, currency }
            }
            FormatName::Xml => Reading::Xml { amount: Self::needed("path", self.path.as_ref())?, currency },
            FormatName::Text => match &self.regex {
                Some(regex) => Reading::text(regex).map_err(|error| format!("regex: {error}"))?,
                None => Reading::Bare,
            },
        })
    }

    /// The place that `format` and its key name; `None`: the format has places of its own.
    fn place(&self) -> Result<Option<Place>, String> {
        Ok(match self.format.unwrap_or(FormatName::Auto) {
            FormatName::Auto | FormatName::Vos => None,
            FormatName::VosForm => return Err("format: that form is the balance's alone".to_owned()),
            FormatName::Json => Some(Place::Json(Self::needed("pointer", self.pointer.as_ref())?)),
            FormatName::Xml => Some(Place::Xml(Self::needed("path", self.path.as_ref())?)),
            FormatName::Text => Some(match &self.regex {
                Some(regex) => Place::text(regex).map_err(|error| format!("regex: {error}"))?,
                None => Place::Whole,
            }),
        })
    }

    fn time_reading(&self) -> Result<TimeReading, String> {
        let unit = match self.unit {
            Some(UnitName::Minutes) => Unit::Minutes,
            Some(UnitName::Seconds) | None => Unit::Seconds,
        };
        Ok(match (self.place()?, self.format) {
            (Some(place), _) => TimeReading::At(place, unit),
            (None, Some(FormatName::Vos)) => TimeReading::VosJson,
            (None, _) => TimeReading::Auto,
        })
    }

    fn receipt_reading(&self) -> Result<ReceiptReading, String> {
        // Its words are found in the same way as the verdict.
        let words = self.words.clone().map(|words| match self.format {
            Some(FormatName::Json) => Ok(Place::Json(words)),
            Some(FormatName::Xml) => Ok(Place::Xml(words)),
            Some(FormatName::Text) => Place::text(&words).map_err(|error| format!("words: {error}")),
            _ => Err("words: the format has words of its own".to_owned()),
        });
        let words = words.transpose()?;
        Ok(match (self.place()?, self.format) {
            (Some(done), _) => ReceiptReading::At { done, is: self.is.clone(), words },
            (None, Some(FormatName::Vos)) => ReceiptReading::VosJson,
            (None, _) => ReceiptReading::Auto,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(text: &str) -> Result<(Provider, Option<String>), String> {
        toml::from_str::<BalanceTable>(text).map_err(|error| error.to_string())?.provider()
    }

    fn teller(text: &str) -> Teller {
        provider(text).unwrap().0.balance.unwrap()
    }

    #[test]
    fn what_is_asked_and_how_it_is_read_is_taken_from_the_file() {
        let get = teller("url = \"http://127.0.0.1:8080/balance?user={user}\"\nmethod = \"GET\"\n");
        assert!(get.template.body.is_none() && matches!(get.reading, Reading::Auto));
        let form = "url = \"https://b.test/c.jsp\"\nformat = \"vos-form\"\nbody = { name = \"{account}\" }\n";
        let form = teller(form);
        assert!(matches!(form.template.body, Some(Body::Form(fields)) if fields.len() == 1));
        let json = "url = \"https://b.test/\"\nbody = '{\"a\":\"{account}\"}'\nformat = \"json\"\npointer = \"/b\"\n";
        assert!(matches!(teller(json).reading, Reading::Json { currency: None, .. }));
    }

    #[test]
    fn a_switch_is_one_line_and_what_it_lacks_is_added_below() {
        let switch = "vos = \"https://b.test/external/server\"\nauth = \"basic\"\n";
        let (it, caller) = provider(switch).unwrap();
        let minutes = it.minutes.unwrap();
        assert_eq!(
            (&*minutes.template.url, caller),
            ("https://b.test/external/server/GetAvailableTime", None)
        );
        assert!(
            matches!(minutes.template.auth, Auth::Basic(..))
                && matches!(minutes.reading, TimeReading::VosJson)
        );
        assert!(it.balance.is_some() && it.top_up.is_some() && it.call_back.is_some());
        let (it, caller) = provider(&format!("{switch}[callback]\ncaller = \"+49170\"\n")).unwrap();
        assert_eq!((it.call_back.is_some(), caller.as_deref()), (true, Some("+49170")));
        // Another way to be asked what is left takes its place.
        let (it, _) = provider(&format!("url = \"https://c.test/\"\n{switch}")).unwrap();
        assert_eq!((&*it.balance.unwrap().template.url, it.top_up.is_some()), ("https://c.test/", true));
    }

    #[test]
    fn each_table_below_has_places_and_keys_of_its_own() {
        let text = "url = \"https://b.test/\"\nauth = \"bearer\"\ntoken = \"t\"\n\
            [minutes]\nurl = \"https://b.test/m?to={number}\"\nformat = \"text\"\nregex = \"(\\\\d+) min\"\nunit = \"minutes\"\n\
            [top_up]\nurl = \"https://b.test/t\"\nbody = { c = \"{card}\", p = \"{pin}\" }\nauth = \"digest\"\n\
            format = \"json\"\npointer = \"/state\"\nis = \"paid\"\nwords = \"/text\"\n\
            [callback]\nurl = \"https://b.test/c?a={caller}&b={callee}\"\n";
        let (it, _) = provider(text).unwrap();
        let (minutes, top_up) = (it.minutes.unwrap(), it.top_up.unwrap());
        assert!(matches!(minutes.reading, TimeReading::At(Place::Text(_), Unit::Minutes)));
        assert!(
            matches!(minutes.template.auth, Auth::Bearer(_))
                && matches!(top_up.template.auth, Auth::Digest(..))
        );
        assert!(matches!(
            top_up.reading,
            ReceiptReading::At { is: Some(_), words: Some(Place::Json(_)), .. }
        ));
        assert!(matches!(it.call_back.unwrap().reading, ReceiptReading::Auto));
    }

    #[test]
    fn what_cannot_be_asked_is_told_with_its_key() {
        let url = "url = \"https://b.test/\"\n";
        for (text, says) in [
            ("url = \"http://b.test/?p={password}\"\n".to_owned(), "https://"),
            ("url = \"https://b.test/{pin}\"\n".to_owned(), "{pin}"),
            (format!("{url}format = \"json\"\n"), "`pointer`"),
            (format!("{url}format = \"text\"\nregex = \"(\"\n"), "regex"),
            (format!("{url}auth = \"bearer\"\n"), "`token`"),
            (format!("{url}method = \"GET\"\nbody = \"{{}}\"\n"), "body"),
            ("format = \"auto\"\n".to_owned(), "url: it is missing"),
            ("vos = \"http://b.test/\"\n".to_owned(), "vos: the address"),
            (format!("{url}unit = \"minutes\"\n"), "unit: it means nothing here"),
            (
                format!("{url}[minutes]\nurl = \"https://b.test/{{card}}\"\n"),
                "minutes.url: there is no {card}",
            ),
            (format!("{url}[minutes]\nurl = \"https://b.test/\"\nis = \"x\"\n"), "minutes.is"),
            (format!("{url}[minutes]\nurl = \"https://b.test/\"\nformat = \"vos-form\"\n"), "minutes.format"),
            (format!("{url}[top_up]\nwords = \"/x\"\n"), "top_up.url"),
            (format!("{url}[top_up]\nurl = \"https://b.test/\"\nwords = \"/x\"\n"), "top_up.words"),
            (format!("{url}[callback]\nvos = \"https://b.test/\"\n"), "callback.vos"),
            (format!("{url}[callback]\ncaller = \"1\"\n"), "callback.url"),
        ] {
            let error = provider(&text).err().unwrap_or_default();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
