//! A server that exists only in memory and gives the replies a test wants, and runs on it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use scenarios::client::{Capabilities, Client, Command, Subscription};
use scenarios::reply::Expressiveness;
use scenarios::{ClientError, Connector, Document, Reply};
use swapcheck::baseline::Baseline;
use swapcheck::compare::Catalogue;
use swapcheck::run::{Events, Outcome, Plan, Planned, execute, summarize};
use swapcheck::target::{Target, TargetKind};
use tokio::sync::watch;

/// What a fake changes of the replies an honest server gives.
pub(crate) type Twist = dyn Fn(&[String], Reply) -> Result<Reply, ClientError> + Send + Sync;

type Data = Arc<Mutex<BTreeMap<String, String>>>;

/// An honest little server of strings, with a twist.
#[derive(Clone)]
pub(crate) struct Fake {
    data: Data,
    twist: Arc<Twist>,
    capabilities: Capabilities,
}

impl Fake {
    /// A server that answers as Redis does.
    pub(crate) fn honest() -> Self {
        Fake::twisted(|_, honest| Ok(honest))
    }

    /// A server whose replies are changed.
    pub(crate) fn twisted(
        twist: impl Fn(&[String], Reply) -> Result<Reply, ClientError> + Send + Sync + 'static,
    ) -> Self {
        Fake {
            data: Arc::default(),
            twist: Arc::new(twist),
            capabilities: Capabilities {
                expressiveness: Expressiveness::Resp2,
                connection: true,
                blocking: true,
                rest: false,
            },
        }
    }

    /// A server that answers one command, whatever its arguments, with the same reply always.
    pub(crate) fn answering(name: &'static str, reply: Reply) -> Self {
        Fake::twisted(move |command, honest| {
            Ok(if command[0] == name {
                reply.clone()
            } else {
                honest
            })
        })
    }

    /// The same server behind REST.
    pub(crate) fn over_rest(mut self) -> Self {
        self.capabilities = Capabilities {
            expressiveness: Expressiveness::Json,
            connection: false,
            blocking: false,
            rest: true,
        };
        self
    }

    /// The server as a target.
    pub(crate) fn target(self, name: &str, kind: TargetKind) -> Target {
        Target::around(name, kind, Arc::new(self), true)
    }

    fn answer(&self, command: &Command) -> Result<Reply, ClientError> {
        let words: Vec<String> = command
            .iter()
            .map(|word| String::from_utf8_lossy(word).into_owned())
            .collect();
        let honest = self.honestly(&words);
        let reply = (self.twist)(&words, honest)?;
        Ok(match reply {
            // JSON cannot tell a status from a string.
            Reply::Status(text) if self.capabilities.rest => Reply::Bulk(text.into_bytes()),
            other => other,
        })
    }

    fn honestly(&self, words: &[String]) -> Reply {
        let mut data = self
            .data
            .lock()
            .expect("no test panics while it holds the data");
        let arguments: Vec<&str> = words.iter().map(String::as_str).collect();
        match arguments.as_slice() {
            ["PING"] => Reply::Status("PONG".into()),
            ["SET", key, value, ..] => {
                data.insert((*key).to_owned(), (*value).to_owned());
                Reply::Status("OK".into())
            }
            ["GET", key] => match data.get(*key) {
                Some(value) => Reply::Bulk(value.clone().into_bytes()),
                None => Reply::Nil,
            },
            ["DEL" | "UNLINK", keys @ ..] => {
                let gone = keys
                    .iter()
                    .filter(|key| data.remove(**key).is_some())
                    .count();
                Reply::Integer(gone as i64)
            }
            ["MGET", keys @ ..] => Reply::Array(
                keys.iter()
                    .map(|key| match data.get(*key) {
                        Some(value) => Reply::Bulk(value.clone().into_bytes()),
                        None => Reply::Nil,
                    })
                    .collect(),
            ),
            [name, ..] => Reply::Error(format!("ERR unknown command '{name}'")),
            [] => Reply::Error("ERR empty command".into()),
        }
    }
}

#[async_trait]
impl Connector for Fake {
    async fn connect(&self) -> Result<Box<dyn Client>, ClientError> {
        Ok(Box::new(self.clone()))
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }
}

#[async_trait]
impl Client for Fake {
    async fn command(&mut self, command: &Command) -> Result<Reply, ClientError> {
        self.answer(command)
    }

    async fn pipeline(&mut self, commands: &[Command]) -> Result<Vec<Reply>, ClientError> {
        commands
            .iter()
            .map(|command| self.answer(command))
            .collect()
    }

    async fn transaction(&mut self, commands: &[Command]) -> Result<Reply, ClientError> {
        self.pipeline(commands).await.map(Reply::Array)
    }

    async fn subscribe(
        &mut self,
        _: &[Vec<u8>],
        _: bool,
    ) -> Result<Box<dyn Subscription>, ClientError> {
        Err(ClientError::Unsupported(
            "the fake has no subscriptions".into(),
        ))
    }
}

/// A plan for the scenarios of a document, the first target being the reference.
pub(crate) fn plan(document: &str, targets: Vec<Target>) -> Plan {
    let document = Document::parse("notes/test.md", document).expect("a document without mistakes");
    let planned = |scenario| Planned {
        document: document.path.clone(),
        scenario,
    };
    Plan {
        scenarios: document.scenarios.iter().cloned().map(planned).collect(),
        targets,
        reference: Some(0),
        absent: Vec::new(),
        required: Vec::new(),
        catalogue: Catalogue::default(),
        self_check: false,
        jobs: 2,
        seed: 1,
        run_id: "00000000002a".into(),
        credentials: false,
    }
}

/// Runs a plan to its end.
pub(crate) async fn run(plan: Plan) -> Outcome {
    run_against(plan, None).await
}

/// Runs a plan to its end and holds it against a baseline.
pub(crate) async fn run_against(plan: Plan, baseline: Option<&Baseline>) -> Outcome {
    let plan = Arc::new(plan);
    let (events, _listener) = Events::channel();
    let (_keep, stop) = watch::channel(false);
    let executed = execute(&plan, &events, &stop).await;
    let duration = Duration::from_millis(1_234);
    summarize(
        &plan,
        &executed,
        baseline,
        Timestamp::UNIX_EPOCH,
        duration,
        false,
    )
}
