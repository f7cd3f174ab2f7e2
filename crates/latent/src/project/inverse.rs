//! From a spot of the map to a latent: what would lie there.
//!
//! A plane is laid through the latents of the nearest spots, `z(y) = a + B (y - spot)`, by least squares with weights
//! `exp(-r^2 / 2h^2)`, r the distance on the map and h their median; `a` is the latent (local linear regression,
//! Cleveland 1979). It is a weighted sum of the neighbours' latents with weights that sum to 1. They may be negative
//! beyond the last spots; there B is held back until their sizes sum to [`REACH`] at most, so that a click far outside
//! gives a latent near the edge.

use super::Place;
use crate::error::LatentError;
use crate::matrix::{Matrix, squared_distance};

/// Most that the sizes of the weights may sum to; 1 is a mean, more reaches beyond the neighbours.
pub const REACH: f64 = 1.5;
/// Share of the neighbours' spread that is added to hold B back a little, for spots on a line.
const RIDGE: f64 = 1e-4;

/// The latent (d) of a spot, from the `k` nearest of the mapped rows (n, d); about ten are good.
///
/// ```
/// use strait_latent::project::latent_at;
/// use strait_latent::Matrix;
/// let places = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]];
/// let latents = [1.0, 3.0, 5.0, 7.0]; // 1 + x + 2y
/// let z = latent_at(Matrix::new(&latents, 1)?, &places, [0.5, 1.0], 4)?;
/// assert!((z[0] - 3.5).abs() < 1e-2);
/// # Ok::<(), strait_latent::LatentError>(())
/// ```
///
/// # Errors
/// When there is not a spot for each row, the spot is not finite, or `k` is 0 or above n.
pub fn latent_at(rows: Matrix<'_>, places: &[Place], spot: Place, k: usize) -> Result<Vec<f32>, LatentError> {
    rows.expect_len("spots", places.len())?;
    Matrix::new(&spot, 2)?;
    crate::search::check_k(k, rows.rows())?;
    let mut order: Vec<(f32, usize)> = places.iter().map(|p| squared_distance(p, &spot)).zip(0..).collect();
    let by = |a: &(f32, usize), b: &(f32, usize)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
    order.select_nth_unstable_by(k - 1, by);
    order.truncate(k);
    order.sort_unstable_by(by);
    let near: Vec<[f64; 2]> =
        order.iter().map(|&(_, i)| [0, 1].map(|axis| f64::from(places[i][axis]) - f64::from(spot[axis]))).collect();
    let mut latent = vec![0.0f64; rows.dim()];
    for (&(_, i), weight) in order.iter().zip(weights(&near)) {
        latent.iter_mut().zip(rows.row(i)).for_each(|(l, &v)| *l += weight * f64::from(v));
    }
    Ok(latent.into_iter().map(|v| v as f32).collect())
}

/// The weight of each neighbour, given where it lies from the spot, nearest first. They sum to 1.
fn weights(near: &[[f64; 2]]) -> Vec<f64> {
    let squared: Vec<f64> = near.iter().map(|d| d[0] * d[0] + d[1] * d[1]).collect();
    let median = squared[squared.len() / 2];
    if median == 0.0 {
        // Most lie on the spot itself: their mean.
        let on = squared.iter().filter(|&&s| s == 0.0).count() as f64;
        return squared.iter().map(|&s| if s == 0.0 { 1.0 / on } else { 0.0 }).collect();
    }
    let kernel: Vec<f64> = squared.iter().map(|s| (-s / (2.0 * median)).exp()).collect();
    let spread: f64 = kernel.iter().zip(&squared).map(|(w, s)| w * s).sum();
    let mut ridge = RIDGE * spread;
    loop {
        let weights = plane_weights(near, &kernel, ridge);
        // As the ridge grows the weights become those of the kernel alone, which are positive and sum to 1.
        if weights.iter().map(|w| w.abs()).sum::<f64>() <= REACH {
            return weights;
        }
        ridge *= 2.0;
    }
}

/// The weights of `a` in the regression of `a + B d` with B's squares weighed by `ridge`: the first row of
/// `(X'WX + R)^-1 X'W`, X = (1, d).
fn plane_weights(near: &[[f64; 2]], kernel: &[f64], ridge: f64) -> Vec<f64> {
    let sum = |term: &dyn Fn(&[f64; 2]) -> f64| near.iter().zip(kernel).map(|(d, w)| w * term(d)).sum::<f64>();
    let (s, x, y) = (sum(&|_| 1.0), sum(&|d| d[0]), sum(&|d| d[1]));
    let (xx, xy, yy) = (sum(&|d| d[0] * d[0]) + ridge, sum(&|d| d[0] * d[1]), sum(&|d| d[1] * d[1]) + ridge);
    // Cofactors of the first row of the symmetric matrix ((s, x, y), (x, xx, xy), (y, xy, yy)).
    let (c0, c1, c2) = (xx * yy - xy * xy, xy * y - x * yy, x * xy - xx * y);
    let determinant = s * c0 + x * c1 + y * c2;
    near.iter().zip(kernel).map(|(d, w)| w * (c0 + c1 * d[0] + c2 * d[1]) / determinant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    /// A map of the unit square and latents that are linear in it.
    fn linear() -> (Vec<Place>, Vec<f32>) {
        let places: Vec<Place> = normal(400, 2, 1).data().as_chunks::<2>().0.to_vec();
        let latents = places.iter().flat_map(|p| [1.0 + p[0], p[1] - 2.0 * p[0], 4.0]).collect();
        (places, latents)
    }

    #[test]
    fn a_plane_is_given_back() {
        let (places, latents) = linear();
        let rows = Matrix::new(&latents, 3).unwrap();
        for spot in [[0.0, 0.0], [0.7, -0.3], [-1.0, 0.9]] {
            let z = latent_at(rows, &places, spot, 10).unwrap();
            for (found, expected) in z.iter().zip([1.0 + spot[0], spot[1] - 2.0 * spot[0], 4.0]) {
                assert!((found - expected).abs() < 2e-3, "{spot:?}: {z:?}");
            }
        }
    }

    #[test]
    fn weights_sum_to_one_and_do_not_run_away() {
        let (places, latents) = linear();
        for spot in [[0.1, 0.2], [4.0, 4.0], [1e4, -1e4]] {
            let mut near: Vec<[f64; 2]> = places.iter().map(|p| [0, 1].map(|a| f64::from(p[a] - spot[a]))).collect();
            near.sort_by(|a, b| a[0].hypot(a[1]).total_cmp(&b[0].hypot(b[1])));
            let weights = weights(&near[..10]);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{weights:?}");
            assert!(weights.iter().map(|w| w.abs()).sum::<f64>() <= REACH);
        }
        let far = latent_at(Matrix::new(&latents, 3).unwrap(), &places, [1e6, 0.0], 10).unwrap();
        assert!(far[0].abs() < 10.0, "{far:?}");
    }

    #[test]
    fn spots_on_a_line_on_one_another_and_alone() {
        let rows = Matrix::new(&[0.0, 1.0, 2.0, 3.0], 1).unwrap();
        let line = [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]];
        let z = latent_at(rows, &line, [1.5, 1.5], 4).unwrap();
        assert!((z[0] - 1.5).abs() < 1e-2, "{z:?}");
        assert_eq!(latent_at(rows, &[[5.0, 5.0]; 4], [5.0, 5.0], 4), Ok(vec![1.5]));
        assert_eq!(latent_at(rows, &[[5.0, 5.0]; 4], [6.0, 5.0], 4), Ok(vec![1.5]));
        assert_eq!(latent_at(rows, &line, [2.2, 2.0], 1), Ok(vec![2.0]));
    }

    #[test]
    fn bad_input_is_named() {
        let rows = Matrix::new(&[0.0, 1.0], 1).unwrap();
        let places = [[0.0, 0.0], [1.0, 1.0]];
        assert!(matches!(latent_at(rows, &places[..1], [0.0, 0.0], 1), Err(LatentError::Length { .. })));
        assert!(matches!(latent_at(rows, &places, [f32::NAN, 0.0], 1), Err(LatentError::NotFinite { .. })));
        assert!(matches!(latent_at(rows, &places, [0.0, 0.0], 3), Err(LatentError::Setting { .. })));
    }
}
