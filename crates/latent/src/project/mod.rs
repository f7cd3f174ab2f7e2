//! Maps: latents laid out in the plane so that neighbours stay neighbours, and the ways to and from such a map.
//!
//! [`map`] draws one, [`trustworthiness`] says how far to believe it, [`place()`] puts new texts on it, [`latent_at`] gives
//! the latent of an empty spot, and [`sparse_places`] finds the spots that are empty.

mod affinity;
pub mod inverse;
pub mod place;
mod plane;
mod quadtree;
pub mod sparse;
pub mod trust;
pub mod tsne;

use crate::error::LatentError;
use crate::matrix::Matrix;
use crate::search::{Exact, Index, IndexOptions};

pub use inverse::latent_at;
pub use place::place;
pub use sparse::{Sparse, sparse_places};
pub use trust::trustworthiness;
pub use tsne::{Map, MapOptions, tsne};

/// Most rows whose neighbours are found by reading all of them; of more, by an index.
pub const EXACT_ROWS: usize = 20_000;

/// A spot on a map: x, y.
pub type Place = [f32; 2];

/// Lays rows (n, d) out in the plane: t-SNE that starts from the two widest principal axes, which keeps the large shape
/// (Kobak & Berens 2019). The same rows, options and seed give the same map for any number of threads.
///
/// ```
/// use strait_latent::project::{MapOptions, map, trustworthiness};
/// use strait_latent::{Matrix, search::Metric};
/// let rows: Vec<f32> = (0..60).flat_map(|i| [(i % 3) as f32 * 9.0, (i / 3) as f32 * 0.1]).collect();
/// let rows = Matrix::new(&rows, 2)?;
/// let map = map(rows, &MapOptions { perplexity: 5.0, ..MapOptions::default() })?;
/// assert!(trustworthiness(rows, &map.places, 5, Metric::Euclidean, 1)? > 0.9);
/// # Ok::<(), strait_latent::LatentError>(())
/// ```
///
/// # Errors
/// When there are fewer than 4 rows, or a setting makes no sense.
pub fn map(rows: Matrix<'_>, options: &MapOptions) -> Result<Map, LatentError> {
    map_heard(rows, options, &mut |_, _| {})
}

/// The same, which may take minutes; `hear` is told how many rounds are done, of how many.
///
/// # Errors
/// Those of [`map`].
pub fn map_heard(
    rows: Matrix<'_>,
    options: &MapOptions,
    hear: &mut dyn FnMut(usize, usize),
) -> Result<Map, LatentError> {
    let n = rows.rows();
    if n < 4 {
        let expected = "4 or more".to_string();
        return Err(LatentError::Setting { what: "the number of rows of a map", value: n as f64, expected });
    }
    let k = options.neighbours(n);
    let lists = if n <= EXACT_ROWS {
        Exact::new(rows, options.metric).neighbours(k)?
    } else {
        // Affinities hardly feel a few missing neighbours.
        let settings =
            IndexOptions { metric: options.metric, recall: 0.95, seed: options.seed, ..IndexOptions::default() };
        Index::build(rows, &settings)?.neighbours(k)?
    };
    let data = options.metric.prepare(rows);
    let start = plane::widest_plane(Matrix::new(&data, rows.dim())?, options.seed)?;
    tsne(&lists, &start, options, hear)
}
