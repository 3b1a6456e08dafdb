//! Who is watched, by the door.

use super::*;

fn favourite(app: &App, number: &str) -> u64 {
    let number = ContactNumber { text: number.into(), kind: String::new(), normal: None };
    let contact = app.phone.add_contact(vec!["Bob".into()], vec![number], None).unwrap();
    app.phone.set_favourite(contact, true).unwrap();
    contact
}

#[test]
fn favourites_with_an_address_are_watched_until_they_are_none_any_more() {
    let exchange = exchange();
    let bob = App::new();
    let publishes = AccountSettings { publish_presence: true, ..settings("1002", &exchange) };
    bob.phone.add_account(publishes, "secret-1002".into()).unwrap();
    bob.until_account(AccountState::Registered);

    let ann = App::new();
    favourite(&ann, "+4930123456");
    let contact = favourite(&ann, "1002@offhook.test");
    assert_eq!(ann.phone.watch_favourites(), Ok(vec![]), "there is no account to watch by");
    ann.phone.add_account(settings("1001", &exchange), "secret-1001".into()).unwrap();
    ann.until_account(AccountState::Registered);
    let who = "sip:1002@offhook.test".to_owned();
    let watched = vec![WatchedFavourite { contact, who: who.clone() }];
    assert_eq!(ann.phone.watch_favourites().as_ref(), Ok(&watched));
    let is = |wanted: PresenceState| {
        ann.until(|event| match event {
            Event::Presence { who: it, state, .. } => (*it == who && *state == wanted).then_some(()),
            _ => None,
        });
    };
    is(PresenceState::Free);
    bob.phone.set_presence(OwnPresence::Away, String::new()).unwrap();
    is(PresenceState::Away);
    // Asked for once more, nobody is watched twice or left out.
    assert_eq!(ann.phone.watch_favourites(), Ok(watched));
    bob.phone.set_presence(OwnPresence::Busy, String::new()).unwrap();
    is(PresenceState::Busy);
    ann.phone.set_favourite(contact, false).unwrap();
    assert_eq!(ann.phone.watch_favourites(), Ok(vec![]));
}
