//! The worker: executes runs; its command line migrates, starts and administers.
