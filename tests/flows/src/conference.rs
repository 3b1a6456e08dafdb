//! A conference on one's own phone: RFC 5359 section 2.10 without a conference URI, RFC 4353 section 6.2.

use phone::{CallState, Command};

use crate::stage::*;

#[test]
fn two_calls_are_merged_held_split_and_one_of_them_hangs_up() {
    let (mut w, [ann, _, bob, cem]) = trio("RFC 5359 section 2.10; RFC 4353 section 6.2");
    talk(&mut w, bob, ann, "ann");
    let of_ann = w.live(bob);
    talking(&mut w, bob, cem, "cem");
    w.command(bob, Command::Merge);
    w.run_until_state(ann, CallState::Active);
    w.run_for(secs(2.0));
    assert_eq!(w.at(bob).calls().filter(|call| call.conference).count(), 2);
    w.command(bob, Command::Hold(of_ann));
    w.run_for(secs(2.0));
    assert_eq!((w.state(ann), w.state(cem)), (Some(CallState::RemoteHeld), Some(CallState::RemoteHeld)));
    w.command(bob, Command::Resume(of_ann));
    w.run_for(secs(2.0));
    w.command(bob, Command::Split(of_ann));
    w.run_for(secs(2.0));
    assert_eq!((w.state(ann), w.state(cem)), (Some(CallState::Active), Some(CallState::RemoteHeld)));
    w.command(bob, Command::Merge);
    w.run_for(secs(2.0));
    w.hang_up(cem);
    w.run_for(secs(1.0));
    assert_eq!((w.state(ann), w.state(bob)), (Some(CallState::Active), Some(CallState::Active)));
    w.hang_up(ann);
    w.run_until_quiet();
    keep(&w);
}
