//! Any datagrams at a user agent, and time between them: no panic, and what a stranger can make it keep has a bound.
//!
//! The input is cut into datagrams at the byte 0xff; the agent has one UDP socket and rings for every INVITE.

#![no_main]

use std::time::Duration;

use base::{FlowId, Instant, Rng, Transport};
use libfuzzer_sys::fuzz_target;
use sip::ua::{Agent, AgentConfig, News};

fuzz_target!(|bytes: &[u8]| {
    let mut agent = Agent::new(AgentConfig::default(), Rng::from_number(1));
    let (mut now, mut out) = (Instant::ZERO, Vec::new());
    let local = ([10, 0, 0, 1], 5060).into();
    agent.flow_up(FlowId(1), Transport::Udp, local, None, now, &mut out);
    for datagram in bytes.split(|b| *b == 0xff) {
        agent.received(FlowId(1), ([10, 0, 0, 2], 5060).into(), datagram, now, &mut out);
        while let Some(news) = agent.poll_news() {
            if let News::Invited { session, .. } = news {
                agent.ring(session, now, &mut out);
                if datagram.len() % 2 == 0 {
                    agent.reject(session, 486, "", &[], &[], now, &mut out);
                }
            }
        }
        now += Duration::from_millis(300 * (datagram.len() as u64 % 8));
        agent.due(now, &mut out);
        out.clear();
    }
    // Everything a stranger began ends by itself, but for calls that ring.
    for _ in 0..1000 {
        let Some(wake) = agent.next_wake() else { break };
        now = now.max(wake.at);
        agent.due(now, &mut out);
        while agent.poll_news().is_some() {}
        out.clear();
    }
});
