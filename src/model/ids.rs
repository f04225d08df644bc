//! Newtypes of the identifiers people and code pass around. Nothing about what they identify.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = std::num::ParseIntError;

            /// Accepts the number alone or with the `#` people write before it.
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix('#').unwrap_or(text).parse().map(Self)
            }
        }
    };
}

id!(
    /// `operation_runs.id`.
    RunId
);
id!(
    /// `tenants.id`.
    TenantId
);
id!(
    /// `users.id`. Several logins may belong to one user.
    UserId
);
