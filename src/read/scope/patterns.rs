//! Patterns against what is known, and as patterns of SQL.

use super::{Known, distinct};
use crate::directory::{Directory, Tenant};
use opsroom_model::query::Pattern;
use opsroom_model::query::pattern::{AnyOf, fold};

pub(super) fn tenants(directory: &Directory, fits: impl Fn(&Tenant) -> bool) -> Vec<i64> {
    let tenants = directory.tenants.iter();
    tenants
        .filter(|tenant| fits(tenant))
        .map(|tenant| tenant.id.0)
        .collect()
}

pub(super) fn tenants_named(patterns: &[Pattern], directory: &Directory) -> Vec<i64> {
    let fits = AnyOf::new(patterns);
    tenants(directory, |tenant| fits.matches(tenant.raw_name()))
}

pub(super) fn tenants_of(patterns: &[Pattern], directory: &Directory) -> Vec<i64> {
    let fits = AnyOf::new(patterns);
    tenants(directory, |tenant| fits.matches(tenant.raw_workspace()))
}

/// The types that patterns name outright or fit among those registered and those on runs. Where these
/// are not all known, what else a pattern with `*` may fit is in [`Scope::foreign_types`].
pub(super) fn types_like(patterns: &[Pattern], known: Known<'_>) -> Vec<String> {
    let mut types: Vec<String> = Vec::new();
    for pattern in patterns {
        if let Some(literal) = pattern.literal() {
            types.push(fold(literal));
        } else {
            let registered = known.directory.types.iter().map(|known| known.raw_name());
            let on_runs = known.types.found.iter().map(String::as_str);
            types.extend(
                registered
                    .chain(on_runs)
                    .filter(|name| pattern.matches(name))
                    .map(str::to_owned),
            );
        }
    }
    distinct(types)
}

/// Codes named outright, and patterns of codes.
pub(super) fn codes(patterns: &[Pattern]) -> (Vec<String>, Vec<String>) {
    let exact = patterns.iter().filter_map(Pattern::literal);
    let globs = patterns.iter().filter(|code| code.literal().is_none());
    (exact.map(fold).collect(), globs.map(like).collect())
}

pub(super) fn like(pattern: &Pattern) -> String {
    as_like(&pattern.folded())
}

pub(super) fn as_like(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_")
        .replace('*', "%")
}
