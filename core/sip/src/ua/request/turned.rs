//! Requests that are turned round by an answer: sent once more with what it asks for, or to where it points.
//!
//! RFC 3261 section 8.1.3.4 (3xx), RFC 4028 section 7.3 (422). Knows nothing of whether anybody is reached there.

use super::{Attempt, Cx, MAX_RAISES, OutId};
use crate::message::{Message, Name};

impl Cx<'_> {
    /// RFC 4028 section 7.3: once more, with the interval that is asked for.
    pub(super) fn raise_interval(&mut self, id: OutId, response: &Message) -> bool {
        let (Some(out), Some(min_se)) = (self.common.requests.by_id.get_mut(&id), response.min_se()) else {
            return false;
        };
        if out.raises >= MAX_RAISES {
            return false;
        }
        out.raises += 1;
        let draft = &mut out.task.draft;
        let params = draft.first(Name::SessionExpires).and_then(|value| {
            let at = value.iter().position(|&b| b == b';')?;
            Some(String::from_utf8_lossy(&value[at..]).into_owned())
        });
        draft.set(Name::SessionExpires, format_args!("{min_se}{}", params.unwrap_or_default()));
        draft.set(Name::MinSe, min_se);
        true
    }

    /// Notes where a 3xx points and turns the request there; `false` when it shall not or cannot be followed.
    pub(super) fn redirect(&mut self, id: OutId, response: &Message) -> bool {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return false };
        if out.task.redirects == 0 {
            return false;
        }
        let here = out.pointed.len();
        for uri in crate::ua::cause::contacts_by_q(response) {
            // The loop guard: nobody is asked twice.
            let known = out.pointed.iter().any(|old| old.view().equals(&uri.view()));
            if !known && uri.as_str() != out.task.draft.request_uri() {
                out.pointed.push(uri);
            }
        }
        // The newest pointers first: they came from who knows better.
        out.pointed[out.tried..].rotate_left(here - out.tried);
        self.next_pointed(id)
    }

    pub(super) fn next_pointed(&mut self, id: OutId) -> bool {
        let Some(out) = self.common.requests.by_id.get_mut(&id) else { return false };
        if out.tried >= out.task.redirects {
            return false;
        }
        let Some(uri) = out.pointed.get(out.tried) else { return false };
        out.tried += 1;
        out.task.draft.set_request_uri(uri.as_str());
        // Credentials are for one Request-URI.
        out.task.draft.remove(Name::Authorization).remove(Name::ProxyAuthorization);
        out.attempt = Attempt::default();
        // An outbound proxy is the first hop of everything, whether it stands in a Route or not.
        let account = out.task.account.and_then(|id| self.common.accounts.get(&id));
        let proxied = account.is_some_and(|account| account.profile.proxy.is_some());
        if !proxied && !out.task.draft.has(Name::Route) {
            out.task.next_hop = uri.clone();
        }
        true
    }
}
