//! An HTTP server of this machine, which tells what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

/// A server at a port of its own, for as long as this process runs.
pub(crate) struct Server {
    /// Without a slash at its end.
    pub(crate) url: String,
}

impl Server {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || answer_all(&stream));
            }
        });
        Self { url }
    }
}

fn answer_all(stream: &TcpStream) {
    let mut reader = BufReader::new(stream);
    while answer(&mut reader, stream).is_some() {}
}

/// Answers one request; none at the end.
fn answer(reader: &mut BufReader<&TcpStream>, mut stream: &TcpStream) -> Option<()> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        lines.push(line.to_owned());
    }
    let header = |name: &str| {
        lines.iter().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).ok()?;
    let first: Vec<_> = lines.first()?.split(' ').collect();
    let (method, path) = (first[0], first[1]);
    let text = |status: &str, more: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{more}\r\n", body.len());
        [head.as_bytes(), if method == "HEAD" { b"" } else { body }].concat()
    };
    let answer = if path == "/never" {
        // Until the other side goes.
        let _ = reader.read(&mut [0]);
        return None;
    } else if path == "/nonsense" {
        b"what?\r\n\r\n".to_vec()
    } else if path == "/again" {
        text("302 Found", "Location: /again\r\n", b"")
    } else if let Some(to) = path.strip_prefix("/to/") {
        let to = if to.contains("://") { to.to_owned() } else { format!("/{to}") };
        text("302 Found", &format!("Location: {to}\r\n"), b"")
    } else if let Some(bytes) = path.strip_prefix("/bytes/") {
        text("200 OK", "", &vec![b'x'; bytes.parse().unwrap()])
    } else if let Some(status) = path.strip_prefix("/status/") {
        text(&format!("{status} So"), "", b"")
    } else {
        let own = ["x-own", "authorization"];
        let told = own.iter().filter_map(|name| Some(format!("{name}: {}\n", header(name)?))).collect::<String>();
        let told = [format!("{method} {path}\n{told}").as_bytes(), &body].concat();
        text("200 OK", "X-Server: one\r\nX-Server: two\r\n", &told)
    };
    stream.write_all(&answer).ok()
}
