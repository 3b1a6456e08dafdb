//! What a phone is started with: the file, the options above it, and the password from wherever it is.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use account::words::{Hidden, Text};
use base::Secret;
use numbers::Regions;
use offhook_io::{Audio, Effects, LocalTones};

#[cfg(feature = "rest")]
use super::purse::{self, Purse};
use super::standing::Standing;
use crate::accounts::{Kept, Shelf};
use crate::cli::PhoneArgs;
use crate::config;
use crate::config::phone::{AudioTable, PhoneFile};
use crate::failure::Failure;
use crate::place;

/// Where the password may be instead of in a file.
const PASSWORD_VARIABLE: &str = "OFFHOOK_PASSWORD";

/// One account, and what the phone's runtime needs.
pub(crate) struct Settings {
    pub(crate) standing: Standing,
    /// Who is asked what is left.
    #[cfg(feature = "rest")]
    pub(crate) purse: Option<Purse>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) bind: Option<std::net::SocketAddr>,
    pub(crate) regions: Regions,
    pub(crate) refuse_anonymous: bool,
    /// People who are watched from the beginning.
    pub(crate) watch: Vec<String>,
    pub(crate) audio: Audio,
    pub(crate) tones: LocalTones,
    pub(crate) effects: Effects,
    /// In dB: the microphone's and the loudspeaker's.
    pub(crate) gains: [f32; 2],
    pub(crate) capture: Option<PathBuf>,
}

impl Settings {
    /// Reads the file and puts the options above it.
    pub(crate) fn gather(args: &PhoneArgs) -> Result<Self, Failure> {
        let mut file: PhoneFile = match &args.config {
            Some(path) => config::read(path)?,
            None => PhoneFile::default(),
        };
        let mut form = file.take_account().map_err(Failure::Usage)?;
        if let Some(uri) = &args.uri {
            form.uri = Some(uri.clone());
        }
        let password = password(args.password_file.as_deref())?.map(Hidden);
        let data = args.data.clone().or(file.data);
        let stored = match (&args.account, &form.uri) {
            (Some(_), Some(_)) => {
                return Err(Failure::Usage("--account: the settings have an [account] of their own".into()));
            }
            (None, Some(_)) => None,
            (which, None) => stored(data.as_deref(), which.as_deref())?,
        };
        #[cfg(feature = "rest")]
        let kept_in =
            data.as_deref().map(|folder| purse::file_in(folder, stored.as_ref().map(|it| it.row.id)));
        let watch = stored.as_ref().map_or(&form, |kept| kept.document.form()).watch.clone();
        let standing = match stored {
            Some(Kept { row, document, mut secrets }) => {
                secrets.password = password.or(secrets.password);
                Standing::of(&document, &secrets)
                    .map_err(|why| Failure::Usage(format!("account {}: {why}", row.id.0)))?
            }
            None => {
                form.password = password.or(form.password);
                Standing::of_form(form)?
            }
        };
        let regions = Regions::told(file.region.as_deref().unwrap_or_default(), "", "");
        Ok(Self {
            #[cfg(feature = "rest")]
            purse: standing.provider.clone().map(|provider| Purse {
                caller: provider.caller.clone().unwrap_or_else(|| own_number(&standing.account)),
                customer: offhook_io::Customer {
                    provider,
                    known: offhook_io::known(&standing.account),
                    trusts: standing.trusts.clone(),
                },
                account: standing.account.clone(),
                regions: regions.clone(),
                file: kept_in,
            }),
            standing,
            data,
            bind: file.bind,
            regions,
            refuse_anonymous: file.refuse_anonymous,
            watch: watch.into_iter().map(Text::into_inner).collect(),
            tones: file.audio.country.map_or_else(LocalTones::default, |name| LocalTones::Of(name.0)),
            effects: effects(&file.audio)?,
            gains: [file.audio.microphone_gain_db, file.audio.loudspeaker_gain_db]
                .map(|gain| gain.map_or(0.0, |gain| gain.0)),
            audio: audio(args, file.audio)?,
            capture: args.capture.clone(),
        })
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

/// The account of that name, or the default one if there is any.
fn stored(data: Option<&Path>, which: Option<&str>) -> Result<Option<Kept>, Failure> {
    let database = data.map(place::database).filter(|file| file.exists());
    match (database, which) {
        (Some(database), Some(which)) => Shelf::open(&database)?.find(which).map(Some),
        (Some(database), None) => Shelf::open(&database)?.default(),
        (None, Some(_)) => Err(Failure::Usage("--account: `data` names no folder with accounts".into())),
        (None, None) => Ok(None),
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
