//! A phone with two ways out, Wi-Fi and a mobile operator's, and a call that goes from one to the other.
//!
//! The phone is told as its system would tell it, by `{"cmd":"network"}`. What is measured is what both hear: one tone, whose
//! longest pause is how long sound was gone.

use std::io::Write as _;
use std::time::Duration;

use offhook_interop::{Home, Phone, Router, Town, Translation, longest_pause, nat_lines, tone};
use serde_json::json;

/// Sound is back by then where the old way still carries, and where it is gone. In the simulator it is held to less.
const BOTH_UP: Duration = Duration::from_millis(200);
const ONE_GONE: Duration = Duration::from_millis(2500);

fn print(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What Ann's phone knows from the beginning.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Networks {
    /// There is one; which is told when it changes.
    One,
    /// Both, by name.
    Told,
}

/// Ann with two ways out, Bob with one, both saying a tone to each other.
struct Scene {
    // Dropped in this order: phones before the homes they run in, homes before the town.
    ann: Phone,
    bob: Phone,
    call: u64,
    anns: Home,
    _bobs: Home,
    _town: Town,
    sounds: tempfile::TempDir,
}

impl Scene {
    fn begin(test: &str, networks: Networks) -> Option<Self> {
        let town = Town::build(test)?;
        let mut anns = town.home(Router::new(Translation::Masquerade));
        town.second_way(&mut anns, Router::new(Translation::Masquerade));
        let bobs = town.home(Router::new(Translation::Masquerade));
        let sounds = tempfile::tempdir().expect("a temporary folder");
        let said = sounds.path().join("said.wav");
        tone(&said);
        let audio = |name: &str| {
            let heard = sounds.path().join(name);
            format!(
                "{}[audio]\nplay = \"{}\"\nrecord = \"{}\"\n",
                nat_lines(),
                said.display(),
                heard.display()
            )
        };
        let codec = "codecs = [\"PCMU\"]";
        let mut ann = town.phone(&anns, "1001", codec, &audio("ann.wav"));
        if networks == Networks::Told {
            for (way, kind) in ["wifi", "cellular"].into_iter().enumerate() {
                let address = anns.ways[way].address.to_string();
                ann.say(json!({"cmd": "network", "appeared": address, "id": way, "kind": kind}));
            }
            ann.expect(json!({"event": "registration", "state": "registered"}));
        }
        let mut bob = town.phone(&bobs, "1002", codec, &audio("bob.wav"));
        ann.say(json!({"cmd": "call", "to": "1002"}));
        let ringing = bob.expect(json!({"event": "call", "state": "ringing"}));
        bob.say(json!({"cmd": "answer", "call": ringing["call"]}));
        let active = ann.expect(json!({"event": "call", "state": "active"}));
        let call = active["call"].as_u64().expect("a call has a number");
        for phone in [&mut ann, &mut bob] {
            for _ in 0..2 {
                phone.expect(json!({"event": "quality"}));
            }
        }
        Some(Self { ann, bob, call, anns, _bobs: bobs, _town: town, sounds })
    }

    fn moves_to(&mut self, way: usize) {
        let address = self.anns.ways[way].address.to_string();
        self.ann.say(json!({"cmd": "network", "up": address}));
    }

    /// Both talk on for a while and hang up: how long each heard nothing of the other.
    fn end(mut self, what: &str) -> [Duration; 2] {
        for phone in [&mut self.ann, &mut self.bob] {
            for _ in 0..6 {
                phone.expect(json!({"event": "quality"}));
            }
        }
        self.ann.say(json!({"cmd": "hangup", "call": self.call}));
        self.ann.expect(json!({"event": "call", "state": "ended"}));
        self.bob.expect(json!({"event": "call", "state": "ended"}));
        let pauses = ["ann.wav", "bob.wav"].map(|name| longest_pause(&self.sounds.path().join(name)));
        print(&format!("{what}: Ann heard nothing for {:?}, Bob for {:?}", pauses[0], pauses[1]));
        pauses
    }
}

#[test]
fn a_call_moves_to_a_network_that_came_while_the_old_one_carries() {
    let Some(mut scene) = Scene::begin("moving to another network in time", Networks::One) else { return };
    scene.moves_to(1);
    scene.ann.expect(json!({"event": "quality"}));
    scene.ann.expect(json!({"event": "quality"}));
    scene.anns.set(0, false);
    let pauses = scene.end("both networks up");
    assert!(pauses.iter().all(|pause| *pause <= BOTH_UP), "{pauses:?}");
}

#[test]
fn a_call_goes_on_by_the_other_network_when_its_own_dies() {
    let Some(mut scene) = Scene::begin("a network that dies in a call", Networks::One) else { return };
    scene.anns.set(0, false);
    scene.ann.say(json!({"cmd": "network", "down": true}));
    scene.moves_to(1);
    let pauses = scene.end("the network died");
    assert!(pauses.iter().all(|pause| *pause <= ONE_GONE), "{pauses:?}");
}

#[test]
fn a_call_goes_on_by_the_other_network_when_its_own_dies_and_nobody_says_so() {
    let Some(scene) = Scene::begin("a network that dies in silence", Networks::Told) else { return };
    scene.anns.ways[0].router.nft("add rule inet firewall forward drop");
    let pauses = scene.end("the network died in silence");
    // Or nothing was cut off, and nothing measured.
    assert!(pauses.iter().all(|pause| *pause > Duration::from_millis(100)), "{pauses:?}");
    assert!(pauses.iter().all(|pause| *pause <= ONE_GONE), "{pauses:?}");
}

#[test]
fn a_call_goes_on_by_the_other_network_when_its_own_vanishes() {
    let Some(mut scene) = Scene::begin("a network that vanishes in a call", Networks::Told) else { return };
    scene.anns.set(0, false);
    scene.ann.say(json!({"cmd": "network", "vanished": 0}));
    let pauses = scene.end("the network vanished");
    assert!(pauses.iter().all(|pause| *pause <= ONE_GONE), "{pauses:?}");
}
