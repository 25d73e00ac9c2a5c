#![allow(clippy::unwrap_used)]

use axum::Router;
use axum::routing::get;

use super::*;

/// A server with limits, and where it is.
async fn server(limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(async || "here\n"))
        .route("/much", get(async || "much".repeat(16 * 1024 * 1024)));
    let gate = Gate::new(listener, None, limits);
    tokio::spawn(async move { axum::serve(gate, router).await });
    address
}

fn limits(connection: Duration, at_once: usize) -> Limits {
    Limits { connection, at_once, ..Limits::default() }
}

async fn asks(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let asked = b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n";
    stream.write_all(asked).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// That the other side ends the connection, in whichever way.
async fn is_ended(stream: &mut TcpStream) {
    while stream.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {}
}

#[tokio::test]
async fn who_hangs_keeps_nobody_out() {
    let address = server(limits(Duration::from_secs(600), 20)).await;
    let mut hang = Vec::new();
    for _ in 0..19 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
        hang.push(stream);
    }
    assert!(asks(address).await.ends_with("here\n"));
}

#[tokio::test]
async fn who_is_slow_is_cut_off_and_makes_room() {
    let address = server(limits(Duration::from_millis(300), 2)).await;
    let mut half = TcpStream::connect(address).await.unwrap();
    half.write_all(b"GET / HTTP/1.1\r\nhost: ").await.unwrap();
    // It asks, and takes nothing of the answer.
    let mut full = TcpStream::connect(address).await.unwrap();
    full.write_all(b"GET /much HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").await.unwrap();
    // There is room for two: this one waits until one of them is cut off.
    assert!(asks(address).await.ends_with("here\n"));
    is_ended(&mut half).await;
    is_ended(&mut full).await;
}
