//! Making sure that what swapcheck started ends with it, however it ends.
//!
//! A shell waits on a pipe that only this process holds. When the process ends, by whatever way
//! (return, panic, Ctrl-C, `kill -9`), the pipe is closed by the kernel, the shell reads its end,
//! and cleans up. The shell runs in a process group of its own, so that Ctrl-C in the terminal does
//! not reach it.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

/// A shell script that runs its second half when this value, or the process, is gone.
#[derive(Debug)]
pub(crate) struct Reaper {
    shell: Option<Child>,
}

impl Reaper {
    /// Runs `before` in a shell at once, and `after` when the time has come. Both see `arguments`
    /// as `$1`, `$2` …, and what `before` set.
    pub(crate) fn start<S: AsRef<OsStr>>(
        before: &str,
        after: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> std::io::Result<Self> {
        // A line on the pipe says that there is nothing to do.
        let script = format!(
            "trap '' INT TERM HUP QUIT\n{before}\nif read -r _; then exit 0; fi\n{after}\n"
        );
        let shell = Command::new("/bin/sh")
            .arg("-c")
            .arg(script)
            .arg("swapcheck-reaper")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        Ok(Reaper { shell: Some(shell) })
    }

    /// Cleans up now, and waits until that is done.
    pub(crate) fn reap(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            drop(shell.stdin.take());
            // A shell that cannot be waited for has ended.
            let _ = shell.wait();
        }
    }

    /// There is nothing to clean up any more.
    pub(crate) fn dismiss(&mut self) {
        if let Some(mut shell) = self.shell.take() {
            if let Some(mut stdin) = shell.stdin.take() {
                let _ = stdin.write_all(b"\n");
            }
            let _ = shell.wait();
        }
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        self.reap();
    }
}
