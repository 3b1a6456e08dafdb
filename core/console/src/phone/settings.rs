//! What a phone is started with: the file, the options above it, and the password from wherever it is.

use std::env;
use std::fs;
use std::path::PathBuf;

use base::{Redacted, Secret};
use numbers::{Plan, Regions, Rule};
use offhook_io::{
    Audio, Effects, LocalTones, Trust, Trusts, Unusable, client_certificate, signer_certificate,
};
use phone::{Account, CallerId, Carry, Connection, Encryption, Keepalive, Nat, NetworkPolicy, Signer, Vos};
use sip::ua::{Reliable, TransportPolicy};

#[cfg(feature = "rest")]
use super::purse::Purse;
use crate::cli::PhoneArgs;
use crate::config;
#[cfg(feature = "rest")]
use crate::config::balance::BalanceTable;
use crate::config::nat::{NatTable, Service};
use crate::config::parts::{NOT_IN_THIS_BUILD, TransportName};
use crate::config::phone::{
    AccountTable, AudioTable, CallerIdTable, CarryName, KeepaliveName, NetworksName, PhoneFile, ReliableName,
    RuleTable, SignerTable, VosTable,
};
use crate::failure::Failure;

/// Where the password may be instead of in a file.
const PASSWORD_VARIABLE: &str = "OFFHOOK_PASSWORD";

/// One account, and what the phone's runtime needs.
pub(crate) struct Settings {
    pub(crate) account: Account,
    /// Who hands out its relays.
    pub(crate) service: Option<Service>,
    /// Who is asked what is left.
    #[cfg(feature = "rest")]
    pub(crate) purse: Option<super::purse::Purse>,
    /// Whose certificates are accepted.
    pub(crate) trusts: Trusts,
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
        let mut table = file.account.take().unwrap_or_default();
        if let Some(uri) = &args.uri {
            table.uri = Some(uri.clone());
        }
        if let Some(path) = &args.password_file {
            let text = fs::read_to_string(path).map_err(|error| {
                Failure::Usage(format!("{}: the password cannot be read: {error}", path.display()))
            })?;
            table.password = Some(text.lines().next().unwrap_or_default().to_owned());
        } else if let Ok(password) = env::var(PASSWORD_VARIABLE) {
            table.password = Some(password);
        }
        let (trust, by_authority) = (trust(&table)?, table.tls_ca.is_some());
        let service = file.nat.as_mut().and_then(NatTable::take_service);
        let watch = std::mem::take(&mut table.watch);
        let account = account(table, file.nat)?;
        #[cfg(feature = "rest")]
        let provider = file.balance.map(BalanceTable::provider).transpose();
        #[cfg(feature = "rest")]
        let provider = provider.map_err(|why| Failure::Usage(format!("[balance] {why}")))?;
        let mut trusts = Trusts::default();
        if let Some(trust) = trust {
            let first_hop = account.proxy.as_ref().unwrap_or(&account.uri).view();
            trusts.set(&first_hop.host.to_string(), trust.clone());
            // Relays have certificates of their own, of the same authority.
            if by_authority {
                account.nat.turn.iter().for_each(|relay| trusts.set(&relay.server.host, trust.clone()));
                #[cfg(feature = "rest")]
                if let Some(service) = &service {
                    trusts.set(service.host(), trust.clone());
                }
                #[cfg(feature = "rest")]
                for host in provider.iter().flat_map(|(provider, _)| provider.hosts()) {
                    trusts.set(&host, trust.clone());
                }
            }
        }
        let regions = Regions::told(file.region.as_deref().unwrap_or_default(), "", "");
        Ok(Self {
            service,
            #[cfg(feature = "rest")]
            purse: provider.map(|(provider, caller)| Purse {
                customer: offhook_io::Customer {
                    provider,
                    known: offhook_io::known(&account),
                    trusts: trusts.clone(),
                },
                caller: caller.unwrap_or_else(|| own_number(&account)),
                account: account.clone(),
                regions: regions.clone(),
                data: file.data.clone(),
            }),
            account,
            trusts,
            data: file.data,
            bind: file.bind,
            regions,
            refuse_anonymous: file.refuse_anonymous,
            watch,
            tones: file.audio.country.map_or_else(LocalTones::default, |name| LocalTones::Of(name.0)),
            effects: effects(&file.audio)?,
            gains: [file.audio.microphone_gain_db, file.audio.loudspeaker_gain_db]
                .map(|gain| gain.map_or(0.0, |gain| gain.0)),
            audio: audio(args, file.audio)?,
            capture: args.capture.clone(),
        })
    }
}

/// Where the person is called: the number that is shown to others, else the account.
#[cfg(feature = "rest")]
fn own_number(account: &Account) -> String {
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

/// Whose certificate the account's server must have, where that is not for the platform to say.
fn trust(table: &AccountTable) -> Result<Option<Trust>, Failure> {
    match (&table.tls_ca, &table.tls_pin) {
        (None, _) => Ok(None),
        (Some(_), Some(_)) => Err(Failure::Usage("[account] tls_pin: it takes the place of tls_ca".into())),
        (Some(path), None) => {
            let unusable = |why: String| Failure::Usage(format!("{}: {why}", path.display()));
            let pem = fs::read(path).map_err(|error| unusable(format!("cannot be read: {error}")))?;
            Trust::authority(&pem).map(Some).map_err(|error| unusable(error.to_string()))
        }
    }
}

fn plan(rules: Vec<RuleTable>) -> Result<Plan, Failure> {
    let rules = rules.into_iter().map(|rule| Rule {
        begins: rule.begins,
        fits: rule.fits,
        length: rule.length.map(|[least, most]| (least, most)),
        strip: rule.strip,
        prefix: rule.prefix,
        replace: rule.replace,
        go_on: rule.go_on,
    });
    Plan::new(rules.collect()).map_err(|error| Failure::Usage(format!("[account] dial_plan: {error}")))
}

fn caller_id(table: Option<CallerIdTable>) -> Result<CallerId, Failure> {
    let Some(table) = table else { return Ok(CallerId::default()) };
    if table.number.as_deref().is_some_and(|number| !phone::is_number(number)) {
        return Err(Failure::Usage(
            "[account] caller_id: a number is digits, with a + before them or not".into(),
        ));
    }
    let carry = table.carry.into_iter().map(|name| match name {
        CarryName::FromUser => Carry::FromUser,
        CarryName::FromDisplay => Carry::FromDisplay,
        CarryName::Ppi => Carry::Preferred,
        CarryName::Pai => Carry::Asserted,
        CarryName::Rpid => Carry::RemoteParty,
    });
    Ok(CallerId { number: table.number.map(Redacted::new), carry: carry.collect(), hide: table.hide })
}

fn signer(table: SignerTable) -> Result<Signer, Failure> {
    let file = table.file.display();
    let failed =
        |why: &dyn std::fmt::Display| Failure::Usage(format!("[account] stir_certificates: {file}: {why}"));
    let pem = std::fs::read(&table.file).map_err(|error| failed(&error))?;
    let read = signer_certificate(&pem).map_err(|why| failed(&why))?;
    Ok(Signer { info: table.url, key: read.key, valid: read.valid })
}

/// How connections to the account's server are made.
fn connection(table: &AccountTable) -> Result<Connection, Failure> {
    let pin = table.tls_pin.as_ref().map(|pin| {
        if cfg!(feature = "tls") {
            pin.parse().map_err(|error| Failure::Usage(format!("[account] tls_pin: {error}")))
        } else {
            Err(Failure::Usage(format!("[account] tls_pin is {NOT_IN_THIS_BUILD}")))
        }
    });
    let certificate = match (&table.tls_certificate, &table.tls_key) {
        (None, None) => None,
        (Some(certificate), Some(key)) => {
            let read = |path: &PathBuf| {
                let unread = |error| Failure::Usage(format!("{}: cannot be read: {error}", path.display()));
                fs::read(path).map_err(unread)
            };
            let (chain, secret) = (read(certificate)?, Secret::new(read(key)?));
            Some(client_certificate(&chain, secret.expose()).map_err(|why| {
                let path = if why == Unusable::Certificate { certificate } else { key };
                Failure::Usage(format!("{}: {why}", path.display()))
            })?)
        }
        _ => {
            return Err(Failure::Usage(
                "[account] tls_certificate: it needs its tls_key, and the reverse".into(),
            ));
        }
    };
    Ok(Connection { pin: pin.transpose()?, certificate, path: table.ws_path.clone().unwrap_or_default() })
}

/// Datagrams only, and never anything else.
fn encryption(table: VosTable, transport: Option<TransportName>) -> Result<Encryption, Failure> {
    if transport.and_then(|name| name.0).is_some_and(|transport| transport != base::Transport::Udp) {
        return Err(Failure::Usage("[account] transport: VOS encryption goes by UDP only".into()));
    }
    let (id, key) = (table.id.map(Redacted::new), table.key.map(Secret::new));
    Ok(Encryption::Vos(Vos { id, key, media: table.media.0 }))
}

fn account(table: AccountTable, nat: Option<NatTable>) -> Result<Account, Failure> {
    let connection = connection(&table)?;
    let uri = table.uri.ok_or_else(|| {
        Failure::Usage("which account? give --uri, or --config with `uri` under [account]".into())
    })?;
    let mut account = Account::new(uri.0, Secret::new(table.password.unwrap_or_default()));
    account.proxy = table.proxy.map(|uri| uri.0);
    account.auth_user = table.auth_user.map(Redacted::new);
    account.display_name = table.display_name.map(Redacted::new);
    account.voicemail = table.voicemail.unwrap_or(false);
    account.publish_presence = table.publish_presence.unwrap_or(false);
    account.dial_plan = plan(table.dial_plan)?;
    account.emergency = table.emergency.unwrap_or(false);
    account.caller_id = caller_id(table.caller_id)?;
    account.signers = table.stir_certificates.into_iter().map(signer).collect::<Result<_, _>>()?;
    account.register = table.register.unwrap_or(account.register);
    account.expires = table.expires.unwrap_or(account.expires);
    account.session_expires = table.session_expires.map_or(account.session_expires, |timer| timer.0);
    account.codecs = table.codecs.map_or(account.codecs, |codecs| codecs.0);
    account.digits = table.dtmf.map_or(account.digits, |dtmf| dtmf.0);
    account.connection = connection;
    account.media_encryption = table.srtp.map_or(account.media_encryption, |srtp| srtp.0);
    account.media_encryption_by = table.srtp_keys.map_or(account.media_encryption_by, |by| by.0);
    account.sdes_in_clear = table.sdes_in_clear.unwrap_or(false);
    account.nat = nat.map_or_else(Nat::default, Nat::from);
    account.silence_suppression = table.silence_suppression.unwrap_or(false);
    account.keepalive = table.keepalive.map_or(account.keepalive, |name| match name {
        KeepaliveName::Prompt => Keepalive::Prompt,
        KeepaliveName::Thrifty => Keepalive::Thrifty,
    });
    account.networks = table.networks.map_or(account.networks, |name| match name {
        NetworksName::Any => NetworkPolicy::Any,
        NetworksName::WifiOnly => NetworkPolicy::WifiOnly,
    });
    if let Some(reliable) = table.reliable_provisional {
        account.reliable_provisional = match reliable {
            ReliableName::Off => Reliable::Off,
            ReliableName::Supported => Reliable::Supported,
            ReliableName::Required => Reliable::Required,
        };
    }
    match (table.encryption.is_some_and(|it| it.0), table.vos) {
        (true, vos) => account.encryption = encryption(vos.unwrap_or_default(), table.transport)?,
        (false, None) => {}
        (false, Some(_)) => {
            return Err(Failure::Usage("[account] vos: it needs encryption = \"vos\"".into()));
        }
    }
    if let Some(transport) = table.transport.and_then(|name| name.0) {
        if transport.is_secure() && !cfg!(feature = "tls") {
            return Err(Failure::Usage(format!("[account] transport: `{transport}` is {NOT_IN_THIS_BUILD}")));
        }
        account.transport = TransportPolicy::Only(transport);
    }
    Ok(account)
}
