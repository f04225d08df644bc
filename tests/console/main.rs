//! The console from outside: keys in, screens out; the program in a terminal; the command line.

mod cli;
mod colours;
mod keys;
mod screens;
mod session;
mod sizes;
mod stage;
