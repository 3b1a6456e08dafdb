//! Where the phone is whose memory is looked at: `--data` or `--config`, as several verbs take it.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use crate::config;
use crate::config::phone::PhoneFile;
use crate::failure::Failure;

/// The phone's database in its folder.
const FILE: &str = offhook_io::store::FILE;

/// One phone's folder, by either of its names.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The phone's folder: `data` in its settings.
    #[arg(long, value_name = "DIR", required_unless_present = "config")]
    data: Option<PathBuf>,
    /// The phone's settings, TOML, which name the folder.
    #[arg(long, value_name = "FILE", conflicts_with = "data")]
    config: Option<PathBuf>,
}

impl Place {
    /// The phone's folder.
    pub(crate) fn folder(&self) -> Result<PathBuf, Failure> {
        match (&self.data, &self.config) {
            (Some(folder), _) => Ok(folder.clone()),
            (None, Some(path)) => {
                let file: PhoneFile = config::read(path)?;
                file.data.ok_or_else(|| Failure::Usage(format!("{}: it names no `data`", path.display())))
            }
            (None, None) => Err(Failure::Usage("which phone? --data or --config".into())),
        }
    }

    /// The phone's database, which must be there; else `nothing` says what is not.
    pub(crate) fn present(&self, nothing: &str) -> Result<PathBuf, Failure> {
        let file = database(&self.folder()?);
        if file.exists() { Ok(file) } else { Err(Failure::Failed(format!("{}: {nothing}", file.display()))) }
    }

    /// The phone's database; its folder is made where there is none.
    pub(crate) fn made(&self) -> Result<PathBuf, Failure> {
        let folder = self.folder()?;
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::Usage(format!("{}: cannot be made: {error}", folder.display())))?;
        Ok(database(&folder))
    }
}

/// Where the database of a phone with this folder is.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join(FILE)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Job};

    fn place(args: &[&str]) -> Result<Place, clap::Error> {
        let cli = Cli::try_parse_from([&["offhook"], args].concat())?;
        match cli.job {
            Job::Messages(args) => Ok(args.place),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_phone_is_named_by_its_folder_or_by_its_settings_and_by_one_of_them() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("phone.toml");
        fs::write(&settings, "data = \"there\"\n").unwrap();
        let settings = settings.to_str().unwrap();
        let named = |args: &[&str]| place(args).unwrap().folder().unwrap();
        assert_eq!(named(&["messages", "--data", "here"]), Path::new("here"));
        assert_eq!(named(&["messages", "--config", settings]), Path::new("there"));
        assert!(place(&["messages"]).is_err());
        assert!(place(&["messages", "--config", settings, "--data", "here"]).is_err());
    }

    #[test]
    fn settings_without_a_folder_are_told_by_their_name() {
        let folder = tempfile::tempdir().unwrap();
        let settings = folder.path().join("phone.toml");
        fs::write(&settings, "").unwrap();
        let place = place(&["messages", "--config", settings.to_str().unwrap()]).unwrap();
        let error = place.folder().unwrap_err().to_string();
        assert!(error.ends_with("phone.toml: it names no `data`"), "{error}");
    }
}
