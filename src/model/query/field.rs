//! The names before the colon, in one table: what is understood, offered and explained.

use std::fmt;

/// A field of the language.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the table below says in words what each is")]
pub enum Field {
    Tenant,
    Workspace,
    Type,
    Is,
    Code,
    By,
    Id,
    Since,
    Until,
    Took,
    /// With the key.
    Context(String),
}

/// Name, what it is, an example of it, in the order they are offered.
const TABLE: &[(Field, &str, &str, &str)] = &[
    (
        Field::Tenant,
        "tenant",
        "the tenant's name",
        "tenant:contoso,fab*",
    ),
    (
        Field::Type,
        "type",
        "resource.action",
        "type:backup_schedule.*",
    ),
    (Field::Is, "is", "state, or stuck", "is:failed,stuck"),
    (Field::Code, "code", "a failure code", "code:graph.*"),
    (Field::By, "by", "who started it", "by:alice"),
    (Field::Since, "since", "created since", "since:24h"),
    (Field::Until, "until", "created until", "until:2026-07-01"),
    (Field::Took, "took", "how long it ran", "took:>5m"),
    (
        Field::Workspace,
        "workspace",
        "the tenant's workspace",
        "workspace:emea",
    ),
    (Field::Id, "id", "the run's number", "id:48213"),
];

/// What stands before the key of a context field.
pub const CONTEXT: &str = "context.";

impl Field {
    /// Every field but `context.KEY`, in the order they are offered.
    pub fn all() -> impl Iterator<Item = Self> {
        TABLE.iter().map(|(field, ..)| field.clone())
    }

    /// Every name but `context.KEY`, in the order they are offered.
    pub fn names() -> impl Iterator<Item = &'static str> {
        TABLE.iter().map(|(_, name, ..)| *name)
    }

    /// The field of a name, without regard to case; a context field needs a key.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let context = name
            .get(..CONTEXT.len())
            .filter(|start| start.eq_ignore_ascii_case(CONTEXT));
        if context.is_some() && name.len() > CONTEXT.len() {
            return Some(Self::Context(name[CONTEXT.len()..].to_owned()));
        }
        let row = TABLE
            .iter()
            .find(|(_, known, ..)| known.eq_ignore_ascii_case(name));
        row.map(|(field, ..)| field.clone())
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn about(&self) -> &'static str {
        self.row()
            .map_or("a key of the context", |(_, _, about, _)| about)
    }

    /// One use of it.
    #[must_use]
    pub fn example(&self) -> &'static str {
        self.row()
            .map_or("context.schedule_id:7", |(.., example)| example)
    }

    fn row(&self) -> Option<&'static (Self, &'static str, &'static str, &'static str)> {
        TABLE.iter().find(|(field, ..)| field == self)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.row()) {
            (Self::Context(key), _) => write!(f, "{CONTEXT}{key}"),
            (_, Some((_, name, ..))) => f.write_str(name),
            (_, None) => Ok(()),
        }
    }
}

/// The known word nearest to `word`, where it is near enough to be meant.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // Longer ones are no slip of a finger, and the distance costs their product.
    if word.chars().count() > 40 {
        return None;
    }
    let word = word.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&word, known);
    known
        .into_iter()
        .map(|known| (distance(known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_is_found_by_its_name() {
        for field in Field::all() {
            assert_eq!(Field::named(&field.to_string()), Some(field.clone()));
            assert!(field.example().starts_with(&format!("{field}:")));
        }
        assert_eq!(Field::named("TENANT"), Some(Field::Tenant));
        assert_eq!(Field::named("context.a"), Some(Field::Context("a".into())));
        assert_eq!(Field::named("context."), None);
        assert_eq!(Field::named("contexté"), None);
    }

    #[test]
    fn slips_are_told_from_other_words() {
        assert_eq!(nearest("tenat", Field::names()), Some("tenant"));
        assert_eq!(nearest("Staus", Field::names()), None);
        assert_eq!(nearest("faild", ["failed", "running"]), Some("failed"));
        assert_eq!(nearest(&"x".repeat(2_000), Field::names()), None);
    }
}
