//! `opsroom`: see the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    opsroom_console::main_from(std::env::args_os())
}
