//! Comparison: what two targets answered, what a document expects, and whose fault it is when they
//! do not agree.
//!
//! Two replies are first folded into what both transports can say ([`fold`]), then compared as
//! strictly as the document allows ([`Mode`]); what differs has a [`Kind`] and a [`Severity`]. The
//! [`judge`] draws the verdict for a scenario from all that its targets did, holds every difference
//! against the [`Catalogue`] of documented ones, and says where it comes from ([`Blame`]).

mod canonical;
mod catalogue;
mod difference;
mod expectation;
mod judge;
mod reply;

pub use canonical::fold;
pub use catalogue::{BUILT_IN, Catalogue, CatalogueError, Confidence, Entry, Sighting};
pub use difference::{Difference, Kind, Severity};
pub use expectation::{difference, mode, only_reply};
pub use judge::{Against, Blame, Finding, Judgement, Side, Verdict, judge, varying};
pub use reply::{Mode, code, compare, type_name};
