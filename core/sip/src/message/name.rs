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
    fn what_only_looks_like_a_name_is_other() {
        for text in ["", "Viaa", "Vib", "z", "6", "C%6Fntact", "Contact ", "!", "\u{b}rom"] {
            assert_eq!(Name::read(text.as_bytes()), Name::Other, "{text:?}");
        }
    }
}
