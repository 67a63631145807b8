//! Webhooks against a server on the loopback device.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::JoinHandle;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Metadata, Subscriber};

use super::*;
use crate::event::Event;

const DEADLINE: Duration = Duration::from_secs(30);

/// Answers from a script, then 200, and remembers what it was sent.
struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    task: JoinHandle<()>,
}

#[derive(Debug, Clone)]
struct Request {
    at: Instant,
    head: String,
    body: serde_json::Value,
    raw: Vec<u8>,
}

impl Server {
    async fn start(script: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self::listen(listener, script)
    }

    fn listen(listener: TcpListener, script: &[&'static str]) -> Self {
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let heard = requests.clone();
        let script = script.to_vec();
        let task = tokio::spawn(async move {
            let mut script = script.iter().copied();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let mut stream = BufReader::new(stream);
                let request = hear(&mut stream).await.unwrap();
                // Before the answer: who waits for that may look at the requests then.
                heard.lock().unwrap().push(request);
                answer(stream, script.next().unwrap_or("200 OK")).await.unwrap();
            }
        });
        Self { address, requests, task }
    }

    fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    fn webhook(&self, secret: Option<&str>, on: &[&str]) -> Webhook {
        webhook(self.address, secret, on)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn hear(stream: &mut BufReader<TcpStream>) -> io::Result<Request> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        stream.read_line(&mut head).await?;
    }
    let head = head.to_ascii_lowercase();
    let length = header(&head, "content-length").unwrap().parse().unwrap();
    let mut raw = vec![0; length];
    stream.read_exact(&mut raw).await?;
    Ok(Request { at: Instant::now(), head, body: serde_json::from_slice(&raw)?, raw })
}

/// Ends the connection; `status` may bring headers of its own after a line break.
async fn answer(mut stream: BufReader<TcpStream>, status: &str) -> io::Result<()> {
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// An address that refuses connections until it is listened to; taken, so that no other test gets it.
fn refusing() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

fn webhook(address: SocketAddr, secret: Option<&str>, on: &[&str]) -> Webhook {
    let on: Vec<_> = on.iter().map(|&pattern| pattern.to_owned()).collect();
    let mut webhook = Webhook::new(&format!("http://{address}/hook?token=t0ken"), secret, &on).unwrap();
    webhook.timing.first = Duration::from_millis(1);
    webhook.timing.longest = Duration::from_millis(5);
    webhook
}

fn lane(lane: usize) -> Event {
    Event::LaneFinished { lane, rows: 0 }
}

#[tokio::test]
async fn an_event_is_signed_and_sent_again_until_it_is_taken() {
    let server = Server::start(&["500 Oh", "503 No", "502 Bad"]).await;
    let bus = EventBus::new();
    let deliveries = server.webhook(Some("whsec_c2VjcmV0"), &[]).start(&bus).unwrap();
    bus.publisher("paid", "r1").publish(Event::Draining);
    assert!(bus.flush(DEADLINE).await, "a flush waits for webhooks");
    let outcome = deliveries.finish(DEADLINE).await;
    assert_eq!(outcome, Delivered { delivered: 1, refused: 0, undelivered: 0 });

    let requests = server.requests();
    assert_eq!(requests.len(), 4);
    for Request { head, body, raw, .. } in &requests {
        assert!(head.starts_with("post /hook?token=t0ken http/1.1\r\n"), "{head}");
        assert_eq!(header(head, "content-type"), Some("application/cloudevents+json; charset=utf-8"));
        assert_eq!(body["type"], "dataflare.workflow.draining");
        assert_eq!(body, &requests[0].body, "the id stays the same");
        let id = body["id"].as_str().unwrap();
        assert_eq!(header(head, "webhook-id"), Some(&*id.to_ascii_lowercase()));
        let timestamp = header(head, "webhook-timestamp").unwrap().parse().unwrap();
        let signature = Key::parse("secret").unwrap().sign(id, timestamp, raw).to_ascii_lowercase();
        assert_eq!(header(head, "webhook-signature"), Some(&*signature));
    }
}

#[tokio::test]
async fn events_arrive_in_order_though_some_are_tried_again() {
    let server = Server::start(&["200 OK", "500 Oh", "200 OK", "429 Slow", "500 Oh"]).await;
    let bus = EventBus::new();
    let deliveries = server.webhook(None, &["lane.*"]).start(&bus).unwrap();
    let publisher = bus.publisher("paid", "r1");
    for index in 0..10 {
        publisher.publish(lane(index));
        publisher.publish(Event::Draining);
    }
    assert_eq!(deliveries.finish(DEADLINE).await.delivered, 10);
    let lanes: Vec<_> =
        server.requests().iter().map(|it| it.body["data"]["lane"].as_u64().unwrap()).collect();
    assert_eq!(lanes, [0, 1, 1, 2, 2, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert!(server.requests().iter().all(|it| header(&it.head, "webhook-signature").is_none()));
}

#[tokio::test]
async fn the_wait_that_the_address_asks_for_is_kept() {
    let server = Server::start(&["429 Slow down\r\nretry-after: 1"]).await;
    let bus = EventBus::new();
    let deliveries = server.webhook(None, &[]).start(&bus).unwrap();
    bus.publisher("paid", "r1").publish(Event::Draining);
    assert_eq!(deliveries.finish(DEADLINE).await.delivered, 1);
    let [first, second] = &server.requests()[..] else { panic!("two requests") };
    assert!(second.at - first.at >= Duration::from_millis(950), "{:?}", second.at - first.at);
}

#[tokio::test]
async fn an_address_that_refuses_connections_is_tried_until_it_is_there() {
    let (socket, address) = refusing();
    let bus = EventBus::new();
    let deliveries = webhook(address, None, &[]).start(&bus).unwrap();
    bus.publisher("paid", "r1").publish(Event::Draining);
    assert!(!bus.flush(Duration::from_millis(50)).await, "nobody listens yet");
    let server = Server::listen(socket.listen(8).unwrap(), &[]);
    assert_eq!(deliveries.finish(DEADLINE).await.delivered, 1);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn at_the_end_of_a_run_a_dead_address_costs_no_more_than_the_deadline() {
    let (_socket, address) = refusing();
    let bus = EventBus::new();
    let mut webhook = webhook(address, None, &[]);
    webhook.timing.first = Duration::from_secs(3600);
    let deliveries = webhook.start(&bus).unwrap();
    let publisher = bus.publisher("paid", "r1");
    for index in 0..3 {
        publisher.publish(lane(index));
    }
    let begun = Instant::now();
    let outcome = deliveries.finish(Duration::from_millis(20)).await;
    assert_eq!(outcome, Delivered { delivered: 0, refused: 0, undelivered: 3 });
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn the_end_of_a_run_does_not_sit_out_a_long_wait() {
    let server = Server::start(&["500 Oh"]).await;
    let bus = EventBus::new();
    let mut webhook = server.webhook(None, &[]);
    webhook.timing.first = Duration::from_secs(3600);
    webhook.timing.longest = Duration::from_secs(3600);
    let deliveries = webhook.start(&bus).unwrap();
    bus.publisher("paid", "r1").publish(Event::Draining);
    assert!(!bus.flush(Duration::from_millis(200)).await, "it waits for an hour");
    assert_eq!(deliveries.finish(DEADLINE).await.delivered, 1);
}

#[tokio::test]
async fn a_refused_event_is_given_up_and_the_next_one_sent() {
    let server = Server::start(&["400 Bad Request"]).await;
    let bus = EventBus::new();
    let deliveries = server.webhook(None, &[]).start(&bus).unwrap();
    let publisher = bus.publisher("paid", "r1");
    publisher.publish(lane(0));
    publisher.publish(lane(1));
    let outcome = deliveries.finish(DEADLINE).await;
    assert_eq!(outcome, Delivered { delivered: 1, refused: 1, undelivered: 0 });
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn an_address_that_is_gone_is_left_alone() {
    let server = Server::start(&["410 Gone"]).await;
    let bus = EventBus::new();
    let deliveries = server.webhook(None, &[]).start(&bus).unwrap();
    let publisher = bus.publisher("paid", "r1");
    publisher.publish(lane(0));
    publisher.publish(lane(1));
    assert!(bus.flush(DEADLINE).await, "nobody waits for it");
    publisher.publish(lane(2));
    assert_eq!(deliveries.finish(DEADLINE).await.delivered, 0);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn another_workflow_and_progress_are_not_sent() {
    let server = Server::start(&[]).await;
    let bus = EventBus::new();
    let deliveries = server.webhook(None, &[]).workflow("paid").start(&bus).unwrap();
    bus.publisher("unpaid", "r1").publish(lane(0));
    bus.publisher("paid", "r1").publish(crate::event::catalogue::samples::tick(200));
    bus.publisher("paid", "r1").publish(lane(2));
    assert_eq!(deliveries.finish(DEADLINE).await.delivered, 1);
    assert_eq!(server.requests()[0].body["data"]["lane"], 2);
}

#[test]
fn neither_errors_nor_debug_show_what_may_be_secret() {
    let address = "https://user:pa55@example.com/services/t0ken?key=k3y";
    let webhook = Webhook::new(address, Some("s3cret"), &[]).unwrap();
    let shown = format!("{webhook:?}");
    assert!(shown.contains("https://example.com"), "{shown}");
    for wrong in ["pa55@example.com/t0ken", "ftp://user:pa55@example.com/t0ken", "https://:pa55@"] {
        let error = Webhook::new(wrong, Some("s3cret"), &[]).unwrap_err();
        let told = format!("{shown} {error:?} {}", error.report());
        for secret in ["pa55", "t0ken", "k3y", "s3cret"] {
            assert!(!told.contains(secret), "{secret} in {told}");
        }
    }
}

/// All that is logged, at every level, as text.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        span.record(&mut self.clone());
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        event.record(&mut self.clone());
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?}\n"));
    }
}

#[tokio::test]
async fn the_log_names_the_host_of_what_failed_and_no_secret() {
    let log = Log::default();
    let _logged = tracing::subscriber::set_default(log.clone());

    let server = Server::start(&["500 Oh", "400 Bad Request"]).await;
    let (_socket, refusing) = refusing();
    let bus = EventBus::new();
    let deliveries = [server.address, refusing].map(|address| {
        let url = format!("http://user:pa55@{address}/services/t0ken?key=k3y");
        let mut webhook = Webhook::new(&url, Some("s3cret"), &[]).unwrap();
        webhook.timing.first = Duration::from_millis(1);
        webhook.start(&bus).unwrap()
    });
    bus.publisher("paid", "r1").publish(Event::Draining);
    let [refused, undelivered] = deliveries;
    assert_eq!(refused.finish(DEADLINE).await.refused, 1);
    assert_eq!(undelivered.finish(Duration::from_millis(20)).await.undelivered, 1);

    let text = log.0.lock().unwrap().clone();
    assert!(text.contains(&format!("http://{}", server.address)), "{text}");
    assert!(text.contains("Connection refused"), "{text}");
    for secret in ["pa55", "t0ken", "k3y", "s3cret"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(server.requests()[0].head.contains("\r\nauthorization: basic "), "the user is still sent");
}

#[test]
fn a_specification_is_checked_before_a_run() {
    let spec = |on: &str| EventSpec::Webhook {
        url: "https://example.com/hook".into(),
        secret: None,
        on: vec![on.into()],
    };
    assert!(Webhook::from_spec(&spec("workflow.*")).is_ok());
    let error = Webhook::from_spec(&spec("workflow.finnished")).unwrap_err();
    assert_eq!(error.kind, crate::ErrorKind::Config);
    assert_eq!(error.message, "no event is called `workflow.finnished`");
}
