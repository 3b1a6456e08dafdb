//! `balance` made into what a provider can be asked.
//!
//! Whether its fields go together is judged here; each alone was judged when it was read.

use balance::{
    About, Auth, Body, Card, Errand, MinutesTeller, Place, Provider, Reading, ReceiptReading, Teller,
    Template, TimeReading, Unit, base_of,
};
use base::Secret;

use crate::document::BadField;
use crate::purse::{
    AuthName, BalanceForm, BodyForm, CallBackForm, FormatName, MethodName, MinutesForm, Question, TopUpForm,
    UnitName,
};
use crate::words::Text;

/// What a table below takes over where it says nothing.
struct Above {
    auth: Auth,
    allow_clear: bool,
}

impl BalanceForm {
    /// What the provider can be asked.
    ///
    /// # Errors
    /// [`BadField`], by its path in the table (`minutes.url`): show its sentence.
    pub fn provider(mut self) -> Result<Provider, BadField> {
        let mut question = self.question();
        let above = Above { auth: question.auth()?, allow_clear: question.allow_clear.unwrap_or(false) };
        let is_asked = question.url.is_some() || self.vos.is_some();
        if !is_asked && self.minutes.is_none() && self.top_up.is_none() && self.callback.is_none() {
            return Err(missing());
        }
        let mut provider = match &self.vos {
            Some(server) => switch(server, &question, &above)?,
            None => Provider::default(),
        };
        if question.url.is_some() {
            let reading = question.reading(self.currency.take())?;
            provider.balance =
                Some(Teller { template: question.template(&above, &About::Account)?, reading });
        }
        if let Some(minutes) = self.minutes {
            provider.minutes = Some(minutes.teller(&above).map_err(|bad| bad.within("minutes"))?);
        }
        if let Some(top_up) = self.top_up {
            provider.top_up = Some(top_up.errand(&above).map_err(|bad| bad.within("top_up"))?);
        }
        if let Some(mut callback) = self.callback {
            provider.caller = callback.caller.take().map(Text::into_inner);
            // A switch's preset wants no more than where to ring.
            if callback.url.is_some() || provider.call_back.is_none() {
                provider.call_back = Some(callback.errand(&above).map_err(|bad| bad.within("callback"))?);
            }
        }
        Ok(provider)
    }
}

impl MinutesForm {
    fn teller(mut self, above: &Above) -> Result<MinutesTeller, BadField> {
        let mut question = self.question();
        let template = question.template(above, &About::Number(String::new()))?;
        let unit = match self.unit {
            Some(UnitName::Minutes) => Unit::Minutes,
            Some(UnitName::Seconds) | None => Unit::Seconds,
        };
        let reading = match (question.place()?, question.format) {
            (Some(place), _) => TimeReading::At(place, unit),
            (None, Some(FormatName::Vos)) => TimeReading::VosJson,
            (None, _) => TimeReading::Auto,
        };
        Ok(MinutesTeller { template, reading })
    }
}

impl TopUpForm {
    fn errand(mut self, above: &Above) -> Result<Errand, BadField> {
        let nothing = || Secret::new(String::new());
        let about = About::Card(Card { number: nothing(), pin: nothing() });
        self.question().errand(above, &about, self.is, self.words)
    }
}

impl CallBackForm {
    fn errand(mut self, above: &Above) -> Result<Errand, BadField> {
        let about = About::CallBack { caller: String::new(), callee: String::new() };
        self.question().errand(above, &about, self.is, self.words)
    }
}

/// A switch's preset, asked as the table says.
fn switch(server: &Text, question: &Question, above: &Above) -> Result<Provider, BadField> {
    let mut provider = Provider::vos(&base_of(server.as_str()));
    for template in provider.templates_mut() {
        template.auth = above.auth.clone();
        template.headers = question.headers();
        template.allow_clear = above.allow_clear;
    }
    match provider.balance.as_ref().map(|it| it.template.check()) {
        Some(Err(error)) => Err(BadField::new("vos", error)),
        Some(Ok(())) | None => Ok(provider),
    }
}

impl Question {
    fn template(&mut self, above: &Above, about: &About) -> Result<Template, BadField> {
        let body = match (self.method, self.body.take()) {
            (Some(MethodName::Get), Some(_)) => return Err(BadField::new("body", "a GET has none")),
            (_, Some(BodyForm::Json(text))) => Some(Body::Json(text.into_inner())),
            (_, Some(BodyForm::Form(fields))) => {
                let fields = fields.into_iter().map(|(name, value)| (name.into_inner(), value.into_inner()));
                Some(Body::Form(fields.collect()))
            }
            (Some(MethodName::Post), None) => Some(Body::Form(Vec::new())),
            (_, None) => None,
        };
        let template = Template {
            url: self.url.take().ok_or_else(missing)?.into_inner(),
            body,
            headers: self.headers(),
            auth: if self.auth.is_some() { self.auth()? } else { above.auth.clone() },
            allow_clear: self.allow_clear.unwrap_or(above.allow_clear),
        };
        template.check_for(about).map_err(|error| BadField::new("url", error))?;
        Ok(template)
    }

    fn headers(&self) -> Vec<(String, String)> {
        self.own.headers.iter().map(|(name, value)| (name.clone(), value.0.expose().clone())).collect()
    }

    fn auth(&self) -> Result<Auth, BadField> {
        let user = || self.user.clone().map_or_else(|| "{user}".to_owned(), Text::into_inner);
        let password = || match &self.own.password {
            Some(own) => own.0.clone(),
            None => Secret::new("{password}".to_owned()),
        };
        Ok(match (self.auth, &self.own.token) {
            (None, _) => Auth::None,
            (Some(AuthName::Basic), _) => Auth::Basic(user(), password()),
            (Some(AuthName::Digest), _) => Auth::Digest(user(), password()),
            (Some(AuthName::Bearer), Some(token)) => Auth::Bearer(token.0.clone()),
            (Some(AuthName::Bearer), None) => return Err(BadField::new("auth", "a bearer needs a `token`")),
        })
    }

    fn reading(&self, currency: Option<Text>) -> Result<Reading, BadField> {
        let currency = currency.map(Text::into_inner);
        Ok(match self.format.unwrap_or_default() {
            FormatName::Auto => Reading::Auto,
            FormatName::Vos => Reading::VosJson,
            FormatName::VosForm => Reading::VosForm,
            FormatName::Json => Reading::Json { amount: needed("pointer", self.pointer.as_ref())?, currency },
            FormatName::Xml => Reading::Xml { amount: needed("path", self.path.as_ref())?, currency },
            FormatName::Text => match &self.regex {
                Some(regex) => {
                    Reading::text(regex.as_str()).map_err(|error| BadField::new("regex", error))?
                }
                None => Reading::Bare,
            },
        })
    }

    /// The place that `format` and its key name; `None`: the format has places of its own.
    fn place(&self) -> Result<Option<Place>, BadField> {
        Ok(match self.format.unwrap_or_default() {
            FormatName::Auto | FormatName::Vos => None,
            FormatName::VosForm => {
                return Err(BadField::new("format", "that form is the balance's alone"));
            }
            FormatName::Json => Some(Place::Json(needed("pointer", self.pointer.as_ref())?)),
            FormatName::Xml => Some(Place::Xml(needed("path", self.path.as_ref())?)),
            FormatName::Text => Some(match &self.regex {
                Some(regex) => Place::text(regex.as_str()).map_err(|error| BadField::new("regex", error))?,
                None => Place::Whole,
            }),
        })
    }

    fn errand(
        mut self,
        above: &Above,
        about: &About,
        is: Option<Text>,
        words: Option<Text>,
    ) -> Result<Errand, BadField> {
        let template = self.template(above, about)?;
        // Its words are found in the same way as the verdict.
        let words = words.map(Text::into_inner).map(|words| match self.format {
            Some(FormatName::Json) => Ok(Place::Json(words)),
            Some(FormatName::Xml) => Ok(Place::Xml(words)),
            Some(FormatName::Text) => Place::text(&words).map_err(|error| BadField::new("words", error)),
            _ => Err(BadField::new("words", "the format has words of its own")),
        });
        let words = words.transpose()?;
        let reading = match (self.place()?, self.format) {
            (Some(done), _) => ReceiptReading::At { done, is: is.map(Text::into_inner), words },
            (None, Some(FormatName::Vos)) => ReceiptReading::VosJson,
            (None, _) => ReceiptReading::Auto,
        };
        Ok(Errand { template, reading })
    }
}

fn missing() -> BadField {
    BadField::new("url", "it is missing")
}

fn needed(key: &str, given: Option<&Text>) -> Result<String, BadField> {
    given.map(ToString::to_string).ok_or_else(|| BadField::new("format", format!("it needs a `{key}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(text: &str) -> Result<Provider, String> {
        let form = toml::from_str::<BalanceForm>(text).map_err(|error| error.to_string())?;
        form.provider().map_err(|bad| bad.to_string())
    }

    fn teller(text: &str) -> Teller {
        provider(text).unwrap().balance.unwrap()
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
        let it = provider(switch).unwrap();
        let minutes = it.minutes.unwrap();
        assert_eq!(
            (&*minutes.template.url, it.caller),
            ("https://b.test/external/server/GetAvailableTime", None)
        );
        assert!(
            matches!(minutes.template.auth, Auth::Basic(..))
                && matches!(minutes.reading, TimeReading::VosJson)
        );
        assert!(it.balance.is_some() && it.top_up.is_some() && it.call_back.is_some());
        let named = provider("vos = \"b.test\"\n").unwrap();
        assert!(named.templates().all(|it| it.url.starts_with("https://b.test/external/server/")));
        let it = provider(&format!("{switch}[callback]\ncaller = \"+49170\"\n")).unwrap();
        assert_eq!((it.call_back.is_some(), it.caller.as_deref()), (true, Some("+49170")));
        // Another way to be asked what is left takes its place.
        let it = provider(&format!("url = \"https://c.test/\"\n{switch}")).unwrap();
        assert_eq!((&*it.balance.unwrap().template.url, it.top_up.is_some()), ("https://c.test/", true));
    }

    #[test]
    fn each_table_below_has_places_and_keys_of_its_own() {
        let text = "url = \"https://b.test/\"\nauth = \"bearer\"\ntoken = \"t\"\n\
            [minutes]\nurl = \"https://b.test/m?to={number}\"\nformat = \"text\"\nregex = \"(\\\\d+) min\"\nunit = \"minutes\"\n\
            [top_up]\nurl = \"https://b.test/t\"\nbody = { c = \"{card}\", p = \"{pin}\" }\nauth = \"digest\"\n\
            format = \"json\"\npointer = \"/state\"\nis = \"paid\"\nwords = \"/text\"\n\
            [callback]\nurl = \"https://b.test/c?a={caller}&b={callee}\"\n";
        let it = provider(text).unwrap();
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
            (
                format!("{url}[minutes]\nurl = \"https://b.test/{{card}}\"\n"),
                "minutes.url: there is no {card}",
            ),
            (format!("{url}[minutes]\nurl = \"https://b.test/\"\nformat = \"vos-form\"\n"), "minutes.format"),
            (format!("{url}[top_up]\nwords = \"/x\"\n"), "top_up.url"),
            (format!("{url}[top_up]\nurl = \"https://b.test/\"\nwords = \"/x\"\n"), "top_up.words"),
            (format!("{url}[callback]\ncaller = \"1\"\n"), "callback.url"),
        ] {
            let error = provider(&text).err().unwrap_or_default();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
