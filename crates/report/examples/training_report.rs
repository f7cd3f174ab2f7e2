//! `cargo run -p strait-report --example training_report -- metrics.jsonl > report.html`

use std::{env, fs, io};

use strait_report::{Card, read_events, training_report};

fn main() -> io::Result<()> {
    let path = env::args().nth(1).ok_or_else(|| io::Error::other("which metrics.jsonl?"))?;
    let events = read_events(&fs::read_to_string(&path)?);
    let card = Card { title: "A training".into(), about: format!("From the events of {path}."), facts: vec![] };
    print!("{}", training_report(&events, &card));
    Ok(())
}
