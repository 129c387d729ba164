//! A server on loopback that plays what a test tells it: plain HTTP by hand, good and bad.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// What goes out.
#[derive(Clone)]
pub enum Reply {
    /// A status, more header fields and a body.
    Http(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Bytes as they are, then the end.
    Raw(Vec<u8>),
    /// Bytes as they are, then silence.
    Stall(Vec<u8>, Duration),
    /// Silence.
    Hang(Duration),
}

impl Reply {
    pub fn json(status: u16, body: &str) -> Self {
        Self::Http(status, vec![("Content-Type", "application/json".into())], body.into())
    }

    pub fn with(self, name: &'static str, value: impl ToString) -> Self {
        let Self::Http(status, mut headers, body) = self else { panic!("only an answer has header fields") };
        headers.push((name, value.to_string()));
        Self::Http(status, headers, body)
    }
}

pub struct Server {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// Serves until the test process ends; `reply` gets each request and its number from 0.
    pub fn start(reply: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (seen, reply) = (Arc::clone(&received), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, reply) = (Arc::clone(&seen), Arc::clone(&reply));
                thread::spawn(move || serve(stream, &seen, &*reply));
            }
        });
        Self { port, received }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no handler panicked").clone()
    }
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<Received>>, reply: &dyn Fn(&Received, usize) -> Reply) {
    let Some(request) = read_request(&stream) else { return };
    let number = {
        let mut seen = seen.lock().expect("no handler panicked");
        seen.push(request.clone());
        seen.len() - 1
    };
    // A client that has had enough closes the connection; that is its business.
    let _ = match reply(&request, number) {
        Reply::Http(status, headers, body) => {
            let mut head =
                format!("HTTP/1.1 {status} x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
            headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
            head.push_str("\r\n");
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body))
        }
        Reply::Raw(bytes) => stream.write_all(&bytes),
        Reply::Stall(bytes, duration) => {
            let sent = stream.write_all(&bytes);
            thread::sleep(duration);
            sent
        }
        Reply::Hang(duration) => {
            thread::sleep(duration);
            Ok(())
        }
    };
}

fn read_request(stream: &TcpStream) -> Option<Received> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let mut body = vec![0; length.map_or(0, |(_, value)| value.parse().unwrap_or(0))];
    reader.read_exact(&mut body).ok()?;
    Some(Received { method, path, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
