//! SHA-256 of a file, in hex. Not here: what it is compared with.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The SHA-256 of the file at `path`, 64 lower-case hex digits.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex(&digest.finalize()));
        }
        digest.update(&buffer[..read]);
    }
}

/// The first `digits` hex digits of the SHA-256 of `bytes`: a short stable name for something long.
pub(crate) fn short(bytes: &[u8], digits: usize) -> String {
    let mut name = hex(&Sha256::digest(bytes));
    name.truncate(digits);
    name
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
