//! Schedules: what an expression means on a zone's clock, and that every fire time is honoured at most
//! once, whoever races, dies, or has a wrong clock.

mod documented;
mod firing;
mod races;
mod stage;
mod syntax;
mod zones;
