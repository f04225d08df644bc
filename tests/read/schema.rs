//! The schema this crate was written against is the one there is.

use opsroom_read::KNOWN_SCHEMA;
use std::path::Path;

#[test]
fn the_newest_migration_is_known() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let versions = std::fs::read_dir(folder).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.split('_').next()?.parse::<i64>().ok()
    });
    assert_eq!(
        versions.max(),
        Some(KNOWN_SCHEMA),
        "read the new migration, then raise KNOWN_SCHEMA"
    );
}
