//! What an agent is told once: who it speaks for, and how freely it may spend.
//!
//! Knows nothing of users, passwords' storage or registration policy: the phone turns an account into a [`Profile`].

use base::{NetworkId, Transport};

use crate::digest::Credentials;
use crate::message::{Scheme, Uri};

/// One account's way of speaking. Given by the user of the agent, who may change what stands behind it at any time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileId(pub u32);

/// One INVITE session (a call leg), from the first INVITE to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// One out-of-dialog request until its final answer, through location, failover, digest and redirection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// One REFER, ours or theirs, until its last NOTIFY. RFC 3515.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReferId(pub u64);

/// One subscription of ours. RFC 6665.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(pub u64);

/// How one account speaks SIP.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Address of record: From of what we send, `To` of our registrations.
    pub aor: Uri,
    /// Display name beside it.
    pub display: Option<String>,
    /// User part of our Contact; requests addressed to it belong to this profile.
    pub contact_user: String,
    /// Parameters written after the Contact's `>`, such as `;+sip.instance="<urn:uuid:...>";reg-id=1`, with the leading `;`.
    pub contact_params: String,
    /// Parameters written inside the URI of a registration's Contact, but not of one that ends it, such as
    /// `;pn-provider=fcm;pn-prid=...` (RFC 8599 section 4.1), with the leading `;`.
    pub contact_uri_params: String,
    /// The registrar reaches us by the flow that we registered over: the Contact of a dialog says so (`ob`). RFC 5626
    /// section 4.3.
    pub outbound: bool,
    /// Which of our addresses the Contact names.
    pub contact_address: ContactAddress,
    /// First hop of everything outside a dialog. With `;lr` it is also written as a Route (RFC 3261 section 8.1.2).
    pub proxy: Option<Uri>,
    /// Pre-loaded route behind the proxy, from Service-Route (RFC 3608). REGISTER goes without it.
    pub route_set: Vec<Uri>,
    /// Tried in the order of their realms' match; empty: a challenge is a failure.
    pub credentials: Vec<Credentials>,
    /// The network that its requests go by. Those of sessions under way follow it, too.
    pub network: NetworkId,
    /// What carries our requests when the URI does not say.
    pub transport: TransportPolicy,
    /// Reliable provisional responses. RFC 3262.
    pub reliable: Reliable,
    /// Session refresh interval we ask for, in seconds; 0 = none of our own (a peer's wish is still honoured). RFC 4028.
    pub session_expires: u32,
    /// Shortest refresh interval we bear, in seconds; never below 90. RFC 4028 section 5.
    pub min_se: u32,
    /// User-Agent and Server value; empty: not written.
    pub user_agent: String,
    /// Sends requests over 1,300 bytes by UDP at once instead of trying TCP first (RFC 3261 section 18.1.1).
    pub allow_large_udp: bool,
}

impl Profile {
    /// Whether it is reached under TLS on every hop, or not at all.
    pub(super) fn is_secure(&self) -> bool {
        self.aor.view().scheme == Scheme::Sips
    }

    /// A profile with the usual manners: everything supported, nothing insisted on, no credentials.
    pub fn new(aor: Uri, contact_user: impl Into<String>) -> Self {
        Self {
            aor,
            display: None,
            contact_user: contact_user.into(),
            contact_params: String::new(),
            contact_uri_params: String::new(),
            outbound: false,
            contact_address: ContactAddress::Learned,
            proxy: None,
            route_set: Vec::new(),
            credentials: Vec::new(),
            network: NetworkId::SYSTEM,
            transport: TransportPolicy::Auto,
            reliable: Reliable::Supported,
            session_expires: 1800,
            min_se: 90,
            user_agent: String::from("Offhook"),
            allow_large_udp: false,
        }
    }
}

/// How one request differs from its profile's others.
#[derive(Clone, Debug, Default)]
pub struct Way {
    /// The network it goes by; `None`: the profile's.
    pub network: Option<NetworkId>,
    /// A Contact URI of ours that a REGISTER ends in the same breath, unless it is the one that it registers.
    pub instead_of: Option<String>,
    /// What carries it; `None`: as the profile says.
    pub transport: Option<TransportPolicy>,
    /// Its first hop, in place of the profile's proxy.
    pub first_hop: Option<Uri>,
}

/// Which carrier requests take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TransportPolicy {
    /// As URI and DNS say (RFC 3263), else UDP.
    Auto,
    /// This one only.
    Only(Transport),
}

/// Use of reliable provisional responses. RFC 3262.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reliable {
    /// Not offered; a peer that requires them is refused with 420.
    Off,
    /// Used when the peer supports or requires them.
    Supported,
    /// Required of the peer; one that cannot is refused with 421.
    Required,
}

/// The address in our Contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContactAddress {
    /// What the other side saw us come from (`received` and `rport` of its responses), once known; else the local one.
    Learned,
    /// The socket's own address.
    Local,
}

/// Limits and facts common to all profiles of an agent.
#[derive(Clone, Debug)]
pub struct AgentConfig {
    /// Sessions alive at once; an INVITE beyond is refused with 503.
    pub max_sessions: usize,
    /// Received requests under way at once; one beyond is answered 503 and forgotten.
    pub max_requests: usize,
    /// Early dialogs kept per INVITE of ours; forks beyond are not heard until they answer.
    pub max_forks: usize,
    /// Redirections followed per INVITE.
    pub max_redirects: usize,
    /// Whether UDP sockets can be had.
    pub udp: bool,
    /// Whether TCP connections can be had.
    pub tcp: bool,
    /// Whether TLS can be had.
    pub tls: bool,
    /// Whether IPv4 destinations can be reached.
    pub ipv4: bool,
    /// Whether IPv6 destinations can be reached.
    pub ipv6: bool,
}

impl Default for AgentConfig {
    fn default() -> Self {
        Self {
            max_sessions: 64,
            max_requests: 1024,
            max_forks: 12,
            max_redirects: 5,
            udp: true,
            tcp: true,
            tls: false,
            ipv4: true,
            ipv6: true,
        }
    }
}
