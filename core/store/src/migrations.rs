//! The schema, as steps: each takes a file one number up, and a step that was released is never changed.
//!
//! The number is SQLite's `user_version`. Tables are STRICT: a wrong type is an error and not a surprise later.

/// From an empty file to the present.
pub(crate) const STEPS: [&str; 6] = [CALLS, PEOPLE, MESSAGES, ACCOUNTS, SHORT_WORDS, SAID_BY];

/// The call log. `known_at` is when the row was last right: a call that a crash cut off ends there. `words` is all
/// that is searched, folded; its index is of three letters each (SQLite's FTS5, trigram), so that any part is found.
const CALLS: &str = "
    CREATE TABLE call (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        outgoing INTEGER NOT NULL CHECK (outgoing IN (0, 1)),
        remote TEXT NOT NULL,
        number TEXT NOT NULL,
        name TEXT,
        contact TEXT,
        started_at INTEGER NOT NULL,
        answered_at INTEGER,
        ended_at INTEGER,
        known_at INTEGER NOT NULL,
        why TEXT,
        status INTEGER,
        reason TEXT,
        codec TEXT,
        path TEXT,
        encryption TEXT,
        networks TEXT,
        mos REAL,
        loss REAL,
        recording TEXT,
        missed INTEGER NOT NULL DEFAULT 0 CHECK (missed IN (0, 1)),
        seen INTEGER NOT NULL DEFAULT 0 CHECK (seen IN (0, 1)),
        words TEXT NOT NULL
    ) STRICT;
    CREATE INDEX call_by_number ON call (number, id);
    CREATE INDEX call_by_start ON call (started_at);
    CREATE INDEX call_open ON call (id) WHERE ended_at IS NULL;
    CREATE INDEX call_unseen ON call (id) WHERE missed = 1 AND seen = 0;
    CREATE INDEX call_missed ON call (id) WHERE missed = 1;
    CREATE VIRTUAL TABLE call_words USING fts5 (
        words, content = 'call', content_rowid = 'id', tokenize = 'trigram case_sensitive 1', detail = 'none'
    );
    CREATE TRIGGER call_added AFTER INSERT ON call BEGIN
        INSERT INTO call_words (rowid, words) VALUES (new.id, new.words);
    END;
    CREATE TRIGGER call_gone AFTER DELETE ON call BEGIN
        INSERT INTO call_words (call_words, rowid, words) VALUES ('delete', old.id, old.words);
    END;
    CREATE TRIGGER call_renamed AFTER UPDATE OF words ON call WHEN old.words <> new.words BEGIN
        INSERT INTO call_words (call_words, rowid, words) VALUES ('delete', old.id, old.words);
        INSERT INTO call_words (rowid, words) VALUES (new.id, new.words);
    END;
";

/// The phone book: what the person has entered (`source` is empty) and what was read elsewhere, by where. `mark` tells what
/// the latest reading still found. A blocked number is as it is compared: its digits alone, or an address.
const PEOPLE: &str = "
    CREATE TABLE contact (
        id INTEGER PRIMARY KEY,
        source TEXT NOT NULL,
        key TEXT NOT NULL,
        photo TEXT,
        favourite INTEGER NOT NULL DEFAULT 0 CHECK (favourite IN (0, 1)),
        mark INTEGER NOT NULL DEFAULT 0,
        UNIQUE (source, key)
    ) STRICT;
    CREATE TABLE contact_name (
        contact INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        text TEXT NOT NULL,
        PRIMARY KEY (contact, place)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE contact_number (
        contact INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
        place INTEGER NOT NULL,
        text TEXT NOT NULL,
        kind TEXT NOT NULL,
        normal TEXT,
        PRIMARY KEY (contact, place)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX contact_by_normal ON contact_number (normal) WHERE normal IS NOT NULL;
    CREATE TABLE contact_group (
        name TEXT NOT NULL,
        contact INTEGER NOT NULL REFERENCES contact (id) ON DELETE CASCADE,
        PRIMARY KEY (name, contact)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE speed_dial (
        digit INTEGER PRIMARY KEY CHECK (digit BETWEEN 1 AND 9),
        number TEXT NOT NULL,
        contact INTEGER REFERENCES contact (id) ON DELETE SET NULL
    ) STRICT;
    CREATE TABLE blocked (number TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Text messages. One that came is not `seen` until the person has looked.
const MESSAGES: &str = "
    CREATE TABLE message (
        id INTEGER PRIMARY KEY,
        account TEXT NOT NULL,
        outgoing INTEGER NOT NULL CHECK (outgoing IN (0, 1)),
        remote TEXT NOT NULL,
        number TEXT NOT NULL,
        name TEXT,
        contact TEXT,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        delivery TEXT NOT NULL CHECK (delivery IN ('came', 'queued', 'sent', 'failed')),
        status INTEGER,
        reason TEXT,
        seen INTEGER NOT NULL CHECK (seen IN (0, 1))
    ) STRICT;
    CREATE INDEX message_by_number ON message (number, id);
    CREATE INDEX message_queued ON message (id) WHERE delivery = 'queued';
";

/// Accounts, settings and drafts. AUTOINCREMENT: an account's number is never another's, for secrets are kept under it
/// elsewhere. What a document says is not ours to know, but that it is one is. Messages by their time: what a backup brings
/// is looked for there.
const ACCOUNTS: &str = "
    CREATE TABLE account (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        place INTEGER NOT NULL,
        chosen INTEGER NOT NULL DEFAULT 0 CHECK (chosen IN (0, 1)),
        enabled INTEGER NOT NULL CHECK (enabled IN (0, 1)),
        settings TEXT NOT NULL CHECK (json_valid(settings))
    ) STRICT;
    CREATE UNIQUE INDEX account_chosen ON account (chosen) WHERE chosen = 1;
    CREATE TABLE setting (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL CHECK (json_valid(value))
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE draft (
        account INTEGER NOT NULL REFERENCES account (id) ON DELETE CASCADE,
        number TEXT NOT NULL,
        text TEXT NOT NULL,
        at INTEGER NOT NULL,
        PRIMARY KEY (account, number)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX message_by_time ON message (at);
";

/// One or two letters are found by the parts of three that begin with them, which `call_part` lists with their rows; so that
/// the last letters begin some, too, two line ends stand behind all words.
const SHORT_WORDS: &str = "
    CREATE VIRTUAL TABLE call_part USING fts5vocab ('call_words', 'instance');
    UPDATE call SET words = words || char(10, 10);
";

/// Who said who called, and what that was found to be worth. What was written before has none of it.
const SAID_BY: &str = "
    ALTER TABLE call ADD COLUMN said_by TEXT;
    ALTER TABLE call ADD COLUMN verified INTEGER CHECK (verified IN (0, 1));
    ALTER TABLE call ADD COLUMN attest TEXT;
    ALTER TABLE call ADD COLUMN signature TEXT;
";
