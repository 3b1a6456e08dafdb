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
mod request;
pub(crate) mod roster;
pub(crate) mod screen;
pub(crate) mod settings;
pub(crate) mod standing;

use std::fs;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use offhook_io::{CaptureTo, Config, Handle, StartError, Trusts};
use phone::{Command, NetworkNews};

use crate::cli::PhoneArgs;
use crate::failure::Failure;
use crate::place;
use desk::{Desk, News, read_lines};
use settings::{Run, Settings, Wanted};

/// Runs until the person, the script or a signal ends it.
pub(crate) fn run(args: &PhoneArgs) -> Result<(), Failure> {
    let settings = Settings::gather(args, Wanted::InUse)?;
    let roster = settings.roster();
    if let Some(folder) = &settings.data {
        fs::create_dir_all(folder)
            .map_err(|error| Failure::Usage(format!("{}: cannot be made: {error}", folder.display())))?;
    }
    let [microphone_gain_db, loudspeaker_gain_db] = settings.gains;
    // Without one it registers as any phone does.
    let instance = settings.data.as_deref().and_then(|folder| offhook_io::instance(folder).ok());
    let phone = phone::Config { instance, regions: settings.regions, ..phone::Config::default() };
    let log = settings.data.as_deref().map(place::database);
    let handle = Handle::start(Config {
        phone,
        bind: settings.bind.into_iter().collect(),
        trusts: settings.trusts.clone(),
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
    let (mut desk, news) = Desk::new(Arc::clone(&handle), roster)?;
    // A system says what it has when that changes. One without IPv4 is to be asked how IPv4 is reached.
    let addrs = offhook_io::addresses();
    if !addrs.is_empty() && addrs.iter().all(IpAddr::is_ipv6) {
        handle.network(NetworkNews::Up { addrs });
    }
    desk.log = log;
    let stun = |run: &Run| run.standing.account.nat.stun.first().cloned();
    let first = settings.accounts.iter().find(|run| run.member.id == settings.by).and_then(stun);
    let stun = first.or_else(|| settings.accounts.iter().find_map(stun));
    desk.diagnostics = (stun, settings.bind.map(|bind| bind.ip()));
    if settings.refuse_anonymous {
        handle.command(Command::RefuseAnonymous(true));
    }
    for sentence in settings.left_out {
        // Who reads is there from the start.
        let _ = news.send(News::Trouble(None, sentence));
    }
    for run in settings.accounts {
        begin(run, &handle, &mut desk, &news, &settings.trusts)?;
    }
    if args.json {
        read_lines(news)?;
        json::run(&mut desk)
    } else {
        screen::run(&mut desk, news)
    }
}

/// Adds an account, and begins to ask who is asked beside it.
#[cfg_attr(not(feature = "rest"), expect(clippy::unnecessary_wraps, reason = "nobody is asked"))]
fn begin(
    run: Run,
    handle: &Arc<Handle>,
    #[cfg_attr(not(feature = "rest"), expect(unused_variables, reason = "nobody is asked"))] desk: &mut Desk,
    #[cfg_attr(not(feature = "rest"), expect(unused_variables, reason = "nobody is asked"))] news: &Sender<
        News,
    >,
    #[cfg_attr(not(feature = "rest"), expect(unused_variables, reason = "nobody is asked"))]
    platform: &Trusts,
) -> Result<(), Failure> {
    let id = run.member.id;
    #[cfg(feature = "rest")]
    let asked = run.standing.service.as_ref().map(|_| run.standing.trusts(platform));
    let service = run.standing.service;
    handle.command(Command::AddAccount(id, run.standing.account));
    for who in run.watch {
        handle.command(presence::watch(Some(id), who, true, false));
    }
    #[cfg(not(feature = "rest"))]
    if let Some(none) = service {
        match none {}
    }
    #[cfg(feature = "rest")]
    if let Some((service, trusts)) = service.zip(asked) {
        let (handle, news) = (Arc::clone(handle), news.clone());
        let told = move |relays: Result<Vec<_>, offhook_io::NoRelays>| match relays {
            Ok(relays) => {
                handle.command(Command::Relays(id, relays));
                true
            }
            Err(why) => news.send(News::Trouble(Some(id), why.to_string())).is_ok(),
        };
        let kept = offhook_io::KeptRelays::begin(service, trusts, told);
        desk.relays.push(kept.map_err(|error| Failure::Failed(format!("no thread for relays: {error}")))?);
    }
    #[cfg(feature = "rest")]
    if let Some(purse) = run.purse {
        let purse = purse::Open::new(id, purse, news.clone())?;
        purse.occasion(offhook_io::balance::Occasion::Shown);
        desk.purses.insert(id, purse);
    }
    Ok(())
}

/// What was given is wrong, or the world refuses.
fn refusal(error: StartError) -> Failure {
    match error {
        StartError::Play { .. } | StartError::Capture { .. } => Failure::Usage(error.to_string()),
        _ => Failure::Failed(error.to_string()),
    }
}
