//! What swapcheck checks: scenario documents and concurrent workloads, independent of how they are run.
//!
//! A scenario document is a Markdown file that people read and a runner executes; `README.md` of this
//! package is its cookbook. A runner parses it, renders each step into a command, and holds the reply
//! against what the document expects:
//!
//! ````
//! use scenarios::reply::Expressiveness;
//! use scenarios::{Action, Bindings, Captures, Document, Reply};
//!
//! let text = "
//! ### A lock has one holder
//! If the second caller also gets `OK`, two workers run the same job.
//!
//! ```redis
//! b> SET {lock} bob NX
//! (nil)
//! ```
//! ";
//! let document = Document::parse("scenarios/locks/example.md", text)?;
//! let scenario = &document.scenarios[0];
//! assert_eq!(scenario.id, "locks/example/a-lock-has-one-holder");
//!
//! // `{lock}` becomes a key that nobody else uses.
//! let keys = |name: &str| format!("run:7:{name}").into_bytes();
//! let bindings = Bindings { keys: &keys, captures: &Captures::new() };
//! let step = &scenario.steps[0];
//! let Action::Command(command) = &step.action else { panic!("a command") };
//! assert_eq!(command.render(bindings)?[1], b"run:7:lock");
//!
//! let expected = step.expect.as_ref().expect("not a probe");
//! assert!(expected.check(&Reply::Nil, Expressiveness::Json, bindings).is_ok());
//! let mismatch = expected.check(&Reply::Status("OK".into()), Expressiveness::Json, bindings);
//! assert_eq!(mismatch.unwrap_err().to_string(), "expected (nil), got OK");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ````
//!
//! In reading order: [`client`] is the one trait through which every target is spoken to, [`reply`]
//! what it answers; [`document`], [`step`], [`requirement`] and [`expectation`] are what a document
//! says, [`error`] what is said about its mistakes; [`print`](mod@print) writes replies as redis-cli does and
//! [`record`] writes them into a document; [`key_position`] tells which arguments are keys, [`cursor`]
//! walks over them; [`workload`] holds what many clients do at once and [`history`] checks what came of
//! it; [`suite`](mod@suite) holds the documents that come with swapcheck and [`selector`] picks from
//! them.

pub mod client;
pub mod cursor;
pub mod document;
pub mod error;
pub mod expectation;
pub mod glob;
pub mod history;
pub mod key_position;
mod matching;
pub mod print;
pub mod record;
pub mod reply;
pub mod requirement;
pub mod selector;
pub mod step;
pub mod suite;
mod syntax;
pub mod workload;

pub use client::{Client, ClientError, Connector};
pub use document::{Document, Location, Scenario};
pub use error::ParseErrors;
pub use expectation::{Expectation, Mismatch};
pub use reply::Reply;
pub use requirement::Requirement;
pub use selector::Selector;
pub use step::{Action, Argument, Bindings, Captures, CommandTemplate, Step};
pub use suite::suite;
