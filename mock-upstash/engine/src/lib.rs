//! An embedded, synchronous store that answers Redis commands as Redis does, or as Upstash does.
