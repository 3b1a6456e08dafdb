//! A document's fields by their paths: `nat.stun` is `stun` in the table `nat`.
//!
//! RFC 8259 objects in objects. Which names there are is read from the forms themselves. Knows neither what the fields mean nor
//! which of them are secret.

use serde::de::{DeserializeOwned, Visitor, value};
use serde::{Deserializer, forward_to_deserialize_any};
use serde_json::{Map, Value};

use crate::form::{CallerIdForm, Form, NatForm, PushForm, StirForm, VosForm};
use crate::purse::{BalanceForm, CallBackForm, MinutesForm, TopUpForm};

/// The tables of a document whose fields have names, by their paths.
pub(crate) const TABLES: [&str; 9] = [
    "vos",
    "caller_id",
    "stir",
    "push",
    "nat",
    "balance",
    "balance.minutes",
    "balance.top_up",
    "balance.callback",
];

pub(crate) fn names_in(table: &str) -> &'static [&'static str] {
    match table {
        "vos" => names_of::<VosForm>(),
        "caller_id" => names_of::<CallerIdForm>(),
        "stir" => names_of::<StirForm>(),
        "push" => names_of::<PushForm>(),
        "nat" => names_of::<NatForm>(),
        "balance" => names_of::<BalanceForm>(),
        "balance.minutes" => names_of::<MinutesForm>(),
        "balance.top_up" => names_of::<TopUpForm>(),
        "balance.callback" => names_of::<CallBackForm>(),
        _ => &[],
    }
}

pub(crate) fn is_known(path: &str) -> bool {
    match path.rsplit_once('.') {
        Some((table, name)) => names_in(table).contains(&name),
        None => !["offhook", "provider", "default"].contains(&path) && names_of::<Form>().contains(&path),
    }
}

/// The paths of all that is not a table.
pub(crate) fn names_within(fields: &Map<String, Value>, before: &str, names: &mut Vec<String>) {
    for (name, value) in fields {
        match value {
            Value::Object(within) => names_within(within, &format!("{before}{name}."), names),
            _ => names.push(format!("{before}{name}")),
        }
    }
}

/// The table of that path; `make`: with all that is missing on the way to it.
pub(crate) fn table_mut<'a>(
    fields: &'a mut Map<String, Value>,
    path: &str,
    make: bool,
) -> Option<&'a mut Map<String, Value>> {
    path.split('.').try_fold(fields, |within, name| {
        if make && !within.contains_key(name) {
            within.insert(name.to_owned(), Value::Object(Map::new()));
        }
        within.get_mut(name)?.as_object_mut()
    })
}

/// Whether there is a table for the field of that path.
pub(crate) fn is_there(fields: &Map<String, Value>, path: &str) -> bool {
    let Some((table, _)) = path.rsplit_once('.') else { return true };
    table.split('.').try_fold(fields, |within, name| within.get(name)?.as_object()).is_some()
}

/// Puts a value at a path; `None` takes it away.
pub(crate) fn put(fields: &mut Map<String, Value>, path: &str, value: Option<Value>) {
    let (within, name) = match path.rsplit_once('.') {
        Some((table, name)) => match table_mut(fields, table, value.is_some()) {
            Some(within) => (within, name),
            None => return,
        },
        None => (fields, path),
    };
    match value {
        Some(value) => drop(within.insert(name.to_owned(), value)),
        None => drop(within.remove(name)),
    }
}

/// The names of a struct's fields, as it is read.
pub(crate) fn names_of<T: DeserializeOwned>() -> &'static [&'static str] {
    struct Names<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = value::Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, value::Error> {
            Err(serde::de::Error::custom("only a struct has names"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, value::Error> {
            *self.0 = fields;
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    let mut names: &'static [&'static str] = &[];
    // It fails always: nothing was there to be read.
    let _ = T::deserialize(Names(&mut names));
    names
}
