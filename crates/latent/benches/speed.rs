//! Search, clusters and maps of many latents: `cargo bench -p strait-latent --bench speed [rows] [dimensions] [map]`.
//!
//! The latents are drawn from 200 Gaussians of different widths. A map is drawn only when asked for.

use std::time::Instant;

use rand::{Rng, RngExt};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use strait_latent::cluster::{HdbscanOptions, KMeansOptions, choose_k, hdbscan, kmeans};
use strait_latent::project::{MapOptions, map, sparse_places, trustworthiness};
use strait_latent::search::{Exact, Index, IndexOptions, Metric, recall};
use strait_latent::{Matrix, MatrixBuf, dedup};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with('-')).collect();
    let number = |at: usize, default: usize| words.get(at).and_then(|w| w.parse().ok()).unwrap_or(default);
    let (n, dim) = (number(0, 100_000), number(1, 64));
    let latents = mixture(n, dim, 1);
    let queries = mixture(1000, dim, 2);
    let rows = latents.view();
    let gigabytes = (n * dim * 4) as f64 / 1e9;
    println!("{n} rows of {dim}, {} threads; seconds unless said", rayon::current_num_threads());

    let search = Exact::new(rows, Metric::Euclidean);
    let one = best(|| search.nearest(queries.row(0), 10).unwrap());
    println!("exact, one query          {one:9.5}  {:.1} GB/s", gigabytes / one);
    let (many, truth) = timed(|| search.nearest_all(queries.view(), 10).unwrap());
    let products = 2.0 * (n * dim * queries.rows()) as f64 / many / 1e9;
    println!("exact, 1000 queries       {many:9.3}  {products:.0} GFLOP/s, {:.1} us a query", 1e3 * many);

    let (built, index) = timed(|| Index::build(rows, &IndexOptions::default()).unwrap());
    println!(
        "index built               {built:9.3}  {} cells, {} read, recall {}",
        index.cells(),
        index.probes(),
        index.recall()
    );
    let path = std::env::temp_dir().join(format!("strait-speed-{}.index", std::process::id()));
    index.write(&path).unwrap();
    let (opened, index) = timed(|| Index::open(&path).unwrap());
    println!("index mapped              {opened:9.5}  {:.1} MB", std::fs::metadata(&path).unwrap().len() as f64 / 1e6);
    let of = |q: usize| index.nearest(queries.row(q), 10).unwrap();
    let (walk, found) = timed(|| (0..1000).map(of).collect::<Vec<_>>());
    println!("index, 1000 queries       {walk:9.3}  one after another, recall {:.4}", recall(&found, &truth).unwrap());
    let (graph, lists) = timed(|| index.neighbours(dedup::NEIGHBOURS).unwrap());
    println!("index, all neighbours     {graph:9.3}  {} each", dedup::NEIGHBOURS);
    std::fs::remove_file(&path).ok();
    println!("duplicates                           {:?}", dedup::suggest(&lists, Metric::Euclidean));

    let (seconds, clusters) = timed(|| kmeans(rows, 20, &KMeansOptions::default()).unwrap());
    println!("k-means, 20, 4 starts     {seconds:9.3}  best in {} rounds", clusters.rounds);
    let ks: Vec<usize> = (2..=20).collect();
    let (seconds, choice) = timed(|| choose_k(rows, &ks, &KMeansOptions::default()).unwrap());
    println!("number of clusters 2..20  {seconds:9.3}  {}", choice.clusters.centres.rows());
    let some = Matrix::new(&latents.data()[..n.min(20_000) * dim], dim).unwrap();
    let (seconds, labels) = timed(|| hdbscan(some, &HdbscanOptions::default()).unwrap());
    let noise = labels.iter().filter(|l| l.is_none()).count();
    println!("HDBSCAN, {} rows      {seconds:9.3}  {noise} noise", some.rows());

    if words.iter().any(|w| w == "map") {
        let (seconds, drawn) = timed(|| map(rows, &MapOptions::default()).unwrap());
        println!("map                       {seconds:9.1}  divergence {:.3}", drawn.divergence);
        let (seconds, trust) = timed(|| trustworthiness(rows, &drawn.places, 10, Metric::Euclidean, 1).unwrap());
        println!("trustworthiness           {seconds:9.3}  {trust:.4}");
        let (seconds, empty) = timed(|| sparse_places(&drawn.places, 20).unwrap());
        println!("sparse places             {seconds:9.3}  largest {:?}", empty.first());
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let out = run();
    (start.elapsed().as_secs_f64(), out)
}

/// The least of 20 runs.
fn best<T>(mut run: impl FnMut() -> T) -> f64 {
    (0..20).map(|_| timed(&mut run).0).fold(f64::INFINITY, f64::min)
}

/// Rows of 200 Gaussians whose centres and widths do not depend on the seed.
fn mixture(n: usize, dim: usize, seed: u64) -> MatrixBuf {
    let mut fixed = ChaCha8Rng::seed_from_u64(0);
    let centres: Vec<f32> = (0..200 * dim).map(|_| gauss(&mut fixed)).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let row = |_| {
        let which = rng.random_range(0..200);
        let width = 0.3 + 0.7 * (which % 7) as f32 / 7.0;
        centres[which * dim..][..dim].iter().map(|c| c + width * gauss(&mut rng)).collect::<Vec<f32>>()
    };
    MatrixBuf::from_rows(&(0..n).map(row).collect::<Vec<_>>()).unwrap()
}

fn gauss(rng: &mut impl Rng) -> f32 {
    let (u, v): (f64, f64) = (1.0 - rng.random::<f64>(), rng.random());
    ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}
