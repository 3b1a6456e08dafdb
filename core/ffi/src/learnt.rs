//! What was found out about networks, in a small file beside the phone's database: it is this device's, and no backup has it.
//!
//! The file is replaced whole, so that a phone that dies in the middle of it has the old one. Lost, all of it is found out
//! anew. Knows nothing of what it is for.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use phone::{AccountId, Learnt, Lifetime, NetworkKey, Rung, Tampering};
use serde::{Deserialize, Serialize};

const FILE: &str = "networks.json";
/// Networks remembered.
const MOST: usize = 64;

/// Lifetimes in seconds; a silence that never broke has none. Words of other versions are passed over.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct KeptNetwork {
    /// The network's key.
    #[serde(default)]
    network: String,
    /// What stood in the key's place once; never written.
    #[serde(default, skip_serializing)]
    identity: String,
    udp: (f64, Option<f64>),
    tcp: (f64, Option<f64>),
    #[serde(default)]
    carriers: Vec<(u32, String)>,
    #[serde(default)]
    router: Vec<String>,
    #[serde(default)]
    met: u32,
}

impl KeptNetwork {
    fn of(learnt: &Learnt) -> Self {
        let figures = |it: Lifetime| (it.held.as_secs_f64(), it.broke.map(|broke| broke.as_secs_f64()));
        let carriers = learnt.carriers.iter().map(|(account, rung)| (account.0, rung.word().into()));
        Self {
            network: learnt.network.to_string(),
            identity: String::new(),
            udp: figures(learnt.udp),
            tcp: figures(learnt.tcp),
            carriers: carriers.collect(),
            router: learnt.router.iter().map(|it| it.word().into()).collect(),
            met: learnt.met,
        }
    }

    fn learnt(&self) -> Option<Learnt> {
        let lifetime =
            |(held, broke): (f64, Option<f64>)| Lifetime { held: seconds(held), broke: broke.map(seconds) };
        let carriers = self.carriers.iter().filter_map(|(account, word)| {
            let rung = Rung::ALL.into_iter().find(|rung| rung.word() == word)?;
            Some((AccountId(*account), rung))
        });
        let does = |it: &Tampering| self.router.iter().any(|word| word == it.word());
        Some(Learnt {
            network: NetworkKey::read(&self.network)?,
            udp: lifetime(self.udp),
            tcp: lifetime(self.tcp),
            carriers: carriers.collect(),
            router: Tampering::ALL.into_iter().filter(does).collect(),
            met: self.met,
        })
    }
}

/// Of a file that somebody may have written in.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default().min(Duration::from_hours(24))
}

/// What is known of networks.
#[derive(Debug)]
pub(crate) struct Networks {
    folder: PathBuf,
    kept: Vec<KeptNetwork>,
}

impl Networks {
    /// Reads what there is. A file that makes no sense is none.
    pub(crate) fn open(folder: &Path) -> Self {
        let read = fs::read(folder.join(FILE)).ok();
        let kept = read.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { folder: folder.to_owned(), kept }
    }

    /// The one longest not heard of first.
    pub(crate) fn all(&self) -> impl Iterator<Item = Learnt> {
        self.kept.iter().filter_map(KeptNetwork::learnt)
    }

    /// Keeps what was found out about one.
    ///
    /// # Errors
    /// It cannot be written, and everything is as it was.
    pub(crate) fn learn(&mut self, learnt: &Learnt) -> io::Result<()> {
        let new = KeptNetwork::of(learnt);
        let mut kept = self.kept.clone();
        kept.retain(|it| it.network != new.network);
        if kept.len() >= MOST {
            kept.remove(0);
        }
        kept.push(new);
        self.write(kept)
    }

    /// Takes over what an earlier version kept beside its accounts, which may name networks as the platform did; what is known
    /// here already stays.
    ///
    /// # Errors
    /// As for [`Self::learn`].
    pub(crate) fn take_over(&mut self, mut old: Vec<KeptNetwork>) -> io::Result<()> {
        for network in old.iter_mut().filter(|it| !it.identity.is_empty()) {
            network.network = NetworkKey::of(&std::mem::take(&mut network.identity)).to_string();
        }
        old.retain(|it| self.kept.iter().all(|known| known.network != it.network));
        old.extend(self.kept.iter().cloned());
        old.drain(..old.len().saturating_sub(MOST));
        self.write(old)
    }

    fn write(&mut self, kept: Vec<KeptNetwork>) -> io::Result<()> {
        let new = self.folder.join("networks.new");
        let mut file = fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(&kept).map_err(io::Error::other)?)?;
        file.sync_all()?;
        fs::rename(new, self.folder.join(FILE))?;
        self.kept = kept;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn what_was_found_out_about_networks_outlives_the_process_and_does_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let mut networks = Networks::open(folder.path());
        let udp = Lifetime { held: Duration::from_secs(95), broke: Some(Duration::from_millis(104_500)) };
        let carriers = vec![(AccountId(1), Rung::Tls443), (AccountId(2), Rung::Tcp)];
        let router = [Tampering::Head, Tampering::Swallows].into();
        let of = |identity: String| Learnt {
            udp,
            carriers: carriers.clone(),
            router: BTreeSet::clone(&router),
            met: 3,
            ..Learnt::nothing(NetworkKey::of(&identity))
        };
        for number in 0..100 {
            networks.learn(&of(format!("network {number}"))).unwrap();
        }
        networks.learn(&of("network 50".into())).unwrap();
        let mut networks = Networks::open(folder.path());
        assert_eq!(networks.all().count(), MOST);
        assert_eq!(networks.all().last(), Some(of("network 50".into())));
        // A folder where the new file would go: root may write anywhere else.
        fs::create_dir(folder.path().join("networks.new")).unwrap();
        assert!(networks.learn(&of("network 7".into())).is_err());
        assert_eq!(networks.all().last(), Some(of("network 50".into())));
    }

    #[test]
    fn what_names_networks_is_taken_over_and_names_them_no_longer() {
        let folder = tempfile::tempdir().unwrap();
        let old = r#"[{"identity":"Ann's Wi-Fi","udp":[95.0,104.5],"tcp":[60.0,null]},
            {"network":"no key","udp":[1.0,null],"tcp":[1.0,null],"router":["whatever"]}]"#;
        let seconds = Duration::from_secs_f64;
        let udp = Lifetime { held: seconds(95.0), broke: Some(seconds(104.5)) };
        let tcp = Lifetime { held: seconds(60.0), broke: None };
        let known = Learnt { udp, tcp, ..Learnt::nothing(NetworkKey::of("Ann's Wi-Fi")) };
        for _ in 0..2 {
            Networks::open(folder.path()).take_over(serde_json::from_str(old).unwrap()).unwrap();
            assert_eq!(Networks::open(folder.path()).all().collect::<Vec<_>>(), std::slice::from_ref(&known));
        }
        assert!(!fs::read_to_string(folder.path().join(FILE)).unwrap().contains("Ann"));
    }

    #[test]
    fn a_file_that_makes_no_sense_is_none() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(FILE), "{\"last\":").unwrap();
        assert_eq!(Networks::open(folder.path()).all().count(), 0);
    }
}
