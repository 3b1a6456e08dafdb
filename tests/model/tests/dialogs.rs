//! Random histories of the dialogs of one forked INVITE: each fork behind its own path of loose and strict proxies, requests
//! both ways that overtake each other, contacts that move.

#![allow(clippy::unwrap_used, reason = "a test: what is unwrapped was written by the code under judgement")]

use base::Rng;
use offhook_model::dialog::EndModel;
use offhook_model::route::{Proxy, Steering, travel};
use proptest::prelude::*;
use sip::dialog::{Dialog, Seed, Tag, Turn};
use sip::message::{Draft, Form, Message, Method, Name};

/// One step of a history. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    /// Another callee answers, provisionally or finally, behind proxies that are loose or not.
    Fork { loose: Vec<bool>, status: u16 },
    /// A callee that answered provisionally takes the call.
    Confirm { fork: usize },
    /// One end asks something; `moved`: from a new contact.
    Ask { fork: usize, by_caller: bool, moved: bool },
    /// A request under way arrives.
    Arrive { which: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let loose = prop::collection::vec(prop::bool::weighted(0.7), 0..5);
    let number = 0..64_usize;
    prop_oneof![
        1 => (loose, prop::sample::select(vec![180_u16, 183, 200]))
            .prop_map(|(loose, status)| Step::Fork { loose, status }),
        1 => number.clone().prop_map(|fork| Step::Confirm { fork }),
        6 => (number.clone(), any::<bool>(), prop::bool::weighted(0.2))
            .prop_map(|(fork, by_caller, moved)| Step::Ask { fork, by_caller, moved }),
        6 => number.prop_map(|which| Step::Arrive { which }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_of_a_forked_call_breaks_a_rule(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in &steps {
            world.take(step)?;
        }
    }
}

type Judged = Result<(), TestCaseError>;

struct World {
    rng: Rng,
    seed: Seed,
    forks: Vec<Fork>,
    under_way: Vec<(usize, bool, Message)>,
}

struct Fork {
    proxies: Vec<Proxy>,
    response: Draft,
    caller: End,
    callee: End,
}

struct End {
    dialog: Dialog,
    model: EndModel,
    contact: String,
    moves: u32,
}

const CALLER: &str = "sip:ann@192.0.2.1:5060";

impl World {
    fn new() -> Self {
        let mut rng = Rng::from_number(5);
        let local_tag = Tag::draw(&mut rng);
        let seed = Seed {
            call_id: "c1".into(),
            local: local_tag.append("\"Ann\" <sip:ann@example.com>").into(),
            local_tag,
            seq: 41,
            target: "sip:bob@example.com".parse().unwrap(),
        };
        Self { rng, seed, forks: Vec::new(), under_way: Vec::new() }
    }

    fn take(&mut self, step: &Step) -> Judged {
        match step {
            Step::Fork { loose, status } => self.fork(loose, *status),
            Step::Confirm { fork } => self.confirm(*fork),
            Step::Ask { fork, by_caller, moved } => self.ask(*fork, *by_caller, *moved),
            Step::Arrive { which } => self.arrive(*which),
        }
    }

    fn fork(&mut self, loose: &[bool], status: u16) -> Judged {
        let number = self.forks.len();
        let proxies: Vec<Proxy> =
            loose.iter().enumerate().map(|(i, l)| Proxy::new(&format!("p{i}-{number}"), *l)).collect();
        let contact = format!("sip:bob@198.51.100.{}", number + 1);
        let invite = self.invite(&proxies);
        let tag = Tag::draw(&mut self.rng);
        let callee = Dialog::from_request(&invite, tag).unwrap();
        let mut response = Draft::response_to(&invite, status);
        response.copy(&invite, Name::RecordRoute);
        response.set(Name::To, tag.append("<sip:bob@example.com>"));
        response.push(Name::Contact, format_args!("<{contact}>"));
        let caller = Dialog::from_response(&self.seed, &read(&response)).unwrap();
        let path: Vec<String> = proxies.iter().map(|p| p.uri.clone()).collect();
        let back = path.iter().rev().cloned().collect();
        self.forks.push(Fork {
            proxies,
            response,
            caller: End {
                dialog: caller,
                model: EndModel::new(self.seed.seq, None, &contact, path),
                contact: CALLER.to_owned(),
                moves: 0,
            },
            callee: End {
                dialog: callee,
                model: EndModel::new(0, Some(self.seed.seq), CALLER, back),
                contact,
                moves: 0,
            },
        });
        Ok(())
    }

    /// The INVITE as it reaches the callee: every proxy put itself on top.
    fn invite(&self, proxies: &[Proxy]) -> Message {
        let mut invite = Draft::request(&Method::Invite, "sip:bob@example.com");
        invite
            .push(Name::Via, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1")
            .push(Name::From, &self.seed.local)
            .push(Name::To, "<sip:bob@example.com>")
            .push(Name::CallId, &self.seed.call_id)
            .push(Name::CSeq, format_args!("{} INVITE", self.seed.seq))
            .push(Name::Contact, format_args!("<{CALLER}>"));
        for proxy in proxies {
            invite.prepend(Name::RecordRoute, format_args!("<{}>", proxy.uri));
        }
        read(&invite)
    }

    fn confirm(&mut self, fork: usize) -> Judged {
        let Some(fork) = pick(&mut self.forks, fork) else { return Ok(()) };
        let mut answer = fork.response.clone();
        answer.set(Name::Contact, format_args!("<{}>", fork.callee.contact));
        fork.caller.dialog.confirm(&read(&answer));
        fork.caller.model.target.clone_from(&fork.callee.contact);
        Ok(())
    }

    fn ask(&mut self, which: usize, by_caller: bool, moved: bool) -> Judged {
        let number = which % self.forks.len().max(1);
        let Some(fork) = self.forks.get_mut(number) else { return Ok(()) };
        let end = if by_caller { &mut fork.caller } else { &mut fork.callee };
        let method = if moved { Method::Update } else { Method::Info };
        let (mut draft, hop) = end.dialog.request(&method);
        if moved {
            end.moves += 1;
            end.contact = format!("sip:moved@203.0.113.{}:{}", number + 1, 6000 + end.moves);
            draft.push(Name::Contact, format_args!("<{}>", end.contact));
        }
        let request = read(&draft);
        prop_assert_eq!(request.cseq().unwrap().number, end.model.next_number());
        let steering = Steering {
            uri: draft.request_uri().to_owned(),
            routes: request.routes(Name::Route).map(|r| r.unwrap().uri().as_str().to_owned()).collect(),
        };
        let (met, left) = travel(&fork.proxies, hop.as_str(), steering);
        prop_assert_eq!(&met, &end.model.path, "the way");
        prop_assert_eq!(&left.uri, &end.model.target, "the target");
        prop_assert!(left.routes.is_empty(), "Route left over: {:?}", left.routes);
        self.under_way.push((number, !by_caller, request));
        Ok(())
    }

    fn arrive(&mut self, which: usize) -> Judged {
        if self.under_way.is_empty() {
            return Ok(());
        }
        let (number, at_caller, request) = self.under_way.remove(which % self.under_way.len());
        for (other, fork) in self.forks.iter().enumerate() {
            // All callees know the caller by one tag: they are told apart by their own, at their own places.
            let owned = fork.caller.dialog.owns_request(&request);
            prop_assert_eq!(owned, at_caller && other == number, "fork {} and {}", other, number);
        }
        let fork = &mut self.forks[number];
        let end = if at_caller { &mut fork.caller } else { &mut fork.callee };
        prop_assert!(end.dialog.owns_request(&request));
        prop_assert_eq!(request.to().unwrap().tag().unwrap(), end.dialog.local_tag().to_string());
        let seq = request.cseq().unwrap().number;
        let in_turn = end.model.hear(seq);
        prop_assert_eq!(end.dialog.hear(seq) == Turn::InOrder, in_turn, "number {}", seq);
        if in_turn && let Ok(contact) = request.contact() {
            end.dialog.refresh_target(&request);
            contact.uri().as_str().clone_into(&mut end.model.target);
        }
        Ok(())
    }
}

fn read(draft: &Draft) -> Message {
    Message::read(draft.write(Form::Compact)).unwrap()
}

fn pick<T>(all: &mut [T], which: usize) -> Option<&mut T> {
    let at = which % all.len().max(1);
    all.get_mut(at)
}
