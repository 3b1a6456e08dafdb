//! An account's settings as the agent has them, and what is read from a registrar's answer.
//!
//! Knows nothing of states.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::time::Duration;

use sip::digest::Credentials;
use sip::message::{Message, NameAddr, Rport, Scheme, Uri};
use sip::ua::{Profile, ProfileId, TransportPolicy};

use super::{REQUEST_PATIENCE, UDP_REFRESH};
use crate::{Account, AccountId, Config, Push};

/// The agent's name for an account.
pub(crate) const fn profile_id(account: AccountId) -> ProfileId {
    ProfileId(account.0)
}

pub(super) fn profile(account: &Account, config: &Config) -> Profile {
    let user = account.uri.view().user.unwrap_or("phone").to_owned();
    let auth_user = account.auth_user.as_ref().map_or(user.as_str(), |user| user.reveal());
    let credentials = if account.password.expose().is_empty() {
        Vec::new()
    } else {
        vec![Credentials { user: auth_user.to_owned(), password: account.password.clone(), realm: None }]
    };
    let mut profile = Profile::new(account.uri.clone(), user);
    profile.display = account.display_name.as_ref().map(|name| name.reveal().clone());
    profile.proxy.clone_from(&account.proxy);
    profile.credentials = credentials;
    profile.transport = account.transport;
    profile.reliable = account.reliable_provisional;
    profile.contact_params = contact_params(config.instance.as_deref(), true);
    profile.contact_uri_params = account.push.as_ref().map(push_params).unwrap_or_default();
    profile.session_expires = account.session_expires;
    profile.user_agent.clone_from(&config.user_agent);
    profile
}

/// What names this phone, and the one flow of it that is registered, beside its Contact. RFC 5626 section 4.2.1: one flow is
/// enough, for the next network's takes its place under the same number.
pub(super) fn contact_params(instance: Option<&str>, flow: bool) -> String {
    let usable = |it: &&str| {
        it.starts_with("urn:") && it.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\".contains(&b))
    };
    let Some(instance) = instance.filter(usable) else { return String::new() };
    format!(";+sip.instance=\"<{instance}>\"{}", if flow { ";reg-id=1" } else { "" })
}

/// How the phone is woken, inside its Contact. RFC 8599 section 4.1.1.
fn push_params(push: &Push) -> String {
    let param = push.param.as_ref().map(|param| format!(";pn-param={}", pvalue(param))).unwrap_or_default();
    format!(";pn-provider={}{param};pn-prid={}", pvalue(&push.provider), pvalue(push.prid.expose()))
}

/// A parameter's value: what must not stand there as it is, is escaped. RFC 3261 section 25.1.
fn pvalue(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()[]/:&+$".contains(&byte);
    let mut value = String::with_capacity(text.len());
    for byte in text.bytes() {
        if plain(byte) {
            value.push(byte.into());
        } else {
            // Writing to a String does not fail.
            let _ = write!(value, "%{byte:02X}");
        }
    }
    value
}

/// Whether a Contact of a response is our flow's.
pub(super) fn is_our_flow(contact: &NameAddr<'_>, config: &Profile) -> bool {
    let instance = contact.params().get("+sip.instance").map(|it| format!("\"{}\"", it.unquoted()));
    instance.is_some_and(|it| config.contact_params.contains(&it)) && contact.param("reg-id") == Some("1")
}

/// Whether a request to this URI leaves under TLS: something says so, and nothing says otherwise.
pub(super) fn is_secure(profile: &Profile, to: &Uri) -> bool {
    let first = profile.proxy.as_ref().unwrap_or(to).view();
    let only = match profile.transport {
        TransportPolicy::Auto => None,
        TransportPolicy::Only(transport) => Some(transport.is_secure()),
    };
    let says = [
        (first.scheme == Scheme::Sips).then_some(true),
        first.transport().map(|transport| transport.is_secure() || first.scheme == Scheme::Sips),
        only,
    ];
    let mut said = says.into_iter().flatten().peekable();
    said.peek().is_some() && said.all(|secure| secure)
}

/// Whether the same request may be welcome in a moment.
pub(crate) const fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 429 | 480 | 491 | 500 | 502..=599)
}

/// When to refresh a binding granted for `expires`; where that is all that tells of a lost one, promptly.
pub(super) fn refresh_after(expires: Duration, promptly: bool) -> Duration {
    let latest = expires.saturating_sub(REQUEST_PATIENCE).min(expires * 9 / 10).max(expires / 2);
    if promptly { latest.min(UDP_REFRESH) } else { latest }
}

pub(crate) fn retry_after(message: &Message) -> Option<Duration> {
    message.retry_after().map(|seconds| Duration::from_secs(seconds.min(3600).into()))
}

/// Our address as we wrote it and as the registrar saw it. RFC 3581.
pub(super) fn seen_as(message: &Message) -> Option<(SocketAddr, SocketAddr)> {
    let via = message.top_via().ok()?;
    let ours = SocketAddr::new(via.sent_by.host.ip()?, via.port());
    let port = match via.rport {
        Rport::Port(port) => port,
        Rport::Absent | Rport::Asked => ours.port(),
    };
    Some((ours, SocketAddr::new(via.received.unwrap_or(ours.ip()), port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_secure_where_something_says_so_and_nothing_otherwise() {
        let tls = TransportPolicy::Only(base::Transport::Tls);
        let udp = TransportPolicy::Only(base::Transport::Udp);
        for (to, proxy, transport, secure) in [
            ("sip:bob@offhook.test", None, TransportPolicy::Auto, false),
            ("sips:bob@offhook.test", None, TransportPolicy::Auto, true),
            ("sips:bob@offhook.test;transport=tcp", None, TransportPolicy::Auto, true),
            ("sip:bob@offhook.test;transport=tls", None, TransportPolicy::Auto, true),
            ("sip:bob@offhook.test;transport=tcp", None, tls, false),
            ("sip:bob@offhook.test", None, tls, true),
            ("sip:bob@offhook.test", None, udp, false),
            ("sips:bob@offhook.test", Some("sip:proxy.test"), TransportPolicy::Auto, false),
            ("sip:bob@offhook.test", Some("sip:proxy.test;transport=tls;lr"), TransportPolicy::Auto, true),
            ("sip:bob@offhook.test", Some("sip:proxy.test;transport=wss"), TransportPolicy::Auto, true),
            ("sip:bob@offhook.test", Some("sips:proxy.test"), TransportPolicy::Auto, true),
        ] {
            let mut profile = Profile::new("sip:ann@offhook.test".parse().unwrap(), "ann");
            (profile.proxy, profile.transport) = (proxy.map(|proxy| proxy.parse().unwrap()), transport);
            assert_eq!(is_secure(&profile, &to.parse().unwrap()), secure, "{to} {proxy:?} {transport:?}");
        }
    }

    #[test]
    fn how_a_phone_is_woken_stands_in_its_contact_and_leads_out_of_nothing() {
        let push = |provider: &str, param: Option<&str>, prid: &str| {
            let (provider, param) = (provider.into(), param.map(Into::into));
            push_params(&Push { provider, param, prid: base::Secret::new(prid.into()) })
        };
        assert_eq!(
            push("fcm", Some("p-1"), "cX:APA9_b-"),
            ";pn-provider=fcm;pn-param=p-1;pn-prid=cX:APA9_b-"
        );
        let web = push("webpush", None, "https://push.test/a?b=c;d>\r\n");
        assert_eq!(web, ";pn-provider=webpush;pn-prid=https://push.test/a%3Fb%3Dc%3Bd%3E%0D%0A");
    }

    #[test]
    fn a_refresh_leaves_room_to_fail_before_the_binding_does() {
        let secs = Duration::from_secs;
        assert_eq!(refresh_after(secs(300), false), secs(265));
        assert_eq!(refresh_after(secs(3600), false), secs(3240));
        assert_eq!(refresh_after(secs(60), false), secs(30));
        assert_eq!(refresh_after(secs(3600), true), UDP_REFRESH);
        assert_eq!(refresh_after(secs(20), true), secs(10));
    }
}
