//! What can be made to go wrong, for whom, and how often. Deciding and doing it is
//! `weather` and `reply`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::contract::EntityKind;
use crate::family::PolicyFamily;

/// The weather of one tenant. The default is fair: no latency, no faults.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Decides every chance, together with what is asked and how often it was asked before; so the
    /// order in which concurrent requests arrive changes nothing.
    pub seed: u64,
    /// How long every answer takes, faulty or not.
    pub latency: Latency,
    /// The first rule that fires wins.
    pub rules: Vec<Rule>,
}

/// A duration between two bounds, spread evenly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// The shortest.
    pub at_least: Duration,
    /// The longest.
    pub at_most: Duration,
}

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// For which requests.
    pub target: Target,
    /// For which of those.
    pub when: When,
    /// What happens.
    pub fault: Fault,
}

/// Which requests a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Token requests.
    Token,
    /// Every request to Graph, tokens excepted.
    Graph,
    /// Every listing.
    Listings,
    /// Every single entity.
    Details,
    /// Listings and entities of one kind.
    Kind(EntityKind),
    /// Listings of one kind.
    ListingOf(EntityKind),
    /// These entities, read one by one.
    Ids(BTreeSet<String>),
}

/// How often a rule fires.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum When {
    /// Always.
    Always,
    /// For the first so many requests it is about.
    First(u64),
    /// For every n-th request it is about (the n-th, the 2n-th, …). 0: never.
    Every(u64),
    /// The first time each address is asked for.
    OncePerAddress,
    /// By chance, 0.0 to 1.0, drawn anew each time an address is asked for.
    Chance(f64),
}

/// What happens instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// 429.
    Throttle(RetryAfter),
    /// 503.
    Unavailable(RetryAfter),
    /// Any other status with Graph's error body.
    Status(u16),
    /// Nothing for so long, then 504.
    Stall(Duration),
    /// 200 and half a document, properly ended.
    MalformedJson,
    /// 200 and a connection that ends in the middle of the body.
    TruncatedBody,
    /// The token endpoint refuses the secret; elsewhere as `Status(401)`.
    TokenRefused,
    /// An error whose body and headers carry a bearer token and an e-mail address
    /// ([`super::LEAKED_TOKEN`], [`super::LEAKED_EMAIL`]).
    Leak(u16),
    /// The listing's next link is the address just asked for.
    NextLinkLoop,
    /// The listing's next link leads to this origin, e.g. `https://elsewhere.example`.
    NextLinkTo(String),
}

/// The `Retry-After` header of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// No header.
    Unsaid,
    /// Whole seconds.
    Seconds(u32),
    /// An HTTP date so many seconds from now.
    DateIn(u32),
}

impl Rule {
    /// A rule.
    #[must_use]
    pub fn new(target: Target, when: When, fault: Fault) -> Self {
        Self {
            target,
            when,
            fault,
        }
    }
}

impl Faults {
    /// Fair weather but for `rules`.
    #[must_use]
    pub fn of(seed: u64, rules: impl IntoIterator<Item = Rule>) -> Self {
        Self {
            seed,
            latency: Latency::default(),
            rules: rules.into_iter().collect(),
        }
    }

    /// The same with a latency.
    #[must_use]
    pub fn with_latency(mut self, at_least: Duration, at_most: Duration) -> Self {
        self.latency = Latency { at_least, at_most };
        self
    }

    /// Every third request throttled for a second: runs end well, and slowly.
    #[must_use]
    pub fn busy(seed: u64) -> Self {
        let throttle = Fault::Throttle(RetryAfter::Seconds(1));
        Self::of(seed, [Rule::new(Target::Graph, When::Every(3), throttle)])
    }

    /// About one policy in twelve cannot be read, for one of three reasons that do not pass: runs
    /// end partially succeeded.
    #[must_use]
    pub fn patchy(seed: u64) -> Self {
        let some = |status| Rule::new(Target::Details, When::Chance(0.03), Fault::Status(status));
        Self::of(seed, [some(404), some(403), some(400)])
    }

    /// One family is forbidden, the rest is fine.
    #[must_use]
    pub fn forbidden(family: PolicyFamily) -> Self {
        let target = Target::Kind(EntityKind::Policy(family));
        Self::of(0, [Rule::new(target, When::Always, Fault::Status(403))])
    }

    /// 503 for everything, with a pause asked for.
    #[must_use]
    pub fn outage(retry_after: RetryAfter) -> Self {
        Self::of(
            0,
            [Rule::new(
                Target::Graph,
                When::Always,
                Fault::Unavailable(retry_after),
            )],
        )
    }

    /// No token is issued.
    #[must_use]
    pub fn token_refused() -> Self {
        Self::of(
            0,
            [Rule::new(Target::Token, When::Always, Fault::TokenRefused)],
        )
    }

    /// Every answer is an error that carries a token and an e-mail address.
    #[must_use]
    pub fn leaky(status: u16) -> Self {
        Self::of(
            0,
            [Rule::new(Target::Graph, When::Always, Fault::Leak(status))],
        )
    }
}
