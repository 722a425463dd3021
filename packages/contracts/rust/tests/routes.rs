//! The routes of an agent's plugins over HTTP, asked with nothing but a socket.

#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use anyplug_contracts::agent::{AgentRuntime, RouteServer, RouteServerOptions, serve_routes};
use anyplug_weather::weather;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn served(options: RouteServerOptions) -> (AgentRuntime, RouteServer) {
    let agent = AgentRuntime::default();
    agent.register_plugin(weather()).await.unwrap();
    let server = serve_routes(&agent, options).await.unwrap();
    (agent, server)
}

/// Sends a request, and returns the status, the head in small letters and the body.
async fn ask(server: &RouteServer, line: &str, headers: &str, body: &str) -> (u16, String, String) {
    let address = server.url().strip_prefix("http://").unwrap();
    let mut socket = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), head.to_lowercase(), body.to_owned())
}

#[tokio::test]
async fn routes_are_served_below_the_plugins_name_as_long_as_it_is_registered() {
    let (agent, server) = served(RouteServerOptions::default()).await;
    let (status, head, body) =
        ask(&server, "POST /weather/city/K%C3%B6ln?q=1&q=%20+", "X-Kind: test\r\n", "hello").await;
    assert_eq!(status, 201);
    assert!(head.contains("x-kind: test") && head.contains("content-type: application/json"), "{head}");
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(told, json!({ "city": "Köln", "q": ["1", "  "], "text": "hello" }));
    let (_, _, map) = ask(&server, "GET /weather/maps/a/b.png", "", "").await;
    assert_eq!(map, "map a/b.png");
    for line in ["GET /weather/city/Bonn", "POST /weather/city", "POST /weather/city/a/b", "GET /other/maps/a", "GET /"]
    {
        let (status, _, body) = ask(&server, line, "", "").await;
        assert_eq!((status, body.contains("NOT_FOUND")), (404, true), "{line}: {body}");
    }
    agent.unregister_plugin("weather").await;
    assert_eq!(ask(&server, "GET /weather/maps/a", "", "").await.0, 404);
    server.close().await;
}

#[tokio::test]
async fn an_error_has_the_status_of_its_code_and_a_body_that_is_too_large_is_refused() {
    let (_agent, server) = served(RouteServerOptions { max_body_bytes: 10, ..Default::default() }).await;
    let (status, _, body) = ask(&server, "GET /weather/refuse", "", "").await;
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, told), (403, json!({ "code": "PERMISSION_DENIED", "message": "not for you" })));
    let (status, _, body) = ask(&server, "POST /weather/city/Bonn", "", "12345678901").await;
    let told: Value = serde_json::from_str(&body).unwrap();
    let expected = json!({ "code": "RESOURCE_EXHAUSTED", "message": "the body is over 10 bytes" });
    assert_eq!((status, told), (413, expected));
    server.close().await;
}
