//! A backup by the door, from one phone into another.

use super::*;

fn path(folder: &tempfile::TempDir) -> String {
    folder.path().join("phone.json").to_str().unwrap().to_owned()
}

fn tally(report: &BackupReport, part: BackupPart) -> (u32, u32) {
    report.parts.iter().find(|it| it.part == part).map(|it| (it.taken, it.same)).unwrap()
}

#[test]
fn what_one_phone_backs_up_another_previews_and_takes_and_registers_by() {
    let exchange = exchange();
    let ann = registered("1001", &exchange);
    ann.phone.rename_account(1, "Work".into()).unwrap();
    ann.phone.add_contact(vec!["Bob".into()], vec![], None).unwrap();
    ann.phone.block("0900 1".into(), true).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder);
    let written = ann.phone.back_up(file.clone(), Some("open sesame".into())).unwrap();
    assert_eq!(written.passwords, 1);
    assert!(written.parts.contains(&BackupCount { part: BackupPart::Contacts, records: 1 }));
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains("Work") && !text.contains("secret-1001"));
    ann.phone.enable_account(1, false).unwrap();

    let new = App::new();
    assert_eq!(new.phone.contact_count(), Ok(0), "read once, and to be read anew");
    let preview =
        |passphrase: Option<&str>| new.phone.preview_backup(file.clone(), passphrase.map(Into::into));
    assert_eq!(preview(Some("open barley")), Err(BackupError::WrongPassphrase));
    assert_eq!(preview(None).unwrap().passwords, BackupPasswords::Locked);
    let previewed = preview(Some("open sesame")).unwrap();
    assert_eq!(previewed.passwords, BackupPasswords::Unlocked { accounts: 1, withheld: 0 });
    assert_eq!((tally(&previewed, BackupPart::Accounts), new.phone.account_list()), ((1, 0), vec![]));
    let restored = new.phone.restore(file.clone(), Some("open sesame".into())).unwrap();
    assert_eq!(restored, previewed);
    assert_eq!(new.phone.account_list()[0].name, "Work");
    new.until_account(AccountState::Registered);
    assert_eq!((new.phone.contact_count(), new.phone.blocked()), (Ok(1), Ok(vec!["09001".into()])));
    let again = new.phone.restore(file, Some("open sesame".into())).unwrap();
    assert_eq!((tally(&again, BackupPart::Accounts), tally(&again, BackupPart::Contacts)), ((0, 1), (0, 1)));
}

#[test]
fn an_account_whose_password_did_not_come_asks_for_it_and_what_is_no_backup_is_said_to_be_none() {
    let exchange = exchange();
    let ann = registered("1001", &exchange);
    let folder = tempfile::tempdir().unwrap();
    let file = path(&folder);
    let refused = ann.phone.back_up(file.clone(), Some(String::new()));
    assert_eq!(refused.map(drop), Err(BackupError::NoPassphrase));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left of it");
    assert_eq!(ann.phone.back_up(file.clone(), None).unwrap().passwords, 0);
    ann.phone.enable_account(1, false).unwrap();
    let new = App::new();
    assert_eq!(new.phone.restore(file.clone(), None).unwrap().passwords, BackupPasswords::None);
    new.until(|event| matches!(event, Event::PasswordLost { account: 1 }).then_some(()));
    new.until_account(AccountState::Unregistered);
    new.phone.change_account(1, settings("1001", &exchange), Some("secret-1001".into())).unwrap();
    new.until_account(AccountState::Registered);
    std::fs::write(&file, "dear diary").unwrap();
    assert_eq!(new.phone.restore(file, None).map(drop), Err(BackupError::NotABackup));
    let nowhere = new.phone.preview_backup("/nowhere/phone.json".into(), None);
    assert!(matches!(nowhere, Err(BackupError::File { .. })), "{nowhere:?}");
}
