//! How fast the numeric core is: the machine's peak, matrix products by library, and whole workloads.
//!
//!     cargo bench -p strait-engine --bench steps -- [peak] [gemm] [lstm] [greedy] [encode] [transformer]
//!                                                   [--json] [--breakdown] [--threads N] [--rounds N]
//!
//! Without names everything runs. The workloads are those of `benches/pytorch_steps.py`. Every figure is the median,
//! least and greatest of several runs after a warm-up; libraries that are compared take turns. Peak memory is that of
//! the process so far, so ask for one workload at a time when it matters.

mod lstm;
mod peak;
mod products;
mod report;
mod transformer;

use report::Report;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str| {
        let at = arguments.iter().position(|a| a == flag)?;
        arguments.get(at + 1)?.parse::<usize>().ok()
    };
    let threads = after("--threads").unwrap_or(2);
    let rounds = after("--rounds").unwrap_or(15);
    let flag = |name: &str| arguments.iter().any(|a| a == name);
    let names = ["peak", "gemm", "lstm", "greedy", "encode", "transformer"];
    let all = !names.iter().any(|n| flag(n));
    let wanted = |name: &str| all || flag(name);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be started");
    pool.install(|| {
        let mut report = Report::new(flag("--json"), threads);
        if wanted("peak") {
            peak::run(&mut report);
        }
        if wanted("gemm") {
            products::run(&mut report, rounds);
        }
        if wanted("lstm") {
            lstm::train(&mut report, rounds, flag("--breakdown"));
        }
        if wanted("greedy") {
            lstm::greedy(&mut report, rounds);
        }
        if wanted("encode") {
            lstm::encode(&mut report, rounds.div_ceil(4));
        }
        if wanted("transformer") {
            transformer::train(&mut report, rounds.div_ceil(2), flag("--breakdown"));
        }
        report.finish();
    });
}
