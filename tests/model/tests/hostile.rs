//! Mutated torture messages thrown at the transaction layer: it stays within its bound and ends with nothing kept.

use std::time::Duration;

use base::{FlowId, Instant, Rng, Transport};
use bytes::Bytes;
use sip::message::{Draft, Message};
use sip::order::Order;
use sip::transaction::{Config, Source, Transactions, TxNews};
use vectors::{Mutator, TORTURE};

const MESSAGES: usize = 100_000;
const MOST: usize = 100;
const SEED: u64 = 3261;

#[test]
fn mutated_torture_messages_stay_within_the_bound_and_leave_nothing_behind() {
    let mut layer =
        Transactions::with_config(Config { most_servers: MOST, ..Config::default() }, Rng::from_number(SEED));
    let (mut rng, mut mutator) = (Rng::from_number(SEED), Mutator::new(SEED));
    let (mut out, mut news, mut mutant) = (Vec::new(), Vec::new(), Vec::new());
    let (mut now, mut read, mut requests, mut fullest) = (Instant::ZERO, 0, 0, 0);
    let mut unanswered = Vec::new();
    for n in 0..MESSAGES {
        mutator.mutate(TORTURE[n % 50].1, TORTURE[n / 50 % 50].1, &mut mutant);
        let Ok(message) = Message::read(Bytes::copy_from_slice(&mutant)) else { continue };
        read += 1;
        let transport = if rng.below(2) == 0 { Transport::Udp } else { Transport::Tcp };
        let remote = "198.51.100.2:5060".parse().expect("an address");
        let local = "192.0.2.1:5060".parse().expect("an address");
        let source = Source { flow: FlowId(rng.below(3) as u32), transport, remote, local };
        layer.received(message, source, now, &mut out, &mut news);
        now += Duration::from_millis(rng.below(200));
        layer.due(now, &mut out, &mut news);
        for news in news.drain(..) {
            if let TxNews::Request { tx, message, .. } | TxNews::Cancel { tx, message, .. } = news {
                requests += 1;
                unanswered.push((tx, message));
            }
        }
        fullest = fullest.max(layer.len());
        assert!(layer.len() <= MOST, "seed {SEED}, message {n}");
        // The user answers some, in no order, and some twice or too late.
        while unanswered.len() > MOST / 2 {
            let (tx, request) = unanswered.swap_remove(rng.below(unanswered.len() as u64) as usize);
            layer.respond(tx, Draft::response_to(&request, 100 + rng.below(600) as u16), now, &mut out);
            layer.respond(tx, Draft::response_to(&request, 500), now, &mut out);
        }
        for order in out.drain(..) {
            let Order::Send { bytes, .. } = order else { panic!("only sends: {order:?}") };
            assert!(Message::read(bytes).is_ok(), "seed {SEED}, message {n}: what we sent cannot be read");
        }
    }
    for (tx, request) in unanswered {
        layer.respond(tx, Draft::response_to(&request, 500), now, &mut out);
    }
    layer.due(now + Duration::from_secs(100), &mut out, &mut news);
    assert_eq!((layer.len(), layer.next_wake()), (0, None));
    assert!(
        read > MESSAGES / 4 && requests > MESSAGES / 50,
        "mutants too dead: {read} read, {requests} requests"
    );
    assert_eq!(fullest, MOST, "the bound was never met");
}
