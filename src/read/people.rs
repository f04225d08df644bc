//! Who started operations, by name: the names on the runs that the login sees, but `System`. Asked for
//! only where a filter names a person, since `=` may use an index under row-level security and a
//! pattern may not. Where there are too many, names are asked of each row instead.

use crate::values::{Column, Values};
use opsroom_model::query::Pattern;

/// The name on runs that nobody started. No index lists it, so it stands here.
const SYSTEM: &str = "System";
pub(crate) const NAMES: Column = Column {
    name: "initiator_name",
    condition: "r.initiator_name <> 'System'",
};

/// Those whose name fits as a whole, or by its first or last words: `alice` finds Alice Meyer.
pub(crate) fn named(known: &Values, patterns: &[Pattern]) -> Vec<String> {
    let fits = |name: &str| patterns.iter().any(|pattern| pattern.fits_name(name));
    let names = known.found.iter().map(String::as_str);
    names
        .chain([SYSTEM])
        .filter(|name| fits(name))
        .map(str::to_owned)
        .collect()
}
