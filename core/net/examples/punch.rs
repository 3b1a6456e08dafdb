//! A plain TCP stream between two people who are both behind routers.
//!
//! What is needed: a server S that both can reach and that says under which address it sees them, over TCP. The pocket exchange
//! is one, with this in its configuration and its port open to the world:
//!
//! ```toml
//! [listen]
//! stun = "192.0.2.1:3478"
//! ```
//!
//! How Ann and Bob run it: both start it with S and a word that only they know.
//!
//! ```text
//! $ cargo run -p offhook-net --example punch -- 192.0.2.1:3478 walnut
//! S sees you as 198.51.100.7:40112
//! tell the other: 198.51.100.7:40112,192.168.1.20:40112
//! the other's line:
//! ```
//!
//! Each sends the other the line behind "tell the other" (by mail, by voice) and types in the one they got, at about the same
//! time: tries go on for a minute. Then what one types the other reads, until one ends it with Ctrl-D. The first address is the
//! outside one; the others are for two who sit behind the same router. The word is for the meeting only: what is said afterwards
//! goes in the clear.
//!
//! For scripts: `punch S WORD PORT LINE` uses that port and asks nobody. Exit status 0: a stream was open; 1: none could be, the
//! reason is on standard error; 2: called wrongly. Two routers of which one maps each destination to another port can't be
//! punched; no port, word or patience changes that.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use base::Rng;
use nat::punch::{DEADLINE, Endpoints, Keep, PunchConfig};
use nat::stun::Key;
use offhook_net::punch::{ask_outside, punch};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// How long two people may take to type in each other's lines.
const TYPING: Duration = Duration::from_secs(60);

struct Wish {
    server: SocketAddr,
    word: String,
    port: u16,
    line: Option<String>,
}

fn wish() -> Option<Wish> {
    let mut args = std::env::args().skip(1);
    let (server, word) = (args.next()?.parse().ok()?, args.next()?);
    let port = args.next().map_or(Some(0), |port| port.parse().ok())?;
    Some(Wish { server, word, port, line: args.next() })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Some(wish) = wish() else {
        eprintln!("usage: punch SERVER:PORT WORD [PORT [LINE]]");
        return ExitCode::from(2);
    };
    match meet(wish).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn meet(wish: Wish) -> Result<(), String> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| format!("no randomness: {error}"))?;
    let mut rng = Rng::from_entropy(seed);
    let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, wish.port));
    // Kept open: it holds the router's mapping, and with it the address that the other is told.
    let asked = ask_outside(any, wish.server, &mut rng, None).await;
    let (to_s, outside) = asked.map_err(|error| format!("S at {}: {error}", wish.server))?;
    let local = to_s.local_addr().map_err(|error| error.to_string())?;
    let us = Endpoints { outside, inside: vec![local] };
    println!("S sees you as {outside}");
    println!("tell the other: {outside},{local}");

    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let line = match wish.line {
        Some(line) => line,
        None => {
            println!("the other's line:");
            let line = lines.next_line().await.map_err(|error| error.to_string())?;
            line.ok_or("nobody says where the other is")?
        }
    };
    let them = endpoints(&line).ok_or_else(|| format!("no addresses: {line}"))?;
    let until = Instant::now() + TYPING;
    let (mut stream, rest) = loop {
        let keep = Keep::One { name: "punch".into(), key: Key::short_term(&wish.word) };
        let config = PunchConfig { local, remotes: us.toward(&them), keep, within: DEADLINE };
        match punch(config, rng.split(), None).await {
            Ok(open) => break open,
            Err(failure) if Instant::now() > until => return Err(failure.to_string()),
            Err(failure) => eprintln!("{failure}; once more"),
        }
    };
    drop(to_s);
    println!("open: {local} to {}", stream.peer_addr().map_err(|error| error.to_string())?);
    print!("{}", String::from_utf8_lossy(&rest));
    chat(&mut stream, &mut lines).await.map_err(|error| error.to_string())
}

/// `outside[,inside...]`
fn endpoints(line: &str) -> Option<Endpoints> {
    let addresses = line.trim().split(',').map(|word| word.trim().parse().ok());
    let mut addresses = addresses.collect::<Option<Vec<SocketAddr>>>()?;
    let outside = addresses.remove(0);
    Some(Endpoints { outside, inside: addresses })
}

/// What is typed goes out, what comes is shown, until both have ended.
async fn chat(
    stream: &mut TcpStream,
    lines: &mut tokio::io::Lines<BufReader<tokio::io::Stdin>>,
) -> std::io::Result<()> {
    let (mut from, mut to) = stream.split();
    let (mut room, mut typing, mut out) = ([0; 1024], true, tokio::io::stdout());
    loop {
        tokio::select! {
            line = lines.next_line(), if typing => match line? {
                Some(line) => to.write_all(format!("{line}\n").as_bytes()).await?,
                None => {
                    typing = false;
                    to.shutdown().await?;
                }
            },
            len = from.read(&mut room) => match len? {
                0 => return Ok(()),
                len => {
                    out.write_all(&room[..len]).await?;
                    out.flush().await?;
                }
            },
        }
    }
}
