//! Who hears whom, and how each call stands: what a ladder says between and below the messages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use media::Codec;
use phone::{CallState, CallView, Side};

use crate::node::{Machine, Node};
use crate::phone::{Handset, short};
use crate::wire::{NodeId, Wire};

/// What was last said of each pair of nodes.
#[derive(Debug, Default)]
pub(crate) struct Picture(BTreeMap<(usize, usize), String>);

impl Picture {
    /// What was last said of each pair.
    pub(crate) fn all(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// Looks again; says what has changed: `media ann<->bob PCMU`, `media ann->bob PCMU`, `media ann bob ended`.
    pub(crate) fn look(&mut self, nodes: &[Node], wire: &Wire) -> Vec<String> {
        let mut ways: BTreeMap<(usize, usize), Codec> = BTreeMap::new();
        for (i, node) in nodes.iter().enumerate() {
            let Machine::Phone(handset) = &node.machine else { continue };
            for stream in handset.streams.values() {
                let Some(plan) = &stream.plan else { continue };
                let Some(remote) = plan.remote else { continue };
                let Some((NodeId(j), remote)) = wire.reach(NodeId(i), remote) else { continue };
                match &nodes[j].machine {
                    Machine::Phone(other) => {
                        let listens = other
                            .streams
                            .values()
                            .filter(|s| s.local == remote)
                            .any(|s| s.plan.as_ref().is_some_and(|p| p.direction.receives()));
                        if plan.direction.sends() && listens {
                            ways.insert((i, j), plan.codec_out.1);
                        }
                    }
                    Machine::Exchange(_) | Machine::Stranger(_) | Machine::Servers(_) | Machine::Ended(_) => {
                        if plan.direction.sends() {
                            ways.insert((i, j), plan.codec_out.1);
                        }
                        if plan.direction.receives() {
                            ways.insert((j, i), plan.codec_out.1);
                        }
                    }
                }
            }
        }
        let mut now = BTreeMap::new();
        for ((from, to), codec) in &ways {
            let (a, b) = (*from.min(to), *from.max(to));
            let arrow = match (ways.contains_key(&(a, b)), ways.contains_key(&(b, a))) {
                (true, true) => "<->",
                (true, false) => "->",
                (false, _) => "<-",
            };
            now.insert((a, b), format!("media {}{arrow}{} {}", nodes[a].name, nodes[b].name, codec.name()));
        }
        let ended = self.0.keys().filter(|pair| !now.contains_key(pair));
        let mut notes: Vec<String> =
            ended.map(|(a, b)| format!("media {} {} none", nodes[*a].name, nodes[*b].name)).collect();
        notes.extend(
            now.iter().filter(|(pair, text)| self.0.get(pair) != Some(text)).map(|(_, text)| text.clone()),
        );
        self.0 = now;
        notes
    }
}

/// How each call of each phone stands: `ann: bob ended 200 after 4.2 s; bob: ann ended`.
pub(crate) fn outcome<'a>(phones: impl Iterator<Item = (&'a str, &'a Handset)>) -> String {
    let lines: Vec<String> = phones
        .flat_map(|(name, handset)| handset.calls().map(move |c| format!("{name} {}", one(c))))
        .collect();
    lines.join(";  ")
}

fn one(view: &CallView) -> String {
    let arrow = match view.side {
        Side::Out => "->",
        Side::In => "<-",
    };
    let mut text = format!("{arrow} {} ", short(view));
    match (view.state, view.ended, view.answered) {
        (CallState::Ended, Some(ended), Some(answered)) => {
            let _ = write!(text, "ended after {:.1} s", ended.since(answered).as_secs_f64());
        }
        (CallState::Ended, ..) => {
            let status = view.status.map_or_else(String::new, |s| format!(" {s}"));
            let _ = write!(text, "ended{status} {}", view.reason.as_deref().unwrap_or(""));
        }
        (state, ..) => text.push_str(match state {
            CallState::Announced => "announced",
            CallState::Calling => "calling",
            CallState::Ringing => "ringing",
            CallState::Early => "early",
            CallState::Active => "active",
            CallState::Held => "held",
            CallState::RemoteHeld => "held by them",
            CallState::Ended => "ended",
        }),
    }
    text.trim_end().to_owned()
}
