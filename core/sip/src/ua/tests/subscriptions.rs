//! Subscriptions of ours, and what is told without one. RFC 6665, RFC 3842.

use std::time::Duration;

use crate::message::{Message, Method, Name};
use crate::ua::*;

use super::net::*;

fn notified(news: &News) -> Option<(SubscriptionState, bytes::Bytes)> {
    match news {
        News::Notified { state, body, .. } => Some((state.clone(), body.clone())),
        _ => None,
    }
}

fn subscribed() -> (Net, NodeId, SubscriptionId, Message) {
    let mut net = Net::new();
    net.add("ann", |_, _| ());
    let server = net.add_scripted();
    let subscribe = Subscribe {
        to: uri("sip:ann@10.0.0.2"),
        event: "message-summary".into(),
        accept: "application/simple-message-summary".into(),
        expires: 600,
    };
    let id = net.with(0, |a, now, out| a.subscribe(ME, subscribe, now, out));
    net.soon();
    let request = net.heard(server, &Method::Subscribe);
    (net, server, id, request)
}

fn notify(
    net: &mut Net,
    server: NodeId,
    subscribe: &Message,
    seq: u32,
    tag: &str,
    state: &str,
    body: &'static str,
) {
    let mut draft = net.in_dialog(server, &Method::Notify, seq, subscribe, tag);
    draft.push(Name::Event, "message-summary").push(Name::SubscriptionState, state);
    if !body.is_empty() {
        draft.body("application/simple-message-summary", body);
    }
    net.say(server, 0, &draft);
    net.soon();
}

/// Section 4.1: asked, told, refreshed ahead of the end, ended; the last NOTIFY is the last news.
#[test]
fn a_subscription_is_told_refreshed_and_ended() {
    let (mut net, server, id, request) = subscribed();
    assert_eq!((request.text(Name::Event), request.expires()), (Some("message-summary"), Some(600)));
    net.reply(server, &request, 200, "n", |draft| {
        draft.push(Name::Expires, 300);
    });
    net.soon();
    notify(&mut net, server, &request, 1, "n", "active;expires=300", "Messages-Waiting: yes");
    assert_eq!(net.expect(0, notified), (SubscriptionState::Active, "Messages-Waiting: yes".into()));
    net.heard_status(server, 200);
    net.run(Duration::from_secs(250));
    assert!(!net.has_heard(server, &Method::Subscribe));
    net.run(Duration::from_millis(18_200));
    let refresh = net.heard(server, &Method::Subscribe);
    assert_eq!((refresh.to().unwrap().tag(), refresh.cseq().unwrap().number), (Some("n"), 2));
    net.reply(server, &refresh, 200, "", |draft| {
        draft.push(Name::Expires, 300);
    });
    net.soon();
    net.with(0, |a, now, out| a.unsubscribe(id, now, out));
    net.soon();
    let end = net.heard(server, &Method::Subscribe);
    assert_eq!(end.expires(), Some(0));
    net.reply(server, &end, 200, "", |_| ());
    notify(&mut net, server, &request, 2, "n", "terminated;reason=timeout", "");
    let (state, _) = net.expect(0, notified);
    assert_eq!(state, SubscriptionState::Terminated { reason: "timeout".into(), retry_after: None });
    net.assert_quiet();
    notify(&mut net, server, &request, 3, "n", "active", "");
    net.heard_status(server, 481);
}

/// Section 4.4.1: the NOTIFY that overtakes the 2xx makes the dialog; another fork's is refused.
#[test]
fn a_notify_may_come_before_the_2xx_and_a_forks_is_refused() {
    let (mut net, server, _, request) = subscribed();
    notify(&mut net, server, &request, 1, "n", "pending", "");
    assert_eq!(net.expect(0, notified).0, SubscriptionState::Pending);
    notify(&mut net, server, &request, 1, "fork", "active", "");
    net.heard_status(server, 481);
    net.reply(server, &request, 202, "n", |_| ());
    net.soon();
    notify(&mut net, server, &request, 2, "n", "terminated;reason=rejected;retry-after=60", "");
    let retry_after = Some(Duration::from_secs(60));
    let reason = "rejected".into();
    assert_eq!(net.expect(0, notified).0, SubscriptionState::Terminated { reason, retry_after });
    net.assert_quiet();
}

/// Section 4.1.2.1: refused, and 423 obeyed once.
#[test]
fn a_refused_subscription_ends_and_423_is_obeyed() {
    let (mut net, server, _, request) = subscribed();
    net.reply(server, &request, 423, "n", |draft| {
        draft.push(Name::MinExpires, 3600);
    });
    net.soon();
    let again = net.heard(server, &Method::Subscribe);
    assert_eq!(again.expires(), Some(3600));
    net.reply(server, &again, 489, "n", |_| ());
    net.soon();
    let (state, _) = net.expect(0, notified);
    assert_eq!(state, SubscriptionState::Terminated { reason: "Bad Event".into(), retry_after: None });
    net.assert_quiet();
}

/// A challenge that comes when the notifier has already ended the subscription finds nobody to count on, and is let go.
#[test]
fn a_subscription_challenged_after_its_end_leaves_nothing_behind() {
    let (mut net, server, id, request) = subscribed();
    let mut profile = Profile::new(uri("sip:ann@10.0.0.1"), "ann");
    let password = base::Secret::new("secret".to_owned());
    profile.credentials = vec![crate::digest::Credentials { user: "ann".into(), password, realm: None }];
    net.agent(0).set_profile(ME, profile);
    net.reply(server, &request, 200, "n", |_| ());
    net.soon();
    net.with(0, |a, now, out| a.unsubscribe(id, now, out));
    net.soon();
    let end = net.heard(server, &Method::Subscribe);
    notify(&mut net, server, &request, 1, "n", "terminated;reason=timeout", "");
    net.reply(server, &end, 401, "", |draft| {
        draft.push(Name::WwwAuthenticate, "Digest realm=\"test\", nonce=\"n1\", qop=\"auth\"");
    });
    net.soon();
    assert!(net.agent(0).is_idle());
    net.assert_quiet();
}

/// Asked again before its time, and along with something else, a subscription is refreshed in its dialog; forgotten, it is
/// nobody's, and who still tells it hears so. Sections 4.1.2.2 and 4.1.3.
#[test]
fn a_subscription_is_refreshed_when_asked_and_forgotten_without_a_word() {
    let (mut net, server, id, request) = subscribed();
    net.reply(server, &request, 200, "n", |draft| {
        draft.push(Name::Expires, 300);
    });
    net.soon();
    net.with(0, |a, now, out| a.resubscribe(id, now, out));
    net.soon();
    let again = net.heard(server, &Method::Subscribe);
    assert_eq!((again.to().unwrap().tag(), again.cseq().unwrap().number), (Some("n"), 2));
    net.reply(server, &again, 200, "", |draft| {
        draft.push(Name::Expires, 300);
    });
    net.soon();
    net.with(0, |a, now, out| a.resubscribe_along(now + Duration::from_secs(200), now, out));
    net.soon();
    assert!(!net.has_heard(server, &Method::Subscribe), "it has its time");
    net.with(0, |a, now, out| a.resubscribe_along(now + Duration::from_secs(280), now, out));
    net.soon();
    net.heard(server, &Method::Subscribe);
    net.with(0, |a, now, out| a.forget_subscription(id, now, out));
    notify(&mut net, server, &request, 1, "n", "active", "");
    net.heard_status(server, 481);
    net.assert_quiet();
}

/// RFC 3842: message waiting told without a subscription.
#[test]
fn message_waiting_without_a_subscription_is_heard() {
    let mut net = Net::pair();
    let script = net.add_scripted();
    let mut draft = net.outside(script, 0, &Method::Notify, "mwi");
    draft.push(Name::Event, "message-summary").push(Name::SubscriptionState, "active");
    draft.body("application/simple-message-summary", "Messages-Waiting: yes");
    net.say(script, 0, &draft);
    net.soon();
    net.heard_status(script, 200);
    let (profile, event) = net.expect(0, |news| match news {
        News::Unsolicited { profile, event, .. } => Some((*profile, event.clone())),
        _ => None,
    });
    assert_eq!((profile, &*event), (Some(ME), "message-summary"));
}
