//! The vocabulary of opsroom, pure: run, state, counts, failures, identity, sanitizer, query language.
