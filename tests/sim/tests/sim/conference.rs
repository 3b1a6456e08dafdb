//! Three-way calls, by what each of them hears: everybody hums a tone of its own.

use std::time::Duration;

use offhook_sim::{Link, NodeId, World};
use phone::{CallState, Command};

use crate::{connect, nothing_is_left, seeds, town};

const SECOND: Duration = Duration::from_secs(1);

/// Whom of these `listener` hears.
fn heard(w: &World, listener: NodeId, talkers: &[NodeId]) -> Vec<bool> {
    talkers.iter().map(|talker| w.hears_tone(listener, *talker)).collect()
}

#[test]
pub(super) fn in_a_conference_everybody_hears_all_others_and_nobody_itself() {
    for seed in seeds(3) {
        let (mut w, exchange, phones) = town(seed, "conference", &["ann", "bob", "cem"], |w| {
            let mut w = w.with_sound();
            w.set_links(Link::lossy(0.01));
            w
        });
        let [ann, bob, cem] = phones[..] else { unreachable!("three were asked for") };
        connect(&mut w, ann, bob, "bob");
        connect(&mut w, ann, cem, "cem");
        assert_eq!(heard(&w, bob, &phones), [false; 3], "on hold");
        w.command(ann, Command::Merge);
        w.run_for(3 * SECOND);
        assert_eq!(heard(&w, ann, &phones), [false, true, true]);
        assert_eq!(heard(&w, bob, &phones), [true, false, true]);
        assert_eq!(heard(&w, cem, &phones), [true, true, false]);

        // Ann says nothing, and the two go on.
        let call = w.live(ann);
        w.command(ann, Command::Mute(call, true));
        w.run_for(SECOND);
        assert_eq!(heard(&w, bob, &phones), [false, false, true]);
        w.command(ann, Command::Mute(call, false));

        // On hold they do not hear each other either.
        w.command(ann, Command::Hold(call));
        w.run_until_state(bob, CallState::RemoteHeld);
        w.run_until_state(cem, CallState::RemoteHeld);
        w.run_for(SECOND);
        assert_eq!([heard(&w, bob, &phones), heard(&w, cem, &phones)], [[false; 3]; 2]);
        w.command(ann, Command::Resume(call));
        w.run_until_state(bob, CallState::Active);
        w.run_for(2 * SECOND);
        assert_eq!(heard(&w, bob, &phones), [true, false, true]);

        w.hang_up(cem);
        w.run_for(2 * SECOND);
        assert_eq!(heard(&w, bob, &phones), [true, false, false]);
        w.hang_up(ann);
        w.run_until_quiet();
        nothing_is_left(&mut w, exchange, &phones);
    }
}
