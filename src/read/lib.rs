//! Bounded, typed SELECTs on a session that cannot write.
