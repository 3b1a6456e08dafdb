//! `offhook diagnose`: what the router in the way does to calls.
//!
//! What is found out and what it means is `nat`'s; here is how it is told.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nat::behaviour::Dependence;
use offhook_io::Between;
use phone::Server;
use serde::Serialize;

use crate::cli::DiagnoseArgs;
use crate::config;
use crate::config::phone::PhoneFile;
use crate::failure::Failure;
use crate::phone::json::say;
use crate::phone::line::Line;

/// What lies between us and a server: `"event":"router"`.
#[derive(Debug, Serialize)]
pub(crate) struct Router {
    server: String,
    local: SocketAddr,
    /// Datagrams do not pass, or the server is away; then nothing more is known.
    blocked: bool,
    /// Our address as the server sees it.
    #[serde(skip_serializing_if = "Option::is_none")]
    mapped: Option<SocketAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    translated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ports_kept: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mapping: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filtering: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hairpinning: Option<bool>,
    /// What the router does.
    does: String,
    /// What that means for calls.
    sentence: &'static str,
}

impl Router {
    /// Asks, and takes its time: up to 5.5 s. The error is a sentence.
    pub(crate) fn ask(server: &Server, from: Option<IpAddr>) -> Result<Self, String> {
        match offhook_io::router(server, from) {
            Ok(between) => Ok(Self::of(server, &between)),
            Err(error) => Err(format!("the STUN server {} cannot be asked: {error}", name(server))),
        }
    }

    fn of(server: &Server, between: &Between) -> Self {
        let found = &between.behaviour;
        Self {
            server: name(server),
            local: between.local,
            blocked: found.blocked,
            mapped: found.mapped,
            translated: found.translated,
            ports_kept: found.ports_kept,
            mapping: found.mapping.map(Dependence::word),
            filtering: found.filtering.map(Dependence::word),
            hairpinning: found.hairpinning,
            does: found.to_string(),
            sentence: found.meaning(),
        }
    }

    /// For people, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("our address: {}", self.local)];
        if let Some(mapped) = self.mapped {
            lines.push(format!("as {} sees it: {mapped}", self.server));
        }
        // One habit of it a line: all of them are too wide for a screen.
        for (number, habit) in self.does.split("; ").enumerate() {
            lines.push(format!("{:11} {habit}", if number == 0 { "the router:" } else { "" }));
        }
        lines.push(self.sentence.to_owned());
        lines
    }
}

/// Asks once, and says what came of it.
pub(crate) fn run(args: &DiagnoseArgs) -> Result<(), Failure> {
    let file: PhoneFile = args.config.as_deref().map(config::read).transpose()?.unwrap_or_default();
    let from = file.bind.map(|bind| bind.ip());
    let in_file = file.nat.and_then(|table| table.stun.0.into_iter().next());
    let server = args.stun.as_ref().map(|given| given.0.clone()).or(in_file).ok_or_else(|| {
        Failure::Usage("which STUN server? give --stun, or --config with `stun` under [nat]".into())
    })?;
    let router = Router::ask(&server, from).map_err(Failure::Failed)?;
    let failure = router.blocked.then(|| {
        let (address, sentence) = (name(&server), router.sentence);
        Failure::Failed(format!("UDP is blocked, or the STUN server {address} is away. {sentence}"))
    });
    let gone = |error: io::Error| Failure::Failed(format!("stdout is gone: {error}"));
    if args.json {
        say(&Line::Router(router)).map_err(gone)?;
    } else if failure.is_none() {
        for line in router.lines() {
            println!("{line}");
        }
    }
    failure.map_or(Ok(()), Err)
}

/// `HOST:PORT`.
fn name(server: &Server) -> String {
    format!("{}:{}", server.host, server.port)
}

#[cfg(test)]
mod tests {
    use nat::behaviour::Behaviour;

    use super::*;

    fn router(behaviour: Behaviour) -> Router {
        let server = Server { host: "198.51.100.1".into(), port: 3478 };
        Router::of(&server, &Between { local: "10.1.0.2:5000".parse().unwrap(), behaviour })
    }

    fn symmetric() -> Behaviour {
        Behaviour {
            mapped: "198.51.100.10:40000".parse().ok(),
            translated: Some(true),
            ports_kept: Some(false),
            mapping: Some(Dependence::AddressAndPortDependent),
            filtering: Some(Dependence::AddressAndPortDependent),
            ..Behaviour::default()
        }
    }

    #[test]
    fn a_router_is_one_object_of_fixed_words() {
        let json = serde_json::to_value(Line::Router(router(symmetric()))).unwrap();
        let expected = serde_json::json!({
            "event": "router",
            "server": "198.51.100.1:3478",
            "local": "10.1.0.2:5000",
            "blocked": false,
            "mapped": "198.51.100.10:40000",
            "translated": true,
            "ports_kept": false,
            "mapping": "address-and-port-dependent",
            "filtering": "address-and-port-dependent",
            "does": symmetric().to_string(),
            "sentence": symmetric().meaning(),
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn people_are_told_both_addresses_the_router_and_what_it_means() {
        let lines = router(symmetric()).lines();
        assert_eq!(lines[0], "our address: 10.1.0.2:5000");
        assert_eq!(lines[1], "as 198.51.100.1:3478 sees it: 198.51.100.10:40000");
        assert_eq!(lines[2], "the router: port-translating router");
        assert_eq!(lines[3], "            mapping depends on destination and port");
        assert_eq!(lines[4], "            lets in only hosts and ports that we sent to");
        assert_eq!(lines[5], symmetric().meaning());
    }
}
