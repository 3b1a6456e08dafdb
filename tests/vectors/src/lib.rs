//! Other people's test vectors, where every test crate, fuzzer and bench can find them. Their verdicts are in `tests/`.
//!
//! Knows where the files came from (`PROVENANCE.md` beside them), not what they mean.

mod elsewhere;
pub mod exercise;
mod mutate;

pub use elsewhere::elsewhere;
pub use mutate::Mutator;

/// The messages of RFC 4475, by the name it gives them.
pub const TORTURE: [(&str, &[u8]); 50] = [
    ("badaspec", include_bytes!("../sip/rfc4475/badaspec.dat")),
    ("badbranch", include_bytes!("../sip/rfc4475/badbranch.dat")),
    ("baddate", include_bytes!("../sip/rfc4475/baddate.dat")),
    ("baddn", include_bytes!("../sip/rfc4475/baddn.dat")),
    ("badinv01", include_bytes!("../sip/rfc4475/badinv01.dat")),
    ("badvers", include_bytes!("../sip/rfc4475/badvers.dat")),
    ("bcast", include_bytes!("../sip/rfc4475/bcast.dat")),
    ("bext01", include_bytes!("../sip/rfc4475/bext01.dat")),
    ("bigcode", include_bytes!("../sip/rfc4475/bigcode.dat")),
    ("clerr", include_bytes!("../sip/rfc4475/clerr.dat")),
    ("cparam01", include_bytes!("../sip/rfc4475/cparam01.dat")),
    ("cparam02", include_bytes!("../sip/rfc4475/cparam02.dat")),
    ("dblreq", include_bytes!("../sip/rfc4475/dblreq.dat")),
    ("esc01", include_bytes!("../sip/rfc4475/esc01.dat")),
    ("esc02", include_bytes!("../sip/rfc4475/esc02.dat")),
    ("escnull", include_bytes!("../sip/rfc4475/escnull.dat")),
    ("escruri", include_bytes!("../sip/rfc4475/escruri.dat")),
    ("insuf", include_bytes!("../sip/rfc4475/insuf.dat")),
    ("intmeth", include_bytes!("../sip/rfc4475/intmeth.dat")),
    ("inv2543", include_bytes!("../sip/rfc4475/inv2543.dat")),
    ("invut", include_bytes!("../sip/rfc4475/invut.dat")),
    ("longreq", include_bytes!("../sip/rfc4475/longreq.dat")),
    ("ltgtruri", include_bytes!("../sip/rfc4475/ltgtruri.dat")),
    ("lwsdisp", include_bytes!("../sip/rfc4475/lwsdisp.dat")),
    ("lwsruri", include_bytes!("../sip/rfc4475/lwsruri.dat")),
    ("lwsstart", include_bytes!("../sip/rfc4475/lwsstart.dat")),
    ("mcl01", include_bytes!("../sip/rfc4475/mcl01.dat")),
    ("mismatch01", include_bytes!("../sip/rfc4475/mismatch01.dat")),
    ("mismatch02", include_bytes!("../sip/rfc4475/mismatch02.dat")),
    ("mpart01", include_bytes!("../sip/rfc4475/mpart01.dat")),
    ("multi01", include_bytes!("../sip/rfc4475/multi01.dat")),
    ("ncl", include_bytes!("../sip/rfc4475/ncl.dat")),
    ("noreason", include_bytes!("../sip/rfc4475/noreason.dat")),
    ("novelsc", include_bytes!("../sip/rfc4475/novelsc.dat")),
    ("quotbal", include_bytes!("../sip/rfc4475/quotbal.dat")),
    ("regaut01", include_bytes!("../sip/rfc4475/regaut01.dat")),
    ("regbadct", include_bytes!("../sip/rfc4475/regbadct.dat")),
    ("regescrt", include_bytes!("../sip/rfc4475/regescrt.dat")),
    ("scalar02", include_bytes!("../sip/rfc4475/scalar02.dat")),
    ("scalarlg", include_bytes!("../sip/rfc4475/scalarlg.dat")),
    ("sdp01", include_bytes!("../sip/rfc4475/sdp01.dat")),
    ("semiuri", include_bytes!("../sip/rfc4475/semiuri.dat")),
    ("test", include_bytes!("../sip/rfc4475/test.dat")),
    ("transports", include_bytes!("../sip/rfc4475/transports.dat")),
    ("trws", include_bytes!("../sip/rfc4475/trws.dat")),
    ("unkscm", include_bytes!("../sip/rfc4475/unkscm.dat")),
    ("unksm2", include_bytes!("../sip/rfc4475/unksm2.dat")),
    ("unreason", include_bytes!("../sip/rfc4475/unreason.dat")),
    ("wsinv", include_bytes!("../sip/rfc4475/wsinv.dat")),
    ("zeromf", include_bytes!("../sip/rfc4475/zeromf.dat")),
];

/// The torture message of that name.
///
/// # Panics
/// There is none.
pub fn torture(name: &str) -> &'static [u8] {
    TORTURE.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no torture message {name}")).1
}

/// The STUN messages of RFC 5769, and of RFC 8489 appendix B.1, as they are printed.
pub const STUN: [(&str, &[u8]); 5] = [
    ("request", include_bytes!("../stun/request.dat")),
    ("ipv4-response", include_bytes!("../stun/ipv4-response.dat")),
    ("ipv6-response", include_bytes!("../stun/ipv6-response.dat")),
    ("request-long-term", include_bytes!("../stun/request-long-term.dat")),
    ("request-long-term-sha256", include_bytes!("../stun/request-long-term-sha256.dat")),
];

/// The STUN message of that name.
///
/// # Panics
/// There is none.
pub fn stun(name: &str) -> &'static [u8] {
    STUN.iter().find(|(n, _)| *n == name).unwrap_or_else(|| panic!("no STUN message {name}")).1
}
