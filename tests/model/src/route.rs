//! A path of proxies, some of them strict routers of RFC 2543, and how a request with a Route finds its way along it.
//!
//! RFC 3261 sections 16.4, 16.6 step 6 and 16.12.1. Knows only Request-URI and Route: that is all that steers.

/// A proxy that recorded itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// Its Record-Route URI.
    pub uri: String,
    /// Whether it is of this century.
    pub loose: bool,
}

impl Proxy {
    /// The `n`th of a path.
    pub fn new(name: &str, loose: bool) -> Self {
        Self { uri: format!("sip:{name}.example.com{}", if loose { ";lr" } else { "" }), loose }
    }
}

/// What steers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Steering {
    /// Request-URI.
    pub uri: String,
    /// Route URIs, topmost first.
    pub routes: Vec<String>,
}

/// Sends a request from `first` (the hop that the sender chose) through whatever proxies it names. Gives the proxies in the
/// order they were met, and what the request said when it left the last of them for an address that is no proxy's.
pub fn travel(proxies: &[Proxy], first: &str, mut request: Steering) -> (Vec<String>, Steering) {
    let mut met = Vec::new();
    let mut at = first.to_owned();
    while let Some(proxy) = proxies.iter().find(|p| p.uri == at) {
        met.push(at);
        at = if proxy.loose { pass_loose(proxies, proxy, &mut request) } else { pass_strict(&mut request) };
        if met.len() > 2 * proxies.len() {
            break;
        }
    }
    (met, request)
}

fn pass_loose(proxies: &[Proxy], proxy: &Proxy, request: &mut Steering) -> String {
    // A strict router before us put our own URI there and the target behind all.
    if request.uri == proxy.uri
        && let Some(target) = request.routes.pop()
    {
        request.uri = target;
    }
    if request.routes.first() == Some(&proxy.uri) {
        request.routes.remove(0);
    }
    match request.routes.first().cloned() {
        Some(next) if proxies.iter().any(|p| p.uri == next && !p.loose) => {
            request.routes.remove(0);
            request.routes.push(std::mem::replace(&mut request.uri, next.clone()));
            next
        }
        Some(next) => next,
        None => request.uri.clone(),
    }
}

/// The next Route becomes the Request-URI, whatever that was.
fn pass_strict(request: &mut Steering) -> String {
    if !request.routes.is_empty() {
        request.uri = request.routes.remove(0);
    }
    request.uri.clone()
}
