//! `--shard 1/4`: one part of a job that several machines share.

/// One part of several: `1/4`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shard {
    part: usize,
    parts: usize,
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.part, self.parts)
    }
}

impl Shard {
    /// Keeps what is in this part: every so manieth thing, so that slow neighbours are spread.
    pub(super) fn keep<T>(self, all: &mut Vec<T>) {
        let mut index = 0;
        all.retain(|_| {
            index += 1;
            (index - 1) % self.parts == self.part - 1
        });
    }
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no part: write 1/4 for the first of four");
        let (part, parts) = text.split_once('/').ok_or_else(wrong)?;
        let part = part.parse::<usize>().map_err(|_| wrong())?;
        let parts = parts.parse::<usize>().map_err(|_| wrong())?;
        if part == 0 || part > parts {
            return Err(wrong());
        }
        Ok(Shard { part, parts })
    }
}
