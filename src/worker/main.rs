//! The binary `opsroom-worker`. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    opsroom_worker::main_from(std::env::args_os())
}
