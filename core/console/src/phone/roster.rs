//! The accounts that a console phone runs: what they are called, how they stand, and which of them calls go by.
//!
//! A stored account is the phone's under its key in the database; that of a settings file is alone. Where one account is run,
//! nothing is told of whose an event is, and nobody need say.

use std::collections::BTreeMap;

use offhook_io::store::AccountKey;
use phone::{AccountId, AccountView};
use serde::Serialize;

use super::picture::harmless;

/// One account that is run.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) id: AccountId,
    /// Its key in the database; `None`: it stands in the settings file.
    pub(crate) stored: Option<AccountKey>,
    /// What the person calls it.
    pub(crate) name: String,
    /// `1001@sip.example.com`.
    pub(crate) address: String,
}

/// All of them, in the person's order.
#[derive(Debug, Default)]
pub(crate) struct Roster {
    members: Vec<Member>,
    by: Option<AccountId>,
    views: BTreeMap<AccountId, AccountView>,
}

/// Which account something is about; nothing where there is but one.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Whose {
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(flatten)]
    which: Which,
}

/// By the id that `offhook accounts` shows; nothing where there is but one.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Which {
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<i64>,
}

impl Roster {
    /// Of these; calls go by `by` unless said otherwise.
    pub(crate) fn new(members: Vec<Member>, by: AccountId) -> Self {
        Self { members, by: Some(by), views: BTreeMap::new() }
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn member(&self, id: AccountId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    pub(crate) fn is_several(&self) -> bool {
        self.members.len() > 1
    }

    /// The one that calls go by unless said otherwise.
    pub(crate) fn by(&self) -> Option<AccountId> {
        self.by
    }

    /// Calls go by that one from now on.
    pub(crate) fn go_by(&mut self, id: AccountId) {
        self.by = Some(id);
    }

    /// Calls go by the next one from now on.
    pub(crate) fn go_by_next(&mut self) {
        let at = self.members.iter().position(|member| Some(member.id) == self.by).map_or(0, |at| at + 1);
        self.by = self.members.get(at).or(self.members.first()).map(|member| member.id).or(self.by);
    }

    /// How one stands, from now on.
    pub(crate) fn note(&mut self, view: &AccountView) {
        self.views.insert(view.account, view.clone());
    }

    /// How those stand that have said so, in order.
    pub(crate) fn views(&self) -> impl Iterator<Item = &AccountView> {
        self.members.iter().filter_map(|member| self.views.get(&member.id))
    }

    /// The one that is meant. The error is a sentence.
    pub(crate) fn find(&self, which: &str) -> Result<AccountId, String> {
        let found = named(&self.members, which, |member| Names {
            id: i64::from(member.id.0),
            name: &member.name,
            address: &member.address,
        });
        found.map(|member| member.id).map_err(|why| why.sentence(which))
    }

    /// Whose that is, for a script.
    pub(crate) fn whose(&self, id: AccountId) -> Whose {
        let which = self.which(id);
        let member = self.member(id).filter(|_| which.account_id.is_some());
        Whose { account: member.map(|member| member.user().to_owned()), which }
    }

    /// The same where it is named already.
    pub(crate) fn which(&self, id: AccountId) -> Which {
        let member = self.member(id).filter(|_| self.is_several());
        Which { account_id: member.map(|member| i64::from(member.id.0)) }
    }

    /// `Work: `, before a sentence that is about one of several.
    pub(crate) fn before(&self, id: AccountId) -> String {
        let member = self.member(id).filter(|_| self.is_several());
        member.map(|member| format!("{}: ", harmless(&member.name))).unwrap_or_default()
    }
}

impl Member {
    /// Of its address.
    fn user(&self) -> &str {
        self.address.split('@').next().unwrap_or_default()
    }
}

/// By what an account may be named.
pub(crate) struct Names<'a> {
    pub(crate) id: i64,
    pub(crate) name: &'a str,
    /// `1001@sip.example.com`.
    pub(crate) address: &'a str,
}

/// Why no account is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotNamed {
    Nobody,
    Several,
}

impl NotNamed {
    pub(crate) fn sentence(self, which: &str) -> String {
        match self {
            Self::Nobody => format!("there is no account `{}`", harmless(which)),
            Self::Several => format!("`{}` are several: say its id", harmless(which)),
        }
    }
}

/// The one that is named: by its id, else its name, its address, or the user of that.
pub(crate) fn named<'a, T>(
    all: &'a [T],
    which: &str,
    names: impl Fn(&'a T) -> Names<'a>,
) -> Result<&'a T, NotNamed> {
    let bare = which.trim_start_matches("sip:");
    let ways: [&dyn Fn(&Names<'_>) -> bool; 4] = [
        &|it| which.parse() == Ok(it.id),
        &|it| it.name.eq_ignore_ascii_case(which),
        &|it| it.address.eq_ignore_ascii_case(bare),
        &|it| it.address.split('@').next() == Some(which),
    ];
    for fits in ways {
        let mut fitting = all.iter().filter(|it| fits(&names(it)));
        match (fitting.next(), fitting.next()) {
            (Some(one), None) => return Ok(one),
            (Some(_), Some(_)) => return Err(NotNamed::Several),
            (None, _) => {}
        }
    }
    Err(NotNamed::Nobody)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: u32, name: &str, address: &str) -> Member {
        let stored = Some(AccountKey(id.into()));
        Member { id: AccountId(id), stored, name: name.into(), address: address.into() }
    }

    fn two() -> Roster {
        let members = vec![member(7, "Work", "1001@a.test"), member(2, "7", "1001@b.test")];
        Roster::new(members, AccountId(2))
    }

    #[test]
    fn an_account_is_meant_by_its_id_its_name_or_its_address_and_never_by_chance() {
        let roster = two();
        let find = |which: &str| roster.find(which).map(|id| id.0);
        assert_eq!((find("2"), find("work"), find("7")), (Ok(2), Ok(7), Ok(7)));
        assert_eq!((find("1001@B.test"), find("sip:1001@a.test")), (Ok(2), Ok(7)));
        assert_eq!(find("1001").unwrap_err(), "`1001` are several: say its id");
        assert_eq!(find("x\u{1b}").unwrap_err(), "there is no account `x\u{fffd}`");
    }

    #[test]
    fn whose_it_is_is_told_where_there_are_several() {
        let json = |whose| serde_json::to_string(&whose).unwrap();
        let roster = two();
        assert_eq!(json(roster.whose(AccountId(7))), r#"{"account":"1001","account_id":7}"#);
        assert_eq!(roster.before(AccountId(7)), "Work: ");
        let alone = Roster::new(vec![member(7, "Work", "1001@a.test")], AccountId(7));
        assert_eq!(
            (json(alone.whose(AccountId(7))), alone.before(AccountId(7))),
            ("{}".into(), String::new())
        );
    }

    #[test]
    fn calls_go_by_one_after_the_other_as_the_person_goes_on() {
        let mut roster = two();
        let mut next = || {
            roster.go_by_next();
            roster.by().unwrap().0
        };
        assert_eq!([next(), next(), next()], [7, 2, 7]);
    }
}
