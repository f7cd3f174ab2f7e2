//! Throughput and latency of a server over loopback, against the number of clients, with and without merging their
//! requests, and its memory, also before and after many requests.
//!
//! `cargo run --release -p strait-server --example load -- MODEL TEXTS [SECONDS] [REQUESTS]`
//!
//! TEXTS is a file, a text a line, SECONDS the time of each measurement (5), REQUESTS the number of requests between the
//! two looks at the memory (10,000). The clients are threads of the same process: they share its processors and memory.

#[path = "../tests/http/client.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod client;

use std::{
    error::Error,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use client::Client;
use strait_server::{Batching, Event, ModelPlace, Options, Server};

const VERBS: [&str; 2] = ["encode", "sample"];
const CLIENTS: [usize; 4] = [1, 4, 16, 64];
/// Seconds of each measurement.
const SECONDS: f64 = 5.0;
/// Texts of a request.
const TEXTS: usize = 4;
/// Requests between the two looks at the memory, those before the first one, and their clients.
const REQUESTS: usize = 10_000;
const WARM: usize = 500;
const MANY: usize = 16;

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let usage = "usage: load MODEL TEXTS [SECONDS] [REQUESTS]";
    let (model, file) = args.next().zip(args.next()).ok_or(usage)?;
    let seconds: f64 = args.next().map_or(Ok(SECONDS), |s| s.parse())?;
    let requests: usize = args.next().map_or(Ok(REQUESTS), |s| s.parse())?;
    let texts: Vec<String> = std::fs::read_to_string(&file)?.lines().map(str::to_owned).collect();
    if texts.is_empty() {
        return Err(format!("{file}: it has no texts").into());
    }
    println!("verb    merged  clients  requests/s  texts/s   p50 ms   p99 ms  memory MiB");
    for merge in [true, false] {
        let server = start(&model, merge)?;
        for verb in VERBS {
            for clients in CLIENTS {
                let until = Until::Time(Duration::from_secs_f64(seconds));
                let (mut times, took) = measure(server.address(), (verb, &texts), clients, until)?;
                times.sort_by(f64::total_cmp);
                let at =
                    |share: f64| 1e3 * times.get((share * times.len() as f64) as usize).copied().unwrap_or(f64::NAN);
                let rate = times.len() as f64 / took;
                println!(
                    "{verb:7} {:6} {clients:8} {rate:11.1} {:8.1} {:8.2} {:8.2} {:11.1}",
                    if merge { "yes" } else { "no" },
                    rate * TEXTS as f64,
                    at(0.5),
                    at(0.99),
                    memory(server.address())?,
                );
            }
        }
        server.stop();
        server.wait()?;
    }
    let server = start(&model, true)?;
    let mixed = |n: usize| -> Result<f64, Box<dyn Error>> {
        for verb in VERBS {
            measure(server.address(), (verb, &texts), MANY, Until::Requests(n / VERBS.len()))?;
        }
        memory(server.address())
    };
    let (before, after) = (mixed(WARM)?, mixed(requests)?);
    println!("memory after {WARM} requests {before:.1} MiB, after {requests} more {after:.1} MiB");
    server.stop();
    Ok(server.wait()?)
}

fn start(model: &str, merge: bool) -> Result<Server, Box<dyn Error>> {
    let batching = Batching { merge, ..Batching::default() };
    let options = Options { port: 0, batching, ..Options::new(vec![ModelPlace::new(model)]) };
    let server = Server::start(options, Arc::new(|_: &Event| {}))?;
    while Client::new(server.address())?.ask("GET", "/health", &[], b"")?.status != 200 {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}

/// When clients stop.
#[derive(Clone, Copy)]
enum Until {
    Time(Duration),
    Requests(usize),
}

/// The `i`-th request of all.
fn body(verb: &str, texts: &[String], i: usize) -> serde_json::Value {
    match verb {
        "encode" => {
            let part: Vec<&String> = (0..TEXTS).map(|j| &texts[(TEXTS * i + j) % texts.len()]).collect();
            serde_json::json!({"texts": part})
        }
        _ => serde_json::json!({"n": TEXTS, "seed": i}),
    }
}

/// Seconds of every request of all clients, and of all together.
fn measure(
    address: SocketAddr,
    (verb, texts): (&str, &[String]),
    clients: usize,
    until: Until,
) -> Result<(Vec<f64>, f64), Box<dyn Error>> {
    let (began, count) = (Instant::now(), AtomicUsize::new(0));
    let path = format!("/v1/{verb}");
    let one = || -> std::io::Result<Vec<f64>> {
        let (mut client, mut times) = (Client::new(address)?, Vec::new());
        loop {
            let i = count.fetch_add(1, Ordering::Relaxed);
            let over = match until {
                Until::Time(time) => began.elapsed() >= time,
                Until::Requests(n) => i >= n,
            };
            if over {
                return Ok(times);
            }
            let body = body(verb, texts, i).to_string();
            let asked = Instant::now();
            let answer = client.ask("POST", &path, &[], body.as_bytes())?;
            if answer.status != 200 {
                return Err(std::io::Error::other(answer.text()));
            }
            times.push(asked.elapsed().as_secs_f64());
        }
    };
    let times = std::thread::scope(|scope| {
        let all: Vec<_> = (0..clients).map(|_| scope.spawn(one)).collect();
        all.into_iter().flat_map(|t| t.join().ok()).collect::<std::io::Result<Vec<_>>>()
    })?;
    Ok((times.concat(), began.elapsed().as_secs_f64()))
}

/// In MiB.
fn memory(address: SocketAddr) -> Result<f64, Box<dyn Error>> {
    let text = Client::new(address)?.ask("GET", "/metrics", &[], b"")?.text();
    let line = text.lines().find_map(|l| l.strip_prefix("process_resident_memory_bytes "));
    Ok(line.map_or(Ok(f64::NAN), str::parse)? / f64::from(1 << 20))
}
