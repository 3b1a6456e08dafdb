//! How many complete calls a second two agents manage in memory, both sides counted, on one core.
//!
//! INVITE, 180, 200, ACK, BYE, 200, with session descriptions; every message is written and read, and forgetting the
//! calls behind their last timers is part of the work.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use base::{FlowId, Instant, Rng, Transport};
use bytes::Bytes;
use offhook_bench::line;
use sip::order::{Order, Orders};
use sip::ua::{Agent, AgentConfig, Invite, News, Profile, ProfileId, Reliable, SessionId};

/// Measurements; the median counts.
const ROUNDS: usize = 5;
/// Complete calls a second that the project asks for.
const GOAL: u32 = 20_000;

const ME: ProfileId = ProfileId(1);
const UDP: FlowId = FlowId(1);
const SDP: &str = "v=0\r\no=- 3921843920 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n\
                   m=audio 50000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n\
                   a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n";

struct Side {
    agent: Agent,
    addr: SocketAddr,
    out: Orders,
}

impl Side {
    fn new(name: &str, last: u8) -> Self {
        let addr = SocketAddr::from(([10, 0, 0, last], 5060));
        let config = AgentConfig { max_sessions: 100_000, max_requests: 1_000_000, ..AgentConfig::default() };
        let mut agent = Agent::new(config, Rng::from_number(u64::from(last)));
        let aor = format!("sip:{name}@10.0.0.{last}").parse().expect("a URI");
        let reliable = Reliable::Off;
        agent.set_profile(ME, Profile { reliable, ..Profile::new(aor, name) });
        let mut out = Vec::new();
        agent.flow_up(UDP, Transport::Udp, addr, None, Instant::ZERO, &mut out);
        Self { agent, addr, out }
    }
}

/// Carries orders over until there are none.
fn settle(sides: &mut [Side; 2], now: Instant) {
    let mut orders = Orders::new();
    loop {
        let mut idle = true;
        for here in [0, 1] {
            std::mem::swap(&mut orders, &mut sides[here].out);
            for order in orders.drain(..) {
                idle = false;
                match order {
                    Order::Send { bytes, .. } => {
                        let from = sides[here].addr;
                        let there = &mut sides[1 - here];
                        there.agent.received(UDP, from, &bytes, now, &mut there.out);
                    }
                    Order::OpenFlow { transport, remote, .. } => {
                        let side = &mut sides[here];
                        side.agent.flow_up(UDP, transport, side.addr, Some(remote), now, &mut side.out);
                    }
                    Order::SwitchPort { .. } | Order::CloseFlow { .. } | Order::Resolve { .. } => {
                        unreachable!("numeric, by UDP")
                    }
                }
            }
        }
        if idle {
            return;
        }
    }
}

fn call(sides: &mut [Side; 2], now: Instant) {
    let [ann, _] = sides;
    let to = "sip:bob@10.0.0.2:5060".parse().expect("a URI");
    let invite = Invite::new(to, Some(Bytes::from_static(SDP.as_bytes())));
    let ours = ann.agent.invite(ME, invite, now, &mut ann.out);
    settle(sides, now);
    let bob = &mut sides[1];
    let mut theirs: Option<SessionId> = None;
    while let Some(news) = bob.agent.poll_news() {
        if let News::Invited { session, .. } = news {
            theirs = Some(session);
        }
    }
    let theirs = theirs.expect("the call has come");
    bob.agent.ring(theirs, now, &mut bob.out);
    bob.agent.accept(theirs, Bytes::from_static(SDP.as_bytes()), now, &mut bob.out);
    settle(sides, now);
    let ann = &mut sides[0];
    ann.agent.hang_up(ours, &[], now, &mut ann.out);
    settle(sides, now);
    let ends = sides.each_mut().map(|side| {
        std::iter::from_fn(|| side.agent.poll_news())
            .filter(|news| matches!(news, News::Ended { .. }))
            .count()
    });
    assert_eq!(ends, [1, 1]);
}

fn main() -> io::Result<()> {
    let mut rates: Vec<f64> = (0..ROUNDS).map(|_| measure()).collect();
    rates.sort_by(f64::total_cmp);
    line(format_args!(
        "calls between two agents in memory: {:.0} complete calls a second, goal {GOAL}",
        rates[ROUNDS / 2]
    ))
}

/// Complete calls a second.
fn measure() -> f64 {
    let mut sides = [Side::new("ann", 1), Side::new("bob", 2)];
    let mut now = Instant::ZERO;
    let (batches, batch) = (10, 1000);
    let began = std::time::Instant::now();
    for _ in 0..batches {
        for _ in 0..batch {
            call(&mut sides, now);
        }
        now += Duration::from_secs(40);
        for side in &mut sides {
            side.agent.due(now, &mut side.out);
        }
        settle(&mut sides, now);
    }
    let took = began.elapsed();
    assert!(sides.iter().all(|side| side.agent.is_quiet()));
    f64::from(batches * batch) / took.as_secs_f64()
}
