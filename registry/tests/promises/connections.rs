//! Connections over real sockets: closed in time, bounded in number, drained at a stop, answered however the
//! bytes are cut.

use std::future::Future;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, JoinSet};

use crate::signed::release;
use crate::world::{World, multipart};

/// Longer than anything here takes, and shorter than the times for heads and bodies that a test does not set.
const PATIENCE: Duration = Duration::from_secs(25);

/// A short while, in which what must not happen would have happened.
const MOMENT: Duration = Duration::from_millis(200);

const GET: &[u8] = b"GET /config.json HTTP/1.1\r\nhost: x\r\n\r\n";

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A registry that listens.
struct Listening {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<()>,
}

impl Listening {
    async fn on(world: &World) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (stop, stopped) = oneshot::channel();
        let stopped = async { drop(stopped.await) };
        let ended = tokio::spawn(registry::serve::serve(world.app().clone(), listener, stopped));
        Self { address, stop, ended }
    }

    async fn connect(&self) -> Client {
        Client(TcpStream::connect(self.address).await.expect("it listens"))
    }

    /// Asks it to stop, and waits until it takes no more connections.
    async fn stop(self) -> JoinHandle<()> {
        self.stop.send(()).expect("it runs");
        let refused = async { while TcpStream::connect(self.address).await.is_ok() {} };
        soon(refused).await;
        self.ended
    }
}

struct Client(TcpStream);

impl Client {
    async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("it reads");
    }

    /// One answer, and not a byte more.
    async fn answer(&mut self) -> (u16, Vec<u8>) {
        soon(async {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(self.0.read_u8().await.expect("an answer"));
            }
            let head = String::from_utf8(head).expect("text").to_ascii_lowercase();
            let length = head.split_once("content-length: ").and_then(|(_, rest)| rest.lines().next());
            let mut body = vec![0; length.map_or(0, |length| length.parse().expect("a length"))];
            self.0.read_exact(&mut body).await.expect("a whole answer");
            (head[9..12].parse().expect("a status"), body)
        })
        .await
    }

    /// What comes until the other end closes.
    async fn rest(mut self) -> String {
        let mut bytes = Vec::new();
        // A reset closes as well.
        let _ = soon(self.0.read_to_end(&mut bytes)).await;
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}

/// A publish on the wire, cut in two in the middle of its body; the server says when it reads the body.
async fn publish(world: &World) -> (Vec<u8>, Vec<u8>) {
    let pair = release("acme/greet", "1.0.0");
    let request = multipart(&world.ann, &[("bundle", &pair.bundle), ("archive", &pair.archive)]);
    let header = |name| request.headers()[name].to_str().expect("text").to_owned();
    let (token, kind) = (header(AUTHORIZATION), header(CONTENT_TYPE));
    let body = request.into_body().collect().await.expect("a body").to_bytes();
    let head = format!(
        "POST /api/v1/publish HTTP/1.1\r\nhost: x\r\nauthorization: {token}\r\ncontent-type: {kind}\r\n\
         content-length: {}\r\nexpect: 100-continue\r\n\r\n",
        body.len()
    );
    let (first, second) = body.split_at(body.len() / 2);
    ([head.as_bytes(), first].concat(), second.to_vec())
}

#[tokio::test]
async fn a_connection_that_never_finishes_its_head_is_closed_in_time() {
    let world = World::with("[limits]\nheader-seconds = 1").await;
    let listening = Listening::on(&world).await;
    let mut clients = JoinSet::new();
    for head in ["", "P", "PRI * HTTP/2.0\r\n", "GET /config.json HTTP/1.1\r\nhost: x\r\nx: "] {
        let started = Instant::now();
        let mut client = listening.connect().await;
        clients.spawn(async move {
            client.send(head.as_bytes()).await;
            let answer = client.rest().await;
            assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{head:?}: {answer}");
            assert!(started.elapsed() >= Duration::from_secs(1), "{head:?}: after {:?}", started.elapsed());
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("closed in time");
    }
}

#[tokio::test]
async fn a_head_that_comes_a_byte_now_and_then_is_cut_off() {
    let world = World::with("[limits]\nheader-seconds = 1").await;
    let listening = Listening::on(&world).await;
    let mut client = listening.connect().await;
    client.send(b"GET /config.json HTTP/1.1\r\nhost: x\r\nx: ").await;
    let closed = async {
        // Every byte is followed by a while of listening; the head never ends.
        while client.0.write_all(b"y").await.is_ok() {
            match tokio::time::timeout(MOMENT, client.0.read_u8()).await {
                Ok(Err(_)) => break,
                Ok(Ok(byte)) => assert!(b"HTTP/1.1 408".contains(&byte), "no answer but a refusal"),
                Err(_) => {}
            }
        }
    };
    soon(closed).await;
}

#[tokio::test]
async fn a_connection_that_is_idle_after_an_answer_is_closed_in_time() {
    let world = World::with("[limits]\nheader-seconds = 1").await;
    let listening = Listening::on(&world).await;
    let mut client = listening.connect().await;
    client.send(GET).await;
    assert_eq!(client.answer().await.0, 200);
    assert_eq!(client.rest().await, "");
}

#[tokio::test]
async fn an_http2_connection_that_answers_no_ping_is_closed_in_time() {
    const EMPTY_SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    let world = World::with("[limits]\nheader-seconds = 1").await;
    let listening = Listening::on(&world).await;
    let mut clients = [listening.connect().await, listening.connect().await];
    clients[0].send(PREFACE).await;
    clients[1].send(&[PREFACE, EMPTY_SETTINGS].concat()).await;
    for client in clients {
        client.rest().await;
    }
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_and_are_served_once_others_leave() {
    let world = World::with("[limits]\nconnections = 2").await;
    let listening = Listening::on(&world).await;
    let mut inside = [listening.connect().await, listening.connect().await];
    for client in &mut inside {
        client.send(GET).await;
        assert_eq!(client.answer().await.0, 200);
    }
    let mut waiting = [listening.connect().await, listening.connect().await, listening.connect().await];
    for client in &mut waiting {
        client.send(GET).await;
    }
    let early = tokio::time::timeout(MOMENT, waiting[0].0.readable()).await;
    assert!(early.is_err(), "a third connection was served beside two");
    for client in &mut inside {
        client.send(GET).await;
        assert_eq!(client.answer().await.0, 200, "those inside are served on");
    }
    drop(inside);
    for mut client in waiting {
        assert_eq!(client.answer().await.0, 200);
    }
}

#[tokio::test]
async fn a_stop_lets_the_request_under_way_end_and_then_ends() {
    let world = World::new().await;
    let listening = Listening::on(&world).await;
    let mut client = listening.connect().await;
    let (first, second) = publish(&world).await;
    client.send(&first).await;
    assert_eq!(client.answer().await.0, 100, "the body is being read");
    let ended = listening.stop().await;
    assert!(!ended.is_finished(), "a request is under way");
    client.send(&second).await;
    let (status, body) = client.answer().await;
    assert_eq!(status, 201, "{}", String::from_utf8_lossy(&body));
    assert_eq!(client.rest().await, "", "the connection is closed behind the answer");
    soon(ended).await.expect("no panic");
    world.get("/index/acme/greet").await.is(200);
}

#[tokio::test]
async fn a_stop_waits_for_a_request_no_longer_than_it_was_told_to() {
    let world = World::with("[limits]\ndrain-seconds = 1").await;
    let listening = Listening::on(&world).await;
    let mut client = listening.connect().await;
    let (first, _) = publish(&world).await;
    client.send(&first).await;
    assert_eq!(client.answer().await.0, 100, "the body is being read");
    let started = Instant::now();
    let ended = listening.stop().await;
    soon(ended).await.expect("no panic");
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    world.get("/index/acme/greet").await.refuses(404, "package-not-found");
}

#[tokio::test]
async fn a_stop_does_not_wait_for_connections_without_a_request() {
    let world = World::with("[limits]\ndrain-seconds = 3600\nheader-seconds = 3600").await;
    let listening = Listening::on(&world).await;
    let mut idle = listening.connect().await;
    idle.send(GET).await;
    assert_eq!(idle.answer().await.0, 200);
    let silent = listening.connect().await;
    let mut hesitant = listening.connect().await;
    hesitant.send(&PREFACE[..4]).await;
    // Connections are accepted in turn: when this one is answered, those before it were.
    let mut last = listening.connect().await;
    last.send(GET).await;
    assert_eq!(last.answer().await.0, 200);
    soon(listening.stop().await).await.expect("no panic");
    for client in [idle, silent, hesitant, last] {
        assert_eq!(client.rest().await, "");
    }
}

#[tokio::test]
async fn a_request_is_answered_however_its_bytes_are_cut_or_joined() {
    let world = World::published().await;
    let expected = world.get("/config.json").await.is(200).body;
    let listening = Listening::on(&world).await;
    let mut client = listening.connect().await;
    client.0.set_nodelay(true).expect("an option");
    for byte in GET {
        client.send(&[*byte]).await;
    }
    assert_eq!(client.answer().await, (200, expected.clone()));
    let index = world.get("/index/acme/greet").await.is(200).body;
    client.send(&[GET, b"GET /index/acme/greet HTTP/1.1\r\nhost: x\r\n\r\n", GET].concat()).await;
    for body in [&expected, &index, &expected] {
        assert_eq!(client.answer().await, (200, body.clone()));
    }
}
