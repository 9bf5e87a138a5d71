//! A thread that frees what the engine lets go of, so that no client waits for it.

use std::sync::mpsc::{Sender, channel};

use redis_engine::{Disposal, Rubbish};

/// Hands rubbish to a thread, which is started when there is some for the first time and ends with the
/// engine.
#[derive(Debug, Default)]
pub(crate) struct Background {
    thread: Option<Sender<Rubbish>>,
}

impl Background {
    fn start() -> Option<Sender<Rubbish>> {
        let (sender, rubbish) = channel::<Rubbish>();
        std::thread::Builder::new()
            .name("mock-upstash-disposal".to_owned())
            .spawn(move || rubbish.into_iter().for_each(drop))
            .ok()?;
        Some(sender)
    }
}

impl Disposal for Background {
    fn dispose(&mut self, rubbish: Rubbish) {
        if self.thread.is_none() {
            self.thread = Background::start();
        }
        // Without a thread it is freed here: late for others, but freed.
        match &self.thread {
            Some(thread) => drop(thread.send(rubbish)),
            None => drop(rubbish),
        }
    }
}
