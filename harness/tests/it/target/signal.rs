//! The program itself as a guest that is interrupted, asked to end, or killed.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::guest::{everything, expiry_of, with_others_keys};
use crate::server::RedisServer;

/// One scenario that sees its keys' expiries and one that does not, both at work for a while.
const SLOW: &str = "# Slow

## A key stays
Who relies on it: a test.

```redis
> SET {guarded} v
OK
wait 60s
> GET {guarded}
\"v\"
```

## A key has no expiry
Who relies on it: a test.

```redis
> SET {observed} v
OK
> TTL {observed}
(integer) -1
wait 60s
> GET {observed}
\"v\"
```
";

/// Starts a run of the slow document.
fn start(server: &RedisServer, folder: &Path) -> Child {
    let document = folder.join("slow.md");
    std::fs::write(&document, SLOW).unwrap();
    Command::new(env!("CARGO_BIN_EXE_swapcheck"))
        .arg("run")
        .arg(&document)
        .args(["--target", &server.url()])
        .env("XDG_STATE_HOME", folder)
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Waits until the run has made this many keys, and returns their names.
async fn ours(server: &RedisServer, count: usize) -> Vec<String> {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        let names: Vec<String> = everything(server)
            .await
            .into_iter()
            .map(|(key, _, _)| String::from_utf8_lossy(&key).into_owned())
            .filter(|key| key.ends_with(":guarded") || key.ends_with(":observed"))
            .collect();
        if names.len() == count {
            return names;
        }
        assert!(Instant::now() < limit, "the run made {names:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn an_interrupted_run_leaves_nothing_behind() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    for signal in ["-INT", "-TERM"] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = start(&server, folder.path());
        ours(&server, 2).await;
        send(signal, &child);
        let status = child.wait().unwrap();
        assert!(!status.success(), "{signal}: {status}");
        assert_eq!(everything(&server).await, before, "{signal}");
    }
}

#[tokio::test]
async fn after_a_kill_keys_expire_or_the_next_run_deletes_them() {
    let Some(server) = RedisServer::start(&[]) else {
        return;
    };
    with_others_keys(&server).await;
    let before = everything(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let mut child = start(&server, folder.path());
    let names = ours(&server, 2).await;
    let guarded = names
        .iter()
        .find(|name| name.ends_with(":guarded"))
        .unwrap();
    let expires_in = expiry_of(&server, guarded).await;
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        (3_000_000..=3_600_000).contains(&expires_in),
        "{expires_in} ms"
    );
    ours(&server, 2).await;

    let mut next = start(&server, folder.path());
    // The keys of the killed run are gone before those of the next are made, under other names.
    let limit = Instant::now() + Duration::from_secs(30);
    while ours(&server, 2)
        .await
        .iter()
        .any(|name| names.contains(name))
    {
        assert!(
            Instant::now() < limit,
            "the keys of the killed run are still there"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    send("-INT", &next);
    next.wait().unwrap();
    assert_eq!(everything(&server).await, before);
}
