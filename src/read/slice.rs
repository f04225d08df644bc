//! How far a search looks at a time: the newest rows of a slice are judged one by one, and where the
//! last of them stands is told, so that the next look goes on there.

use crate::arm::{Arm, Ask, Place};
use crate::driver::{
    RUNS, Source, Whose, is_asked_of_run, push_ask, push_driver, push_tail, source,
};
use crate::filter::{Order, Search, Take};
use crate::merge::{push_each, push_newest_keys};
use crate::row::COLUMNS;
use crate::scope::{RowCondition, Scope};
use sqlx::{Postgres, QueryBuilder};

/// Rows of an arm's slice, its tenants together.
const SLICE: i64 = 600;
/// Where each row takes a look into another table.
const DEAR_SLICE: i64 = 300;
/// How many times as much a slice is that is not the first: the first rows are on the screen by then.
const LATER: i64 = 12;

/// Rows that the arm looks at, where it has something to ask of them.
pub(crate) fn slice(arm: &Arm<'_>, take: Take<'_>) -> Option<i64> {
    if !arm.is_sliced() {
        return None;
    }
    let dear = arm.asks.iter().any(|ask| match ask {
        Ask::Codes(_) => true,
        Ask::Row(filter) => matches!(
            filter.what,
            RowCondition::Text { .. }
                | RowCondition::Codes { .. }
                | RowCondition::Key { .. }
                | RowCondition::Any(_)
        ),
        _ => arm.code.is_some() && is_asked_of_run(ask),
    });
    let later = if take.before.is_some() { LATER } else { 1 };
    let rows = match take.search {
        Search::Whole => return None,
        Search::Newest(rows) => rows,
        Search::Slice if dear => DEAR_SLICE * later,
        Search::Slice => SLICE * later,
    };
    // What many scans give a list has to be merged first.
    let merged = take.order == Order::NewestFirst
        && matches!(arm.place, Place::Each(_))
        && arm.code.is_none();
    Some(if merged { rows / 2 } else { rows })
}

/// A scan's part of a slice, where each tenant has a scan.
pub(crate) fn each_slice(arm: &Arm<'_>, slice: i64) -> i64 {
    let scans = match arm.place {
        Place::Each(many) => many.len().max(1) as i64,
        _ => 1,
    };
    (slice / scans).max(1)
}

/// What a slice looks at, as a table of its own that both the arm's rows and its end are taken from.
#[derive(Clone, Copy)]
pub(crate) struct Kept<'a> {
    /// Rows of the slice, at most.
    rows: i64,
    /// Keys of the scans of these tenants, merged; or whole rows, where few are expected.
    tenants: Option<&'a [i64]>,
}

impl<'a> Kept<'a> {
    /// `None` where reading lazily is cheaper than finding a slice once.
    pub(crate) fn of(scope: &Scope, arm: &Arm<'a>, take: Take<'_>) -> Option<Self> {
        let rows = slice(arm, take).filter(|_| source(scope, arm).table == RUNS.table)?;
        match arm.place {
            Place::Each(many) => Some(Self {
                rows,
                tenants: Some(many),
            }),
            _ if arm.is_of_few() && scope.ids.is_none() => Some(Self {
                rows,
                tenants: None,
            }),
            _ => None,
        }
    }

    /// Pushes the select of what the slice looks at.
    pub(crate) fn push(
        self,
        sql: &mut QueryBuilder<Postgres>,
        scope: &Scope,
        arm: &Arm<'_>,
        take: Take<'_>,
    ) {
        debug_assert!(arm.each_type().is_none(), "a slice is one scan a tenant");
        let take = Take {
            limit: self.rows,
            ..take
        };
        match self.tenants {
            Some(tenants) => push_newest_keys(sql, scope, tenants, &[arm], take),
            None => {
                sql.push(format_args!("select {COLUMNS} from "));
                push_driver(sql, scope, arm, take.before, Whose::of(arm.place));
                push_tail(sql, "r", "id", take);
            }
        }
    }

    /// Pushes the select of the arm's rows from the table of that name.
    pub(crate) fn push_rows(
        self,
        sql: &mut QueryBuilder<Postgres>,
        arm: &Arm<'_>,
        take: Take<'_>,
        table: &str,
    ) {
        sql.push(format_args!("select {} from ", take.columns));
        match self.tenants {
            Some(_) => sql.push(format_args!(
                "opsroom.operation_runs r where r.id = any(array(select s.id from {table} s))"
            )),
            None => sql.push(format_args!("{table} r where true")),
        };
        for ask in &arm.asks {
            push_ask(sql, ask, "r");
        }
        push_tail(sql, "r", "id", take);
    }

    /// As [`push_end`], from the table of that name.
    pub(crate) fn push_end(self, sql: &mut QueryBuilder<Postgres>, table: &str) {
        sql.push(format_args!(
            "select s.created_at, s.id from {table} s order by s.created_at desc, s.id desc limit 1 offset "
        ))
        .push_bind(self.rows - 1);
    }
}

/// Pushes a select of the keys of the last row that a sliced arm looks at; no row where it looks at
/// all there are.
pub(crate) fn push_end(
    sql: &mut QueryBuilder<Postgres>,
    scope: &Scope,
    arm: &Arm<'_>,
    take: Take<'_>,
) {
    debug_assert!(
        arm.each_type().is_none() || !arm.is_sliced(),
        "a slice is one scan a tenant"
    );
    let source = source(scope, arm);
    let Some(slice) = slice(arm, take) else {
        sql.push("select null::timestamptz as created_at, null::int8 as id where false");
        return;
    };
    let slice = each_slice(arm, slice);
    let each = matches!(arm.place, Place::Each(_));
    if let Place::Each(many) = arm.place {
        sql.push("select x.created_at, x.id from ");
        push_each(sql, many);
    }
    let Source { alias, id, .. } = source;
    sql.push(format_args!(
        "select {alias}.created_at, {alias}.{id} as id from "
    ));
    push_driver(sql, scope, arm, take.before, Whose::of(arm.place));
    sql.push(format_args!(
        " order by {alias}.created_at desc, {alias}.{id} desc limit 1 offset "
    ))
    .push_bind(slice - 1);
    if each {
        sql.push(") x order by x.created_at desc, x.id desc limit 1");
    }
}
