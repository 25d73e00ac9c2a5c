//! Who connects to the controller. Nobody who hangs keeps others out: a handshake has its time, a
//! connection too, and there are only so many at once. A connection is for one request, so that whoever
//! comes again is looked at again.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{Interval, MissedTickBehavior, Sleep, interval, sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::tls::Tls;

/// The first byte of a TLS connection: a handshake record (RFC 8446, 5.1).
const HANDSHAKE: u8 = 22;
/// What somebody reads who speaks without TLS.
const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: 31\r\n\r\nthis is TLS: ask with https://\n";

/// How long things may take, and how many connections there may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// A handshake.
    pub handshake: Duration,
    /// A connection in all, with its request and the answer.
    pub connection: Duration,
    /// Connections at once; others wait.
    pub at_once: usize,
    /// How often the files of TLS are looked at when nobody connects.
    pub look: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            handshake: Duration::from_secs(5),
            connection: Duration::from_secs(30),
            at_once: 128,
            look: Duration::from_secs(30),
        }
    }
}

/// Lets in who connects, with TLS where there are files for it.
pub struct Gate {
    listener: TcpListener,
    tls: Option<Arc<Tls>>,
    limits: Limits,
    room: Arc<Semaphore>,
    greeted: JoinSet<Option<Connection>>,
    look: Interval,
}

impl Gate {
    /// Lets in who connects there.
    pub fn new(listener: TcpListener, tls: Option<Arc<Tls>>, limits: Limits) -> Self {
        let mut look = interval(limits.look);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let room = Arc::new(Semaphore::new(limits.at_once));
        Self { listener, tls, limits, room, greeted: JoinSet::new(), look }
    }
}

impl Listener for Gate {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            tokio::select! {
                Some(greeted) = self.greeted.join_next(), if !self.greeted.is_empty() => {
                    if let Ok(Some(connection)) = greeted {
                        let from = connection.from;
                        return (connection, from);
                    }
                }
                (stream, from, room) = next(&self.listener, &self.room) => {
                    self.greeted.spawn(greet(stream, from, room, self.tls.clone(), self.limits));
                }
                _ = self.look.tick() => drop(self.tls.as_ref().map(|tls| tls.now())),
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Who connects next, when there is room.
async fn next(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, SocketAddr, Option<OwnedSemaphorePermit>) {
    // It is never closed.
    let room = Arc::clone(room).acquire_owned().await.ok();
    loop {
        match listener.accept().await {
            Ok((stream, from)) => return (stream, from, room),
            Err(error) => {
                tracing::debug!("a connection was not made: {error}");
                // Where there are no more files, there may be in a moment.
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn greet(
    stream: TcpStream,
    from: SocketAddr,
    room: Option<OwnedSemaphorePermit>,
    tls: Option<Arc<Tls>>,
    limits: Limits,
) -> Option<Connection> {
    let end = Box::pin(sleep(limits.connection));
    let Some(tls) = tls else {
        let io = Box::pin(stream);
        return Some(Connection { io, end, shows_certificate: false, from, _room: room });
    };
    let why = match timeout(limits.handshake, shake(stream, &tls)).await {
        Ok(Ok(stream)) => {
            let shown = stream.get_ref().1.peer_certificates();
            let shows_certificate = shown.is_some_and(|all| !all.is_empty());
            let io = Box::pin(stream);
            return Some(Connection { io, end, shows_certificate, from, _room: room });
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "the handshake takes too long".to_owned(),
    };
    tracing::debug!("{from} is not let in: {why}");
    None
}

async fn shake(
    mut stream: TcpStream,
    tls: &Tls,
) -> std::io::Result<tokio_rustls::server::TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    if first != [HANDSHAKE] {
        // What was said is read, or the answer is lost with it.
        let _ = stream.read(&mut [0; 4096]).await?;
        stream.write_all(NO_TLS).await?;
        stream.shutdown().await?;
        return Err(std::io::Error::other("it speaks without TLS"));
    }
    TlsAcceptor::from(tls.now()).accept(stream).await
}

/// What a connection goes through.
trait Io: AsyncRead + AsyncWrite + Send {}

impl<T: AsyncRead + AsyncWrite + Send> Io for T {}

/// A connection that ends in time.
pub struct Connection {
    io: Pin<Box<dyn Io>>,
    end: Pin<Box<Sleep>>,
    shows_certificate: bool,
    from: SocketAddr,
    _room: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Whether who connects has shown a certificate that holds.
    pub fn shows_certificate(&self) -> bool {
        self.shows_certificate
    }

    fn in_time(&mut self, context: &mut Context<'_>) -> std::io::Result<Pin<&mut dyn Io>> {
        match self.end.as_mut().poll(context) {
            Poll::Ready(()) => Err(std::io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(self.io.as_mut()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.in_time(context)?.poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.in_time(context)?.poll_write(context, bytes)
    }

    fn poll_flush(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.in_time(context)?.poll_flush(context)
    }

    fn poll_shutdown(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<std::io::Result<()>> {
        self.in_time(context)?.poll_shutdown(context)
    }
}
