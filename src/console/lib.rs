//! The terminal console and its read-only command line.
