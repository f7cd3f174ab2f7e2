//! The nearest rows by reading all of them.
//!
//! One query reads the matrix once, as fast as memory gives it. Many queries are a matrix product: with
//! `g = q.x - |x|^2 / 2`, `|q - x|^2 = |q|^2 - 2 g`, so blocks of `g` come from [`gemm`] and the largest are kept. Since
//! that difference loses digits, every row within its rounding error of the k-th is kept too and all of them are
//! measured again directly. So both ways give the same rows and the same distances, ties broken by the row's number.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::Serialize;
use strait_engine::gemm::{A, Finish, Packed, Start, gemm};

use super::best::{Candidates, Found, Nearest};
use super::{Metric, Neighbour, check_k};
use crate::error::LatentError;
use crate::matrix::{Matrix, dot, squared_distance};

/// Rows that one task reads for a single query.
const CHUNK: usize = 4096;
/// Queries, and rows of the corpus, in a block of the product: its 256 KiB stay in the second cache.
const QUERIES: usize = 64;
const ROWS: usize = 1024;

/// A corpus (n, d) to search by reading.
#[derive(Debug, Clone)]
pub struct Exact<'a> {
    rows: Cow<'a, [f32]>,
    dim: usize,
    metric: Metric,
    /// `-|x|^2 / 2` of each row.
    halves: Vec<f32>,
    /// The largest norm.
    largest: f32,
}

/// Two rows and their distance, `a < b`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    pub a: usize,
    pub b: usize,
    /// In the metric of the search.
    pub distance: f32,
}

impl<'a> Exact<'a> {
    /// Takes up a corpus; copies it only for [`Metric::Cosine`].
    pub fn new(corpus: Matrix<'a>, metric: Metric) -> Self {
        let (dim, rows) = (corpus.dim(), metric.prepare(corpus));
        let halves: Vec<f32> = rows.par_chunks(dim).map(|x| dot(x, x) / -2.0).collect();
        let largest = halves.iter().fold(0.0f32, |m, &h| m.max(-2.0 * h)).sqrt();
        Self { rows, dim, metric, halves, largest }
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.halves.len()
    }

    /// The metric of the distances.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Row `i` as it is compared: of length one for [`Metric::Cosine`].
    pub(crate) fn row(&self, i: usize) -> &[f32] {
        &self.rows[i * self.dim..][..self.dim]
    }

    /// The `k` rows nearest to `query` (d), nearest first, rows of equal distance by their number.
    ///
    /// ```
    /// use strait_latent::search::{Exact, Metric};
    /// use strait_latent::Matrix;
    /// let corpus = [0.0, 0.0, 3.0, 4.0, 1.0, 0.0];
    /// let search = Exact::new(Matrix::new(&corpus, 2)?, Metric::Euclidean);
    /// let found = search.nearest(&[3.0, 0.0], 2)?;
    /// assert_eq!((found[0].row, found[0].distance), (2, 2.0));
    /// assert_eq!((found[1].row, found[1].distance), (0, 3.0));
    /// # Ok::<(), strait_latent::LatentError>(())
    /// ```
    ///
    /// # Errors
    /// When the query is not finite or of another length, or `k` is 0 or above n.
    pub fn nearest(&self, query: &[f32], k: usize) -> Result<Vec<Neighbour>, LatentError> {
        let query = self.prepared(Matrix::new(query, query.len().max(1))?)?;
        check_k(k, self.rows())?;
        let chunk = |(at, rows): (usize, &[f32])| {
            let mut nearest = Nearest::new(k);
            for (i, row) in rows.chunks_exact(self.dim).enumerate() {
                nearest.offer(squared_distance(&query, row), (at * CHUNK + i) as u32);
            }
            nearest
        };
        let chunks = self.rows.par_chunks(CHUNK * self.dim).enumerate();
        let nearest = chunks.map(chunk).reduce(|| Nearest::new(k), Nearest::merge);
        Ok(self.named(nearest.sorted()))
    }

    /// The `k` rows nearest to each of the queries (m, d), as [`Exact::nearest`] finds them.
    ///
    /// # Errors
    /// As for [`Exact::nearest`].
    pub fn nearest_all(&self, queries: Matrix<'_>, k: usize) -> Result<Vec<Vec<Neighbour>>, LatentError> {
        let queries = self.prepared(queries)?;
        check_k(k, self.rows())?;
        Ok(self.product(&queries, k))
    }

    /// The `k` rows nearest to each row of the corpus, itself left out.
    ///
    /// # Errors
    /// When `k` is 0 or not below n.
    pub fn neighbours(&self, k: usize) -> Result<Vec<Vec<Neighbour>>, LatentError> {
        check_k(k, self.rows() - 1)?;
        let mut lists = self.product(&self.rows, k + 1);
        lists.par_iter_mut().enumerate().for_each(|(own, list)| {
            list.retain(|n| n.row != own);
            list.truncate(k); // with more than k copies of itself it may not be among them
        });
        Ok(lists)
    }

    /// All pairs of rows that are at most `distance` apart, by first and second row. Reads all n (n - 1) / 2 pairs.
    ///
    /// # Errors
    /// When `distance` is negative or NaN, or there are more than `most` such pairs.
    pub fn pairs(&self, distance: f32, most: usize) -> Result<Vec<Pair>, LatentError> {
        if distance.is_nan() || distance < 0.0 {
            let expected = "a distance, 0 or more".to_string();
            return Err(LatentError::Setting { what: "the threshold", value: f64::from(distance), expected });
        }
        let (blocks, squared) = (self.packed(), self.metric.squared(distance));
        let found = std::sync::atomic::AtomicUsize::new(0);
        let block = |(at, queries): (usize, &[f32])| {
            let first = at * QUERIES;
            let mut pairs = Vec::new();
            for (b, closeness) in self.blocks(queries, &blocks, first / ROWS) {
                for (i, scores) in closeness.chunks_exact(blocks[b].n()).enumerate() {
                    let own = first + i;
                    let floor = (-2.0 * self.halves[own] - squared) / 2.0 - self.slack(self.row(own));
                    self.pairs_of(own, b * ROWS, scores, floor, distance, &mut pairs);
                }
                if found.load(std::sync::atomic::Ordering::Relaxed) + pairs.len() > most {
                    break;
                }
            }
            found.fetch_add(pairs.len(), std::sync::atomic::Ordering::Relaxed);
            pairs
        };
        let pairs: Vec<Vec<Pair>> = self.rows.par_chunks(QUERIES * self.dim).enumerate().map(block).collect();
        let mut pairs = pairs.concat();
        if pairs.len() > most {
            let expected = format!("small enough for at most {most} pairs");
            return Err(LatentError::Setting { what: "the threshold", value: f64::from(distance), expected });
        }
        pairs.sort_unstable_by_key(|p| (p.a, p.b));
        Ok(pairs)
    }

    /// The pairs of row `own` with later rows among `scores`, those of the rows from `first` on.
    fn pairs_of(&self, own: usize, first: usize, scores: &[f32], floor: f32, distance: f32, out: &mut Vec<Pair>) {
        for (j, &score) in scores.iter().enumerate().skip((own + 1).saturating_sub(first)) {
            if score >= floor {
                let b = first + j;
                let found = self.metric.of_squared(squared_distance(self.row(own), self.row(b)));
                if found <= distance {
                    out.push(Pair { a: own, b, distance: found });
                }
            }
        }
    }

    /// The k nearest of prepared queries.
    fn product(&self, queries: &[f32], k: usize) -> Vec<Vec<Neighbour>> {
        let blocks = self.packed();
        let block = |queries: &[f32]| {
            let each = || queries.chunks_exact(self.dim);
            let mut candidates: Vec<Candidates> = each().map(|q| Candidates::new(k, self.slack(q))).collect();
            for (b, closeness) in self.blocks(queries, &blocks, 0) {
                for (c, scores) in candidates.iter_mut().zip(closeness.chunks_exact(blocks[b].n())) {
                    c.offer(scores, b * ROWS);
                }
            }
            let measured = |(candidates, query): (Candidates, &[f32])| {
                let measure = |row| Found { squared: squared_distance(query, self.row(row as usize)), row };
                let mut found: Vec<Found> = candidates.rows().into_iter().map(measure).collect();
                found.sort_unstable();
                found.truncate(k);
                self.named(found)
            };
            candidates.into_iter().zip(each()).map(measured).collect::<Vec<_>>()
        };
        queries.par_chunks(QUERIES * self.dim).flat_map_iter(block).collect()
    }

    /// The corpus in blocks of [`ROWS`] rows, ready to be multiplied.
    fn packed(&self) -> Vec<Packed> {
        let pack = |rows: &[f32]| {
            let mut packed = Packed::default();
            packed.pack(rows, self.dim, self.dim, rows.len() / self.dim, true);
            packed
        };
        self.rows.par_chunks(ROWS * self.dim).map(pack).collect()
    }

    /// The closeness of a few queries to the rows of each block from `first` on: (block, matrix (queries, rows)).
    fn blocks<'b>(
        &'b self,
        queries: &'b [f32],
        blocks: &'b [Packed],
        first: usize,
    ) -> impl Iterator<Item = (usize, Vec<f32>)> + 'b {
        let m = queries.len() / self.dim;
        (first..blocks.len()).map(move |b| {
            let n = blocks[b].n();
            let mut out = vec![0.0; m * n];
            let bias = Start::Bias(&self.halves[b * ROWS..][..n]);
            gemm(m, A::rows(queries, self.dim), &blocks[b], &mut out, n, bias, Finish::None);
            (b, out)
        })
    }

    /// Twice the rounding error that a closeness to `query` may have, with room to spare (Higham 2002, section 3.1).
    fn slack(&self, query: &[f32]) -> f32 {
        let reach = dot(query, query).sqrt() + self.largest;
        4.0 * (self.dim + 8) as f32 * f32::EPSILON * reach * reach
    }

    /// Queries made ready for the metric.
    fn prepared<'q>(&self, queries: Matrix<'q>) -> Result<Cow<'q, [f32]>, LatentError> {
        queries.expect_dim(self.dim)?;
        Ok(self.metric.prepare(queries))
    }

    fn named(&self, found: Vec<Found>) -> Vec<Neighbour> {
        let name = |f: Found| Neighbour { row: f.row as usize, distance: self.metric.of_squared(f.squared) };
        found.into_iter().map(name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{blobs, in_threads, normal};

    /// All distances in f64, sorted: the slow twin.
    fn plain(corpus: Matrix<'_>, query: &[f32], k: usize, metric: Metric) -> Vec<(f64, usize)> {
        let norm = |a: &[f32]| a.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        let distance = |x: &[f32]| match metric {
            Metric::Euclidean => x.iter().zip(query).map(|(&a, &b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt(),
            Metric::Cosine => {
                let product: f64 = x.iter().zip(query).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum();
                1.0 - product / (norm(x) * norm(query))
            }
        };
        let mut all: Vec<(f64, usize)> = corpus.iter().enumerate().map(|(i, x)| (distance(x), i)).collect();
        all.sort_by(|a, b| a.partial_cmp(b).unwrap());
        all.truncate(k);
        all
    }

    #[test]
    fn both_ways_match_the_plain_twin() {
        let (corpus, queries) = (normal(3000, 19, 1), normal(70, 19, 2));
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let search = Exact::new(corpus.view(), metric);
            let many = search.nearest_all(queries.view(), 7).unwrap();
            for (query, many) in queries.view().iter().zip(&many) {
                assert_eq!(&search.nearest(query, 7).unwrap(), many);
                for (found, truth) in many.iter().zip(plain(corpus.view(), query, 7, metric)) {
                    assert_eq!(found.row, truth.1);
                    assert!((f64::from(found.distance) - truth.0).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn far_from_the_origin_the_products_lose_digits_but_not_the_neighbours() {
        let mut data = normal(2500, 8, 3).into_data();
        data.iter_mut().for_each(|v| *v = 0.001 * *v + 100.0);
        let search = Exact::new(Matrix::new(&data, 8).unwrap(), Metric::Euclidean);
        let many = search.nearest_all(Matrix::new(&data[..80], 8).unwrap(), 5).unwrap();
        for (i, many) in many.iter().enumerate() {
            assert_eq!(many[0], Neighbour { row: i, distance: 0.0 });
            assert_eq!(&search.nearest(&data[i * 8..][..8], 5).unwrap(), many);
        }
    }

    #[test]
    fn copies_are_ordered_by_row_and_a_row_is_not_its_own_neighbour() {
        let corpus = [1.0, 1.0, 1.0, 1.0, 5.0];
        let search = Exact::new(Matrix::new(&corpus, 1).unwrap(), Metric::Euclidean);
        let rows = |list: &[Neighbour]| list.iter().map(|n| n.row).collect::<Vec<_>>();
        assert_eq!(rows(&search.nearest(&[1.0], 3).unwrap()), [0, 1, 2]);
        let lists = search.neighbours(2).unwrap();
        assert_eq!(rows(&lists[0]), [1, 2]);
        assert_eq!(rows(&lists[3]), [0, 1]);
        assert_eq!(rows(&lists[4]), [0, 1]);
    }

    #[test]
    fn pairs_are_those_of_a_double_loop() {
        let corpus = normal(1300, 3, 4);
        for (metric, threshold) in [(Metric::Euclidean, 0.15), (Metric::Cosine, 0.002)] {
            let search = Exact::new(corpus.view(), metric);
            let mut expected = Vec::new();
            for a in 0..1300 {
                for b in a + 1..1300 {
                    let distance = metric.of_squared(squared_distance(search.row(a), search.row(b)));
                    if distance <= threshold {
                        expected.push(Pair { a, b, distance });
                    }
                }
            }
            assert!(expected.len() > 100, "{}", expected.len());
            assert_eq!(search.pairs(threshold, 1 << 20).unwrap(), expected);
            assert!(matches!(search.pairs(threshold, 100), Err(LatentError::Setting { .. })));
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
        #[test]
        fn ties_fall_to_the_first_rows(values in proptest::collection::vec(-2i8..3, 3..200), k in 1usize..9) {
            let values: Vec<f32> = values[..values.len() / 3 * 3].iter().map(|&v| f32::from(v)).collect();
            let corpus = Matrix::new(&values, 3).unwrap();
            let (search, k) = (Exact::new(corpus, Metric::Euclidean), k.min(corpus.rows()));
            let many = search.nearest_all(corpus, k).unwrap();
            for (query, many) in corpus.iter().zip(many) {
                let mut all: Vec<(f32, usize)> = corpus.iter().map(|x| squared_distance(query, x)).zip(0..).collect();
                all.sort_by(|a, b| a.partial_cmp(b).unwrap());
                proptest::prop_assert!(many.iter().map(|n| n.row).eq(all[..k].iter().map(|a| a.1)));
                proptest::prop_assert_eq!(search.nearest(query, k).unwrap(), many);
            }
        }
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let (corpus, _) = blobs(5000, 6, 5, 5);
        let find = || {
            let search = Exact::new(corpus.view(), Metric::Cosine);
            (search.neighbours(4).unwrap(), search.nearest(corpus.row(3), 40).unwrap())
        };
        assert_eq!(in_threads(1, find), in_threads(3, find));
    }

    #[test]
    fn bad_input_is_named() {
        let corpus = normal(10, 4, 6);
        let search = Exact::new(corpus.view(), Metric::Euclidean);
        assert!(matches!(search.nearest(&[0.0; 3], 1), Err(LatentError::Dim { expected: 4, found: 3 })));
        assert!(matches!(search.nearest(&[f32::NAN; 4], 1), Err(LatentError::NotFinite { .. })));
        assert_eq!(search.nearest(&[], 1), Err(LatentError::Empty));
        for k in [0, 11] {
            assert!(matches!(search.nearest(&[0.0; 4], k), Err(LatentError::Setting { .. })));
        }
        assert!(matches!(search.neighbours(10), Err(LatentError::Setting { .. })));
        assert!(matches!(search.pairs(f32::NAN, 9), Err(LatentError::Setting { .. })));
    }
}
