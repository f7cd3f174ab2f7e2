//! Throughput and latency of a server over loopback, against the number of clients, with and without merging their
//! requests, and its memory.
//!
//! `cargo run --release -p strait-server --example load -- MODEL [SECONDS]`

#[path = "../tests/http/client.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod client;

use std::{
    error::Error,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use client::Client;
use strait_server::{Batching, Event, ModelPlace, Options, Server};

const CLIENTS: [usize; 4] = [1, 4, 16, 64];
/// Seconds of each measurement.
const SECONDS: f64 = 5.0;
const TEXT: &str = "We praise the contests because they are quite memorable.";

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let model = args.next().ok_or("usage: load MODEL [SECONDS]")?;
    let seconds: f64 = args.next().map_or(Ok(SECONDS), |s| s.parse())?;
    println!("verb    merged  clients  requests/s  texts/s   p50 ms   p99 ms  memory MiB");
    for merge in [true, false] {
        let place = ModelPlace::new(&model);
        let batching = Batching { merge, ..Batching::default() };
        let options = Options { port: 0, batching, ..Options::new(vec![place]) };
        let server = Server::start(options, Arc::new(|_: &Event| {}))?;
        wait(server.address())?;
        for verb in ["encode", "sample"] {
            for clients in CLIENTS {
                let (mut times, took) = measure(server.address(), verb, clients, seconds);
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
                    memory(server.address())? / f64::from(1 << 20),
                );
            }
        }
        server.stop();
        server.wait()?;
    }
    Ok(())
}

/// Texts of a request.
const TEXTS: usize = 4;

fn body(verb: &str, seed: usize) -> String {
    match verb {
        "encode" => format!("{{\"texts\": {:?}}}", [TEXT; TEXTS]),
        _ => format!("{{\"n\": {TEXTS}, \"seed\": {seed}}}"),
    }
}

/// Seconds of every request of all clients, and of all together.
fn measure(address: SocketAddr, verb: &str, clients: usize, seconds: f64) -> (Vec<f64>, f64) {
    let began = Instant::now();
    let end = began + Duration::from_secs_f64(seconds);
    let path = format!("/v1/{verb}");
    let one = |seed: usize| -> std::io::Result<Vec<f64>> {
        let (mut client, mut times) = (Client::new(address)?, Vec::new());
        while Instant::now() < end {
            let body = body(verb, seed + times.len());
            let asked = Instant::now();
            let answer = client.ask("POST", &path, &[], body.as_bytes())?;
            if answer.status != 200 {
                return Err(std::io::Error::other(answer.text()));
            }
            times.push(asked.elapsed().as_secs_f64());
        }
        Ok(times)
    };
    let times = std::thread::scope(|scope| {
        let all: Vec<_> = (0..clients).map(|i| scope.spawn(move || one(1000 * i))).collect();
        all.into_iter().flat_map(|t| t.join().ok()).collect::<std::io::Result<Vec<_>>>()
    });
    match times {
        Ok(times) => (times.concat(), began.elapsed().as_secs_f64()),
        Err(e) => {
            eprintln!("{verb}, {clients} clients: {e}");
            (Vec::new(), 1.0)
        }
    }
}

fn wait(address: SocketAddr) -> Result<(), Box<dyn Error>> {
    while Client::new(address)?.ask("GET", "/health", &[], b"")?.status != 200 {
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn memory(address: SocketAddr) -> Result<f64, Box<dyn Error>> {
    let text = Client::new(address)?.ask("GET", "/metrics", &[], b"")?.text();
    let line = text.lines().find_map(|l| l.strip_prefix("process_resident_memory_bytes "));
    Ok(line.map_or(Ok(f64::NAN), str::parse)?)
}
