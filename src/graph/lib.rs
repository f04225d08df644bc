//! The one client for Microsoft Graph, its contract registry, and a simulator behind a feature.
