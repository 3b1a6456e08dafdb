//! Header field names: the ones this house speaks, in long and compact form. RFC 3261 section 7.3.
//!
//! A name is found through a table that the compiler fills; a clash in it is a compile error.

use std::fmt;

macro_rules! names {
    ($($(#[$doc:meta])* $variant:ident $text:literal $($compact:literal)?;)*) => {
        /// The name of a header field.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Name {
            $(#[doc = concat!("`", $text, "`")] $(#[$doc])* $variant,)*
            /// A field that has no name here: see [`super::Message::other`].
            Other,
        }

        impl Name {
            /// Every name but [`Name::Other`].
            pub const KNOWN: &'static [Self] = &[$(Self::$variant),*];

            /// The name as it is usually written. Empty for [`Name::Other`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                    Self::Other => "",
                }
            }

            /// The one-letter form, where one is registered.
            pub const fn compact(self) -> Option<&'static str> {
                match self {
                    $($(Self::$variant => Some($compact),)?)*
                    _ => None,
                }
            }
        }
    };
}

names! {
    Accept "Accept";
    AcceptContact "Accept-Contact" "a";
    AcceptEncoding "Accept-Encoding";
    AcceptLanguage "Accept-Language";
    AlertInfo "Alert-Info";
    Allow "Allow";
    AllowEvents "Allow-Events" "u";
    AnswerMode "Answer-Mode";
    AuthenticationInfo "Authentication-Info";
    Authorization "Authorization";
    CallId "Call-ID" "i";
    CallInfo "Call-Info";
    Contact "Contact" "m";
    ContentDisposition "Content-Disposition";
    ContentEncoding "Content-Encoding" "e";
    ContentId "Content-ID";
    ContentLanguage "Content-Language";
    ContentLength "Content-Length" "l";
    ContentTransferEncoding "Content-Transfer-Encoding";
    ContentType "Content-Type" "c";
    CSeq "CSeq";
    Date "Date";
    Diversion "Diversion";
    ErrorInfo "Error-Info";
    Event "Event" "o";
    Expires "Expires";
    FeatureCaps "Feature-Caps";
    FlowTimer "Flow-Timer";
    From "From" "f";
    Geolocation "Geolocation";
    HistoryInfo "History-Info";
    Identity "Identity" "y";
    IdentityInfo "Identity-Info" "n";
    InReplyTo "In-Reply-To";
    InfoPackage "Info-Package";
    Join "Join";
    MaxBreadth "Max-Breadth";
    MaxForwards "Max-Forwards";
    MimeVersion "MIME-Version";
    MinExpires "Min-Expires";
    MinSe "Min-SE";
    Organization "Organization";
    PAccessNetworkInfo "P-Access-Network-Info";
    PAssertedIdentity "P-Asserted-Identity";
    PAssociatedUri "P-Associated-URI";
    PCalledPartyId "P-Called-Party-ID";
    PEarlyMedia "P-Early-Media";
    PPreferredIdentity "P-Preferred-Identity";
    Path "Path";
    Priority "Priority";
    PrivAnswerMode "Priv-Answer-Mode";
    Privacy "Privacy";
    ProxyAuthenticate "Proxy-Authenticate";
    ProxyAuthenticationInfo "Proxy-Authentication-Info";
    ProxyAuthorization "Proxy-Authorization";
    ProxyRequire "Proxy-Require";
    RAck "RAck";
    RSeq "RSeq";
    Reason "Reason";
    RecordRoute "Record-Route";
    RecvInfo "Recv-Info";
    ReferSub "Refer-Sub";
    ReferTo "Refer-To" "r";
    ReferredBy "Referred-By" "b";
    RejectContact "Reject-Contact" "j";
    RemotePartyId "Remote-Party-ID";
    Replaces "Replaces";
    ReplyTo "Reply-To";
    RequestDisposition "Request-Disposition" "d";
    Require "Require";
    RetryAfter "Retry-After";
    Route "Route";
    SecurityClient "Security-Client";
    SecurityServer "Security-Server";
    SecurityVerify "Security-Verify";
    Server "Server";
    ServiceRoute "Service-Route";
    SessionExpires "Session-Expires" "x";
    SessionId "Session-ID";
    SipEtag "SIP-ETag";
    SipIfMatch "SIP-If-Match";
    Subject "Subject" "s";
    SubscriptionState "Subscription-State";
    Supported "Supported" "k";
    SuppressIfMatch "Suppress-If-Match";
    TargetDialog "Target-Dialog";
    Timestamp "Timestamp";
    To "To" "t";
    Unsupported "Unsupported";
    UserAgent "User-Agent";
    UserToUser "User-to-User";
    Via "Via" "v";
    Warning "Warning";
    WwwAuthenticate "WWW-Authenticate";
}

impl Name {
    /// Reads a name in any case, long or compact. What is not known here is [`Name::Other`].
    pub fn read(text: &[u8]) -> Self {
        if let [letter] = text {
            return COMPACT[(letter & 0x1f) as usize]
                .filter(|_| letter.is_ascii_alphabetic())
                .unwrap_or(Self::Other);
        }
        if text.is_empty() {
            return Self::Other;
        }
        let name = TABLE[slot(text)];
        let known = name.as_str().as_bytes();
        // Most senders write names as the RFC does: one plain comparison settles it.
        if known == text || known.eq_ignore_ascii_case(text) { name } else { Self::Other }
    }
}

/// Recognises a name at the head of a line when it is a known one of 2 to 15 letters with its colon right behind it: nearly
/// every line of nearly every message. Sixteen bytes are looked at as two words, so no byte is looked at alone.
#[inline]
pub(crate) fn at_head(line: &[u8]) -> Option<(Name, usize)> {
    let head = line.first_chunk::<16>()?;
    let [low, high] = words(head);
    let length = match (first_colon(low), first_colon(high)) {
        (8, 8) => return None,
        (8, n) => 8 + n,
        (n, _) => n,
    };
    if length < 2 {
        return None;
    }
    let name = TABLE[slot(&head[..length])];
    let (known, mask) = (&FOLDED[name as usize], &MASKS[length + 1]);
    // The colon is compared too, so a longer or shorter name never passes.
    let same =
        (low | known.case[0]) & mask[0] == known.text[0] && (high | known.case[1]) & mask[1] == known.text[1];
    same.then_some((name, length))
}

const fn words(bytes: &[u8; 16]) -> [u64; 2] {
    let both = u128::from_le_bytes(*bytes);
    [both as u64, (both >> 64) as u64]
}

/// The place of the first colon among the eight bytes; 8 when there is none.
const fn first_colon(word: u64) -> usize {
    let x = word ^ 0x3a3a_3a3a_3a3a_3a3a;
    // A zero byte's borrow can only spoil bytes above it: the lowest hit is always true.
    (x.wrapping_sub(0x0101_0101_0101_0101) & !x & 0x8080_8080_8080_8080).trailing_zeros() as usize / 8
}

/// The bits of the first `n` of sixteen bytes.
static MASKS: [[u64; 2]; 17] = {
    let mut masks = [[0; 2]; 17];
    let mut n = 1;
    while n <= 16 {
        masks[n] = if n < 8 {
            [(1 << (8 * n)) - 1, 0]
        } else if n < 16 {
            [u64::MAX, (1 << (8 * (n - 8))) - 1]
        } else {
            [u64::MAX; 2]
        };
        n += 1;
    }
    masks
};

/// A name of up to 15 letters with its colon, in lower case, zero behind.
#[derive(Clone, Copy)]
struct Folded {
    text: [u64; 2],
    /// The case bit of every letter: setting it in what was read forgives capitals, and only them.
    case: [u64; 2],
}

/// By name; longer names have no text and match nothing.
static FOLDED: [Folded; Name::Other as usize + 1] = {
    let mut table = [Folded { text: [0; 2], case: [0; 2] }; Name::Other as usize + 1];
    let mut i = 0;
    while i < Name::KNOWN.len() {
        let name = Name::KNOWN[i].as_str().as_bytes();
        if name.len() <= 15 {
            let (mut text, mut case) = ([0; 16], [0; 16]);
            let mut at = 0;
            while at < name.len() {
                text[at] = name[at].to_ascii_lowercase();
                case[at] = if name[at].is_ascii_alphabetic() { 0x20 } else { 0 };
                at += 1;
            }
            text[at] = b':';
            table[Name::KNOWN[i] as usize] = Folded { text: words(&text), case: words(&case) };
        }
        i += 1;
    }
    table
};

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

const COMPACT: [Option<Name>; 32] = {
    let mut table = [None; 32];
    let mut i = 0;
    while i < Name::KNOWN.len() {
        if let Some(letter) = Name::KNOWN[i].compact() {
            table[(letter.as_bytes()[0] & 0x1f) as usize] = Some(Name::KNOWN[i]);
        }
        i += 1;
    }
    table
};

const SLOTS: usize = 512;

/// Length, first, middle and last letter, without their case. Never called with an empty name.
const fn slot(text: &[u8]) -> usize {
    let n = text.len();
    let [a, b, c] = [text[0] | 0x20, text[n / 2] | 0x20, text[n - 1] | 0x20];
    let mix = (n as u32).wrapping_mul(SEED[0])
        ^ (a as u32).wrapping_mul(SEED[1])
        ^ (b as u32).wrapping_mul(SEED[2])
        ^ (c as u32).wrapping_mul(SEED[3]);
    (mix >> 16) as usize % SLOTS
}

/// Found by trial so that no two names share a slot; `TABLE` fails to compile when a new name needs other ones.
const SEED: [u32; 4] = [0xd18e_ec2f, 0xfcba_7403, 0x719a_e40b, 0xd055_6013];

static TABLE: [Name; SLOTS] = {
    let mut table = [Name::Other; SLOTS];
    let mut i = 0;
    while i < Name::KNOWN.len() {
        let at = slot(Name::KNOWN[i].as_str().as_bytes());
        assert!(matches!(table[at], Name::Other), "two names share a slot: try another SEED");
        table[at] = Name::KNOWN[i];
        i += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_in_any_case_and_compact() {
        for &name in Name::KNOWN {
            assert_eq!(Name::read(name.as_str().as_bytes()), name);
            assert_eq!(Name::read(name.as_str().to_ascii_uppercase().as_bytes()), name);
            assert_eq!(Name::read(name.as_str().to_ascii_lowercase().as_bytes()), name);
            if let Some(letter) = name.compact() {
                assert_eq!(Name::read(letter.as_bytes()), name);
                assert_eq!(Name::read(letter.to_ascii_uppercase().as_bytes()), name);
            }
        }
    }

    #[test]
    fn a_name_at_the_head_of_a_line_is_known_by_its_words() {
        for &name in Name::KNOWN {
            let text = name.as_str();
            for text in [text.to_owned(), text.to_ascii_uppercase(), text.to_ascii_lowercase()] {
                let line = format!("{text}: a value that is long enough");
                let known = text.len() < 16;
                assert_eq!(at_head(line.as_bytes()), known.then_some((name, text.len())), "{text}");
            }
        }
        for line in [
            "Via : 0123456789abcdef",
            "Vib: 0123456789abcdef",
            "Call\rID: 0123456789a",
            "Via: short",
            "v: 0123456789abcdef",
        ] {
            assert_eq!(at_head(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn what_only_looks_like_a_name_is_other() {
        for text in ["", "Viaa", "Vib", "z", "6", "C%6Fntact", "Contact ", "!", "\u{b}rom"] {
            assert_eq!(Name::read(text.as_bytes()), Name::Other, "{text:?}");
        }
    }
}
