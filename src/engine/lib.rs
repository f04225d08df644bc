//! What an application developer embeds: operations, runs, workers.
