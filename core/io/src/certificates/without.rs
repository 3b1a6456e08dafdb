//! In place of `certificates`, in builds that cannot ask the web.

use std::collections::VecDeque;

use offhook_net::tls::Trusts;
use phone::{Fetch, FetchId, Fetched, NotHad};

/// Certificates that nobody fetches.
#[derive(Debug, Default)]
pub(crate) struct Certificates(VecDeque<FetchId>);

impl Certificates {
    pub(crate) fn fetch(&mut self, what: Fetch, _: &Trusts) {
        self.0.push_back(what.id);
    }

    /// Never, where nothing was asked for.
    pub(crate) async fn came(&mut self) -> (FetchId, Result<Fetched, NotHad>) {
        match self.0.pop_front() {
            Some(id) => (id, Err(NotHad::NotBuilt)),
            None => std::future::pending().await,
        }
    }
}
