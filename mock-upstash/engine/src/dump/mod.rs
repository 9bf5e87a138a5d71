//! DUMP payloads: values in the RDB format, for RESTORE here and in a real Redis.
