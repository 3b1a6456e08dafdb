//! Asking a STUN server about the router between: for diagnostics, while somebody waits.
//!
//! Looks the server up and lends the question a thread's time; asking is `net`'s. Knows no phone and no account.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};

use offhook_net::{Between, discover, local_toward};
use phone::Server;
use tokio::runtime::Builder;

use crate::clock;

/// What lies between us and this server, as seen from `from` or from whichever address the system has toward it. Blocks: up to
/// 5.5 s where something is filtered or nobody answers, and for as long as the system looks a name up.
///
/// # Errors
/// The server has no address, there is no way to it, or `from` is not ours. That nobody answers is no error: then
/// [`nat::behaviour::Behaviour::blocked`] is true.
pub fn router(server: &Server, from: Option<IpAddr>) -> io::Result<Between> {
    let from = from.filter(|ip| !ip.is_unspecified());
    let server = lookup(server, from)?;
    let rng = clock::seeded()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(discover(server, from, rng, None))
}

/// The first of its addresses that there is a way to.
fn lookup(server: &Server, from: Option<IpAddr>) -> io::Result<SocketAddr> {
    let host = server.host.trim_start_matches('[').trim_end_matches(']');
    let mut failed = None;
    for addr in (host, server.port).to_socket_addrs()? {
        match (from, local_toward(addr.ip())) {
            (Some(from), _) if from.is_ipv4() == addr.is_ipv4() => return Ok(addr),
            (None, Ok(_)) => return Ok(addr),
            (None, Err(error)) => failed = Some(error),
            (Some(_), _) => {}
        }
    }
    Err(failed.unwrap_or_else(|| io::Error::other("it has no address of our family")))
}

#[cfg(test)]
mod tests {
    use exchange::server::{Listen, Server as Exchange, ServerConfig};
    use nat::behaviour::Dependence;

    use super::*;

    fn exchange(stun_other: Option<&str>) -> (Exchange, Server) {
        let mut config = ServerConfig { database: None, ..ServerConfig::default() };
        config.listen = Listen {
            stun: "127.0.0.1:0".parse().ok(),
            stun_other: stun_other.map(|addr| addr.parse().unwrap()),
            ..Listen::at("127.0.0.1:0".parse().unwrap())
        };
        let exchange = Exchange::start(config).unwrap();
        let at = exchange.addresses().stun.unwrap();
        (exchange, Server { host: at.ip().to_string(), port: at.port() })
    }

    #[test]
    fn on_this_very_host_nothing_translates_and_nothing_filters() {
        let (exchange, server) = exchange(Some("127.0.0.2:0"));
        let found = router(&server, None).unwrap();
        exchange.stop();
        assert_eq!(found.behaviour.mapped, Some(found.local));
        assert_eq!(found.behaviour.to_string(), "no address translation; lets in anybody");
        assert_eq!(found.behaviour.filtering, Some(Dependence::EndpointIndependent));
    }

    #[test]
    fn a_server_with_one_address_leaves_the_filter_unknown() {
        let (exchange, server) = exchange(None);
        let found = router(&server, Some([127, 0, 0, 3].into())).unwrap();
        exchange.stop();
        assert_eq!(found.local.ip(), IpAddr::from([127, 0, 0, 3]));
        assert_eq!(found.behaviour.to_string(), "no address translation; filtering unknown");
    }

    #[test]
    fn a_server_is_taken_by_an_address_that_we_can_send_from() {
        let at = |host: &str| Server { host: host.into(), port: 3478 };
        let found = lookup(&at("127.0.0.1"), Some([127, 0, 0, 1].into()));
        assert_eq!(found.unwrap(), "127.0.0.1:3478".parse().unwrap());
        assert!(lookup(&at("[::1]"), Some([127, 0, 0, 1].into())).is_err());
    }
}
