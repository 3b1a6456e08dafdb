//! The command line, as `--help` shows it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::config::nat::StunServer;
use crate::config::parts::{CodecName, SipUri};
use crate::demo::encryption::Encryption;

const EXAMPLES: &str = "\
Examples:
  offhook demo                          a whole call on this machine, checked
  offhook exchange                      a pocket exchange on 127.0.0.1:5060
  offhook phone --uri sip:1001@127.0.0.1 --play speech.wav

Exit status: 0 did what was asked, 1 the call or registration failed, 2 called wrongly.";

const DEMO_EXAMPLES: &str = "\
Examples:
  offhook demo
  offhook demo --seconds 10 --codec PCMA --out heard/
  offhook demo --json | tail -n 1";

const EXCHANGE_EXAMPLES: &str = "\
Without a file: domain offhook.test, users 1001..1009 with password secret-<user>.

Examples:
  offhook exchange
  offhook exchange --listen 192.0.2.10:5060
  offhook exchange --config exchange.toml --json";

const PHONE_EXAMPLES: &str = "\
The password comes from the file, --password-file or OFFHOOK_PASSWORD.

Examples:
  OFFHOOK_PASSWORD=secret-1001 offhook phone --uri sip:1001@127.0.0.1:5060
  offhook phone --config phone.toml --play speech.wav --record heard.wav
  offhook phone --config phone.toml --json          {\"cmd\":\"call\",\"to\":\"1002\"} on stdin calls";

const DIAGNOSE_EXAMPLES: &str = "\
Examples:
  offhook diagnose --stun stun.example.com
  offhook diagnose --config phone.toml
  offhook diagnose --stun 192.0.2.10:3478 --json

Exit status: 0 the server answered, 1 it did not, 2 called wrongly.";

/// A SIP phone in a terminal, with an exchange to try it on.
#[derive(Debug, Parser)]
#[command(name = "offhook", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) job: Job,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Job {
    /// Makes a real call between two phones through a real exchange, all in this process, and checks it.
    Demo(DemoArgs),
    /// Runs the pocket exchange: registrar, proxy and redirect server.
    Exchange(ExchangeArgs),
    /// Runs a phone.
    Phone(PhoneArgs),
    /// Says what the router in the way does to calls, in plain words.
    Diagnose(DiagnoseArgs),
}

#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub(crate) struct DemoArgs {
    /// How long the two talk.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) seconds: u64,
    /// The codec of the call: G729, PCMU, PCMA, GSM, opus or G722.
    #[arg(long, value_name = "NAME", default_value = "G729")]
    pub(crate) codec: CodecName,
    /// How the call is protected: none, tls (its signalling), or sdes (tls, and its media by keys in the signalling).
    #[arg(long, value_name = "MODE", default_value = "none")]
    pub(crate) encryption: Encryption,
    /// Leaves what each phone heard in this folder, as WAV.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// One JSON object a line; the last is the report.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = EXCHANGE_EXAMPLES)]
pub(crate) struct ExchangeArgs {
    /// The settings, TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// UDP and TCP listen here, whatever the file says.
    #[arg(long, value_name = "ADDR:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// One JSON object a line; the first says where it listens.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = PHONE_EXAMPLES)]
pub(crate) struct PhoneArgs {
    /// The settings, TOML.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The account, instead of the file's: `sip:1001@HOST[:PORT]`.
    #[arg(long, value_name = "URI")]
    pub(crate) uri: Option<SipUri>,
    /// The first line of this file is the password.
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// What the phone says, round and round; silence without it.
    #[arg(long, value_name = "WAV")]
    pub(crate) play: Option<PathBuf>,
    /// Where what it hears is kept.
    #[arg(long, value_name = "WAV")]
    pub(crate) record: Option<PathBuf>,
    /// Commands as JSON lines on stdin, events as JSON lines on stdout.
    #[arg(long)]
    pub(crate) json: bool,
    /// Writes what crosses the wire, credentials masked.
    #[arg(long, value_name = "FILE.pcapng")]
    pub(crate) capture: Option<PathBuf>,
    /// Leaves the credentials in the capture as they were.
    #[arg(long, requires = "capture")]
    pub(crate) capture_secrets: bool,
}

#[derive(Debug, Args)]
#[command(after_help = DIAGNOSE_EXAMPLES)]
pub(crate) struct DiagnoseArgs {
    /// The server that is asked, instead of the file's first; one with two addresses tells most.
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) stun: Option<StunServer>,
    /// A phone's settings, TOML: `stun` under `[nat]`, and `bind`.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// One JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
