//! What is told of somebody: presence and dialog documents, read.
//!
//! RFC 3863 (PIDF) with the activities of RFC 4480, RFC 4235 (dialog-info, the busy lamp). Whatever namespace a server puts its
//! elements into, they are known by their names. XML of strangers: bounded in length and number of nodes, without a document
//! type, and with it without entities that grow. Knows nothing of who subscribed.

use base::Redacted;
use roxmltree::{Document as Xml, Node, ParsingOptions};

use super::{Presence, PresenceState};

/// Longest document that is looked at, in bytes: far more than a datagram, far less than a nuisance.
const LONGEST: usize = 16 * 1024;
/// Nodes of a document, text and attributes' elements included.
const MOST_NODES: u32 = 2048;
/// Characters of a note that are kept.
const LONGEST_NOTE: usize = 200;
/// Calls of one lamp that are kept in mind.
const MOST_DIALOGS: usize = 32;
/// Bytes of a dialog's id.
const LONGEST_ID: usize = 256;

/// A document that was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// PIDF: how somebody is.
    Presence(Presence),
    /// dialog-info: the calls somebody is in.
    Dialogs(Dialogs),
}

/// The calls somebody is in, or what has changed of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogs {
    /// Counts up with each document of a subscription. RFC 4235 section 3.10.
    version: u32,
    /// All of them; else those that have changed.
    full: bool,
    calls: Vec<(String, Call)>,
}

/// One call of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    /// It rings there.
    Ringing,
    /// Answered, or theirs and on its way.
    Busy,
    Over,
}

impl Document {
    /// Reads a body; `None`: it is neither, or not to be read.
    pub fn read(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok().filter(|text| text.len() <= LONGEST)?;
        let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
        let xml = Xml::parse_with_options(text.trim_start_matches('\u{feff}'), options).ok()?;
        let root = xml.root_element();
        match root.tag_name().name() {
            "presence" => Some(Self::Presence(presence(root))),
            "dialog-info" => Dialogs::read(root).map(Self::Dialogs),
            _ => None,
        }
    }
}

fn named<'a, 'i>(from: Node<'a, 'i>, name: &'static str) -> impl Iterator<Item = Node<'a, 'i>> {
    from.children().filter(move |it| it.is_element() && it.tag_name().name() == name)
}

fn presence(root: Node<'_, '_>) -> Presence {
    let tuples = || named(root, "tuple");
    let basics: Vec<&str> = tuples()
        .flat_map(|tuple| named(tuple, "status"))
        .flat_map(|status| named(status, "basic"))
        .filter_map(|basic| basic.text())
        .map(str::trim)
        .collect();
    let is = |word: &str| basics.iter().any(|basic| basic.eq_ignore_ascii_case(word));
    // Of the person, as RFC 4480 has it, of a tuple's status, or of a tuple, as its forerunners had it.
    let about = || {
        let within = tuples().chain(tuples().flat_map(|tuple| named(tuple, "status")));
        named(root, "person").chain(within)
    };
    let doing = |words: &[&str]| {
        let activities = about().flat_map(|it| named(it, "activities"));
        activities.flat_map(|it| it.children()).any(|it| words.contains(&it.tag_name().name()))
    };
    // The person's activity goes before the device's: one who talks is busy, though the phone takes no further call.
    let state = if doing(&["on-the-phone", "busy", "meeting", "presentation"]) {
        PresenceState::Busy
    } else if is("open") {
        let away =
            ["away", "vacation", "holiday", "sleeping", "meal", "breakfast", "dinner", "permanent-absence"];
        if doing(&away) { PresenceState::Away } else { PresenceState::Free }
    } else if is("closed") {
        PresenceState::Offline
    } else {
        PresenceState::Unknown
    };
    let notes = about().chain([root]).flat_map(|it| named(it, "note"));
    Presence { state, note: notes.filter_map(|note| note.text()).find_map(note) }
}

/// What is fit to be shown of a note; `None`: nothing.
fn note(text: &str) -> Option<Redacted<String>> {
    let text: String = text.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NOTE).collect();
    (!text.is_empty()).then(|| Redacted::new(text))
}

impl Dialogs {
    fn read(root: Node<'_, '_>) -> Option<Self> {
        let version = root.attribute("version")?.trim().parse().ok()?;
        let full = root.attribute("state")?.trim() == "full";
        let dialogs = named(root, "dialog").take(MOST_DIALOGS);
        let dialogs = dialogs.filter_map(|dialog| {
            let id = dialog.attribute("id").filter(|id| id.len() <= LONGEST_ID)?;
            let state = named(dialog, "state").next()?.text()?.trim();
            Some((id.to_owned(), Call::read(state, dialog.attribute("direction"))?))
        });
        Some(Self { version, full, calls: dialogs.collect() })
    }
}

impl Call {
    /// RFC 4235 section 3.7.1: the states of a dialog.
    fn read(state: &str, direction: Option<&str>) -> Option<Self> {
        match state {
            "terminated" => Some(Self::Over),
            "confirmed" => Some(Self::Busy),
            // Whoever calls is busy; where it is not said who does, it rings.
            "trying" | "proceeding" | "early" if direction == Some("initiator") => Some(Self::Busy),
            "trying" | "proceeding" | "early" => Some(Self::Ringing),
            _ => None,
        }
    }
}

/// A busy lamp: the calls of somebody, as one document after the other tells of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lamp {
    version: Option<u32>,
    dialogs: Vec<(String, Call)>,
}

/// What a document means to a lamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lit {
    /// It shows this now.
    Shows(PresenceState),
    /// One before it was missed: the whole is to be asked for. RFC 4235 section 3.10.
    Missed,
    /// It is older than another.
    Old,
}

impl Lamp {
    pub(crate) fn take(&mut self, told: Dialogs) -> Lit {
        match self.version {
            Some(last) if told.version <= last => return Lit::Old,
            Some(last) if !told.full && told.version > last + 1 => return Lit::Missed,
            None if !told.full => return Lit::Missed,
            Some(_) | None => self.version = Some(told.version),
        }
        if told.full {
            self.dialogs.clear();
        }
        for (id, call) in told.calls {
            self.dialogs.retain(|(known, _)| *known != id);
            if call != Call::Over && self.dialogs.len() < MOST_DIALOGS {
                self.dialogs.push((id, call));
            }
        }
        let any = |call| self.dialogs.iter().any(|(_, it)| *it == call);
        Lit::Shows(if any(Call::Busy) {
            PresenceState::Busy
        } else if any(Call::Ringing) {
            PresenceState::Ringing
        } else {
            PresenceState::Free
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(xml: &str) -> Option<(PresenceState, Option<String>)> {
        match Document::read(xml.as_bytes())? {
            Document::Presence(it) => Some((it.state, it.note.map(Redacted::into_inner))),
            Document::Dialogs(_) => None,
        }
    }

    fn pidf(tuple: &str, person: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><presence xmlns=\"urn:ietf:params:xml:ns:pidf\" \
             xmlns:dm=\"urn:ietf:params:xml:ns:pidf:data-model\" xmlns:r=\"urn:ietf:params:xml:ns:pidf:rpid\" \
             entity=\"pres:bob@offhook.test\"><tuple id=\"a\"><status><basic>{tuple}</basic></status></tuple>{person}\
             </presence>"
        )
    }

    fn doing(what: &str) -> String {
        format!("<dm:person id=\"p\"><r:activities><r:{what}/></r:activities></dm:person>")
    }

    #[test]
    fn open_and_closed_and_what_the_person_does_are_one_word() {
        for (basic, person, want) in [
            ("open", String::new(), PresenceState::Free),
            (" open\n", doing("on-the-phone"), PresenceState::Busy),
            ("open", doing("busy"), PresenceState::Busy),
            ("open", doing("away"), PresenceState::Away),
            ("open", doing("spectator"), PresenceState::Free),
            ("closed", doing("away"), PresenceState::Offline),
            ("closed", doing("on-the-phone"), PresenceState::Busy),
            ("closed", String::new(), PresenceState::Offline),
            ("maybe", String::new(), PresenceState::Unknown),
        ] {
            assert_eq!(state(&pidf(basic, &person)), Some((want, None)), "{basic} {person}");
        }
        assert_eq!(state("<presence/>"), Some((PresenceState::Unknown, None)));
        let two = pidf("closed", "<tuple id=\"b\"><status><basic>open</basic></status></tuple>");
        assert_eq!(state(&two).unwrap().0, PresenceState::Free, "one of the phones is");
    }

    #[test]
    fn a_note_is_shown_without_what_does_not_belong_on_a_screen() {
        let at_lunch = pidf("open", "<note xml:lang=\"en\"> back\u{9}at &#50; </note>");
        assert_eq!(state(&at_lunch), Some((PresenceState::Free, Some("backat 2".into()))));
        let long = pidf("open", &format!("<note>{}</note>", "x".repeat(5000)));
        assert_eq!(state(&long).unwrap().1.unwrap().len(), LONGEST_NOTE);
    }

    fn lamp(lamp: &mut Lamp, version: u32, kind: &str, dialogs: &str) -> Lit {
        let xml = format!(
            "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" state=\"{kind}\" \
             entity=\"sip:bob@offhook.test\">{dialogs}</dialog-info>"
        );
        match Document::read(xml.as_bytes()) {
            Some(Document::Dialogs(told)) => lamp.take(told),
            other => panic!("{other:?}"),
        }
    }

    fn dialog(id: &str, direction: &str, state: &str) -> String {
        format!("<dialog id=\"{id}\" direction=\"{direction}\"><state code=\"1\">{state}</state></dialog>")
    }

    /// RFC 4235 section 3.10: full and partial documents, versions.
    #[test]
    fn a_lamp_follows_the_calls_and_asks_for_the_whole_when_it_has_missed_one() {
        let mut it = Lamp::default();
        assert_eq!(lamp(&mut it, 3, "partial", ""), Lit::Missed);
        assert_eq!(lamp(&mut it, 3, "full", ""), Lit::Shows(PresenceState::Free));
        let early = dialog("a", "recipient", "early");
        assert_eq!(lamp(&mut it, 4, "partial", &early), Lit::Shows(PresenceState::Ringing));
        let second = dialog("b", "initiator", "trying");
        assert_eq!(lamp(&mut it, 5, "partial", &second), Lit::Shows(PresenceState::Busy));
        assert_eq!(lamp(&mut it, 5, "partial", ""), Lit::Old);
        assert_eq!(lamp(&mut it, 7, "partial", ""), Lit::Missed);
        let over = dialog("b", "initiator", "terminated");
        assert_eq!(lamp(&mut it, 6, "partial", &over), Lit::Shows(PresenceState::Ringing));
        let up = dialog("a", "recipient", "confirmed");
        assert_eq!(lamp(&mut it, 9, "full", &up), Lit::Shows(PresenceState::Busy));
        assert_eq!(lamp(&mut it, 10, "full", ""), Lit::Shows(PresenceState::Free));
    }

    #[test]
    fn any_bytes_at_all_are_read_or_are_not() {
        let lamp = "<dialog-info version=\"1\" state=\"full\"><dialog id=\"a\"><state>early</state></dialog></dialog-info>";
        let whole = [pidf("open", &doing("away")), lamp.to_owned()];
        let mut rng = base::Rng::from_number(3863);
        let mut read = 0;
        for n in 0..4000 {
            let mut bytes = whole[n % 2].clone().into_bytes();
            for _ in 0..=rng.below(4) {
                let at = rng.below(bytes.len() as u64) as usize;
                match rng.below(3) {
                    0 => bytes[at] = rng.bits() as u8,
                    1 => drop(bytes.drain(at..)),
                    _ => bytes.insert(at, b"<>&\"/!"[rng.below(6) as usize]),
                }
                if bytes.is_empty() {
                    bytes.push(b'<');
                }
            }
            read += u32::from(Document::read(&bytes).is_some());
        }
        assert!(read > 100 && read < 3900, "{read}: the test has lost its point");
    }

    #[test]
    fn documents_of_strangers_are_bounded_and_nonsense_is_nothing() {
        let deep = format!("<presence>{}{}</presence>", "<a>".repeat(1500), "</a>".repeat(1500));
        let bomb =
            "<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">]><presence>&b;</presence>";
        let wide = format!("<presence>{}</presence>", "<a/>".repeat(3000));
        let names: Vec<String> = (0..400).map(|n| format!("xmlns:n{n}=\"u{n}\"")).collect();
        let spaces = format!("<presence {}/>", names.join(" "));
        for xml in [
            "",
            "<",
            "<presence",
            "<presence></tuple>",
            "<html/>",
            "\u{0}",
            "&a;",
            bomb,
            &wide,
            "<dialog-info/>",
            "<dialog-info version=\"x\" state=\"full\"/>",
            "<dialog-info version=\"99999999999\" state=\"full\"/>",
            &"<presence>".repeat(1600),
            &"x".repeat(100_000),
        ] {
            assert_eq!(Document::read(xml.as_bytes()), None, "{}", &xml[..xml.len().min(60)]);
        }
        assert_eq!(Document::read(b"\xff\xfe<presence/>"), None);
        assert!(Document::read(deep.as_bytes()).is_some(), "depth alone is no harm");
        assert!(Document::read(spaces.as_bytes()).is_some());
    }
}
