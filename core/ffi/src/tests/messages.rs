//! Text messages, by the door.

use super::*;

impl App {
    /// Waits until the newest message with that number fared so.
    fn until_message(&self, number: &str, wanted: Delivered) -> MessageRecord {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let kept = self.phone.kept_messages(Some(number.into()), None, 1).unwrap();
            if let Some(message) = kept.into_iter().find(|it| it.delivered == wanted) {
                return message;
            }
            assert!(Instant::now() < give_up);
            let _ = self.phone.wait_event(20).unwrap();
        }
    }
}

#[test]
fn a_message_is_kept_on_both_sides_in_threads_until_it_is_seen_and_forgotten() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    ann.phone.message(None, "1002".into(), "hello 😀".into()).unwrap();
    let sent = ann.until_message("1002", Delivered::Sent);
    assert_eq!((sent.side, &*sent.text, sent.seen), (Side::Out, "hello 😀", true));
    bob.until(|event| matches!(event, Event::Message { number, .. } if number == "1001").then_some(()));
    bob.until(|event| matches!(event, Event::Messages { unseen: 1 }).then_some(()));
    let came = bob.until_message("1001", Delivered::Came);
    assert_eq!((came.side, &*came.text, came.seen), (Side::In, "hello 😀", false));
    bob.phone.message(None, came.remote, "and to you".into()).unwrap();
    bob.until_message("1001", Delivered::Sent);
    ann.phone.message(None, "1009".into(), "anybody?".into()).unwrap();
    ann.until_message("1009", Delivered::OnItsWay);
    ann.phone.message(None, "7777".into(), "whoever?".into()).unwrap();
    let failed = ann.until_message("7777", Delivered::Failed);
    assert!(failed.sentence.is_some());

    let bob = bob.again();
    let [thread] = &bob.phone.message_threads(9).unwrap()[..] else { panic!("one thread") };
    assert_eq!((&*thread.newest.text, thread.messages, thread.unseen), ("and to you", 2, 1));
    let older = bob.phone.kept_messages(Some("1001".into()), Some(thread.newest.id), 9).unwrap();
    assert_eq!(older.iter().map(|it| &*it.text).collect::<Vec<_>>(), ["hello 😀"]);
    bob.phone.messages_seen("1001".into()).unwrap();
    bob.until(|event| matches!(event, Event::Messages { unseen: 0 }).then_some(()));
    assert_eq!(bob.phone.forget_message(older[0].id), Ok(true));
    assert_eq!(bob.phone.forget_message(older[0].id), Ok(false));
    assert_eq!(bob.phone.forget_messages(None), Ok(1));
    assert!(bob.phone.message_threads(9).unwrap().is_empty());
}

#[test]
fn what_was_begun_and_not_sent_is_there_after_a_start_by_whichever_account_calls_go() {
    let exchange = exchange();
    let ann = registered("1001", &exchange);
    ann.phone.keep_draft("1002".into(), "hel".into()).unwrap();
    ann.phone.keep_draft("1003".into(), "ho".into()).unwrap();
    ann.phone.keep_draft("1003".into(), String::new()).unwrap();
    let other = ann.phone.add_account(settings("1004", &exchange), "secret-1004".into()).unwrap();
    ann.phone.set_default_account(other).unwrap();
    ann.phone.keep_draft("1002".into(), "hello".into()).unwrap();
    let ann = ann.again();
    let drafts = ann.phone.drafts().unwrap();
    assert_eq!(drafts.iter().map(|it| (&*it.number, &*it.text)).collect::<Vec<_>>(), [("1002", "hello")]);
    assert_eq!(ann.phone.keep_draft("1002".into(), "x".repeat(70_000)), Err(PhoneError::TooLong));
    ann.phone.forget_messages(Some("1002".into())).unwrap();
    assert!(ann.phone.drafts().unwrap().is_empty());
}
