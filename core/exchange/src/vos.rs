//! The exchange's end of VOS encryption: datagrams to some of its sockets are sealed, and so is what leaves by these.
//!
//! The wire format, and how sure it is, are [`sip::codec::vos`]'s. The id in a datagram says whose key it takes; what goes back
//! to where it came from takes the same. Whoever was never heard there is not spoken to: nothing leaves such a socket in clear.
//! Knows no SIP: digest authentication goes on inside, unchanged.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use base::{FlowId, Secret};
use bytes::Bytes;
use sip::codec::vos::{Frame, Seal};
use sip::codec::{FlowCodec as _, Unopened};
use sip::order::{Order, Orders};

/// Places that are spoken to under one id; the longest unheard of is forgotten first. Nothing tells an old datagram from a new
/// one, so that anybody may say one again from anywhere.
const MOST_PLACES: usize = 16;

/// What was seen at sealed sockets and dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VosCounters {
    /// Datagrams that came sealed and were opened.
    pub opened: u64,
    /// Datagrams that were not sealed.
    pub plain: u64,
    /// Sealed wrongly: cut off, too long, other marks.
    pub broken: u64,
    /// Under an id that nobody has, or by another key than his.
    pub noise: u64,
    /// Not sent: too long to be sealed, or to a place that nobody was heard from.
    pub unsealed: u64,
}

/// Somebody's seal, and where he is.
struct Peer {
    seal: Seal,
    places: VecDeque<SocketAddr>,
}

/// All sealed sockets.
#[derive(Default)]
pub(crate) struct Vos {
    /// By id.
    peers: BTreeMap<Arc<[u8]>, Peer>,
    keys: BTreeMap<Arc<[u8]>, Secret<String>>,
    /// Where a socket that is told of later is to be sealed.
    locals: BTreeSet<SocketAddr>,
    flows: BTreeSet<FlowId>,
    places: BTreeMap<SocketAddr, (FlowId, Arc<[u8]>)>,
    pub(crate) counters: VosCounters,
}

impl Vos {
    /// With these keys, by id. An id or key that cannot be used is nobody's.
    pub(crate) fn new(keys: &BTreeMap<String, Secret<String>>) -> Self {
        let mut it = Self::default();
        for (id, key) in keys {
            if let Ok(seal) = Seal::new(id.clone(), key.clone()) {
                let id: Arc<[u8]> = id.as_bytes().into();
                it.keys.insert(Arc::clone(&id), key.clone());
                it.peers.insert(id, Peer { seal, places: VecDeque::new() });
            }
        }
        it
    }

    /// A socket at this address is sealed, once it is there.
    pub(crate) fn seal_at(&mut self, local: SocketAddr) {
        self.locals.insert(local);
    }

    pub(crate) fn flow_up(&mut self, flow: FlowId, local: SocketAddr) {
        if self.locals.contains(&local) {
            self.flows.insert(flow);
        }
    }

    pub(crate) fn flow_down(&mut self, flow: FlowId) {
        // It stays a sealed one: what was to go by it goes nowhere.
        self.places.retain(|_, (by, _)| *by != flow);
    }

    pub(crate) fn is_sealed(&self, flow: FlowId) -> bool {
        self.flows.contains(&flow)
    }

    /// The sealed socket by which somebody at that place speaks to us.
    pub(crate) fn way_to(&self, remote: SocketAddr) -> Option<FlowId> {
        self.places.get(&remote).map(|(flow, _)| *flow)
    }

    /// What a datagram means; `None`: it is dropped, and counted.
    pub(crate) fn open<'a>(
        &mut self,
        flow: FlowId,
        from: SocketAddr,
        wire: &'a [u8],
        room: &'a mut Vec<u8>,
    ) -> Option<&'a [u8]> {
        if !self.is_sealed(flow) {
            return Some(wire);
        }
        let opened = Frame::read(wire).and_then(|frame| {
            let (id, key) = self.keys.get_key_value(frame.id).ok_or(Unopened::Noise)?;
            Ok((Arc::clone(id), frame.open(key.expose().as_bytes(), room)?))
        });
        match opened {
            Ok((id, clear)) => {
                self.counters.opened += 1;
                heard(&mut self.peers, &mut self.places, id, flow, from);
                Some(clear)
            }
            Err(why) => {
                *match why {
                    Unopened::Plain => &mut self.counters.plain,
                    Unopened::Broken => &mut self.counters.broken,
                    Unopened::Noise => &mut self.counters.noise,
                } += 1;
                None
            }
        }
    }

    /// Seals what goes by sealed sockets, of the orders behind the first `before`; what cannot be is not sent.
    pub(crate) fn seal(&mut self, before: usize, out: &mut Orders) {
        if self.flows.is_empty() {
            return;
        }
        let new: Vec<Order> = out.drain(before..).collect();
        out.extend(new.into_iter().filter_map(|order| self.sealed(order)));
    }

    fn sealed(&mut self, order: Order) -> Option<Order> {
        let Order::Send { flow, to, bytes } = order else { return Some(order) };
        if !self.is_sealed(flow) {
            return Some(Order::Send { flow, to, bytes });
        }
        let mut wire = Vec::new();
        if let Some((_, id)) = self.places.get(&to)
            && let Some(peer) = self.peers.get_mut(id)
        {
            peer.seal.seal(&bytes, &mut wire);
        }
        if wire.is_empty() {
            self.counters.unsealed += 1;
            return None;
        }
        Some(Order::Send { flow, to, bytes: Bytes::from(wire) })
    }
}

/// Somebody is there now.
fn heard(
    peers: &mut BTreeMap<Arc<[u8]>, Peer>,
    places: &mut BTreeMap<SocketAddr, (FlowId, Arc<[u8]>)>,
    id: Arc<[u8]>,
    flow: FlowId,
    from: SocketAddr,
) {
    if let Some((by, known)) = places.get_mut(&from)
        && *known == id
    {
        *by = flow;
        return;
    }
    let Some(peer) = peers.get_mut(&id) else { return };
    if peer.places.len() == MOST_PLACES
        && let Some(oldest) = peer.places.pop_front()
    {
        places.remove(&oldest);
    }
    peer.places.push_back(from);
    if let Some((_, before)) = places.insert(from, (flow, id))
        && let Some(before) = peers.get_mut(&before)
    {
        before.places.retain(|place| *place != from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: FlowId = FlowId(5);
    const OPTIONS: &[u8] = b"OPTIONS sip:a SIP/2.0\r\n\r\n";

    fn vos() -> Vos {
        let keys = [("1001", "one"), ("1002", "two"), ("empty", "")];
        let keys = keys.map(|(id, key)| (id.to_owned(), Secret::new(key.to_owned()))).into();
        let mut vos = Vos::new(&keys);
        let local = "192.0.2.1:5070".parse().unwrap();
        vos.seal_at(local);
        vos.flow_up(FLOW, local);
        vos.flow_up(FlowId(6), "192.0.2.1:5060".parse().unwrap());
        vos
    }

    fn place(n: usize) -> SocketAddr {
        format!("198.51.100.7:{}", 1000 + n).parse().unwrap()
    }

    fn sealed(id: &str, key: &str) -> Vec<u8> {
        let mut wire = Vec::new();
        Seal::new(id, Secret::new(key.into())).unwrap().seal(OPTIONS, &mut wire);
        wire
    }

    fn send(flow: FlowId, to: SocketAddr) -> Order {
        Order::Send { flow, to, bytes: Bytes::from_static(OPTIONS) }
    }

    #[test]
    fn each_is_answered_by_his_own_key_and_a_stranger_not_at_all() {
        let mut vos = vos();
        let mut room = Vec::new();
        for (n, id, key) in [(1, "1001", "one"), (2, "1002", "two")] {
            assert_eq!(vos.open(FLOW, place(n), &sealed(id, key), &mut room), Some(OPTIONS));
        }
        for wrong in
            [&sealed("1001", "two")[..], &sealed("1003", "one"), &sealed("empty", "x"), OPTIONS, b"KS\0"]
        {
            assert_eq!(vos.open(FLOW, place(3), wrong, &mut room), None);
        }
        let counted = VosCounters { opened: 2, plain: 1, broken: 1, noise: 3, unsealed: 0 };
        assert_eq!(vos.counters, counted);
        let before = send(FLOW, place(9));
        let mut out = vec![
            before.clone(),
            send(FLOW, place(1)),
            send(FLOW, place(3)),
            send(FLOW, place(2)),
            send(FlowId(6), place(1)),
        ];
        vos.seal(1, &mut out);
        let wire = |to, id, key| Order::Send { flow: FLOW, to, bytes: sealed(id, key).into() };
        let expected =
            [before, wire(place(1), "1001", "one"), wire(place(2), "1002", "two"), send(FlowId(6), place(1))];
        assert_eq!((out, vos.counters.unsealed), (expected.to_vec(), 1));
    }

    #[test]
    fn datagrams_said_again_from_everywhere_do_not_pile_up() {
        let mut vos = vos();
        let wire = sealed("1001", "one");
        for n in 0..1000 {
            vos.open(FLOW, place(n), &wire, &mut Vec::new());
        }
        assert_eq!(vos.places.len(), MOST_PLACES);
        assert_eq!((vos.way_to(place(999)), vos.way_to(place(1))), (Some(FLOW), None));
        // Another at the same place takes it over.
        vos.open(FLOW, place(999), &sealed("1002", "two"), &mut Vec::new());
        vos.open(FLOW, place(1), &wire, &mut Vec::new());
        assert_eq!(vos.peers.values().map(|peer| peer.places.len()).sum::<usize>(), vos.places.len());
        vos.flow_down(FLOW);
        assert_eq!(vos.way_to(place(1)), None);
    }
}
