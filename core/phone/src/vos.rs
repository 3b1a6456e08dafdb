//! VOS encryption of one account: its settings, what they mean for the others, and what came that could not be opened.
//!
//! The wire format is [`sip::codec::vos`]'s. Nothing of such an account leaves in clear: it has a lane of its own on each
//! network (sockets that nobody else uses, datagrams only), and whatever goes by these is sealed. Empty lines and STUN, which
//! keep other ways open, would be neither SIP nor sealed as servers know it: a refresh does instead.
//! It was not tried against a live server of the vendor's.
//!
//! ```text
//!   profile on a lane -> OpenFlow by it -> FlowUp: the flow gets the account's seal before anything is said by it
//!                                            '-- the account has none any more: closed at once
//! ```

use std::collections::BTreeMap;
use std::fmt;

use base::{FlowId, NetworkId, Redacted, Secret};
use sip::codec::Unopened;
use sip::codec::vos::{PORT, Seal, Unusable};
use sip::message::{Scheme, Uri};
use sip::order::Order;
use sip::ua::TransportPolicy;

use crate::desk::Desk;
use crate::{Account, AccountId, Refusal};

/// How many that cannot be opened, and none that can, say that the key is another.
const ENOUGH: u32 = 3;

/// Who reads an account's signalling on its way to the server.
#[derive(Clone, Debug, Default)]
pub enum Encryption {
    /// As the transport has it: whoever is on the way, but for TLS.
    #[default]
    None,
    /// Filters that look for SIP do not find it: [`Vos`].
    Vos(Vos),
}

/// "VOS 1.1": obfuscation for networks that block SIP, not secrecy. Datagrams only, to a port of its own
/// ([`PORT`] where the URI names none).
#[derive(Clone, Debug, Default)]
pub struct Vos {
    /// Sent in clear; without one the digest user name, else the user part of the account's URI.
    pub id: Option<Redacted<String>>,
    /// Without one the account's password.
    pub key: Option<Secret<String>>,
    /// What becomes of sound.
    pub media: VosMedia,
}

/// What VOS encryption makes of RTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VosMedia {
    /// Nothing: what most servers expect.
    #[default]
    Plain,
    /// Experimental: each packet of at most 255 bytes is disguised as one shipped dialer does it ([`media::disguise`]).
    Xor,
}

/// What came to an account with VOS encryption and was dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Datagrams that were not sealed: the server's encryption is off, or somebody else sent them.
    pub plain: u32,
    /// Sealed ones that were cut off or otherwise wrong.
    pub broken: u32,
    /// Sealed ones that another key must have sealed.
    pub noise: u32,
    /// Of all these, how many since the last that could be opened.
    since_good: u32,
}

impl Dropped {
    pub(crate) fn count(&mut self, why: Unopened) {
        let kind = match why {
            Unopened::Plain => &mut self.plain,
            Unopened::Broken => &mut self.broken,
            Unopened::Noise => &mut self.noise,
        };
        *kind = kind.saturating_add(1);
        self.since_good = self.since_good.saturating_add(1);
    }

    pub(crate) const fn opened(&mut self) {
        self.since_good = 0;
    }

    /// Whether so many came and none was good that the settings must differ from the server's.
    pub(crate) const fn is_mismatch(&self) -> bool {
        self.since_good >= ENOUGH
    }

    /// Whether there was any.
    pub const fn is_none(&self) -> bool {
        self.all() == 0
    }

    /// All of them.
    pub const fn all(&self) -> u32 {
        self.plain.saturating_add(self.broken).saturating_add(self.noise)
    }
}

impl Account {
    /// Whether what it says is sealed.
    pub const fn is_sealed(&self) -> bool {
        matches!(self.encryption, Encryption::Vos(_))
    }

    /// The account's packets of sound are disguised.
    pub(crate) const fn disguises(&self) -> bool {
        matches!(&self.encryption, Encryption::Vos(vos) if matches!(vos.media, VosMedia::Xor))
    }

    /// What seals its messages, where they are sealed.
    ///
    /// # Errors
    /// [`Unusable`]: the account is refused.
    pub fn seal(&self) -> Result<Option<Seal>, Unusable> {
        let Encryption::Vos(vos) = &self.encryption else { return Ok(None) };
        let user = || self.uri.view().user_decoded().into_owned();
        let id = vos.id.as_ref().or(self.auth_user.as_ref()).map_or_else(user, |id| id.reveal().clone());
        Seal::new(id, vos.key.clone().unwrap_or_else(|| self.password.clone())).map(Some)
    }

    /// Its lane on a network, or the network itself.
    pub(crate) fn lane_on(&self, id: AccountId, network: NetworkId) -> NetworkId {
        if self.is_sealed() { network.apart(id.0) } else { network }
    }

    /// The account as its encryption lets it be: by datagrams, to that port, and without what would show on the way.
    ///
    /// # Errors
    /// [`Refusal`]: it cannot be sealed.
    pub(crate) fn fit_to_seal(mut self) -> Result<Self, Refusal> {
        if !self.is_sealed() {
            return Ok(self);
        }
        self.seal().map_err(Refusal::CannotSeal)?;
        let by_others = |uri: &Uri| {
            let uri = uri.view();
            uri.scheme != Scheme::Sip || uri.transport().is_some_and(base::Transport::is_reliable)
        };
        if by_others(&self.uri) || self.proxy.as_ref().is_some_and(by_others) {
            return Err(Refusal::SealedOnlyByUdp);
        }
        self.transport = TransportPolicy::Only(base::Transport::Udp);
        match &mut self.proxy {
            Some(proxy) => at_port(proxy),
            // The registrar's URI carries the port.
            None => at_port(&mut self.uri),
        }
        // Checks would show what the disguise hides, and be taken for it.
        if self.disguises() {
            self.nat.ice = false;
        }
        Ok(self)
    }
}

/// Names the port, where none is named.
fn at_port(uri: &mut Uri) {
    let view = uri.view();
    if view.port.is_none() {
        let host = view.host.to_string();
        let text = uri.to_string();
        // A user part may hold the host's letters, and what follows the host may as well.
        let begins = text.find('@').map_or(text.find(':').map_or(0, |at| at + 1), |at| at + 1);
        if let Some(end) = text[begins..].strip_prefix(&*host).map(|rest| text.len() - rest.len())
            && let Ok(with) = format!("{}:{PORT}{}", &text[..end], &text[end..]).parse()
        {
            *uri = with;
        }
    }
}

/// The flows of lanes, and whose.
pub(crate) type Lanes = BTreeMap<FlowId, AccountId>;

impl Desk {
    /// A flow of a lane is there: it is sealed before anything else. False: it is nobody's, and closed.
    pub(crate) fn lane_up(&mut self, flow: FlowId, account: AccountId, seal: Option<Seal>) -> bool {
        if self.lanes.contains_key(&flow) && seal.is_some() {
            return true;
        }
        let Some(seal) = seal else {
            self.orders.push(Order::CloseFlow { flow });
            return false;
        };
        self.lanes.insert(flow, account);
        self.codecs.insert(flow, Box::new(seal));
        true
    }

    /// An account has another seal, or none: what went by its lane before.
    pub(crate) fn reseal(&mut self, account: AccountId, seal: Option<&Seal>) {
        let those = self.lanes.iter().filter(|(_, of)| **of == account).map(|(flow, _)| *flow);
        for flow in those.collect::<Vec<_>>() {
            match seal {
                Some(seal) => drop(self.codecs.insert(flow, Box::new(seal.clone()))),
                // The codec stays until the flow is gone.
                None => self.orders.push(Order::CloseFlow { flow }),
            }
        }
    }

    /// An account is forgotten, and what was its own with it.
    pub(crate) fn lane_left(&mut self, account: AccountId) {
        self.reseal(account, None);
    }

    /// Bytes of a flow as they are meant; why they are dropped otherwise.
    pub(crate) fn open<'a>(
        &mut self,
        flow: FlowId,
        bytes: &'a [u8],
        room: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Unopened> {
        match self.codecs.get_mut(&flow) {
            Some(codec) => codec.open(bytes, room),
            None => Ok(bytes),
        }
    }
}

/// For diagnostics.
impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { plain, broken, noise, .. } = self;
        write!(
            f,
            "{plain} datagrams that were not sealed, {broken} sealed wrongly and {noise} by another key were dropped"
        )
    }
}

#[cfg(test)]
mod tests {
    use base::Transport;

    use super::*;

    fn account(uri: &str, vos: Vos) -> Account {
        let account = Account::new(uri.parse().unwrap(), Secret::new("secret".into()));
        Account { encryption: Encryption::Vos(vos), ..account }
    }

    #[test]
    fn the_port_is_named_where_the_first_hop_names_none_and_nothing_else_carries_it() {
        let bent = |uri: &str| account(uri, Vos::default()).fit_to_seal().unwrap();
        for (uri, with) in [
            ("sip:1001@192.0.2.1", "sip:1001@192.0.2.1:5070"),
            ("sip:1001@192.0.2.1:6070", "sip:1001@192.0.2.1:6070"),
            ("sip:vos.test@vos.test;user=phone", "sip:vos.test@vos.test:5070;user=phone"),
            ("sip:1001@[2001:db8::1]", "sip:1001@[2001:db8::1]:5070"),
        ] {
            let account = bent(uri);
            assert_eq!(account.uri.to_string(), with);
            assert_eq!(account.transport, TransportPolicy::Only(Transport::Udp));
        }
        let by_proxy = Account {
            proxy: Some("sip:192.0.2.9;lr".parse().unwrap()),
            ..account("sip:1@a.test", Vos::default())
        };
        let by_proxy = by_proxy.fit_to_seal().unwrap();
        let proxy = by_proxy.proxy.as_ref().map(ToString::to_string);
        assert_eq!(
            (proxy.as_deref(), by_proxy.uri.to_string().as_str()),
            (Some("sip:192.0.2.9:5070;lr"), "sip:1@a.test")
        );
    }

    #[test]
    fn what_cannot_be_sealed_is_a_wrong_call() {
        let refused = |account: Account| account.fit_to_seal().map(drop).unwrap_err();
        let no_key =
            Account { password: Secret::new(String::new()), ..account("sip:1@a.test", Vos::default()) };
        assert_eq!(refused(no_key.clone()), Refusal::CannotSeal(Unusable::EmptyKey));
        assert_eq!(refused(account("sips:1@a.test", Vos::default())), Refusal::SealedOnlyByUdp);
        assert_eq!(refused(account("sip:1@a.test;transport=tcp", Vos::default())), Refusal::SealedOnlyByUdp);
        let long = Vos { id: Some(Redacted::new("1".repeat(256))), ..Vos::default() };
        assert_eq!(refused(account("sip:1@a.test", long)), Refusal::CannotSeal(Unusable::LongId));
        let key = Encryption::Vos(Vos { key: Some(Secret::new("k".into())), ..Vos::default() });
        assert!(Account { encryption: key, ..no_key }.fit_to_seal().is_ok());
    }

    /// A phone with one sealed account that has just sent its REGISTER; what it sent, and by which network.
    struct Asking {
        phone: crate::Phone,
        network: NetworkId,
        sent: Vec<bytes::Bytes>,
        shown: Vec<crate::AccountView>,
    }

    const SERVER: &str = "192.0.2.1:5070";
    const FLOW: FlowId = FlowId(9);

    impl Asking {
        fn new() -> Self {
            let config = crate::Config::default();
            let phone = crate::Phone::new(config, crate::CallIds::default(), base::Rng::from_number(1));
            let mut it = Self { phone, network: NetworkId::SYSTEM, sent: Vec::new(), shown: Vec::new() };
            let account = account("sip:1001@192.0.2.1", Vos::default());
            it.tell(crate::Input::Command(crate::Command::AddAccount(AccountId(7), account)));
            let local = "192.0.2.7:40000".parse().unwrap();
            for remote in [None, Some(SERVER.parse().unwrap())] {
                let (network, transport) = (it.network, Transport::Udp);
                it.tell(crate::Input::FlowUp { network, flow: FLOW, transport, local, remote });
            }
            it
        }

        fn tell(&mut self, input: crate::Input<'_>) {
            for output in self.phone.handle(input, base::Instant::ZERO) {
                match output {
                    crate::Output::Sip(Order::Send { bytes, .. }) => self.sent.push(bytes),
                    crate::Output::Sip(Order::OpenFlow { network, transport, .. }) => {
                        assert_eq!(transport, Transport::Udp);
                        self.network = network;
                    }
                    crate::Output::Event(crate::Event::Account(view)) => self.shown.push(view),
                    _ => {}
                }
            }
        }

        fn comes(&mut self, wire: &[u8]) {
            self.tell(crate::Input::Bytes { flow: FLOW, from: SERVER.parse().unwrap(), bytes: wire });
        }
    }

    fn sealed(key: &str, clear: &[u8]) -> Vec<u8> {
        let mut wire = Vec::new();
        sip::codec::FlowCodec::seal(
            &mut Seal::new("switch", Secret::new(key.into())).unwrap(),
            clear,
            &mut wire,
        );
        wire
    }

    #[test]
    fn three_that_another_key_hfit_to_seal_and_none_that_ours_has_are_told_as_a_mismatch() {
        let mut it = Asking::new();
        assert_eq!((it.network.lane(), it.network.whole()), (Some(7), NetworkId::SYSTEM));
        let mut room = Vec::new();
        let asked = Seal::new("1001", Secret::new("secret".into())).unwrap();
        let asked = sip::codec::FlowCodec::open(&mut asked.clone(), &it.sent[0], &mut room).unwrap().to_vec();
        assert!(asked.starts_with(b"REGISTER sip:192.0.2.1:5070 SIP/2.0\r\n"), "the port is in the URI");
        for _ in 0..2 {
            it.comes(&sealed("another", b"SIP/2.0 401 Unauthorized\r\n\r\n"));
        }
        assert!(it.shown.iter().all(|view| view.reason.is_none()));
        it.comes(b"SIP/2.0 401 Unauthorized\r\n\r\n");
        let view = it.shown.last().unwrap();
        assert_eq!((view.reason, view.dropped.noise, view.dropped.plain), (Some(crate::Why::OtherKey), 2, 1));
        assert_eq!((it.phone.unopened(), it.sent.len()), (3, 1));
        // A flood is told ever more seldom, and answered by nothing.
        let told = it.shown.len();
        for _ in 0..10_000 {
            it.comes(b"OPTIONS sip:1001@192.0.2.7 SIP/2.0\r\n\r\n");
            it.comes(b"KS\0\0\0\x01\0\x02\0\xff");
        }
        assert!(it.shown.len() - told < 20 && it.sent.len() == 1);
    }

    #[test]
    fn one_good_answer_among_noise_says_that_the_key_is_right() {
        let mut it = Asking::new();
        for _ in 0..20 {
            it.comes(&sealed("another", b"SIP/2.0 200 OK\r\n\r\n"));
            it.comes(&sealed("another", b"SIP/2.0 200 OK\r\n\r\n"));
            it.comes(&sealed("secret", b"SIP/2.0 100 Trying\r\n\r\n"));
        }
        assert!(it.shown.iter().all(|view| view.reason.is_none()));
    }

    #[test]
    fn a_lane_that_comes_up_for_an_account_that_seals_no_more_is_closed_unused() {
        let mut it = Asking::new();
        let plain = Account { encryption: Encryption::None, ..account("sip:1001@192.0.2.1", Vos::default()) };
        let command = crate::Command::AddAccount(AccountId(7), plain);
        let closes = |output| matches!(output, crate::Output::Sip(Order::CloseFlow { flow }) if flow == FLOW);
        assert!(it.phone.handle(crate::Input::Command(command), base::Instant::ZERO).any(closes));
        let (local, remote) = ("192.0.2.7:40001".parse().unwrap(), Some(SERVER.parse().unwrap()));
        let (network, flow, transport) = (NetworkId::SYSTEM.apart(7), FlowId(10), Transport::Udp);
        let up = crate::Input::FlowUp { network, flow, transport, local, remote };
        let outputs: Vec<_> = it.phone.handle(up, base::Instant::ZERO).collect();
        assert!(
            matches!(&outputs[..], [crate::Output::Sip(Order::CloseFlow { flow: FlowId(10) })]),
            "{outputs:?}"
        );
    }
}
