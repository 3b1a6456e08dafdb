//! A town: the internet with an exchange and a relay on it, and homes behind routers that translate addresses.
//!
//! ```text
//!   inet                        198.51.100.0/24, a bridge
//!     .1 offhook exchange: SIP, S (STUN over UDP and TCP)        .2 S's other address        .3 coturn
//!        |                                    |
//!     .10 outside                          .20 outside          (a pool has four: .10 to .13)
//!   router of the first home             router of the second
//!     10.1.0.1 inside                      10.2.0.1 inside
//!        |                                    |
//!     10.1.0.2 the phone                   10.2.0.2 the phone
//! ```
//!
//! A machine is a namespace, a router's manners are a few lines of nft. Real sockets, the kernel's own translation.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::Stdio;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::netns::{Namespace, possible, prefix};
use crate::{Coturn, Exchange, Owned, Phone, can_run, skipped};

/// The exchange, and S beside it.
pub const EXCHANGE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
/// Where S answers from when it is asked to do so from another address.
pub const OTHER: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
/// The relay.
pub const RELAY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 3);

/// The way to everywhere else: nobody is there.
const NOBODY: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 254);

/// Where IPv4 is to be found from a home that has none.
pub const NAT64: &str = "2001:db8:64::/96";

/// An IPv4 address behind [`NAT64`]. RFC 6052 section 2.2.
fn synthesised(address: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = address.octets();
    Ipv6Addr::new(0x2001, 0xdb8, 0x64, 0, 0, 0, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]))
}

/// Addresses of a pool.
const POOL: u8 = 4;

/// What a router makes of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Translation {
    /// One outside address for the one host, both ways.
    OneToOne,
    /// An outside address for each host, from a pool; ports stay.
    Pool,
    /// One outside address for all hosts; ports stay where they are free.
    Masquerade,
    /// The same, with a port by chance for each destination.
    FullyRandom,
}

/// A router's manners.
#[derive(Clone, Copy, Debug)]
pub struct Router {
    /// What it makes of addresses.
    pub translation: Translation,
    /// Datagrams pass.
    pub udp: bool,
    /// It answers who comes uninvited (RST, port unreachable) and does not just drop.
    pub refuses: bool,
    /// It rewrites SIP over UDP as it passes.
    pub sip_helper: bool,
}

impl Router {
    /// One that lets all out, drops what comes uninvited and leaves SIP alone.
    pub const fn new(translation: Translation) -> Self {
        Self { translation, udp: true, refuses: false, sip_helper: false }
    }

    fn rules(self, inside: Ipv4Addr, outside: Ipv4Addr) -> String {
        let [a, b, c, d] = outside.octets();
        let source = match self.translation {
            Translation::OneToOne => format!("snat to {outside}"),
            // Without the last word a host would have another address for each destination.
            Translation::Pool => format!("snat to {outside}-{a}.{b}.{c}.{} persistent", d + POOL - 1),
            Translation::Masquerade => "masquerade".to_owned(),
            Translation::FullyRandom => "masquerade fully-random".to_owned(),
        };
        let inbound = match self.translation {
            Translation::OneToOne => format!("iifname outside dnat to {inside}"),
            Translation::Pool | Translation::Masquerade | Translation::FullyRandom => String::new(),
        };
        let uninvited = if self.refuses { "" } else { "iifname outside ct state new drop" };
        let udp = if self.udp { "" } else { "meta l4proto udp drop" };
        let helper = if self.sip_helper { "udp dport 5060 ct helper set sip" } else { "" };
        format!(
            "table ip translation {{
                ct helper sip {{ type \"sip\" protocol udp; }}
                chain helped {{
                    type filter hook prerouting priority filter
                    {helper}
                }}
                chain before {{
                    type nat hook prerouting priority dstnat
                    {inbound}
                }}
                chain behind {{
                    type nat hook postrouting priority srcnat
                    oifname outside {source}
                }}
            }}
            table inet firewall {{
                chain input {{
                    type filter hook input priority filter
                    {uninvited}
                }}
                chain forward {{
                    type filter hook forward priority filter
                    {udp}
                }}
            }}"
        )
    }
}

/// Everything on the internet.
#[derive(Debug)]
pub struct Town {
    _exchange: Exchange,
    _relay: Coturn,
    inet: Namespace,
    prefix: String,
    houses: AtomicU8,
}

/// A machine behind a router, or behind two.
#[derive(Debug)]
pub struct Home {
    /// Where the phone runs.
    pub host: Namespace,
    /// What stands between it and the internet; the first is the default way.
    pub ways: Vec<Uplink>,
}

/// One way out of a home.
#[derive(Debug)]
pub struct Uplink {
    /// What stands between.
    pub router: Namespace,
    /// The host's address.
    pub address: IpAddr,
    /// The router's on the internet, or the first of its pool.
    pub outside: Ipv4Addr,
    /// The host's end of the cable.
    link: String,
    /// Translates between the families.
    _tayga: Option<Owned>,
}

impl Home {
    /// The address of its first way out.
    pub fn address(&self) -> IpAddr {
        self.ways[0].address
    }

    /// One of its ways is there, or is gone as an operator's that the host is told of.
    pub fn set(&self, way: usize, up: bool) {
        let Uplink { link, address, .. } = &self.ways[way];
        let state = if up { "up" } else { "down" };
        self.host.sh(&format!("ip link set {link} {state}"));
        if up {
            // The kernel forgets the routes of a link that goes down.
            self.host.sh(&routes(way, link, *address));
        }
    }
}

/// Who sends from `address` goes out by `link`; who does not care by the first that there is.
fn routes(way: usize, link: &str, address: IpAddr) -> String {
    let (table, metric) = (way + 1, 100 * (way + 1));
    let (ip, gateway) = match address {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            ("ip", IpAddr::V4(Ipv4Addr::new(a, b, c, 1)))
        }
        IpAddr::V6(v6) => ("ip -6", IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !0xffff | 1))),
    };
    format!(
        "{ip} route replace default via {gateway} dev {link} metric {metric}
         {ip} route replace default via {gateway} dev {link} table {table}
         {ip} rule add from {address} table {table} 2>/dev/null || true"
    )
}

impl Town {
    /// Builds one, or says aloud why not.
    pub fn build(test: &str) -> Option<Self> {
        if !can_run(test, &["ip", "nft", "turnserver"]) {
            return None;
        }
        if let Err(why) = possible() {
            skipped(test, &format!("no network namespaces with nftables here: {why}"));
            return None;
        }
        let prefix = prefix();
        let inet = Namespace::new(&prefix, "inet").expect("one could be made just now");
        // Private addresses lead nowhere, in silence: coturn ends a session at the first "network is unreachable".
        inet.sh(&format!(
            "ip link add street type bridge
             ip link set street up
             ip address add {EXCHANGE}/24 dev street
             ip address add {OTHER}/24 dev street
             ip address add {RELAY}/24 dev street
             ip neighbour add {NOBODY} lladdr 02:00:00:00:00:fe dev street nud permanent
             ip route add default via {NOBODY}"
        ));
        inet.nft(&format!(
            "table inet count {{
                counter relayed {{ }}
                chain input {{
                    type filter hook input priority filter
                    ip daddr {RELAY} udp dport 50000-50999 counter name relayed
                }}
            }}"
        ));
        let exchange = Exchange::start_in(
            &inet,
            &format!(
                "[listen]\nudp = \"{EXCHANGE}:5060\"\ntcp = \"{EXCHANGE}:5060\"\nstun = \"{EXCHANGE}:3478\"\n\
                 stun_other = \"{OTHER}:3479\"\n\
                 [[user]]\nnumber = \"1001\"\npassword = \"secret-1001\"\n\
                 [[user]]\nnumber = \"1002\"\npassword = \"secret-1002\"\n"
            ),
        );
        let relay = Coturn::start_in(&inet, RELAY, &["--min-port", "50000", "--max-port", "50999"]);
        Some(Self { _exchange: exchange, _relay: relay, inet, prefix, houses: AtomicU8::new(0) })
    }

    /// A home with one way out.
    pub fn home(&self, router: Router) -> Home {
        let number = self.number();
        let host = self.machine(&format!("host{number}"));
        let way = self.way(&host, 0, number, router);
        Home { host, ways: vec![way] }
    }

    /// One more way out of a home.
    pub fn second_way(&self, home: &mut Home, router: Router) {
        let way = self.way(&home.host, home.ways.len(), self.number(), router);
        home.ways.push(way);
    }

    /// A home without IPv4: what it sends to [`NAT64`] goes on as IPv4.
    pub fn home_without_ipv4(&self, router: Router) -> Home {
        let number = self.number();
        let (host, gate) = (self.machine(&format!("host{number}")), self.machine(&format!("router{number}")));
        let outside = self.plug_in(&gate, number, 1);
        let address = Ipv6Addr::new(0x2001, 0xdb8, 0x10, number.into(), 0, 0, 0, 2);
        let gateway = Ipv6Addr::from_bits(address.to_bits() & !0xffff | 1);
        gate.cable("inside", &host, "uplink0");
        gate.sh(&format!(
            "ip address add {gateway}/64 dev inside nodad
             echo 1 > /proc/sys/net/ipv4/ip_forward
             echo 1 > /proc/sys/net/ipv6/conf/all/forwarding"
        ));
        let tayga = tayga(&gate);
        // It has no ports of its own: the kernel shares the one outside address out.
        gate.nft(&router.rules(Ipv4Addr::UNSPECIFIED, outside));
        host.sh(&format!(
            "ip address add {address}/64 dev uplink0 nodad
             {}",
            routes(0, "uplink0", address.into())
        ));
        // RFC 7050: who asks for the IPv4 addresses of a name that has no others learns the prefix.
        let told: Vec<String> = [170, 171]
            .map(|last| format!("{} ipv4only.arpa", synthesised(Ipv4Addr::new(192, 0, 0, last))))
            .into();
        host.knows_hosts(&told.join("\n"));
        let link = "uplink0".to_owned();
        Home {
            host,
            ways: vec![Uplink { router: gate, address: address.into(), outside, link, _tayga: Some(tayga) }],
        }
    }

    fn number(&self) -> u8 {
        self.houses.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn machine(&self, name: &str) -> Namespace {
        Namespace::new(&self.prefix, name).expect("one more can be made")
    }

    fn way(&self, host: &Namespace, way: usize, number: u8, router: Router) -> Uplink {
        let gate = self.machine(&format!("router{number}"));
        let addresses = if router.translation == Translation::Pool { POOL } else { 1 };
        let outside = self.plug_in(&gate, number, addresses);
        let (gateway, address) = (Ipv4Addr::new(10, number, 0, 1), Ipv4Addr::new(10, number, 0, 2));
        let link = format!("uplink{way}");
        gate.cable("inside", host, &link);
        gate.sh(&format!(
            "ip address add {gateway}/24 dev inside
             echo 1 > /proc/sys/net/ipv4/ip_forward"
        ));
        gate.nft(&router.rules(address, outside));
        host.sh(&format!(
            "ip address add {address}/24 dev {link}
             {}",
            routes(way, &link, address.into())
        ));
        Uplink { router: gate, address: address.into(), outside, link, _tayga: None }
    }

    /// Connects a router's `outside` to the internet, with so many addresses; tells the first.
    fn plug_in(&self, router: &Namespace, number: u8, addresses: u8) -> Ipv4Addr {
        let [a, b, c, _] = EXCHANGE.octets();
        let first = 10 * number;
        self.inet.cable(&format!("house{number}"), router, "outside");
        self.inet.sh(&format!("ip link set house{number} master street"));
        for last in first..first + addresses {
            router.sh(&format!("ip address add {a}.{b}.{c}.{last}/24 dev outside"));
        }
        Ipv4Addr::new(a, b, c, first)
    }

    /// A phone of a user of the exchange's in a home, registered; with further lines of its account and a `[nat]`.
    pub fn phone(&self, home: &Home, user: &str, account: &str, nat: &str) -> Phone {
        let mut phone = self.phone_at(&EXCHANGE.to_string(), home, user, account, nat);
        phone.expect(serde_json::json!({"event": "registration", "state": "registered"}));
        phone
    }

    /// The same with another name for the exchange, and perhaps not registered.
    pub fn phone_at(&self, exchange: &str, home: &Home, user: &str, account: &str, nat: &str) -> Phone {
        let config = format!(
            "bind = \"{}\"\n[account]\nuri = \"sip:{user}@offhook.test\"\nproxy = \"sip:{exchange}:5060\"\n\
             password = \"secret-{user}\"\n{account}\n[nat]\n{nat}\n",
            SocketAddr::new(home.address(), 0)
        );
        Phone::start_in(&home.host, user, &config)
    }

    /// Datagrams that came to the relay's addresses that it lends out.
    pub fn relayed(&self) -> u64 {
        let text = self.inet.sh("nft -j list counter inet count relayed");
        let json: serde_json::Value = serde_json::from_str(&text).expect("nft writes JSON");
        let entries = json["nftables"].as_array().expect("as it is documented");
        entries.iter().find_map(|entry| entry["counter"]["packets"].as_u64()).expect("the counter is there")
    }
}

/// The lines of a `[nat]` for a town: S, the relay, ICE.
pub fn nat_lines() -> String {
    format!(
        "ice = true\nstun = \"stun:{EXCHANGE}:3478\"\n\
         turn = {{ uri = \"turn:{RELAY}:3478\", user = \"ann\", password = \"secret\" }}\n"
    )
}

/// Starts the translator between the families in a router.
fn tayga(router: &Namespace) -> Owned {
    let config =
        format!("tun-device nat64\nipv4-addr 192.168.255.1\nprefix {NAT64}\ndynamic-pool 192.168.255.0/24\n");
    // It reads its file before it goes on; a pipe will do.
    router.sh(&format!(
        "printf '{config}' | tayga -c /dev/stdin --mktun
         ip link set nat64 up
         ip route add 192.168.255.0/24 dev nat64
         ip -6 route add {NAT64} dev nat64"
    ));
    let mut child = router
        .command("tayga")
        .args(["-c", "/dev/stdin", "--nodetach"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("tayga starts");
    child.stdin.take().expect("it was piped").write_all(config.as_bytes()).expect("it reads its settings");
    Owned(child)
}
