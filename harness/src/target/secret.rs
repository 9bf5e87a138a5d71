//! Values that must never be printed, and URLs shown without the secrets in them.

use std::fmt;

use url::Url;

/// A token or password. Printing it, in whatever way, prints `<redacted>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that must not be printed. White space around it is dropped: a token pasted
    /// with a line break is refused with 401 by Upstash, and nobody sees why.
    pub fn new(value: impl AsRef<str>) -> Self {
        Secret(value.as_ref().trim().to_owned())
    }

    /// The value itself, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// `text` with every occurrence of the secret replaced.
    pub fn redact(&self, text: &str) -> String {
        // Replacing a very short secret would shred ordinary text and protect nothing.
        if self.0.len() < 4 {
            return text.to_owned();
        }
        text.replace(&self.0, "<redacted>")
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// A URL as it may be shown: without its password, and without any query parameter's value,
/// for Upstash accepts a token as `?_token=…`.
pub fn redact_url(url: &Url) -> String {
    let mut shown = url.clone();
    if shown.password().is_some() {
        // A URL that cannot carry a password has none either.
        let _ = shown.set_password(Some("redacted"));
    }
    let names: Vec<String> = url
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    shown.set_query(None);
    if !names.is_empty() {
        let query: Vec<String> = names
            .iter()
            .map(|name| format!("{name}=redacted"))
            .collect();
        shown.set_query(Some(&query.join("&")));
    }
    let text = shown.to_string();
    text.strip_suffix('/').map_or(text.clone(), str::to_owned)
}

/// What `redact_url` does, for a text that is not known to be a URL: an unparsable one may still
/// hold a password between `:` and `@`.
pub fn redact_text(text: &str) -> String {
    if let Ok(url) = Url::parse(text)
        && url.has_host()
    {
        return redact_url(&url);
    }
    match (text.find("://"), text.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 < at => {
            format!("{}redacted{}", &text[..scheme + 3], &text[at..])
        }
        (None, Some(at)) => format!("redacted{}", &text[at..]),
        _ => text.to_owned(),
    }
}
