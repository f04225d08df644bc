//! Who appears: workspaces with their tenants, people with their logins, and the weather each tenant
//! has at Graph, so that runs succeed, succeed in parts, and fail.

use opsroom_engine::access::LoginKind;
use opsroom_graph::PolicyFamily;
use opsroom_graph::simulator::{Faults, RetryAfter};
use opsroom_model::Role;
use std::time::Duration;

/// A tenant: its name, workspace, number of policies, and weather.
pub(crate) struct Tenant {
    pub(crate) name: &'static str,
    pub(crate) workspace: &'static str,
    pub(crate) policies: usize,
    pub(crate) weather: Weather,
}

/// What happens to a tenant's requests.
#[derive(Clone, Copy)]
pub(crate) enum Weather {
    Fair,
    Busy,
    Patchy,
    Forbidden,
    Outage,
    Refused,
}

const fn tenant(
    name: &'static str,
    workspace: &'static str,
    policies: usize,
    weather: Weather,
) -> Tenant {
    Tenant {
        name,
        workspace,
        policies,
        weather,
    }
}

pub(crate) const TENANTS: &[Tenant] = &[
    tenant("contoso", "emea", 140, Weather::Patchy),
    tenant("fabrikam", "emea", 60, Weather::Fair),
    tenant("northwind", "emea", 85, Weather::Busy),
    tenant("adatum", "emea", 30, Weather::Forbidden),
    tenant("wingtip", "emea", 22, Weather::Fair),
    tenant("tailspin", "americas", 110, Weather::Patchy),
    tenant("litware", "americas", 45, Weather::Fair),
    tenant("proseware", "americas", 18, Weather::Refused),
    tenant("treyresearch", "americas", 70, Weather::Busy),
    tenant("東京商事", "apac", 36, Weather::Fair),
    tenant("woodgrove", "apac", 95, Weather::Fair),
    tenant("relecloud", "apac", 25, Weather::Outage),
];

pub(crate) const WORKSPACES: [&str; 3] = ["emea", "americas", "apac"];

impl Weather {
    /// As the simulator takes it; every tenant has a little latency, so that runs can be watched.
    pub(crate) fn faults(self, seed: u64) -> Faults {
        let faults = match self {
            Self::Fair => Faults::default(),
            Self::Busy => Faults::busy(seed),
            Self::Patchy => Faults::patchy(seed),
            Self::Forbidden => Faults::forbidden(PolicyFamily::DeviceCompliance),
            Self::Outage => Faults::outage(RetryAfter::Seconds(2)),
            Self::Refused => Faults::token_refused(),
        };
        faults.with_latency(Duration::from_millis(40), Duration::from_millis(260))
    }
}

/// A person and where they are a member.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) workspaces: &'static [(&'static str, Option<Role>)],
    pub(crate) tenants: &'static [(&'static str, Role)],
}

pub(crate) const PEOPLE: &[Person] = &[
    Person {
        name: "Alice Meyer",
        workspaces: &[
            ("emea", Some(Role::Operator)),
            ("americas", Some(Role::Operator)),
            ("apac", Some(Role::Operator)),
        ],
        tenants: &[],
    },
    Person {
        name: "Bo Lindqvist",
        workspaces: &[("emea", None), ("americas", None)],
        tenants: &[
            ("contoso", Role::Operator),
            ("fabrikam", Role::Operator),
            ("northwind", Role::Operator),
            ("tailspin", Role::Operator),
        ],
    },
    Person {
        name: "Chiara Conti",
        workspaces: &[("emea", None)],
        tenants: &[("contoso", Role::Readonly)],
    },
];

/// A login: the key under which its URL is printed, the role's name, what it may do, whose it is.
pub(crate) struct Login {
    pub(crate) key: &'static str,
    pub(crate) role: &'static str,
    pub(crate) kind: LoginKind,
    pub(crate) user: Option<&'static str>,
}

pub(crate) const LOGINS: &[Login] = &[
    Login {
        key: "worker",
        role: "demo_worker",
        kind: LoginKind::Worker,
        user: None,
    },
    Login {
        key: "starter",
        role: "demo_starter",
        kind: LoginKind::Starter,
        user: Some("Alice Meyer"),
    },
    Login {
        key: "oncall",
        role: "oncall",
        kind: LoginKind::Reader,
        user: Some("Alice Meyer"),
    },
    Login {
        key: "support",
        role: "support",
        kind: LoginKind::Reader,
        user: Some("Bo Lindqvist"),
    },
    Login {
        key: "developer",
        role: "developer",
        kind: LoginKind::Reader,
        user: Some("Chiara Conti"),
    },
];
