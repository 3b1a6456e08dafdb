//! Calls that nobody has answered yet, while one side changes its network.

use std::time::Duration;

use base::NetworkId;
use offhook_sim::{NodeId, World, users};
use phone::{CallState, CallView, Command, Network, NetworkKind, Why};

use crate::networks::{MOBILE, WIFI, mobile, network, on_mobile, wifi};
use crate::{connect, nothing_is_left, settle};

const SECOND: Duration = Duration::from_secs(1);

/// ann by Wi-Fi, with a mobile network beside it or not; and bob.
fn on_wifi(seed: u64, title: &str, transport: &str, both: bool) -> (World, NodeId, NodeId, NodeId) {
    let (mut w, exchange, ann, bob) = on_mobile(seed, title, transport);
    w.appear(ann, wifi(1));
    w.run_for(5 * SECOND);
    assert_eq!(network(&w, ann), Some(WIFI));
    if !both {
        w.vanish(ann, MOBILE);
        w.run_for(SECOND);
    }
    w.begin();
    (w, exchange, ann, bob)
}

/// Both talk, and either side's requests reach the other; then one of them ends it, and nothing is left.
fn is_a_call(w: &mut World, exchange: NodeId, ann: NodeId, bob: NodeId) {
    w.run_until_state(ann, CallState::Active);
    w.run_until_state(bob, CallState::Active);
    w.run_for(2 * SECOND);
    for (from, to) in [(bob, ann), (ann, bob)] {
        let call = w.live(from);
        w.command(from, Command::Hold(call));
        w.run_until_state(to, CallState::RemoteHeld);
        w.command(from, Command::Resume(call));
        w.run_until_state(to, CallState::Active);
    }
    w.hang_up(bob);
    w.run_until_quiet();
    nothing_is_left(w, exchange, &[ann, bob]);
}

/// What became of a phone's calls, in order.
fn calls(w: &World, phone: NodeId) -> Vec<(CallState, Option<Why>)> {
    let view = |view: &CallView| (view.state, view.explanation);
    w.at(phone).calls().map(view).collect()
}

#[test]
pub(super) fn a_call_of_ours_whose_network_goes_while_it_rings_is_made_anew_and_no_call_is_missed() {
    for (seed, transport) in [(1, "udp"), (2, "tcp")] {
        for gap in [false, true] {
            let (mut w, exchange, ann, bob) = on_wifi(seed, "made_anew", transport, !gap);
            let call = w.call(ann, "bob");
            w.run_until_state(ann, CallState::Ringing);
            w.run_for(SECOND);
            w.vanish(ann, WIFI);
            if gap {
                w.run_for(5 * SECOND);
                w.appear(ann, mobile());
            }
            w.run_for(3 * SECOND);
            assert_eq!(network(&w, ann), Some(MOBILE));
            assert_eq!((w.live(ann), w.state(ann)), (call, Some(CallState::Ringing)), "{}", w.ladder());
            let ringing = (CallState::Ringing, None);
            let elsewhere = (CallState::Ended, Some(Why::AnsweredElsewhere));
            assert_eq!(calls(&w, bob), [elsewhere, ringing], "{}", w.ladder());
            w.answer(bob);
            is_a_call(&mut w, exchange, ann, bob);
            assert_eq!(calls(&w, ann), [(CallState::Ended, Some(Why::TheyEnded))]);
        }
    }
}

#[test]
fn a_call_of_ours_that_rings_while_another_network_comes_is_not_disturbed_and_moves_once_answered() {
    for (seed, transport) in [(3, "udp"), (4, "tcp")] {
        let (mut w, exchange, ann, bob) = on_mobile(seed, "not_disturbed", transport);
        w.call(ann, "bob");
        w.run_until_state(ann, CallState::Ringing);
        w.appear(ann, wifi(1));
        w.run_for(5 * SECOND);
        assert_eq!(network(&w, ann), Some(WIFI));
        w.answer(bob);
        w.run_for(2 * SECOND);
        w.vanish(ann, MOBILE);
        assert_eq!(calls(&w, bob), [(CallState::Active, None)]);
        is_a_call(&mut w, exchange, ann, bob);
    }
}

#[test]
fn a_call_of_ours_that_rings_on_after_a_move_is_made_anew_when_the_old_network_goes() {
    let (mut w, exchange, ann, bob) = on_mobile(5, "made_anew_later", "udp");
    w.call(ann, "bob");
    w.run_until_state(ann, CallState::Ringing);
    w.appear(ann, wifi(1));
    w.run_for(5 * SECOND);
    w.vanish(ann, MOBILE);
    w.run_for(SECOND);
    let states: Vec<CallState> = calls(&w, bob).iter().map(|(state, _)| *state).collect();
    assert_eq!(states, [CallState::Ended, CallState::Ringing]);
    w.answer(bob);
    is_a_call(&mut w, exchange, ann, bob);
}

#[test]
fn a_call_of_ours_without_any_network_ends_after_half_a_minute_or_when_it_is_hung_up() {
    for hangs_up in [false, true] {
        let (mut w, _, ann, bob) = on_wifi(6, "no_network", "udp", false);
        let call = w.call(ann, "bob");
        w.run_until_state(ann, CallState::Ringing);
        w.vanish(ann, WIFI);
        w.run_for(20 * SECOND);
        assert_eq!(w.state(ann), Some(CallState::Ringing));
        if hangs_up {
            w.command(ann, Command::HangUp(call));
        }
        w.run_for(15 * SECOND);
        assert_eq!(w.state(ann), None);
        w.hang_up(bob);
    }
}

#[test]
fn a_call_to_us_that_rings_while_its_network_goes_is_answered_by_the_other() {
    for (seed, transport) in [(7, "udp"), (8, "tcp")] {
        for gap in [false, true] {
            let (mut w, exchange, ann, bob) = on_wifi(seed, "answered_elsewhere", transport, !gap);
            w.call(bob, "ann");
            w.run_until_state(ann, CallState::Ringing);
            w.vanish(ann, WIFI);
            if gap {
                w.run_for(SECOND);
                w.appear(ann, mobile());
            }
            w.run_for(3 * SECOND);
            assert_eq!(w.state(ann), Some(CallState::Ringing));
            w.answer(ann);
            is_a_call(&mut w, exchange, ann, bob);
            assert_eq!(calls(&w, ann).len(), 1, "{}", w.ladder());
        }
    }
}

#[test]
fn a_call_to_us_that_is_answered_in_the_moment_without_a_network_is_up_once_there_is_one() {
    let (mut w, exchange, ann, bob) = on_wifi(9, "answered_in_the_gap", "udp", false);
    w.call(bob, "ann");
    w.run_until_state(ann, CallState::Ringing);
    w.vanish(ann, WIFI);
    w.run_for(SECOND);
    w.answer(ann);
    w.run_for(SECOND);
    w.appear(ann, mobile());
    is_a_call(&mut w, exchange, ann, bob);
}

#[test]
fn a_caller_who_gives_up_is_heard_by_whichever_network_the_callee_has_moved_to() {
    for (seed, transport) in [(10, "udp"), (11, "tcp")] {
        for stays in [true, false] {
            let (mut w, exchange, ann, bob) = on_mobile(seed, "gives_up", transport);
            w.call(bob, "ann");
            w.run_until_state(ann, CallState::Ringing);
            w.appear(ann, wifi(1));
            w.run_for(5 * SECOND);
            assert_eq!(network(&w, ann), Some(WIFI));
            if !stays {
                w.vanish(ann, MOBILE);
                w.run_for(SECOND);
            }
            w.hang_up(bob);
            w.run_for(2 * SECOND);
            assert_eq!(w.state(ann), None, "{transport}, stays {stays}:\n{}", w.ladder());
            nothing_is_left(&mut w, exchange, &[ann, bob]);
        }
    }
}

#[test]
pub(super) fn a_call_of_ours_with_early_media_moves_by_update_before_it_is_answered() {
    let (mut w, exchange, ann, bob) = on_mobile(12, "moves_by_update", "udp");
    w.call(ann, "bob");
    w.run_until_state(bob, CallState::Ringing);
    let call = w.live(bob);
    w.command(bob, Command::Progress(call));
    w.run_until_state(ann, CallState::Early);
    w.run_for(SECOND);
    let invites = w.said(ann, "INVITE");
    w.appear(ann, wifi(1));
    w.run_for(5 * SECOND);
    assert_eq!((network(&w, ann), w.said(ann, "UPDATE")), (Some(WIFI), 1), "{}", w.ladder());
    assert_eq!(w.state(ann), Some(CallState::Early));
    w.answer(bob);
    w.run_until_state(ann, CallState::Active);
    w.run_for(SECOND);
    assert_eq!(w.said(ann, "INVITE"), invites, "{}", w.ladder());
    w.vanish(ann, MOBILE);
    is_a_call(&mut w, exchange, ann, bob);
}

#[test]
fn a_call_to_us_with_early_media_that_loses_its_network_is_answered_and_moves() {
    for gap in [false, true] {
        let (mut w, exchange, ann, bob) = on_wifi(13, "early_then_moved", "udp", !gap);
        w.call(bob, "ann");
        w.run_until_state(ann, CallState::Ringing);
        let call = w.live(ann);
        w.command(ann, Command::Progress(call));
        w.run_until_state(bob, CallState::Early);
        w.run_for(SECOND);
        w.vanish(ann, WIFI);
        if gap {
            w.run_for(SECOND);
            w.appear(ann, mobile());
        }
        w.run_for(2 * SECOND);
        w.answer(ann);
        is_a_call(&mut w, exchange, ann, bob);
    }
}

#[test]
pub(super) fn a_call_whose_sides_change_their_networks_at_once_is_not_lost() {
    for seed in 14..=17 {
        let (mut w, exchange, ann, bob) = on_wifi(seed, "both_at_once", "udp", true);
        w.appear(bob, Network::new(MOBILE, NetworkKind::Cellular, vec![[10, 0, 3, 1].into()]));
        w.run_for(SECOND);
        connect(&mut w, ann, bob, "bob");
        let call = w.live(ann);
        w.vanish(ann, WIFI);
        w.vanish(bob, NetworkId::SYSTEM);
        w.run_for(8 * SECOND);
        assert_eq!((w.live(ann), w.state(ann)), (call, Some(CallState::Active)), "{}", w.ladder());
        is_a_call(&mut w, exchange, ann, bob);
    }
}

#[test]
fn a_call_that_rings_outlives_another_address_where_the_platform_tells_of_no_networks() {
    for (seed, transport) in [(18, "udp"), (19, "tcp")] {
        for calls in [true, false] {
            let names = ["ann", "bob"];
            let (mut w, exchange, phones) =
                settle(seed, "another_address", &names, transport, users(&names), |w| w);
            let (ann, bob) = (phones[0], phones[1]);
            let (caller, callee) = if calls { (ann, bob) } else { (bob, ann) };
            w.call(caller, if calls { "bob" } else { "ann" });
            w.run_until_state(callee, CallState::Ringing);
            w.run_until_state(caller, CallState::Ringing);
            w.run_for(SECOND);
            // Sockets go before anybody says why.
            w.offline(ann);
            w.run_for(SECOND);
            w.online(ann, [10, 0, 7, 7].into());
            w.run_for(3 * SECOND);
            let live = calls_that(&w, bob, CallState::Ringing);
            assert_eq!(live, 1, "{}", w.ladder());
            w.answer(callee);
            is_a_call(&mut w, exchange, ann, bob);
        }
    }
}

fn calls_that(w: &World, phone: NodeId, are: CallState) -> usize {
    w.at(phone).calls().filter(|view| view.state == are).count()
}
