//! The operation families and their domain tables.
