//! For tests: a database each, builders, a fault proxy, real programs in ptys.
