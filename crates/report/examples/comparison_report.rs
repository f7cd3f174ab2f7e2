//! `cargo run -p strait-report --example comparison_report -- comparison.json > comparison.html`

use std::{env, fs, io};

use strait_report::{Comparison, comparison_report};

fn main() -> io::Result<()> {
    let path = env::args().nth(1).ok_or_else(|| io::Error::other("which JSON file?"))?;
    let comparison: Comparison = serde_json::from_str(&fs::read_to_string(path)?).map_err(io::Error::other)?;
    print!("{}", comparison_report(&comparison));
    Ok(())
}
