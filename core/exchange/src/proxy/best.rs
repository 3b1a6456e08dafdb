//! Which final response a fork ends with. RFC 3261 section 16.7 item 6.
//!
//! Knows only statuses; what else a response carries is the context's.

/// The index of the best of these final statuses (300 to 699); `None` when there is none.
///
/// A 6xx before all, else the lowest class; within it first what helps the caller to try again, and last what only says
/// that nobody answered.
pub(crate) fn best(statuses: impl Iterator<Item = u16>) -> Option<usize> {
    statuses.enumerate().min_by_key(|(_, status)| rank(*status)).map(|(i, _)| i)
}

fn rank(status: u16) -> (u16, u8) {
    let class = if status >= 600 { 0 } else { status / 100 };
    let use_to_caller = match status {
        401 | 407 => 0,
        415 | 420 | 484 => 1,
        408 | 430 | 480 | 487 | 503 => 3,
        _ => 2,
    };
    (class, use_to_caller)
}

/// The status that goes upstream for a best response of `status`.
///
/// A 503 would say that the whole exchange is out of service (RFC 3261 section 16.7 item 6), and a 430 speaks to proxies
/// only (RFC 5626 section 11.5).
pub(crate) fn upstream(status: u16) -> u16 {
    match status {
        503 => 500,
        430 => 480,
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_hundreds_win_then_the_lowest_class_then_what_helps_to_try_again() {
        let of = |s: &[u16]| best(s.iter().copied()).map(|i| s[i]);
        assert_eq!(of(&[503, 407, 501, 404]), Some(407), "the RFC's own example");
        assert_eq!(of(&[486, 603, 302]), Some(603));
        assert_eq!(of(&[486, 302]), Some(302));
        assert_eq!(of(&[408, 486, 487]), Some(486));
        assert_eq!(of(&[404, 484]), Some(484));
        assert_eq!(of(&[486, 404]), Some(486), "the first of equals");
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn what_concerns_only_us_is_said_otherwise_upstream() {
        assert_eq!([503, 430, 486, 408].map(upstream), [500, 480, 486, 408]);
    }
}
