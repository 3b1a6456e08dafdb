//! The thread that writes.

use super::*;

#[test]
fn the_thread_stores_in_order_tells_of_it_and_ends_when_all_is_stored() {
    let (_folder, path) = place();
    let (tell, notices) = channel();
    let keeper = Keeper::start(&path, 0, move |notice| drop(tell.send(notice))).unwrap();
    keeper.store(Change::Begin(7, call("1002", Direction::In, NOON)));
    let facts = CallFacts { missed: Some(Missed(true)), ..ended(NOON + 1) };
    keeper.store(Change::Note(7, facts, NOON + 1));
    keeper.store(Change::Note(8, ended(NOON), NOON)); // never began
    drop(keeper);
    let unseen = notices.iter().filter_map(|notice| match notice {
        Notice::Calls { unseen } => Some(unseen),
        Notice::Blocked(_) | Notice::Messages { .. } => None,
        other => panic!("{other:?}"),
    });
    assert_eq!(unseen.collect::<Vec<_>>(), [0, 0, 1, 1]);
    let rows = Store::reader(&path).unwrap().calls(&Filter::default(), Page::first(9)).unwrap();
    assert_eq!((numbers(&rows), rows[0].missed), (vec!["1002"], true));
}

#[test]
fn the_thread_tells_who_is_blocked_and_keeps_messages_and_the_callers_name() {
    let (_folder, path) = place();
    let store = Store::open(&path).unwrap().store;
    store.set_blocked("1009", true, NOON).unwrap();
    keep(&store, "Bob", "1002", None);
    drop(store);
    let (tell, notices) = channel();
    let keeper = Keeper::start(&path, 0, move |notice| drop(tell.send(notice))).unwrap();
    keeper.store(Change::Block(base::Redacted::new("0900-1".into()), true, NOON + 1));
    keeper.store(Change::Block(base::Redacted::new("1009".into()), false, NOON + 2));
    keeper.store(Change::Begin(1, call("1002", Direction::In, NOON)));
    let message = NewMessage {
        account: String::new(),
        direction: Direction::Out,
        remote: "1002".into(),
        number: "1002".into(),
        name: None,
        text: "hi".into(),
        at: NOON,
    };
    keeper.store(Change::Message(5, message));
    keeper.store(Change::Delivered(5, Delivery::Failed, Some(480), Some("Nobody there.".into())));
    keeper.store(Change::Delivered(6, Delivery::Sent, Some(200), None)); // never sent
    // One who is known better a moment later: as somebody with no name.
    keeper.store(Change::Begin(
        2,
        NewCall { name: Some("Mallory".into()), ..call("1003", Direction::In, NOON) },
    ));
    let [uri, number] = ["sip:1002@offhook.test", "1002"].map(|it| base::Redacted::new(it.to_owned()));
    let remote = Some(Remote { uri, number, contact: None });
    keeper.store(Change::Note(2, CallFacts { remote, ..CallFacts::default() }, NOON));
    drop(keeper);

    let blocked = notices.iter().filter_map(|notice| match notice {
        Notice::Blocked(numbers) => {
            Some(numbers.into_iter().map(base::Redacted::into_inner).collect::<Vec<_>>())
        }
        _ => None,
    });
    let expected = [vec!["1009".to_owned()], vec!["1009".into(), "09001".into()], vec!["09001".into()]];
    assert_eq!(blocked.collect::<Vec<_>>(), expected);
    let store = Store::reader(&path).unwrap();
    let rows = store.calls(&text("bob"), Page::first(9)).unwrap();
    assert_eq!((rows.len(), rows[1].contact.as_deref()), (2, Some("Bob")));
    assert_eq!(
        (&*rows[0].number, rows[0].name.as_deref(), rows[0].contact.as_deref()),
        ("1002", None, Some("Bob"))
    );
    assert!(store.calls(&text("mallory"), Page::first(9)).unwrap().is_empty());
    let message = &store.messages(None, None, 9).unwrap()[0];
    assert_eq!((message.delivery, message.status), (Delivery::Failed, Some(480)));
    assert_eq!(message.contact.as_deref(), Some("Bob"));
}

#[test]
fn a_flood_of_messages_that_come_waits_within_a_bound_and_calls_are_kept_all_the_same() {
    let (_folder, path) = place();
    let (hold, held) = channel::<()>();
    let keeper = Keeper::start(&path, 0, |_| ()).unwrap();
    let waits = keeper.work(About::Rest, move |_| {
        let _ = held.recv();
        Ok(())
    });
    let message = NewMessage {
        account: String::new(),
        direction: Direction::In,
        remote: "1002".into(),
        number: "1002".into(),
        name: None,
        text: "hi".into(),
        at: NOON,
    };
    (0..3_000).for_each(|_| keeper.store(Change::Message(0, message.clone())));
    keeper.store(Change::Begin(1, call("1002", Direction::In, NOON)));
    drop(hold);
    waits.recv().unwrap().unwrap();
    drop(keeper);
    let store = Store::reader(&path).unwrap();
    let kept = store.threads(1).unwrap()[0].messages;
    assert!((1_000..1_030).contains(&kept), "{kept}");
    assert_eq!(store.calls(&Filter::default(), Page::first(9)).unwrap().len(), 1);
}

#[test]
fn work_of_ones_own_is_done_in_its_turn_and_its_outcome_comes_before_the_news() {
    let (_folder, path) = place();
    let (tell, notices) = channel();
    let keeper = Keeper::start(&path, 0, move |notice| drop(tell.send(notice))).unwrap();
    keeper.store(Change::Begin(7, call("1002", Direction::In, NOON)));
    keeper.store(Change::Note(7, ended(NOON + 1), NOON + 1));
    let gone = keeper.work(About::Calls, |store| store.forget_calls(Forget::All));
    assert_eq!(gone.recv().unwrap().unwrap(), 1);
    let refused = keeper.work(About::Rest, |store| store.set_speed_dial(0, Some("1")));
    assert!(refused.recv().unwrap().is_err());
    let mut times = 0;
    let mended = keeper.work(About::Messages, move |store| {
        times += 1;
        if times == 1 { Err(StoreError::Damaged("so it seems".into())) } else { store.forget_messages(None) }
    });
    assert_eq!(mended.recv().unwrap().unwrap(), 0);
    let lost = keeper.work::<()>(About::Rest, |_| Err(StoreError::Damaged("for good".into())));
    assert!(lost.recv().is_err());
    drop(keeper);
    let told: Vec<Notice> = notices.iter().collect();
    let calls = told.iter().filter(|it| matches!(it, Notice::Calls { .. })).count();
    let trouble = told.iter().filter(|it| matches!(it, Notice::Trouble(_))).count();
    assert_eq!((calls, trouble), (4, 1), "{told:?}");
}

#[test]
fn the_thread_keeps_accounts_settings_and_drafts_and_tells_which_are_to_be_read_anew() {
    let (_folder, path) = place();
    let (tell, notices) = channel();
    let keeper = Keeper::start(&path, 0, move |notice| drop(tell.send(notice))).unwrap();
    let new = |name: &str| NewAccount { name: name.into(), enabled: true, settings: "{}".into() };
    keeper.store(Change::AddAccount(7, new("Work")));
    keeper.store(Change::AddAccount(8, new("Home")));
    let key = |notice: Notice| if let Notice::Added(name, key) = notice { Some((name, key)) } else { None };
    keeper.settled().recv().unwrap();
    let keys: Vec<_> = notices.try_iter().filter_map(key).collect();
    let [(7, work), (8, home)] = keys[..] else { panic!("{keys:?}") };
    let draft = Draft { account: work, number: "1002".into(), text: "hi".into(), at: NOON };
    let redacted = |text: &str| Some(base::Redacted::new(text.to_owned()));
    keeper.store(Change::Draft(draft.clone()));
    keeper.store(Change::Draft(Draft { account: home, ..draft }));
    keeper.store(Change::ChangeAccount(
        home,
        AccountChange { enabled: Some(false), ..AccountChange::default() },
    ));
    keeper.store(Change::MoveAccount(home, 0));
    keeper.store(Change::DefaultAccount(home));
    keeper.store(Change::RemoveAccount(work));
    keeper.store(Change::Setting("region".into(), redacted("\"DE\"")));
    keeper.store(Change::Setting("relay".into(), redacted("{\"password\":\"x\"}")));
    drop(keeper);

    let word = |notice: Notice| match notice {
        Notice::Accounts => Some('a'),
        Notice::Settings => Some('s'),
        Notice::Drafts => Some('d'),
        Notice::Trouble(StoreError::Secret(_)) => Some('!'),
        Notice::Calls { .. } | Notice::Blocked(_) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(notices.iter().filter_map(word).collect::<String>(), "ddaaaads!");
    let store = Store::reader(&path).unwrap();
    let accounts = store.accounts().unwrap();
    let names: Vec<_> = accounts.iter().map(|it| (&*it.name, it.enabled, it.default)).collect();
    assert_eq!(names, [("Home", false, true)]);
    assert_eq!(store.drafts().unwrap()[0].account, home);
    assert_eq!(store.settings().unwrap(), [("region".to_owned(), "\"DE\"".to_owned())]);
}
