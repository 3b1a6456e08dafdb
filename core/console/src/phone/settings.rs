//! What a phone is started with: the file, the options above it, and the password from wherever it is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use account::words::{Hidden, Text};
use base::Secret;
use numbers::Regions;
use offhook_io::{Audio, Effects, LocalTones, Trusts};
use phone::AccountId;

#[cfg(feature = "rest")]
use super::purse::{self, Purse};
use super::roster::{Member, Roster};
use super::standing::Standing;
use crate::accounts::{Kept, Shelf, address_of};
use crate::cli::PhoneArgs;
use crate::config;
use crate::config::phone::{AudioTable, PhoneFile};
use crate::failure::Failure;
use crate::place;

/// The account of a settings file.
const ACCOUNT: AccountId = AccountId(1);
/// Where the password may be instead of in a file.
const PASSWORD_VARIABLE: &str = "OFFHOOK_PASSWORD";

/// One account that is run, and who is asked beside it.
pub(crate) struct Run {
    pub(crate) member: Member,
    pub(crate) standing: Standing,
    /// Who is asked what is left.
    #[cfg(feature = "rest")]
    pub(crate) purse: Option<Purse>,
    /// People who are watched from the beginning.
    pub(crate) watch: Vec<String>,
}

/// The accounts, and what the phone's runtime needs.
pub(crate) struct Settings {
    /// At least one.
    pub(crate) accounts: Vec<Run>,
    /// The one that calls go by unless said otherwise.
    pub(crate) by: AccountId,
    /// Of stored ones that cannot be run, why.
    pub(crate) left_out: Vec<String>,
    /// Whose certificates are accepted, by any of them.
    pub(crate) trusts: Trusts,
    pub(crate) data: Option<PathBuf>,
    pub(crate) bind: Option<std::net::SocketAddr>,
    pub(crate) regions: Regions,
    pub(crate) refuse_anonymous: bool,
    pub(crate) audio: Audio,
    pub(crate) tones: LocalTones,
    pub(crate) effects: Effects,
    /// In dB: the microphone's and the loudspeaker's.
    pub(crate) gains: [f32; 2],
    pub(crate) capture: Option<PathBuf>,
}

/// Which stored accounts are wanted where none is named.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All that are in use.
    InUse,
    /// The default one.
    #[cfg_attr(not(feature = "rest"), expect(dead_code, reason = "no provider is asked"))]
    Default,
}

impl Settings {
    /// Reads the file and puts the options above it.
    pub(crate) fn gather(args: &PhoneArgs, wanted: Wanted) -> Result<Self, Failure> {
        let mut file: PhoneFile = match &args.config {
            Some(path) => config::read(path)?,
            None => PhoneFile::default(),
        };
        let mut form = file.take_account().map_err(Failure::Usage)?;
        if let Some(uri) = &args.uri {
            form.uri = Some(uri.clone());
        }
        let data = args.data.clone().or(file.data);
        let stored = match (&args.account, &form.uri) {
            (Some(_), Some(_)) => {
                return Err(Failure::Usage("--account: the settings have an [account] of their own".into()));
            }
            (None, Some(_)) => Vec::new(),
            (which, None) => stored(data.as_deref(), which.as_deref(), wanted)?,
        };
        // The format's version is always there.
        let said = form.clone().part().0.names().into_iter().find(|name| name != "offhook");
        if let (false, Some(name)) = (stored.is_empty(), said) {
            return Err(Failure::Usage(format!(
                "the settings name `{name}` of an account, and no account (`uri`); stored ones have their own: \
                 `offhook accounts ... change`"
            )));
        }
        if stored.len() > 1 && args.password_file.is_some() {
            return Err(Failure::Usage("--password-file: whose password is it? say --account".into()));
        }
        // One that lies about is nobody's in particular.
        let password =
            if stored.len() > 1 { None } else { password(args.password_file.as_deref())?.map(Hidden) };
        let platform = Trusts::default();
        let regions = Regions::told(file.region.as_deref().unwrap_or_default(), "", "");
        let house = House { data: data.as_deref(), regions: &regions, platform: &platform };
        let (mut accounts, mut left_out, mut by) = (Vec::new(), Vec::new(), None);
        if stored.is_empty() {
            form.password = password.or(form.password);
            let (address, watch) = (form.uri.as_ref().map(|uri| address_of(&uri.0)), form.watch.clone());
            let address = address.unwrap_or_default();
            let member = Member { id: ACCOUNT, stored: None, name: address.clone(), address };
            accounts.push(house.run(member, Standing::of_form(form)?, watch));
        } else {
            let alone = stored.len() == 1;
            for kept in stored {
                let made = kept.and_then(|kept| house.run_stored(kept, password.clone()));
                match made {
                    Ok((run, default)) => {
                        by = by.or(default.then_some(run.member.id));
                        accounts.push(run);
                    }
                    Err(why) if alone => return Err(Failure::Usage(why)),
                    Err(why) => left_out.push(why),
                }
            }
        }
        let Some(first) = accounts.first().map(|run| run.member.id) else {
            return Err(Failure::Usage(left_out.join("; ")));
        };
        let mut trusts = platform.clone();
        // Where two name authorities for one server, the first in order has its way.
        let authorities = accounts.iter().rev().flat_map(|run| &run.standing.authorities);
        authorities.for_each(|(host, trust)| trusts.set(host, trust.clone()));
        Ok(Self {
            accounts,
            by: by.unwrap_or(first),
            left_out,
            trusts,
            data,
            bind: file.bind,
            regions,
            refuse_anonymous: file.refuse_anonymous,
            tones: file.audio.country.map_or_else(LocalTones::default, |name| LocalTones::Of(name.0)),
            effects: effects(&file.audio)?,
            gains: [file.audio.microphone_gain_db, file.audio.loudspeaker_gain_db]
                .map(|gain| gain.map_or(0.0, |gain| gain.0)),
            audio: audio(args, file.audio)?,
            capture: args.capture.clone(),
        })
    }

    /// The names of the accounts.
    pub(crate) fn roster(&self) -> Roster {
        Roster::new(self.accounts.iter().map(|run| run.member.clone()).collect(), self.by)
    }
}

/// What all accounts of a phone share.
#[cfg_attr(not(feature = "rest"), expect(dead_code, reason = "no provider is asked"))]
struct House<'a> {
    data: Option<&'a Path>,
    regions: &'a Regions,
    platform: &'a Trusts,
}

impl House<'_> {
    /// Says also whether it is the default one. The error is a sentence.
    fn run_stored(&self, kept: Kept, password: Option<Hidden>) -> Result<(Run, bool), String> {
        let Kept { row, document, mut secrets } = kept;
        secrets.password = password.or(secrets.password);
        let failed = |why: String| format!("account {}: {why}", row.id.0);
        let standing = Standing::of(&document, &secrets).map_err(failed)?;
        let id = u32::try_from(row.id.0).map_err(|_| failed("its id is beyond all that are given".into()))?;
        let member = Member {
            id: AccountId(id),
            stored: Some(row.id),
            name: row.name,
            address: address_of(&standing.account.uri),
        };
        Ok((self.run(member, standing, document.form().watch.clone()), row.default))
    }

    #[cfg_attr(not(feature = "rest"), expect(clippy::unused_self, reason = "no provider is asked"))]
    fn run(&self, member: Member, standing: Standing, watch: Vec<Text>) -> Run {
        Run {
            #[cfg(feature = "rest")]
            purse: standing.provider.clone().map(|provider| Purse {
                caller: provider.caller.clone().unwrap_or_else(|| own_number(&standing.account)),
                customer: offhook_io::Customer {
                    provider,
                    known: offhook_io::known(&standing.account),
                    trusts: standing.trusts(self.platform),
                },
                account: standing.account.clone(),
                regions: self.regions.clone(),
                file: self.data.map(|folder| purse::file_in(folder, member.stored)),
            }),
            watch: watch.into_iter().map(Text::into_inner).collect(),
            member,
            standing,
        }
    }
}

/// A password that stands in no settings: the first line of a file, else what the environment says.
pub(crate) fn password(file: Option<&Path>) -> Result<Option<Secret<String>>, Failure> {
    let Some(path) = file else { return Ok(env::var(PASSWORD_VARIABLE).ok().map(Secret::new)) };
    let text = fs::read_to_string(path).map(Secret::new).map_err(|error| {
        Failure::Usage(format!("{}: the password cannot be read: {error}", path.display()))
    })?;
    Ok(Some(Secret::new(text.expose().lines().next().unwrap_or_default().to_owned())))
}

/// The account of that name, or those that are wanted; of each that is damaged a sentence.
fn stored(
    data: Option<&Path>,
    which: Option<&str>,
    wanted: Wanted,
) -> Result<Vec<Result<Kept, String>>, Failure> {
    let database = data.map(place::database).filter(|file| file.exists());
    let shelf = match (database, which) {
        (Some(database), _) => Shelf::open(&database)?,
        (None, Some(_)) => {
            return Err(Failure::Usage("--account: `data` names no folder with accounts".into()));
        }
        (None, None) => return Ok(Vec::new()),
    };
    match (which, wanted) {
        (Some(which), _) => {
            let kept = shelf.find(which)?;
            if wanted == Wanted::InUse && !kept.row.enabled {
                return Err(Failure::Failed(format!(
                    "account {} is not in use: `offhook accounts ... change {} --on` puts it into use",
                    kept.row.id.0, kept.row.id.0
                )));
            }
            Ok(vec![Ok(kept)])
        }
        (None, Wanted::InUse) => shelf.in_use(),
        (None, Wanted::Default) => Ok(shelf.default()?.map(Ok).into_iter().collect()),
    }
}

/// Where the person is called: the number that is shown to others, else the account.
#[cfg(feature = "rest")]
fn own_number(account: &phone::Account) -> String {
    let shown = account.caller_id.number.as_ref().map(|number| number.reveal().clone());
    shown.unwrap_or_else(|| account.uri.view().user_decoded().into_owned())
}

/// What is not named is as the build has it.
fn effects(table: &AudioTable) -> Result<Effects, Failure> {
    let mut effects = Effects::default();
    for (name, asked, effect) in [
        ("echo_cancellation", table.echo_cancellation, &mut effects.echo_cancellation),
        ("noise_suppression", table.noise_suppression, &mut effects.noise_suppression),
        ("gain_control", table.gain_control, &mut effects.gain_control),
    ] {
        if asked == Some(true) && !Effects::BUILT {
            return Err(Failure::Usage(format!(
                "[audio] {name}: this build has none; build it with `--features device-audio`"
            )));
        }
        *effect = asked.unwrap_or(*effect);
    }
    Ok(effects)
}

/// Options that name files stand above the file that names devices.
fn audio(args: &PhoneArgs, table: AudioTable) -> Result<Audio, Failure> {
    let (play, record) = (args.play.clone().or(table.play), args.record.clone().or(table.record));
    match (table.device.unwrap_or(false), play.is_some() || record.is_some()) {
        (true, false) if !cfg!(feature = "device-audio") => Err(Failure::Usage(
            "[audio] device: this build knows no sound devices; build it with `--features device-audio`"
                .into(),
        )),
        (true, false) => Ok(Audio::Device),
        (true, true) if args.play.is_none() && args.record.is_none() => {
            Err(Failure::Usage("[audio] device: it takes the place of play and record".into()))
        }
        (_, true) => Ok(Audio::Files { play, record }),
        (false, false) => Ok(Audio::Silent),
    }
}
