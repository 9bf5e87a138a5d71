//! A local Upstash: the REST API and the Redis protocol over an embedded engine.
