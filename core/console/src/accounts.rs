//! `offhook accounts`: the accounts that a phone keeps, and those that somebody hands out.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use account::{Document, MAX_DOCUMENT, Notice, Offered, Proposal, Secrets, Surroundings};
use base::Fingerprint;
use offhook_io::store::{AccountChange, AccountKey, AccountRow, NewAccount, Store, StoreError};
use serde::Serialize;

use crate::cli::{AccountsArgs, AccountsJob, FieldValue, NewFields};
use crate::failure::Failure;
use crate::number;
use crate::phone::json::say;
use crate::phone::picture::harmless;
use crate::phone::roster::{Names, NotNamed, named};
use crate::phone::settings::password;
use crate::vault;

/// The accounts of one phone: documents in its database, secrets in a file of their own.
pub(crate) struct Shelf {
    store: Store,
    folder: PathBuf,
}

/// One of them, whole.
pub(crate) struct Kept {
    pub(crate) row: AccountRow,
    pub(crate) document: Document,
    pub(crate) secrets: Secrets,
}

impl Shelf {
    /// That of the phone whose database this is.
    pub(crate) fn open(database: &Path) -> Result<Self, Failure> {
        let store = Store::open(database).map_err(failed)?.store;
        Ok(Self { store, folder: database.parent().unwrap_or(Path::new(".")).to_owned() })
    }

    fn all(&self) -> Result<Vec<AccountRow>, Failure> {
        self.store.accounts().map_err(failed)
    }

    /// The account that calls go by unless said otherwise, if there is one.
    pub(crate) fn default(&self) -> Result<Option<Kept>, Failure> {
        self.all()?.into_iter().find(|row| row.default).map(|row| self.whole(row)).transpose()
    }

    /// Those that are in use, in order; of each that is damaged a sentence. The outer error: there are some, and none is in
    /// use.
    pub(crate) fn in_use(&self) -> Result<Vec<Result<Kept, String>>, Failure> {
        let rows = self.all()?;
        let used: Vec<AccountRow> = rows.iter().filter(|row| row.enabled).cloned().collect();
        if used.is_empty() && !rows.is_empty() {
            return Err(Failure::Failed(
                "no account is in use: `offhook accounts ... change WHICH --on` puts one into use".into(),
            ));
        }
        Ok(used.into_iter().map(|row| self.whole(row).map_err(|failure| failure.to_string())).collect())
    }

    /// By its id, its name, its address, or the user of that.
    pub(crate) fn find(&self, which: &str) -> Result<Kept, Failure> {
        let rows = self.all()?;
        let named_rows: Vec<(AccountRow, String)> = rows
            .into_iter()
            .map(|row| (address(&row).unwrap_or_default(), row))
            .map(|(at, row)| (row, at))
            .collect();
        let found =
            named(&named_rows, which, |(row, address)| Names { id: row.id.0, name: &row.name, address });
        match found {
            Ok((row, _)) => self.whole(row.clone()),
            Err(why @ NotNamed::Several) => Err(Failure::Usage(why.sentence(which))),
            Err(why @ NotNamed::Nobody) => Err(Failure::Failed(why.sentence(which))),
        }
    }

    fn whole(&self, row: AccountRow) -> Result<Kept, Failure> {
        let (document, _) = Document::read(&row.settings)
            .map_err(|why| Failure::Failed(format!("account {}: {why}", row.id.0)))?;
        let secrets = vault::read(&self.folder).map_err(Failure::Failed)?;
        let secrets = secrets.get(&row.id).map(Secrets::of_map).unwrap_or_default();
        Ok(Kept { row, document, secrets })
    }

    fn add(&self, name: String, document: &Document, secrets: &Secrets) -> Result<AccountKey, Failure> {
        let new = NewAccount { name, enabled: true, settings: document.to_json() };
        let id = self.store.add_account(&new).map_err(failed)?;
        if let Err(error) = self.keep(id, secrets) {
            // Without them it would be refused, and too many refusals lock an account.
            let _ = self.store.remove_account(id);
            return Err(error);
        }
        Ok(id)
    }

    fn keep(&self, id: AccountKey, secrets: &Secrets) -> Result<(), Failure> {
        let mut all = vault::read(&self.folder).map_err(Failure::Failed)?;
        if secrets.is_empty() {
            if all.remove(&id).is_none() {
                return Ok(());
            }
        } else {
            all.insert(id, secrets.to_map());
        }
        vault::write(&self.folder, &all).map_err(Failure::Failed)
    }
}

/// An account knows its server by this certificate from now on. False: it is there no more, or cannot be read.
pub(crate) fn keep_pin(store: &Store, id: AccountKey, pin: Fingerprint) -> Result<bool, StoreError> {
    let Some(row) = store.account(id)? else { return Ok(false) };
    let Ok((mut document, mut secrets)) = Document::read(&row.settings) else { return Ok(false) };
    if document.set(&mut secrets, "tls_pin", Some(&pin.to_string())).is_err() {
        return Ok(false);
    }
    store
        .change_account(id, &AccountChange { settings: Some(document.to_json()), ..AccountChange::default() })
}

/// `1001@sip.example.com`, from a document that may be damaged.
fn address(row: &AccountRow) -> Option<String> {
    let (document, _) = Document::read(&row.settings).ok()?;
    document.uri().ok().map(address_of)
}

/// `1001@sip.example.com`.
pub(crate) fn address_of(uri: &sip::message::Uri) -> String {
    let uri = uri.view();
    format!("{}@{}", uri.user_decoded(), uri.host)
}

/// `"event":"account"`.
#[derive(Serialize)]
struct Told<'a> {
    event: &'static str,
    id: i64,
    name: &'a str,
    uri: String,
    place: usize,
    default: bool,
    enabled: bool,
    /// Whether its password is kept.
    password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<&'a Document>,
}

/// `"event":"proposal"`.
#[derive(Serialize)]
struct Proposed<'a> {
    event: &'static str,
    name: String,
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<&'a str>,
    notices: Vec<Noticed>,
    settings: &'a Document,
}

#[derive(Serialize)]
struct Noticed {
    about: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    subject: String,
    danger: bool,
    sentence: String,
}

/// Does one thing to the accounts, or shows them.
pub(crate) fn run(args: &AccountsArgs) -> Result<(), Failure> {
    let shelf = Shelf::open(&args.place.made()?)?;
    match &args.job {
        AccountsJob::List => shelf.all()?.into_iter().try_for_each(|row| {
            let kept = shelf.whole(row)?;
            show(&kept, args.json, false)
        }),
        AccountsJob::Show { which } => show(&shelf.find(which)?, args.json, true),
        AccountsJob::Add { uri, name, fields } => add(&shelf, uri, name.clone(), fields, args.json),
        AccountsJob::Change { which, name, off, on, fields } => {
            let enabled = (*on || *off).then_some(*on);
            change(&shelf, which, name.clone(), enabled, fields)
        }
        AccountsJob::Remove { which } => {
            let kept = shelf.find(which)?;
            shelf.store.remove_account(kept.row.id).map_err(failed)?;
            shelf.keep(kept.row.id, &Secrets::default())?;
            #[cfg(feature = "rest")]
            let _ = std::fs::remove_file(crate::phone::purse::file_in(&shelf.folder, Some(kept.row.id)));
            println!("removed");
            Ok(())
        }
        AccountsJob::Default { which } => {
            let kept = shelf.find(which)?;
            shelf.store.make_default(kept.row.id).map_err(failed)?;
            println!("calls go by {} unless said otherwise", harmless(&kept.row.name));
            Ok(())
        }
        AccountsJob::Move { which, place } => {
            let kept = shelf.find(which)?;
            shelf.store.move_account(kept.row.id, place.saturating_sub(1)).map_err(failed)?;
            println!("moved");
            Ok(())
        }
        AccountsJob::Import { from, yes, name, password_file } => {
            let mut proposal = proposal(from)?;
            if let Some(password) = password(password_file.as_deref())? {
                proposal.set_password(password);
            }
            import(&shelf, proposal, name.clone(), *yes, args)
        }
        AccountsJob::Export { which } => {
            println!("{}", shelf.find(which)?.document.to_json());
            Ok(())
        }
        AccountsJob::Test { number, account } => {
            let kept = match account {
                Some(which) => Some(shelf.find(which)?),
                None => shelf.default()?,
            };
            let kept = kept.ok_or_else(|| Failure::Failed("there is no account yet".into()))?;
            number::tell(number, args.region.as_deref(), Some(&kept), args.json)
        }
    }
}

fn add(
    shelf: &Shelf,
    uri: &account::words::SipUri,
    name: Option<String>,
    fields: &NewFields,
    json: bool,
) -> Result<(), Failure> {
    let form = account::Form { uri: Some(uri.clone()), ..account::Form::default() };
    let (mut document, mut secrets) = form.part();
    if let Some(password) = password(fields.password_file.as_deref())? {
        secrets.password = Some(account::words::Hidden(password));
    }
    set(&mut document, &mut secrets, fields)?;
    let bare = uri.to_string().replacen("sip:", "", 1);
    let id = shelf.add(name.unwrap_or(bare), &document, &secrets)?;
    show(&shelf.find(&id.0.to_string())?, json, false)
}

fn change(
    shelf: &Shelf,
    which: &str,
    name: Option<String>,
    enabled: Option<bool>,
    fields: &NewFields,
) -> Result<(), Failure> {
    let Kept { row, mut document, mut secrets } = shelf.find(which)?;
    // The environment is for new ones: it would change what nobody thinks of.
    if fields.password_file.is_some()
        && let Some(password) = password(fields.password_file.as_deref())?
    {
        secrets.password = Some(account::words::Hidden(password));
    }
    set(&mut document, &mut secrets, fields)?;
    shelf.keep(row.id, &secrets)?;
    let change = AccountChange { name, enabled, settings: Some(document.to_json()) };
    shelf.store.change_account(row.id, &change).map_err(failed)?;
    println!("changed");
    Ok(())
}

/// Puts what was given into the fields, and sees whether an account can be made of it.
fn set(document: &mut Document, secrets: &mut Secrets, fields: &NewFields) -> Result<(), Failure> {
    for FieldValue { field, value } in &fields.fields {
        if Secrets::is_one(field) && !value.is_empty() {
            return Err(Failure::Usage(format!(
                "{field}: what is on the command line, everybody on this machine can read: --from {field}=FILE"
            )));
        }
        let value = Some(value.as_str()).filter(|value| !value.is_empty());
        document.set(secrets, field, value).map_err(|bad| Failure::Usage(bad.to_string()))?;
    }
    for FieldValue { field, value: path } in &fields.from {
        let text = base::Secret::new(text_of(Path::new(path))?);
        let text = text.expose().trim_end_matches(['\n', '\r']);
        document.set(secrets, field, Some(text)).map_err(|bad| Failure::Usage(bad.to_string()))?;
    }
    document
        .account(secrets)
        .and_then(|_| document.provider(secrets))
        .map(drop)
        .map_err(|bad| Failure::Usage(bad.to_string()))
}

/// What somebody hands out: a link, an address, a document, or a file with one of these.
fn proposal(from: &str) -> Result<Proposal, Failure> {
    let unusable = |why: account::Unusable| Failure::Failed(why.to_string());
    let is_text = |begin: &&str| from.get(..begin.len()).is_some_and(|it| it.eq_ignore_ascii_case(begin));
    let text = if ["https:", "http:", "offhook:", "sip:", "sips:", "{"].iter().any(is_text) {
        from.to_owned()
    } else {
        text_of(Path::new(from))?
    };
    match Offered::read(&text).map_err(unusable)? {
        Offered::Account(proposal) => Ok(*proposal),
        Offered::Link(link) => fetched(&link),
    }
}

#[cfg(feature = "rest")]
fn fetched(link: &account::Link) -> Result<Proposal, Failure> {
    let fetched = offhook_io::fetch(link.url(), MAX_DOCUMENT, &offhook_io::Trusts::default())
        .map_err(|why| Failure::Failed(why.to_string()))?;
    let answer =
        account::Answer { content_type: fetched.content_type.as_deref(), body: fetched.body.expose() };
    link.answered(answer).map_err(|why| Failure::Failed(why.to_string()))
}

#[cfg(not(feature = "rest"))]
fn fetched(_: &account::Link) -> Result<Proposal, Failure> {
    Err(Failure::Failed(format!("fetching is {}", crate::config::parts::NOT_IN_THIS_BUILD)))
}

/// Shows what is proposed, and takes it if the person says so.
fn import(
    shelf: &Shelf,
    proposal: Proposal,
    name: Option<String>,
    yes: bool,
    args: &AccountsArgs,
) -> Result<(), Failure> {
    let rows = shelf.all()?;
    let accounts: Vec<String> =
        rows.iter().filter_map(address).map(|address| format!("sip:{address}")).collect();
    let surroundings = Surroundings {
        region: args.region.as_deref(),
        accounts: &accounts,
        has_default: rows.iter().any(|row| row.default),
    };
    let notices = proposal.notices(&surroundings);
    if args.json {
        say(&proposed(&proposal, notices)).map_err(gone)?;
    } else {
        println!("{}", harmless(&proposal.name()));
        for notice in &notices {
            println!("  {} {}", if notice.danger { "!" } else { " " }, harmless(&notice.to_string()));
        }
    }
    if !yes {
        // A script has asked for no more than to be shown it.
        if args.json {
            return Ok(());
        }
        if !agreed()? {
            println!("not taken: --yes takes it");
            return Ok(());
        }
    }
    let name = name.unwrap_or_else(|| proposal.name());
    let default = proposal.wants_default();
    let (document, secrets) = proposal.take();
    let id = shelf.add(name, &document, &secrets)?;
    if default {
        shelf.store.make_default(id).map_err(failed)?;
    }
    show(&shelf.find(&id.0.to_string())?, args.json, false)
}

fn proposed(proposal: &Proposal, notices: Vec<Notice>) -> Proposed<'_> {
    let noticed = |notice: Notice| Noticed {
        about: format!("{:?}", notice.about),
        danger: notice.danger,
        sentence: notice.to_string(),
        subject: notice.subject,
    };
    Proposed {
        event: "proposal",
        name: proposal.name(),
        uri: proposal.document().uri().map(ToString::to_string).unwrap_or_default(),
        provider: proposal.provider(),
        from: proposal.from(),
        notices: notices.into_iter().map(noticed).collect(),
        settings: proposal.document(),
    }
}

/// What a person at a terminal answers.
fn agreed() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("take it? [y/N] ");
    io::stdout().flush().map_err(gone)?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(gone)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

fn show(kept: &Kept, json: bool, whole: bool) -> Result<(), Failure> {
    let Kept { row, document, secrets } = kept;
    let uri = document.uri().map(ToString::to_string).unwrap_or_default();
    let has_password = secrets.password.is_some();
    if json {
        let settings = whole.then_some(document);
        let told = Told {
            event: "account",
            id: row.id.0,
            name: &row.name,
            uri,
            place: row.place + 1,
            default: row.default,
            enabled: row.enabled,
            password: has_password,
            settings,
        };
        return say(&told).map_err(gone);
    }
    let mark = if row.default { "*" } else { " " };
    let off = if row.enabled { "" } else { "  not in use" };
    let without = if has_password { "" } else { "  no password" };
    println!("{}", harmless(&format!("{mark} {:>3}  {:<20}  {uri}{off}{without}", row.id.0, row.name)));
    if whole {
        println!("{}", document.to_json());
    }
    Ok(())
}

/// Of a file, or of stdin (`-`): no longer than any account.
fn text_of(path: &Path) -> Result<String, Failure> {
    let unread = |error: io::Error| Failure::Usage(format!("{}: cannot be read: {error}", path.display()));
    let mut text = String::new();
    let most = MAX_DOCUMENT as u64 + 1;
    if path == "-" {
        io::stdin().lock().take(most).read_to_string(&mut text).map_err(unread)?;
    } else {
        File::open(path).map_err(unread)?.take(most).read_to_string(&mut text).map_err(unread)?;
    }
    Ok(text)
}

fn failed(error: StoreError) -> Failure {
    Failure::Failed(error.to_string())
}

fn gone(error: io::Error) -> Failure {
    Failure::Failed(error.to_string())
}
