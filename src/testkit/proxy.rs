//! A proxy in front of a server that can stall or cut the connections through it.

use crate::error::TestkitError;
use opsroom_postgres::ConnectionInfo;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

/// What happens to connections, those that are open and those to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Bytes pass.
    Pass,
    /// Connections are accepted and stay open, and nothing passes: a hung network. What is sent
    /// meanwhile passes later.
    Stall,
    /// Connections are accepted and stay open, and what is sent is thrown away: the other side vanished
    /// without a word. A connection that lost bytes this way never passes any again.
    HalfOpen,
    /// Open connections are closed, new ones are accepted and closed at once: a server that is gone.
    Cut,
}

/// Listens on a free TCP port of the loopback and forwards to one server, as the mode says. Ends
/// with this value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    open: Arc<AtomicUsize>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy to a unix socket, in mode [`Mode::Pass`].
    ///
    /// # Errors
    /// No free port.
    pub async fn to_unix_socket(path: impl AsRef<Path>) -> Result<Self, TestkitError> {
        Self::to(Target::Unix(path.as_ref().to_owned())).await
    }

    /// A proxy to a TCP server, in mode [`Mode::Pass`].
    ///
    /// # Errors
    /// No free port.
    pub async fn to_tcp(address: SocketAddr) -> Result<Self, TestkitError> {
        Self::to(Target::Tcp(address)).await
    }

    /// A proxy to a private PostgreSQL server.
    ///
    /// # Errors
    /// No free port.
    pub async fn to_postgres(server: &ConnectionInfo) -> Result<Self, TestkitError> {
        Self::to_unix_socket(server.socket()).await
    }

    async fn to(target: Target) -> Result<Self, TestkitError> {
        let io = |source| TestkitError::Io {
            what: "listening on the loopback",
            source,
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(io)?;
        let address = listener.local_addr().map_err(io)?;
        let (mode, modes) = watch::channel(Mode::Pass);
        let open = Arc::new(AtomicUsize::new(0));
        let accepting = tokio::spawn(accept(listener, target, modes, Arc::clone(&open)));
        Ok(Self {
            address,
            mode,
            open,
            accepting,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A PostgreSQL URL through the proxy.
    #[must_use]
    pub fn url(&self, database: &str, login: &str) -> String {
        format!(
            "postgres://{login}@{}/{database}?sslmode=disable",
            self.address
        )
    }

    /// Changes the mode at once, for open connections too.
    pub fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many connections are open now.
    #[must_use]
    pub fn open_connections(&self) -> usize {
        self.open.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
        self.mode.send_replace(Mode::Cut);
    }
}

#[derive(Debug, Clone)]
enum Target {
    Unix(PathBuf),
    Tcp(SocketAddr),
}

async fn accept(
    listener: TcpListener,
    target: Target,
    modes: watch::Receiver<Mode>,
    open: Arc<AtomicUsize>,
) {
    loop {
        let Ok((client, _)) = listener.accept().await else {
            return;
        };
        if *modes.borrow() == Mode::Cut {
            continue;
        }
        let (target, modes, open) = (target.clone(), modes.clone(), Arc::clone(&open));
        tokio::spawn(async move {
            open.fetch_add(1, Ordering::SeqCst);
            // However it ends, the two sockets are closed; the ends see why.
            let _ = forward(client, target, modes).await;
            open.fetch_sub(1, Ordering::SeqCst);
        });
    }
}

async fn forward(
    client: TcpStream,
    target: Target,
    modes: watch::Receiver<Mode>,
) -> io::Result<()> {
    client.set_nodelay(true)?;
    match target {
        Target::Unix(path) => both_ways(client, UnixStream::connect(path).await?, modes).await,
        Target::Tcp(address) => {
            let server = TcpStream::connect(address).await?;
            server.set_nodelay(true)?;
            both_ways(client, server, modes).await
        }
    }
}

async fn both_ways(
    client: impl AsyncRead + AsyncWrite,
    server: impl AsyncRead + AsyncWrite,
    modes: watch::Receiver<Mode>,
) -> io::Result<()> {
    let (from_client, to_client) = tokio::io::split(client);
    let (from_server, to_server) = tokio::io::split(server);
    tokio::pin!(from_client, to_client, from_server, to_server);
    tokio::try_join!(
        one_way(from_client, to_server, modes.clone()),
        one_way(from_server, to_client, modes),
    )?;
    Ok(())
}

async fn one_way(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut modes: watch::Receiver<Mode>,
) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 14];
    let mut lost = false;
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read?,
            () = cut(modes.clone()) => return Err(io::ErrorKind::ConnectionAborted.into()),
        };
        lost |= *modes.borrow() == Mode::HalfOpen;
        if lost && read > 0 {
            continue;
        }
        if lost {
            // The other end does not hear of it.
            cut(modes.clone()).await;
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        // What was read while stalled waits here until it may pass.
        passing(&mut modes).await?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}

async fn cut(mut modes: watch::Receiver<Mode>) {
    // The sender sets `Cut` before it is dropped, so an error means the same.
    let _ = modes.wait_for(|mode| *mode == Mode::Cut).await;
}

async fn passing(modes: &mut watch::Receiver<Mode>) -> io::Result<()> {
    match modes.wait_for(|mode| *mode != Mode::Stall).await {
        Ok(mode) if *mode == Mode::Pass => Ok(()),
        _ => Err(io::ErrorKind::ConnectionAborted.into()),
    }
}
