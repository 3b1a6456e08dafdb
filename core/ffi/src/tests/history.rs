//! What is remembered of calls, by the door.

use super::contacts::number;
use super::*;

fn all(app: &App) -> Vec<CallRecord> {
    app.phone.call_log(CallFilter::default(), None, 100).unwrap()
}

impl App {
    /// Waits until the log has so many missed calls that were not seen.
    fn until_unseen(&self, wanted: u32) {
        self.until(|event| match event {
            Event::CallLog { unseen } => (*unseen == wanted).then_some(()),
            _ => None,
        });
    }

    /// Waits until the log has that many rows of calls that are over.
    fn until_over(&self, wanted: usize) -> Vec<CallRecord> {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let rows = all(self);
            if rows.iter().filter(|row| row.ended_ms.is_some()).count() == wanted {
                return rows;
            }
            assert!(Instant::now() < give_up, "{rows:?}");
            let _ = self.phone.wait_event(20).unwrap();
        }
    }
}

#[test]
fn a_call_is_in_both_logs_with_what_became_of_it_and_outlives_a_start() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    let id = bob.phone.add_contact(vec!["Ann".into()], vec![number("1001")], None).unwrap();
    ann.phone.call(None, "1002".into()).unwrap();
    let ringing = bob.until_call(CallState::Ringing);
    bob.phone.answer(ringing.call).unwrap();
    ann.until_call(CallState::Active);
    bob.phone.hang_up(ringing.call).unwrap();
    ann.until_call(CallState::Ended);
    bob.until_call(CallState::Ended);

    let [row] = &ann.until_over(1)[..] else { panic!("one row") };
    assert_eq!((row.side, &*row.number, row.why), (Side::Out, "1002", Some(Why::TheyEnded)));
    assert_eq!((row.missed, row.name.as_deref()), (false, None));
    assert!(row.account.contains("1001@offhook.test") && row.codec.is_some() && row.talked_ms.is_some());
    let age = offhook_io::clock::wall().as_millis() as i64 - row.started_ms;
    assert!((0..60_000).contains(&age), "{age}");
    let [row] = &bob.until_over(1)[..] else { panic!("one row") };
    assert_eq!((row.side, row.name.as_deref(), row.known), (Side::In, Some("Ann"), true));
    assert_eq!((row.said_by, row.verified, row.signature.as_ref()), (Some(Said::Caller), None, None));
    assert!(bob.phone.remove_contact(id).unwrap());
    let bob = bob.again();
    assert_eq!(all(&bob)[0].name.as_deref(), Some("Ann"), "as it was at the time");
}

#[test]
fn a_missed_call_is_told_until_it_is_seen_and_rows_are_found_grouped_and_forgotten() {
    let exchange = exchange();
    let (ann, bob) = (registered("1001", &exchange), registered("1002", &exchange));
    for _ in 0..2 {
        let call = ann.phone.call(None, "1002".into()).unwrap();
        bob.until_call(CallState::Ringing);
        ann.phone.hang_up(call).unwrap();
        bob.until_call(CallState::Ended);
    }
    bob.until_unseen(2);
    let out = bob.phone.call(None, "1009".into()).unwrap();
    bob.until_call(CallState::Ended);
    let rows = bob.until_over(3);
    assert!(rows[0].id > rows[1].id && rows[0].side == Side::Out, "the newest first");
    assert!(out > 0);

    let missed = CallFilter { which: Some(WhichCalls::Missed), ..CallFilter::default() };
    let found = bob.phone.call_log(missed.clone(), None, 100).unwrap();
    assert_eq!(found.iter().map(|row| row.why).collect::<Vec<_>>(), [Some(Why::CallerGaveUp); 2]);
    let typed = CallFilter { text: "100-1".into(), ..CallFilter::default() };
    assert_eq!(bob.phone.call_log(typed, None, 100).unwrap().len(), 2);
    let older = bob.phone.call_log(CallFilter::default(), Some(rows[0].id), 1).unwrap();
    assert_eq!(older[0].id, rows[1].id);
    let groups = bob.phone.call_groups(CallFilter::default(), None, 10, 0).unwrap();
    let shown: Vec<_> = groups.groups.iter().map(|it| (&*it.newest.number, it.calls, it.missed)).collect();
    assert_eq!((shown, groups.next), (vec![("1009", 1, 0), ("1001", 2, 2)], None));

    bob.phone.calls_seen().unwrap();
    bob.until_unseen(0);
    assert!(bob.phone.call_log(missed, None, 100).unwrap().iter().all(|row| row.seen));
    assert_eq!(bob.phone.forget_calls(ForgetCalls::One { id: rows[0].id }), Ok(1));
    assert_eq!(bob.phone.call_record(rows[0].id), Ok(None));
    assert_eq!(bob.phone.forget_calls(ForgetCalls::Before { at_ms: rows[1].started_ms }), Ok(1));
    assert_eq!((bob.phone.forget_calls(ForgetCalls::All), all(&bob).len()), (Ok(1), 0));
}

#[test]
fn the_log_is_written_for_others_as_text_or_to_a_file_and_half_of_it_never_stays() {
    let exchange = exchange();
    let app = registered("1001", &exchange);
    app.phone.call(None, "1009".into()).unwrap();
    app.until_call(CallState::Ended);
    app.until_over(1);
    let csv = app.phone.export_calls(CallFilter::default(), ExportFormat::Csv).unwrap();
    assert_eq!((csv.lines().count(), csv.contains("\"1009\"")), (2, true), "{csv}");
    let path = app.folder.path().join("calls.json").to_str().unwrap().to_owned();
    app.phone.export_calls_to(CallFilter::default(), ExportFormat::Json, path.clone()).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(json[0]["number"], "1009");
    for (path, bug) in [("", true), ("a\0b", true), ("/nowhere/calls.csv", false)] {
        let refused = app.phone.export_calls_to(CallFilter::default(), ExportFormat::Csv, path.into());
        let is_bug = matches!(refused, Err(PhoneError::BadArgument { .. }));
        assert!(refused.is_err() && is_bug == bug, "{refused:?}");
    }
}

#[test]
fn a_phone_whose_memory_is_another_programs_says_so_and_touches_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("phone.db");
    std::fs::write(&file, "dear diary").unwrap();
    // Its accounts are there: without them it would look as if they were lost.
    let Err(StartError::System { sentence }) = Phone::start(config(&folder), Arc::<Secrets>::default(), None)
    else {
        panic!("not without its accounts")
    };
    assert!(sentence.contains("is not a phone's database"), "{sentence}");
    assert_eq!(std::fs::read(file).unwrap(), b"dear diary");
}
