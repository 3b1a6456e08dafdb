use base::Redacted;
use offhook_store::{CallRow, Filter, Page, Store};
use phone::Encrypted;

use super::*;

const ACCOUNT: AccountId = AccountId(1);
const CALL: CallId = CallId(7);

fn journal(heard: Option<PathBuf>) -> (tempfile::TempDir, PathBuf, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phone.db");
    let journal = Journal::open(&path, heard, |_| (), |_| ()).unwrap();
    (folder, path, journal)
}

fn view(state: CallState) -> CallView {
    CallView {
        call: CALL,
        revision: 1,
        account: ACCOUNT,
        side: Side::In,
        state,
        remote: Redacted::new("sip:1002@offhook.test".into()),
        name: None,
        identity: None,
        codec: None,
        keys_left: None,
        encrypted: Encrypted::None,
        bad_keys: 0,
        no_reports: false,
        path: None,
        muted: false,
        conference: false,
        transfer: None,
        on_behalf_of: None,
        status: None,
        reason: None,
        explanation: None,
        started: clock::now(),
        answered: None,
        ended: None,
    }
}

fn told(journal: &Journal, view: CallView) {
    journal.note(&Event::Phone(phone::Event::Call(view)));
}

fn row(path: &Path) -> CallRow {
    Store::reader(path).unwrap().calls(&Filter::default(), Page::first(1)).unwrap().remove(0)
}

#[test]
fn a_row_says_how_a_call_was_kept_secret_what_carried_it_and_where_it_was_heard() {
    let (_folder, path, journal) = journal(Some("heard.wav".into()));
    told(&journal, view(CallState::Ringing));
    journal.networks(|_| Some(NetworkKind::Wifi));
    let talking = CallView {
        codec: Some(media::Codec::G729),
        encrypted: Encrypted::Dtls,
        answered: Some(clock::now()),
        ..view(CallState::Active)
    };
    told(&journal, talking.clone());
    journal.networks(|_| Some(NetworkKind::Wifi));
    journal.networks(|account| (account == ACCOUNT).then_some(NetworkKind::Cellular));
    journal.networks(|_| None);
    let over = CallView { codec: None, encrypted: Encrypted::None, ..talking };
    told(&journal, CallView { state: CallState::Ended, explanation: Some(Why::TheyEnded), ..over });
    journal.networks(|_| Some(NetworkKind::Ethernet)); // nobody talks any more
    drop(journal);

    let row = row(&path);
    assert_eq!(row.encryption.as_deref(), Some("dtls"));
    assert_eq!(row.networks.as_deref(), Some("wifi cellular"));
    assert_eq!(row.recording.as_deref(), Some("heard.wav"));
}

#[test]
fn a_row_says_who_called_as_it_was_known_at_last() {
    let (_folder, path, journal) = journal(None);
    let identity =
        |by, passport| Some(phone::Identity { by, verified: None, passport: Some(passport), hidden: false });
    let asking = identity(phone::Said::RemoteParty, Passport::Asking);
    told(
        &journal,
        CallView { identity: asking, name: Some(Redacted::new("Bob".into())), ..view(CallState::Ringing) },
    );
    let signed =
        phone::Signed { attest: phone::Attest::Number, by: phone::SignedBy::Known, forwarded: false };
    let known = CallView {
        identity: identity(phone::Said::Signer, Passport::Signed(signed)),
        remote: Redacted::new("sip:1009@offhook.test".into()),
        ..view(CallState::Ringing)
    };
    told(&journal, known.clone());
    told(&journal, CallView { state: CallState::Ended, ..known });
    drop(journal);
    let row = row(&path);
    assert_eq!((&*row.number, &*row.remote, row.name), ("1009", "sip:1009@offhook.test", None));
    assert_eq!((row.said_by.as_deref(), row.attest.as_deref()), (Some("stir"), Some("A")));
    assert!(row.signature.unwrap().contains("level A"));
}

#[test]
fn a_caller_who_is_blocked_is_in_the_log_and_was_not_missed() {
    let (_folder, path, journal) = journal(None);
    let blocked = CallView { explanation: Some(Why::YouBlocked), ..view(CallState::Ended) };
    told(&journal, blocked);
    drop(journal);
    let row = row(&path);
    assert_eq!((row.why.as_deref(), row.missed), (Some("YouBlocked"), false));
}

#[test]
fn what_names_no_account_is_of_the_one_that_the_phone_picks() {
    let (_folder, _path, journal) = journal(None);
    let account = |register| {
        let mut account =
            phone::Account::new("sip:1001@offhook.test".parse().unwrap(), base::Secret::default());
        account.register = register;
        account
    };
    let picked = || journal.known.lock().unwrap().picked().map(|id| id.0);
    assert_eq!(picked(), None);
    for (id, registered) in [(1, true), (2, false), (3, true)] {
        journal.known.lock().unwrap().accounts.insert(AccountId(id), (String::new(), registered));
    }
    journal.wanted(&Command::AddAccount(AccountId(2), account(true)));
    assert_eq!(picked(), Some(1), "the first that is registered");
    for (default, expected) in [(3, 3), (2, 1), (9, 1)] {
        journal.wanted(&Command::DefaultAccount(Some(AccountId(default))));
        assert_eq!(picked(), Some(expected), "{default}");
    }
    journal.wanted(&Command::DefaultAccount(Some(AccountId(2))));
    journal.wanted(&Command::AddAccount(AccountId(2), account(false)));
    assert_eq!(picked(), Some(2), "it never registers");
}

#[test]
fn a_message_is_kept_from_when_it_is_wanted_until_it_is_known_what_became_of_it() {
    let (_folder, path, journal) = journal(None);
    for message in [1, 2, 3].map(MessageId) {
        journal.wanted(&Command::Message {
            message,
            account: None,
            to: Redacted::new("1002".into()),
            text: Redacted::new("hi".into()),
            written: None,
        });
    }
    for (message, status, reason) in [(1, 200, None), (2, 480, Some(Why::Unavailable))] {
        let message = MessageId(message);
        journal.note(&Event::Phone(phone::Event::MessageSent { message, status, reason }));
    }
    drop(journal);
    let kept = Store::reader(&path).unwrap().messages(Some("1002"), None, 9).unwrap();
    let kept: Vec<_> = kept.iter().map(|it| (it.delivery, it.status)).collect();
    assert_eq!(kept, [(Delivery::Queued, None), (Delivery::Failed, Some(480)), (Delivery::Sent, Some(200))]);
}
