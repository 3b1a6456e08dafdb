//! What is held is kept: refreshed, begun anew, moved, given up.

use super::*;

#[test]
fn an_hour_of_an_idle_allocation_costs_one_wake_where_the_relay_grants_an_hour_and_six_where_ten_minutes() {
    for (lifetime, wakes) in [(3600, 1), (600, 6)] {
        let mut rig = Rig::allocated(config(), lifetime);
        let asked = rig.idle(3600, lifetime);
        assert!(asked.iter().all(|(_, method)| *method == Method::Refresh));
        // Each wake is for a request: none is woken for nothing.
        assert_eq!((rig.wakes, asked.len()), (wakes, wakes), "{asked:?}");
        rig.quiet();
    }
}

#[test]
fn an_hour_with_peers_costs_a_wake_every_four_minutes_however_many_they_are() {
    let mut rig = Rig::allocated(config(), 600);
    for n in 1..=4 {
        rig.ready(peer(n));
        rig.idle(20, 600);
    }
    rig.wakes = 0;
    let asked = rig.idle(3600, 600);
    assert_eq!(rig.wakes, 15, "{asked:?}");
    let count = |wanted| asked.iter().filter(|(_, method)| *method == wanted).count();
    assert_eq!(count(Method::CreatePermission), 8, "one for all");
    assert_eq!((count(Method::ChannelBind), count(Method::Refresh)), (28, 7));
    // Nothing is older than it may be.
    for kind in [Method::ChannelBind, Method::Refresh] {
        let mut times: Vec<u64> = asked.iter().filter(|it| it.1 == kind).map(|it| it.0).collect();
        times.dedup();
        assert!(times.windows(2).all(|pair| pair[1] - pair[0] <= 540), "{kind:?} {times:?}");
    }
    rig.quiet();
}

#[test]
fn one_refusal_among_many_refreshes_is_told_of_the_right_one() {
    let mut rig = Rig::allocated(config(), 3600);
    rig.ready(peer(1));
    rig.ready(peer(2));
    rig.now = rig.client.next_wake().unwrap().at;
    rig.client.due(rig.now);
    let both = rig.asked(Method::CreatePermission);
    assert_eq!(both.hidden_addresses(attribute::XOR_PEER_ADDRESS).count(), 2);
    rig.refuses(&both, 403);
    let (first, second) = (rig.asked(Method::ChannelBind), rig.asked(Method::ChannelBind));
    rig.refuses(&first, 403);
    rig.signed(Writer::success(&second));
    assert_eq!(rig.event(), Event::PeerRefused { peer: peer(1), why: Why::Forbidden });
    rig.quiet();
    rig.client.send(peer(2), b"on").unwrap();
}

#[test]
fn a_forgotten_allocation_is_begun_anew_once_with_its_peers() {
    let mut rig = Rig::allocated(config(), 600);
    rig.ready(peer(1));
    rig.now = rig.client.next_wake().unwrap().at;
    rig.client.due(rig.now);
    let asked = rig.asked(Method::CreatePermission);
    rig.refuses(&asked, 437);
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { .. }));
    let asked = rig.asked(Method::ChannelBind);
    rig.refuses(&asked, 437);
    assert_eq!(rig.event(), Event::Lost(Why::Forgotten));
    rig.quiet();
}

#[test]
fn channels_out_of_step_give_the_allocation_up_and_begin_anew() {
    let mut rig = Rig::allocated(config(), 3600);
    rig.ready(peer(1));
    rig.idle(470, 3600);
    rig.now = rig.client.next_wake().unwrap().at;
    rig.client.due(rig.now);
    let asked = rig.asked(Method::ChannelBind);
    rig.refuses(&asked, 400);
    let asked = rig.asked(Method::Refresh);
    assert_eq!(asked.number(attribute::LIFETIME), Some(0));
    rig.signed(Writer::success(&asked));
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { .. }));
    rig.asked(Method::ChannelBind);
}

#[test]
fn refreshes_in_vain_are_repeated_until_the_allocation_is_over() {
    let mut rig = Rig::allocated(config(), 600);
    assert_eq!(rig.silence(), Event::Lost(Why::Silent));
    assert!((570..=600).contains(&(rig.now.as_nanos() / 1_000_000_000)), "{:?}", rig.now);
}

#[test]
fn who_slept_through_the_end_asks_anew() {
    let mut rig = Rig::allocated(config(), 600);
    rig.now = Instant::from_millis(5_000_000);
    rig.client.due(rig.now);
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { .. }));
}

#[test]
fn moved_with_a_ticket_the_relayed_address_and_the_channels_remain() {
    let mut rig = Rig::allocated(config(), 600);
    let channel = rig.ready(peer(1));
    rig.client.moved(rig.now);
    let asked = rig.asked(Method::Refresh);
    assert_eq!(asked.text(attribute::MOBILITY_TICKET), Some("ticket 1"));
    // From the new place the server would not know who sends: RFC 8016 section 3.2.2.
    assert_eq!(rig.client.send(peer(1), b"voice"), Err(Misuse::NotReady));
    // A nonce is of an address and a port: the new place gets its own.
    rig.nonce(&asked, 438);
    let asked = rig.asked(Method::Refresh);
    assert_eq!(asked.text(attribute::MOBILITY_TICKET), Some("ticket 1"));
    let answer = Writer::success(&asked).number(attribute::LIFETIME, 600);
    rig.signed(answer.text(attribute::MOBILITY_TICKET, "ticket 2"));
    assert_eq!(rig.event(), Event::Moved);
    rig.client.send(peer(1), b"voice").unwrap();
    assert_eq!(channel::read(&rig.client.poll_send().unwrap()).unwrap().0, channel);
    rig.client.moved(rig.now);
    assert_eq!(rig.asked(Method::Refresh).text(attribute::MOBILITY_TICKET), Some("ticket 2"));
    rig.quiet();
}

#[test]
fn moved_without_a_ticket_or_with_one_that_is_not_taken_a_fresh_one_is_asked_for() {
    let mut rig = Rig::allocated(Config { mobility: false, ..config() }, 600);
    rig.ready(peer(1));
    rig.client.moved(rig.now);
    rig.allocate(600);
    assert!(matches!(rig.event(), Event::Allocated { .. }));
    rig.asked(Method::ChannelBind);
    for code in [400, 405, 437, 441] {
        let mut rig = Rig::allocated(config(), 600);
        rig.client.moved(rig.now);
        let asked = rig.asked(Method::Refresh);
        rig.refuses(&asked, code);
        rig.allocate(600);
        assert!(matches!(rig.event(), Event::Allocated { .. }), "{code}");
    }
}

#[test]
fn closing_gives_the_allocation_up_even_one_that_is_not_there_yet() {
    for early in [false, true] {
        let mut rig = Rig::new(config());
        rig.challenge();
        if early {
            rig.client.close(rig.now);
        }
        rig.allocate(600);
        if !early {
            assert!(matches!(rig.event(), Event::Allocated { .. }));
            rig.client.close(rig.now);
        }
        let asked = rig.asked(Method::Refresh);
        assert_eq!(asked.number(attribute::LIFETIME), Some(0));
        rig.refuses(&asked, 437); // a repeated one: it had been given up before
        assert_eq!(rig.event(), Event::Closed);
        rig.quiet();
        assert_eq!(rig.client.permit(peer(1), rig.now), Err(Misuse::Done));
    }
}

#[test]
fn who_moves_while_closing_leaves_nothing_behind_that_anybody_could_give_up() {
    let mut rig = Rig::new(config());
    rig.challenge();
    rig.asked(Method::Allocate);
    rig.client.close(rig.now);
    rig.client.moved(rig.now);
    assert_eq!(rig.event(), Event::Closed);
    rig.quiet();
}
