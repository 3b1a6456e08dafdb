//! `offhook phone`: a phone for people or for scripts.

pub(crate) mod card;
pub(crate) mod desk;
pub(crate) mod json;
pub(crate) mod line;
#[cfg(feature = "rest")]
pub(crate) mod money;
pub(crate) mod picture;
mod presence;
#[cfg(feature = "rest")]
pub(crate) mod purse;
#[cfg(feature = "rest")]
mod relays;
mod request;
pub(crate) mod screen;
pub(crate) mod settings;
pub(crate) mod standing;

use std::fs;
use std::net::IpAddr;
use std::sync::Arc;

use offhook_io::{CaptureTo, Config, Handle, StartError};
use phone::{Command, NetworkNews};

use crate::cli::PhoneArgs;
use crate::failure::Failure;
use crate::place;
use desk::{ACCOUNT, Desk, read_lines};
use settings::Settings;

/// Runs until the person, the script or a signal ends it.
pub(crate) fn run(args: &PhoneArgs) -> Result<(), Failure> {
    let settings = Settings::gather(args)?;
    if let Some(folder) = &settings.data {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::Usage(format!("{}: cannot be made: {error}", folder.display())))?;
    }
    let [microphone_gain_db, loudspeaker_gain_db] = settings.gains;
    // Without one it registers as any phone does.
    let instance = settings.data.as_deref().and_then(|folder| offhook_io::instance(folder).ok());
    let phone = phone::Config { instance, regions: settings.regions, ..phone::Config::default() };
    let log = settings.data.as_deref().map(place::database);
    let standing = settings.standing;
    #[cfg(feature = "rest")]
    let asked = standing.service.map(|service| (service, standing.trusts.clone()));
    #[cfg(feature = "rest")]
    let purse = settings.purse;
    #[cfg(not(feature = "rest"))]
    if let Some(none) = standing.service {
        match none {}
    }
    let handle = Handle::start(Config {
        phone,
        bind: settings.bind.into_iter().collect(),
        trusts: standing.trusts,
        audio: settings.audio,
        tones: settings.tones,
        effects: settings.effects,
        microphone_gain_db,
        loudspeaker_gain_db,
        store: log.clone(),
        capture: settings.capture.map(|path| CaptureTo { path, secrets: args.capture_secrets }),
        ..Config::default()
    })
    .map_err(refusal)?;
    let handle = Arc::new(handle);
    let (mut desk, news) = Desk::new(Arc::clone(&handle))?;
    // A system says what it has when that changes. One without IPv4 is to be asked how IPv4 is reached.
    let addrs = offhook_io::addresses();
    if !addrs.is_empty() && addrs.iter().all(IpAddr::is_ipv6) {
        handle.network(NetworkNews::Up { addrs });
    }
    desk.log = log;
    desk.diagnostics = (standing.account.nat.stun.first().cloned(), settings.bind.map(|bind| bind.ip()));
    if settings.refuse_anonymous {
        handle.command(Command::RefuseAnonymous(true));
    }
    handle.command(Command::AddAccount(ACCOUNT, standing.account));
    for who in settings.watch {
        handle.command(presence::watch(who, true, false));
    }
    #[cfg(feature = "rest")]
    if let Some((service, trusts)) = asked {
        relays::keep(service, trusts, handle, news.clone())?;
    }
    #[cfg(feature = "rest")]
    if let Some(purse) = purse {
        let purse = purse::Open::new(purse, news.clone())?;
        purse.occasion(offhook_io::balance::Occasion::Shown);
        desk.purse = Some(purse);
    }
    if args.json {
        read_lines(news)?;
        json::run(&mut desk)
    } else {
        screen::run(&mut desk, news)
    }
}

/// What was given is wrong, or the world refuses.
fn refusal(error: StartError) -> Failure {
    match error {
        StartError::Play { .. } | StartError::Capture { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Failed(error.to_string()),
    }
}
