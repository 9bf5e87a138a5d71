//! A file of the keys that a run makes on somebody else's server, so that the next run can remove
//! what a killed one left behind.
//!
//! A journal is locked while its run lives; one that can be locked belongs to a run that is dead.
//! The first line names the server, every further line a key, escaped so that it stays one line.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// The journal of this run.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
}

impl Journal {
    /// Begins a journal for a server, which is named without its password.
    pub(crate) fn create(folder: &Path, server: &str) -> std::io::Result<Journal> {
        std::fs::create_dir_all(folder)?;
        let name = format!("{}-{:016x}.keys", std::process::id(), rand::random::<u64>());
        let path = folder.join(name);
        let mut file = OpenOptions::new()
            .create_new(true)
            .append(true)
            .open(&path)?;
        file.lock()?;
        writeln!(file, "{}", escape(server.as_bytes()))?;
        Ok(Journal { path, file })
    }

    /// Notes a key, before it is written to.
    pub(crate) fn note(&mut self, key: &[u8]) -> std::io::Result<()> {
        // One write for each line: what a killed process wrote is whole, or missing at the end.
        self.file.write_all(format!("{}\n", escape(key)).as_bytes())
    }

    /// Ends the journal: nothing is left on the server.
    pub(crate) fn close(self) {
        // A file that stays costs the next run a few DELs of keys that are not there.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// What a dead run left: its journal, still locked by us, and the keys in it.
pub(crate) struct Orphan {
    path: PathBuf,
    _locked: File,
    pub(crate) keys: Vec<Vec<u8>>,
}

impl Orphan {
    /// The journals of dead runs on this server.
    pub(crate) fn find(folder: &Path, server: &str) -> Vec<Orphan> {
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Vec::new();
        };
        entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "keys")
            })
            .filter_map(|path| Orphan::open(path, server))
            .collect()
    }

    fn open(path: PathBuf, server: &str) -> Option<Orphan> {
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .open(&path)
            .ok()?;
        file.try_lock().ok()?;
        let mut text = Vec::new();
        (&file).read_to_end(&mut text).ok()?;
        // A line without an end was being written when the run died. Half a key is somebody
        // else's key, perhaps.
        let mut lines = text
            .split_inclusive(|byte| *byte == b'\n')
            .filter_map(|line| line.strip_suffix(b"\n"));
        if unescape(lines.next()?)? != server.as_bytes() {
            return None;
        }
        let keys = lines.filter_map(unescape).collect();
        Some(Orphan {
            path,
            _locked: file,
            keys,
        })
    }

    /// Removes the journal: its keys are gone.
    pub(crate) fn forget(self) {
        // One that stays is found again, and its keys are gone already.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Where journals are kept unless the user says otherwise.
pub(crate) fn default_folder() -> PathBuf {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("XDG_STATE_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/state")))
        .unwrap_or_else(std::env::temp_dir)
        .join("swapcheck")
}

fn escape(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

/// The reverse of [`escape`]; `None` for a line that it did not write.
fn unescape(line: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(line.len());
    let mut rest = line.iter().copied();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        bytes.push(match rest.next()? {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'x' => {
                let digits = [rest.next()?, rest.next()?];
                u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?
            }
            quoted => quoted,
        });
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_of_a_live_run_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::create(folder.path(), "redis://a:1").unwrap();
        let odd: Vec<u8> = (0..=255).collect();
        journal.note(b"plain").unwrap();
        journal.note(&odd).unwrap();
        assert!(Orphan::find(folder.path(), "redis://a:1").is_empty());

        // Dropping the file unlocks it, as the death of a process does.
        drop(journal);
        assert!(Orphan::find(folder.path(), "redis://b:1").is_empty());
        let mut orphans = Orphan::find(folder.path(), "redis://a:1");
        assert_eq!(orphans.len(), 1);
        let orphan = orphans.pop().unwrap();
        assert_eq!(orphan.keys, [b"plain".to_vec(), odd]);
        orphan.forget();
        assert!(Orphan::find(folder.path(), "redis://a:1").is_empty());
    }

    #[test]
    fn a_closed_journal_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        Journal::create(folder.path(), "s").unwrap().close();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
