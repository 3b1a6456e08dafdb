//! The command line of `offhook contacts`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::place::Place;

const CONTACTS_EXAMPLES: &str = "\
Examples:
  offhook contacts --data phone-data add \"Ann Smith\" +49301234
  offhook contacts --data phone-data --region DE import book.vcf
  offhook contacts --data phone-data find 266         by the keys of a telephone too
  offhook contacts --data phone-data find             as one types
  offhook contacts --data phone-data block 0900123

Exit status: 0 done, 1 it could not be done, 2 called wrongly.";

#[derive(Debug, Args)]
#[command(after_help = CONTACTS_EXAMPLES)]
pub(crate) struct ContactsArgs {
    #[command(flatten)]
    pub(crate) place: Place,
    /// Where numbers without a country's sign are at home: `DE`.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// One JSON object a contact.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) job: ContactsJob,
}

/// What is to be done to the phone book. While no phone runs on the folder, unless it only shows.
#[derive(Debug, Subcommand)]
pub(crate) enum ContactsJob {
    /// All of them, by name.
    List {
        /// Only those of this group.
        #[arg(long, value_name = "NAME")]
        group: Option<String>,
        /// Only those that were marked as favourites.
        #[arg(long)]
        favourites: bool,
    },
    /// By the beginnings of words, by the keys of a telephone, or by part of a number.
    Find {
        /// As it is typed; without it, on a terminal, it is typed there and what fits is shown with each key.
        text: Option<String>,
    },
    /// Adds one.
    Add {
        /// What it is called.
        name: String,
        /// Numbers and addresses.
        numbers: Vec<String>,
    },
    /// Removes one.
    Remove {
        /// Its id, as it is shown.
        id: u64,
    },
    /// Marks one as a favourite.
    Favourite {
        /// Its id, as it is shown.
        id: u64,
        /// No longer.
        #[arg(long)]
        off: bool,
    },
    /// Puts one into a group, which begins with its first and ends with its last.
    Group {
        /// What the group is called.
        name: String,
        /// The contact's id, as it is shown.
        id: u64,
        /// Takes it out.
        #[arg(long)]
        off: bool,
    },
    /// The groups, and how many are in each.
    Groups,
    /// Adds those of a vCard file.
    Import {
        /// 2.1, 3.0 or 4.0.
        file: PathBuf,
    },
    /// All of them as a vCard file, on stdout.
    Export,
    /// A number that is not to ring any more.
    Block {
        /// The number, or an address.
        number: String,
        /// It may ring again.
        #[arg(long)]
        off: bool,
    },
    /// Numbers that do not ring.
    Blocked,
    /// What a digit from 1 to 9 calls, or is to call.
    Speed {
        /// The digit.
        #[arg(value_parser = clap::value_parser!(u8).range(1..=9))]
        digit: u8,
        /// The number.
        number: Option<String>,
    },
}
