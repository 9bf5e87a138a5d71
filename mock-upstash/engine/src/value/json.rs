//! A JSON document.

/// A JSON document.
#[derive(Debug, Clone)]
pub struct Json(pub serde_json::Value);
