//! Where a map begins: the rows in the plane of their two widest principal axes.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::Place;
use crate::cluster::silhouette::sample;
use crate::error::LatentError;
use crate::matrix::Matrix;
use crate::principal::Principal;

/// Most rows that the axes are found from; of more, so many are drawn.
const MOST_ROWS: usize = 20_000;
/// Share of the width by which each spot is moved at random, so that rows on a line can leave it.
const JITTER: f64 = 0.01;

/// Coordinates of rows (n, d), n >= 2, along their two widest axes, scaled so that the wider one has standard deviation
/// 1. An axis along which nothing varies is 0, but for the small differences that `seed` draws.
pub(super) fn widest_plane(rows: Matrix<'_>, seed: u64) -> Result<Vec<Place>, LatentError> {
    let drawn = rows.select(&sample(rows.rows(), MOST_ROWS, seed))?;
    let axes = Principal::fit(drawn.view(), 2)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut places: Vec<[f64; 2]> =
        (0..rows.rows()).map(|_| [0; 2].map(|_| JITTER * (2.0 * rng.random::<f64>() - 1.0))).collect();
    if let Some(widest) = axes.variances.first() {
        let coordinates = axes.project(rows)?;
        for (place, row) in places.iter_mut().zip(coordinates.view().iter()) {
            place.iter_mut().zip(row).for_each(|(p, &c)| *p += f64::from(c) / widest.sqrt());
        }
    }
    Ok(places.into_iter().map(|p| p.map(|v| v as f32)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    #[test]
    fn the_widest_axes_are_found() {
        let mut data = normal(500, 6, 1).into_data();
        data.chunks_exact_mut(6).for_each(|row| (row[4], row[1]) = (9.0 * row[4] + 5.0, -3.0 * row[1]));
        let places = widest_plane(Matrix::new(&data, 6).unwrap(), 3).unwrap();
        let correlation = |axis: usize, column: usize| {
            let mean = data.chunks(6).map(|r| r[column]).sum::<f32>() / 500.0;
            let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
            for (place, row) in places.iter().zip(data.chunks(6)) {
                let (x, y) = (place[axis], row[column] - mean);
                (xy, xx, yy) = (xy + x * y, xx + x * x, yy + y * y);
            }
            xy / (xx * yy).sqrt()
        };
        assert!(correlation(0, 4) > 0.99 && correlation(1, 1).abs() > 0.97);
    }

    #[test]
    fn a_line_is_left_and_copies_are_kept_finite() {
        let line: Vec<f32> = (0..50).map(|i| i as f32).collect();
        let places = widest_plane(Matrix::new(&line, 1).unwrap(), 1).unwrap();
        assert!(places.iter().any(|p| p[1] != places[0][1]));
        let copies = widest_plane(Matrix::new(&[2.0; 40], 4).unwrap(), 1).unwrap();
        assert!(copies.iter().flatten().all(|v| v.abs() <= JITTER as f32));
    }
}
