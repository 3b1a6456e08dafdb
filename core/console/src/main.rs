//! `offhook`: the phone in a terminal, the pocket exchange, and the demo.
//!
//! Decides nothing about calls: it reads settings and commands, hands them to the phone, and shows what it tells.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a console speaks there")]

mod accounts;
mod backup;
#[cfg(feature = "rest")]
mod balance;
mod cli;
mod config;
mod contacts;
mod demo;
mod diagnose;
mod exchange;
mod failure;
mod history;
mod messages;
mod number;
mod phone;
mod place;
mod typing;
mod vault;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Job};

fn main() -> ExitCode {
    history::find_time_zone();
    let done = match Cli::parse().job {
        Job::Demo(args) => demo::run(&args),
        Job::Exchange(args) => exchange::run(&args),
        Job::Phone(args) => phone::run(&args),
        Job::Diagnose(args) => diagnose::run(&args),
        Job::History(args) => history::run(&args),
        Job::Messages(args) => messages::run(&args),
        Job::Contacts(args) => contacts::run(&args),
        Job::Numbers(args) => number::run(&args),
        #[cfg(feature = "rest")]
        Job::Balance(args) => balance::run(&args),
        #[cfg(feature = "rest")]
        Job::Callback(args) => balance::call_back(&args),
        #[cfg(not(feature = "rest"))]
        Job::Balance(_) | Job::Callback(_) => {
            Err(failure::Failure::Usage(format!("the provider is {}", config::parts::NOT_IN_THIS_BUILD)))
        }
        Job::Backup(args) => backup::back_up(&args),
        Job::Restore(args) => backup::restore(&args),
        Job::Accounts(args) => accounts::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("offhook: {failure}");
            failure.exit_code()
        }
    }
}
