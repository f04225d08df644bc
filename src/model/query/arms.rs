//! A query without groups: alternatives, in each of which every term must hold. An index can serve an
//! alternative, where it cannot serve a tree.

use super::{Condition, Is, Query, Sign, Term};

impl Query {
    /// The alternatives, each a query without groups that asks either for states or for the diagnosis
    /// in a term, never for both. `None` where there are more than `most` of them. A run may fit
    /// several.
    #[must_use]
    pub fn arms(&self, most: usize) -> Option<Vec<Query>> {
        let arms = all_of(&self.terms, Sign::Plus, most)?;
        Some(arms.into_iter().map(|terms| Query { terms }).collect())
    }
}

type Arms = Vec<Vec<Term>>;

/// The alternatives of `terms` together, or of their opposite.
fn all_of(terms: &[Term], sign: Sign, most: usize) -> Option<Arms> {
    let each = terms.iter().map(|term| one(term, sign, most));
    match sign {
        Sign::Plus => product(each, most),
        Sign::Minus => sum(each, most),
    }
}

fn one(term: &Term, around: Sign, most: usize) -> Option<Arms> {
    let sign = around.times(term.sign);
    match (&term.condition, sign) {
        (Condition::Group(alternatives), Sign::Plus) => sum(
            alternatives.iter().map(|terms| all_of(terms, sign, most)),
            most,
        ),
        (Condition::Group(alternatives), Sign::Minus) => product(
            alternatives.iter().map(|terms| all_of(terms, sign, most)),
            most,
        ),
        (Condition::Is(words), _) if words.contains(&Is::Stuck) && words.len() > 1 => {
            let (stuck, states): (Vec<_>, Vec<_>) =
                words.iter().copied().partition(|word| *word == Is::Stuck);
            let parts = [stuck, states].into_iter().filter(|part| !part.is_empty());
            let parts = parts.map(|part| {
                let condition = Condition::Is(part);
                Some(vec![vec![Term { sign, condition }]])
            });
            match sign {
                Sign::Plus => sum(parts, most),
                Sign::Minus => product(parts, most),
            }
        }
        (condition, _) => Some(vec![vec![Term {
            sign,
            condition: condition.clone(),
        }]]),
    }
}

/// Any of `parts`.
fn sum(parts: impl Iterator<Item = Option<Arms>>, most: usize) -> Option<Arms> {
    let mut all = Vec::new();
    for part in parts {
        all.extend(part?);
        if all.len() > most {
            return None;
        }
    }
    Some(all)
}

/// All of `parts`: each alternative of one beside each of the others.
fn product(parts: impl Iterator<Item = Option<Arms>>, most: usize) -> Option<Arms> {
    let mut all: Arms = vec![Vec::new()];
    for part in parts {
        let part = part?;
        if all.len().saturating_mul(part.len()) > most {
            return None;
        }
        let beside = |left: &Vec<Term>| -> Arms {
            let each = part.iter();
            each.map(|right| left.iter().chain(right).cloned().collect())
                .collect()
        };
        all = all.iter().flat_map(beside).collect();
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use crate::query::parse;

    fn arms(text: &str, most: usize) -> Option<Vec<String>> {
        let arms = parse(text).unwrap().arms(most)?;
        Some(arms.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn groups_become_alternatives() {
        for (text, expected) in [
            ("", vec![""]),
            ("a b", vec!["a b"]),
            ("a (b OR c d)", vec!["a b", "a c d"]),
            ("a -(b OR c d)", vec!["a -b -c", "a -b -d"]),
            ("-(a -(b OR c))", vec!["-a", "b", "c"]),
            ("(a OR b) (c OR d)", vec!["a c", "a d", "b c", "b d"]),
            (
                "is:failed,stuck,partial",
                vec!["is:stuck", "is:failed,partial"],
            ),
            ("-is:failed,stuck", vec!["-is:stuck -is:failed"]),
            ("is:stuck,stuck", vec!["is:stuck,stuck"]),
        ] {
            assert_eq!(arms(text, 8).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn too_many_are_none_at_all() {
        let wide = "(a OR b) ".repeat(20);
        assert_eq!(arms(&wide, 16), None);
        assert_eq!(arms(&wide[..36], 16).map(|arms| arms.len()), Some(16));
    }
}
