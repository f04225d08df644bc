//! The console from outside: keys in, screens out; the program in a terminal; the command line.

#![allow(
    clippy::unwrap_used,
    reason = "a test ends where its world is not as it must be"
)]

mod boards;
mod cli;
mod colours;
mod endings;
mod guard;
mod history;
mod hostile;
mod keys;
mod linear;
mod lists;
mod manners;
mod matrix;
mod moving;
mod pace;
mod profiles;
mod screens;
mod session;
mod shell;
mod sizes;
mod speed;
mod stage;
mod standby;
mod workers;
