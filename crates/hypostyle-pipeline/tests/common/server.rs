//! A server that speaks as much of S3 as reading and writing needs, and plain http, from memory.  It counts requests, and fails
//! as it is told to.

#![allow(dead_code)] // each test file uses some of it

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// So many keys are listed at once.
const PAGE: usize = 2;

#[derive(Clone)]
pub struct Server {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    objects: Mutex<BTreeMap<String, Stored>>,
    uploads: Mutex<BTreeMap<String, BTreeMap<usize, Vec<u8>>>>,
    requests: Mutex<Vec<Request>>,
    fault: Mutex<Option<Fault>>,
    whole: AtomicBool,
    no_head: AtomicBool,
    plain: AtomicBool,
    read_only: AtomicBool,
    deaf: AtomicBool,
    made: AtomicUsize,
    later: AtomicUsize,
}

#[derive(Clone)]
struct Stored {
    bytes: Arc<Vec<u8>>,
    version: usize,
}

#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: String,
    pub range: Option<(usize, usize)>,
    pub if_match: Option<String>,
    /// Bytes of the object that the answer held.
    pub sent: usize,
}

/// What goes wrong, with how many of the GETs to come.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// This answer instead.
    Status(u16, usize),
    /// The connection is cut after so many bytes of the body.
    Cut(usize, usize),
    /// So long a pause after each 64 KiB.
    Slow(Duration),
    /// Nothing is ever answered.
    Silent,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        let state = Arc::clone(&server.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                thread::spawn(move || state.serve(stream));
            }
        });
        server
    }

    pub fn put(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.state.put(path, bytes.into());
    }

    pub fn get(&self, path: &str) -> Option<Vec<u8>> {
        self.state.objects.lock().unwrap().get(path).map(|stored| stored.bytes.to_vec())
    }

    pub fn uploads(&self) -> usize {
        self.state.uploads.lock().unwrap().len()
    }

    pub fn fail(&self, fault: Option<Fault>) {
        *self.state.fault.lock().unwrap() = fault;
    }

    /// Gives files as a whole only.
    pub fn give_no_ranges(&self) {
        self.state.whole.store(true, Ordering::Relaxed);
    }

    /// Refuses HEAD, as links that were signed for GET do.
    pub fn give_no_heads(&self) {
        self.state.no_head.store(true, Ordering::Relaxed);
    }

    /// Says from now on that everything was made a second later, and is the same.
    pub fn copy_all(&self) {
        self.state.later.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells neither e_tags nor times.
    pub fn tell_little(&self) {
        self.state.plain.store(true, Ordering::Relaxed);
    }

    /// Never answers who sends a part or gives up.
    pub fn be_deaf(&self) {
        self.state.deaf.store(true, Ordering::Relaxed);
    }

    /// Refuses to be written to.
    pub fn be_read_only(&self) {
        self.state.read_only.store(true, Ordering::Relaxed);
    }

    /// The requests since this was asked last.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.state.requests.lock().unwrap())
    }
}

impl State {
    fn put(&self, path: &str, bytes: Vec<u8>) {
        let version = self.made.fetch_add(1, Ordering::Relaxed);
        self.objects.lock().unwrap().insert(path.to_string(), Stored { bytes: Arc::new(bytes), version });
    }

    fn serve(&self, stream: TcpStream) -> Option<()> {
        let mut input = BufReader::new(stream.try_clone().ok()?);
        let mut output = stream;
        loop {
            let mut line = String::new();
            if input.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let mut words = line.split_whitespace();
            let (method, target) = (words.next()?.to_string(), words.next()?.to_string());
            let mut headers = BTreeMap::new();
            loop {
                let mut line = String::new();
                input.read_line(&mut line).ok()?;
                let Some((name, value)) = line.split_once(':') else { break };
                headers.insert(name.to_lowercase(), value.trim().to_string());
            }
            let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
            let mut body = vec![0; length];
            input.read_exact(&mut body).ok()?;
            let (path, query) = target.split_once('?').unwrap_or((&target, ""));
            let range = headers.get("range").and_then(|range| {
                let (from, to) = range.strip_prefix("bytes=")?.split_once('-')?;
                Some((from.parse().ok()?, to.parse().ok()?))
            });
            let request = Request {
                method,
                path: decoded(path),
                query: query.to_string(),
                range,
                if_match: headers.get("if-match").cloned(),
                sent: 0,
            };
            self.answer(request, body, &mut output)?;
        }
    }

    /// `None` closes the connection.
    fn answer(&self, mut request: Request, body: Vec<u8>, out: &mut TcpStream) -> Option<()> {
        let fault = if request.method == "GET" { self.next_fault() } else { None };
        let simple = |out: &mut TcpStream, status: &str, headers: &str, body: &str| {
            let head = format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len());
            out.write_all(head.as_bytes()).ok()
        };
        let parameter = |name: &str| {
            let found = request.query.split('&').find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name));
            found.map(|(_, value)| decoded(value))
        };
        match (request.method.as_str(), fault) {
            (_, Some(Fault::Silent)) => {
                thread::sleep(Duration::from_secs(60));
                return None;
            }
            (_, Some(Fault::Status(status, _))) => {
                self.requests.lock().unwrap().push(request);
                let code = "<Error><Code>Told</Code><Message>as told</Message><Signature>hunter2</Signature></Error>";
                return simple(out, &format!("{status} Told"), "", code);
            }
            ("GET", _) if request.query.contains("list-type=2") => {
                let prefix = format!("{}/{}", request.path, parameter("prefix").unwrap_or_default());
                let after = parameter("continuation-token").unwrap_or_default();
                let xml = self.list(&request.path, &prefix, &after);
                self.requests.lock().unwrap().push(request);
                return simple(out, "200 OK", "", &xml);
            }
            ("PUT" | "POST", _) if self.read_only.load(Ordering::Relaxed) => {
                self.requests.lock().unwrap().push(request);
                let code = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
                return simple(out, "403 Forbidden", "", code);
            }
            ("PUT" | "DELETE", _) if self.deaf.load(Ordering::Relaxed) => {
                self.requests.lock().unwrap().push(request);
                thread::sleep(Duration::from_secs(60));
                return None;
            }
            ("GET" | "HEAD", _) if request.path.starts_with("/moved/") => {
                let to = format!("location: {}?{}\r\n", &request.path["/moved".len()..], request.query);
                self.requests.lock().unwrap().push(request);
                return simple(out, "302 Found", &to, "");
            }
            ("PUT", _) => {
                match parameter("partNumber") {
                    Some(part) => {
                        let mut uploads = self.uploads.lock().unwrap();
                        let upload = uploads.get_mut(&parameter("uploadId")?)?;
                        upload.insert(part.parse().ok()?, body);
                    }
                    None => self.put(&request.path, body),
                }
                self.requests.lock().unwrap().push(request);
                return simple(out, "200 OK", "etag: \"part\"\r\n", "");
            }
            ("POST", _) => {
                let xml = match parameter("uploadId") {
                    None => {
                        let id = format!("upload-{}", self.made.fetch_add(1, Ordering::Relaxed));
                        self.uploads.lock().unwrap().insert(id.clone(), BTreeMap::new());
                        format!(
                            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
                        )
                    }
                    Some(id) => {
                        let parts = self.uploads.lock().unwrap().remove(&id)?;
                        self.put(&request.path, parts.into_values().flatten().collect());
                        "<CompleteMultipartUploadResult><ETag>\"done\"</ETag></CompleteMultipartUploadResult>"
                            .to_string()
                    }
                };
                self.requests.lock().unwrap().push(request);
                return simple(out, "200 OK", "", &xml);
            }
            ("DELETE", _) => {
                if let Some(id) = parameter("uploadId") {
                    self.uploads.lock().unwrap().remove(&id);
                }
                return simple(out, "204 No Content", "", "");
            }
            ("HEAD", _) if self.no_head.load(Ordering::Relaxed) => {
                self.requests.lock().unwrap().push(request);
                return out.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n").ok();
            }
            _ => {}
        }
        let stored = self.objects.lock().unwrap().get(&request.path).cloned();
        let Some(Stored { bytes, version }) = stored else {
            let code = "<Error><Code>NoSuchKey</Code><Message>The key does not exist.</Message></Error>";
            let body = if request.method == "HEAD" { "" } else { code };
            self.requests.lock().unwrap().push(request);
            return simple(out, "404 Not Found", "", body);
        };
        let e_tag = format!("\"v{version}\"");
        if request.if_match.as_ref().is_some_and(|wanted| *wanted != e_tag) {
            self.requests.lock().unwrap().push(request);
            return simple(out, "412 Precondition Failed", "", "");
        }
        let range = request.range.filter(|_| !self.whole.load(Ordering::Relaxed));
        let (from, to) = range.map_or((0, bytes.len()), |(from, to)| (from, (to + 1).min(bytes.len())));
        let mut head = match range {
            None => "HTTP/1.1 200 OK\r\n".to_string(),
            Some(_) if from >= bytes.len() => {
                self.requests.lock().unwrap().push(request);
                return simple(out, "416 Range Not Satisfiable", "", "");
            }
            Some(_) => {
                format!("HTTP/1.1 206 Partial Content\r\ncontent-range: bytes {from}-{}/{}\r\n", to - 1, bytes.len())
            }
        };
        if !self.plain.load(Ordering::Relaxed) {
            let second = (version + self.later.load(Ordering::Relaxed)) % 60;
            head.push_str(&format!("etag: {e_tag}\r\nlast-modified: Tue, 02 Jan 2024 10:00:{second:02} GMT\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", to - from));
        if request.method == "HEAD" {
            self.requests.lock().unwrap().push(request);
            return out.write_all(head.as_bytes()).ok();
        }
        request.sent = to - from;
        self.requests.lock().unwrap().push(request);
        out.write_all(head.as_bytes()).ok()?;
        match fault {
            Some(Fault::Cut(after, _)) if after < to - from => {
                out.write_all(&bytes[from..from + after]).ok()?;
                let _ = out.shutdown(Shutdown::Both);
                None
            }
            Some(Fault::Slow(pause)) => {
                for piece in bytes[from..to].chunks(1 << 16) {
                    out.write_all(piece).ok()?;
                    thread::sleep(pause);
                }
                Some(())
            }
            _ => out.write_all(&bytes[from..to]).ok(),
        }
    }

    fn next_fault(&self) -> Option<Fault> {
        let mut fault = self.fault.lock().unwrap();
        match fault.as_mut() {
            Some(Fault::Status(_, 0) | Fault::Cut(_, 0)) => None,
            Some(Fault::Status(_, left) | Fault::Cut(_, left)) => {
                *left -= 1;
                *fault
            }
            _ => *fault,
        }
    }

    fn list(&self, bucket: &str, prefix: &str, after: &str) -> String {
        let objects = self.objects.lock().unwrap();
        let found = objects.iter().filter(|(path, _)| path.starts_with(prefix) && path.as_str() > after);
        let page: Vec<_> = found.take(PAGE + 1).collect();
        let mut xml = String::from("<ListBucketResult>");
        for (path, Stored { bytes, version }) in page.iter().take(PAGE) {
            let key = path[bucket.len() + 1..].replace('&', "&amp;");
            let (second, length) = (version % 60, bytes.len());
            xml.push_str(&format!(
                "<Contents><Key>{key}</Key><LastModified>2024-01-02T10:00:{second:02}.123Z</LastModified>\
                 <ETag>&quot;v{version}&quot;</ETag><Size>{length}</Size></Contents>"
            ));
        }
        if page.len() > PAGE {
            xml.push_str(&format!("<NextContinuationToken>{}</NextContinuationToken>", page[PAGE - 1].0));
        }
        xml + "</ListBucketResult>"
    }
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        match (first, more) {
            (b'%', [high, low, more @ ..]) => {
                let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
                bytes.push(digit(*high) * 16 + digit(*low));
                rest = more;
            }
            (b'+', _) => bytes.push(b' '),
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap()
}
