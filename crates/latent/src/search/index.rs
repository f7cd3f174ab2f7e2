//! The nearest rows by reading a few cells: an inverted file (Jegou, Douze & Schmid 2011, without compression).
//!
//! k-means puts the rows into cells; a query reads only the cells whose centres are nearest to it. How many it reads is
//! settled when the index is built, so that the wanted recall is reached on a sample. The index is one file, built once
//! and mapped into memory when it is searched, so opening it reads hardly anything (format: `search/image.rs`).
//!
//! It is our own, since no crate does this: `hnsw_rs` and `instant-distance` build graphs in parallel with locks, so that
//! two builds differ and some rows may be out of reach (hnswlib-rs, issue 32), and load them onto the heap; `arroy` and
//! `hannoy` need LMDB, which is C.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::best::{Found, Nearest};
use super::image::{Head, Image, hash};
use super::{Exact, Metric, Neighbour, check_k};
use crate::cluster::silhouette::sample;
use crate::cluster::{assign, lloyd};
use crate::error::LatentError;
use crate::matrix::{Matrix, squared_distance};

/// Rows for each cell that k-means looks at.
const TRAINING: usize = 32;
/// Rounds of k-means; more hardly move a cell.
const ROUNDS: usize = 8;
/// Rows that serve as queries when the number of cells to read is settled, and their neighbours that are to be found.
const TRIALS: usize = 500;
const TRIAL_K: usize = 10;

/// Settings of [`Index::build`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexOptions {
    /// The distance.
    pub metric: Metric,
    /// Share of the ten nearest rows that a search is to find, 0..1.
    pub recall: f32,
    /// Number of cells; 0 chooses `4 sqrt(n)`, which balances reading centres and rows.
    pub cells: usize,
    /// Draws the first centres and the sample.
    pub seed: u64,
}

impl Default for IndexOptions {
    fn default() -> Self {
        Self { metric: Metric::Euclidean, recall: 0.98, cells: 0, seed: 1 }
    }
}

/// Why an index cannot be written or used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The file system says no.
    #[error("{}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    /// The file is not an index, of another version, cut short or changed.
    #[error("{}: {why}; build the index again", path.display())]
    Damaged { path: PathBuf, why: String },
    /// The index was built from other latents.
    #[error("the index is of {found} rows of other latents than the {expected} given; build it again")]
    Stale { expected: usize, found: usize },
}

/// An index of a corpus (n, d), in memory or in a file.
pub struct Index {
    image: Image,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Index").field(&self.image.head).finish()
    }
}

impl Index {
    /// Builds an index in memory; [`Index::write`] makes it a file.
    ///
    /// ```
    /// use strait_latent::search::{Index, IndexOptions};
    /// use strait_latent::Matrix;
    /// let corpus: Vec<f32> = (0..200).map(|i| i as f32).collect();
    /// let index = Index::build(Matrix::new(&corpus, 1)?, &IndexOptions::default())?;
    /// assert_eq!(index.nearest(&[41.8], 1)?[0].row, 42);
    /// # Ok::<(), strait_latent::LatentError>(())
    /// ```
    ///
    /// # Errors
    /// When the recall is not in 0..1 or there are more cells than rows.
    pub fn build(latents: Matrix<'_>, options: &IndexOptions) -> Result<Self, LatentError> {
        let (n, dim) = (latents.rows(), latents.dim());
        if !(0.0..=1.0).contains(&options.recall) {
            let value = f64::from(options.recall);
            return Err(LatentError::Setting { what: "the recall", value, expected: "between 0 and 1".into() });
        }
        if options.cells > n || u32::try_from(n).is_err() {
            let expected = format!("at most {n}, the rows there are (and those at most 4294967295)");
            return Err(LatentError::Setting { what: "the number of cells", value: options.cells as f64, expected });
        }
        let cells = if options.cells == 0 { (4.0 * (n as f64).sqrt()) as usize } else { options.cells };
        let cells = cells.clamp(1, n);
        let rows = options.metric.prepare(latents);
        let centres = centres(&rows, dim, cells, options.seed);
        let (labels, _) = assign(&rows, dim, &centres);
        let (starts, names) = entries(&labels, cells);
        let values: Vec<f32> = names.iter().flat_map(|&i| &rows[i as usize * dim..][..dim]).copied().collect();
        let hash = hash(latents);
        let head =
            Head { metric: options.metric, rows: n, dim, cells, probes: 1, recall: 1.0, latents: hash, body: [0; 32] };
        let settled = settle(&rows, dim, &centres, &labels, options);
        let head = Head { probes: settled.0, recall: settled.1, ..head };
        Ok(Self { image: Image::new(head, &centres, &starts, &names, &values) })
    }

    /// Writes the index to a file: under another name beside it, flushed, renamed.
    ///
    /// # Errors
    /// When the file system says no.
    pub fn write(&self, path: &Path) -> Result<(), IndexError> {
        self.image.write(path).map_err(|source| IndexError::Io { path: path.into(), source })
    }

    /// Maps an index from a file. Its head and cells are checked, its rows by [`Index::check`] only, as that reads them
    /// all.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn open(path: &Path) -> Result<Self, IndexError> {
        Ok(Self { image: Image::map(path)? })
    }

    /// Whether every byte is as it was written.
    pub fn check(&self) -> bool {
        self.image.check()
    }

    /// Fails unless the index was built from these latents.
    ///
    /// # Errors
    /// [`IndexError::Stale`].
    pub fn expect(&self, latents: Matrix<'_>) -> Result<(), IndexError> {
        if hash(latents) == self.image.head.latents {
            return Ok(());
        }
        Err(IndexError::Stale { expected: latents.rows(), found: self.image.head.rows })
    }

    /// Number of rows, n.
    pub fn rows(&self) -> usize {
        self.image.head.rows
    }

    /// Values in a row, d.
    pub fn dim(&self) -> usize {
        self.image.head.dim
    }

    /// The metric of the distances.
    pub fn metric(&self) -> Metric {
        self.image.head.metric
    }

    /// Number of cells.
    pub fn cells(&self) -> usize {
        self.image.head.cells
    }

    /// Number of cells that a search reads.
    pub fn probes(&self) -> usize {
        self.image.head.probes
    }

    /// Share of the ten nearest rows that a search found when the index was built, 0..1; of 500 rows of the corpus.
    pub fn recall(&self) -> f32 {
        self.image.head.recall
    }

    /// The `k` rows nearest to `query` (d) among those of [`Index::probes`] cells (more when these hold fewer than `k`
    /// rows), nearest first.
    ///
    /// # Errors
    /// When the query is not finite or of another length, or `k` is 0 or above n.
    pub fn nearest(&self, query: &[f32], k: usize) -> Result<Vec<Neighbour>, LatentError> {
        self.nearest_in(query, k, self.probes())
    }

    /// [`Index::nearest`] that reads `probes` cells: more find more and take longer.
    ///
    /// # Errors
    /// As for [`Index::nearest`].
    pub fn nearest_in(&self, query: &[f32], k: usize, probes: usize) -> Result<Vec<Neighbour>, LatentError> {
        let matrix = Matrix::new(query, query.len().max(1))?;
        matrix.expect_dim(self.dim())?;
        check_k(k, self.rows())?;
        Ok(self.named(self.read(&self.metric().prepare(matrix), k, probes)))
    }

    /// [`Index::nearest`] of each query (m, d).
    ///
    /// # Errors
    /// As for [`Index::nearest`].
    pub fn nearest_all(&self, queries: Matrix<'_>, k: usize) -> Result<Vec<Vec<Neighbour>>, LatentError> {
        queries.expect_dim(self.dim())?;
        check_k(k, self.rows())?;
        let queries = self.metric().prepare(queries);
        let one = |query: &[f32]| self.named(self.read(query, k, self.probes()));
        Ok(queries.par_chunks(self.dim()).map(one).collect())
    }

    /// The `k` rows nearest to each row of the corpus, itself left out, as far as they are found.
    ///
    /// # Errors
    /// When `k` is 0 or not below n.
    pub fn neighbours(&self, k: usize) -> Result<Vec<Vec<Neighbour>>, LatentError> {
        check_k(k, self.rows() - 1)?;
        let (names, values) = (self.image.names(), self.image.values());
        let one = |(entry, query): (usize, &[f32])| {
            let mut found = self.named(self.read(query, k + 1, self.probes()));
            found.retain(|f| f.row != names[entry] as usize);
            found.truncate(k);
            found
        };
        let by_entry: Vec<_> = values.par_chunks(self.dim()).enumerate().map(one).collect();
        let mut lists = vec![Vec::new(); self.rows()];
        names.iter().zip(by_entry).for_each(|(&row, list)| lists[row as usize] = list);
        Ok(lists)
    }

    /// Reads the cells nearest to a prepared query.
    fn read(&self, query: &[f32], k: usize, probes: usize) -> Vec<Found> {
        let (starts, names, values) = (self.image.starts(), self.image.names(), self.image.values());
        let (probes, mut cells) = (probes.clamp(1, self.cells()), cell_distances(self.image.centres(), query));
        if probes < cells.len() {
            cells.select_nth_unstable(probes);
        }
        let mut nearest = Nearest::new(k);
        for read in 0..cells.len() {
            if read >= probes && nearest.len() == k {
                break;
            }
            if read == probes {
                cells[probes..].sort_unstable(); // too few rows so far: on, cell by cell
            }
            let cell = cells[read].row;
            let entries = starts[cell as usize] as usize..starts[cell as usize + 1] as usize;
            let rows = values[entries.start * query.len()..entries.end * query.len()].chunks_exact(query.len());
            rows.zip(&names[entries]).for_each(|(row, &name)| nearest.offer(squared_distance(query, row), name));
        }
        nearest.sorted()
    }

    fn named(&self, found: Vec<Found>) -> Vec<Neighbour> {
        let name = |f: Found| Neighbour { row: f.row as usize, distance: self.metric().of_squared(f.squared) };
        found.into_iter().map(name).collect()
    }
}

/// The centres of the cells: k-means on a sample, from rows drawn at random.
fn centres(rows: &[f32], dim: usize, cells: usize, seed: u64) -> Vec<f32> {
    let row = |i: usize| &rows[i * dim..][..dim];
    let training = sample(rows.len() / dim, TRAINING * cells, seed);
    let data: Vec<f32> = training.iter().flat_map(|&i| row(i)).copied().collect();
    let first = sample(training.len(), cells, seed.wrapping_add(1));
    lloyd(&data, dim, first.iter().flat_map(|&i| row(training[i])).copied().collect(), ROUNDS).centres
}

/// The first entry of each cell, and the row of each entry.
fn entries(labels: &[u32], cells: usize) -> (Vec<u32>, Vec<u32>) {
    let mut starts = vec![0u32; cells + 1];
    labels.iter().for_each(|&l| starts[l as usize + 1] += 1);
    (1..=cells).for_each(|c| starts[c] += starts[c - 1]);
    let mut names: Vec<u32> = (0..labels.len() as u32).collect();
    names.sort_by_key(|&row| labels[row as usize]); // stable: rows rise within a cell
    (starts, names)
}

/// Each cell and the squared distance of its centre.
fn cell_distances(centres: &[f32], query: &[f32]) -> Vec<Found> {
    let cells = centres.chunks_exact(query.len()).enumerate();
    cells.map(|(i, c)| Found { squared: squared_distance(query, c), row: i as u32 }).collect()
}

/// The least number of cells in which the wanted share of the true neighbours of [`TRIALS`] rows lie, and that share.
fn settle(rows: &[f32], dim: usize, centres: &[f32], labels: &[u32], options: &IndexOptions) -> (usize, f32) {
    let (n, cells) = (rows.len() / dim, centres.len() / dim);
    let k = TRIAL_K.min(n - 1);
    if k == 0 {
        return (1, 1.0);
    }
    let trials = sample(n, TRIALS, options.seed.wrapping_add(2));
    let queries: Vec<f32> = trials.iter().flat_map(|&i| &rows[i * dim..][..dim]).copied().collect();
    let truth = Matrix::new(rows, dim)
        .and_then(|corpus| Exact::new(corpus, Metric::Euclidean).nearest_all(Matrix::new(&queries, dim)?, k + 1));
    let Ok(truth) = truth else { return (cells, 1.0) }; // rows were checked before: this cannot be
    // hits[r]: neighbours that lie in the r-th nearest cell of their query.
    let ranks = |(list, (own, query)): (&Vec<Neighbour>, (&usize, &[f32]))| {
        let mut rank = vec![0u32; cells];
        let mut order = cell_distances(centres, query);
        order.sort_unstable();
        order.iter().enumerate().for_each(|(r, cell)| rank[cell.row as usize] = r as u32);
        let others = list.iter().filter(|f| f.row != *own).take(k);
        others.map(|f| rank[labels[f.row] as usize]).collect::<Vec<u32>>()
    };
    let queries = trials.par_iter().zip(queries.par_chunks(dim));
    let ranks: Vec<Vec<u32>> = truth.par_iter().zip(queries).map(ranks).collect();
    let mut hits = vec![0usize; cells];
    ranks.iter().flatten().for_each(|&r| hits[r as usize] += 1);
    let total: usize = hits.iter().sum();
    let mut found = 0;
    for (r, hits) in hits.iter().enumerate() {
        found += hits;
        if found as f64 >= f64::from(options.recall) * total as f64 {
            return (r + 1, found as f32 / total as f32);
        }
    }
    (cells, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::recall;
    use crate::testing::{blobs, in_threads, normal};

    fn built() -> (crate::MatrixBuf, Index) {
        let (rows, _) = blobs(4000, 12, 9, 1);
        let index = Index::build(rows.view(), &IndexOptions::default()).unwrap();
        (rows, index)
    }

    #[test]
    fn the_wanted_recall_is_reached_on_queries_it_has_not_seen() {
        for metric in [Metric::Euclidean, Metric::Cosine] {
            let (rows, queries) = (normal(5000, 8, 1), normal(300, 8, 2));
            let options = IndexOptions { metric, recall: 0.95, ..IndexOptions::default() };
            let index = Index::build(rows.view(), &options).unwrap();
            assert!(index.recall() >= 0.95 && index.probes() < index.cells() / 3, "{index:?}");
            let truth = Exact::new(rows.view(), metric).nearest_all(queries.view(), 10).unwrap();
            let found = index.nearest_all(queries.view(), 10).unwrap();
            let reached = recall(&found, &truth).unwrap();
            assert!(reached > 0.92, "{reached}");
            let all = queries.view().iter().map(|q| index.nearest_in(q, 10, index.cells()).unwrap());
            assert_eq!(all.collect::<Vec<_>>(), truth);
        }
    }

    #[test]
    fn a_file_gives_what_the_memory_gave_and_its_bytes_do_not_depend_on_threads() {
        let (rows, index) = built();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        index.write(&path).unwrap();
        let mapped = Index::open(&path).unwrap();
        mapped.expect(rows.view()).unwrap();
        assert!(mapped.check());
        assert_eq!(mapped.neighbours(5).unwrap(), index.neighbours(5).unwrap());
        assert_eq!(mapped.nearest(rows.row(7), 3).unwrap()[0], Neighbour { row: 7, distance: 0.0 });
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        let bytes = |threads| {
            let build = || Index::build(rows.view(), &IndexOptions::default()).unwrap();
            in_threads(threads, build).write(&path).unwrap();
            std::fs::read(&path).unwrap()
        };
        assert!(bytes(1) == bytes(3));
    }

    #[test]
    fn damaged_files_are_named() {
        let (_, index) = built();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index");
        index.write(&path).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let why = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            match Index::open(&path) {
                Err(IndexError::Damaged { why, .. }) => why,
                other => panic!("{other:?}"),
            }
        };
        let changed = |at: usize, to: u8| {
            let mut bytes = whole.clone();
            bytes[at] = to;
            bytes
        };
        assert!(why(&[]).contains("empty"));
        assert!(why(&whole[..100]).contains("shorter than its head"));
        assert!(why(&whole[..whole.len() - 1]).contains("bytes instead of"));
        assert!(why(&[&whole[..], &[0]].concat()).contains("bytes instead of"));
        assert!(why(&changed(0, b'X')).contains("does not begin"));
        assert!(why(&changed(8, 9)).contains("version 9"));
        assert!(why(&changed(17, 77)).contains("checksum of its head"));
        let starts = 128 + 4 * index.cells() * 12;
        assert!(why(&changed(starts + 4 * index.cells() / 2 + 3, 255)).contains("cells do not hold"));
        std::fs::write(&path, changed(whole.len() - 2, whole[whole.len() - 2] ^ 1)).unwrap();
        assert!(!Index::open(&path).unwrap().check(), "a changed value is found by the whole check");
        let missing = Index::open(&folder.path().join("missing")).unwrap_err();
        assert!(missing.to_string().contains("missing"), "{missing}");
        assert!(index.write(&folder.path().join("no/such/folder")).is_err());
    }

    #[test]
    fn other_latents_make_it_stale() {
        let (rows, index) = built();
        let mut data = rows.into_data();
        data[5] += 1e-3;
        let error = index.expect(Matrix::new(&data, 12).unwrap()).unwrap_err();
        assert!(matches!(error, IndexError::Stale { expected: 4000, found: 4000 }));
        assert!(index.expect(Matrix::new(&data, 6).unwrap()).is_err());
    }

    #[test]
    fn small_corpora_and_copies() {
        let one = Index::build(Matrix::new(&[3.0, 4.0], 2).unwrap(), &IndexOptions::default()).unwrap();
        assert_eq!(one.nearest(&[0.0, 0.0], 1).unwrap(), [Neighbour { row: 0, distance: 5.0 }]);
        let copies = Index::build(Matrix::new(&[1.0; 100], 1).unwrap(), &IndexOptions::default()).unwrap();
        assert_eq!(copies.nearest(&[1.0], 100).unwrap().len(), 100);
        assert!(matches!(copies.nearest(&[1.0], 101), Err(LatentError::Setting { .. })));
        assert!(matches!(copies.nearest(&[1.0, 2.0], 1), Err(LatentError::Dim { .. })));
        let wrong = IndexOptions { recall: 1.5, ..IndexOptions::default() };
        assert!(matches!(Index::build(Matrix::new(&[1.0], 1).unwrap(), &wrong), Err(LatentError::Setting { .. })));
        let wrong = IndexOptions { cells: 2, ..IndexOptions::default() };
        assert!(matches!(Index::build(Matrix::new(&[1.0], 1).unwrap(), &wrong), Err(LatentError::Setting { .. })));
    }
}
