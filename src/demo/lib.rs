//! One command that shows live operation runs on a private PostgreSQL.
