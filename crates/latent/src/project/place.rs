//! New texts on an old map: among the spots of their neighbours.
//!
//! The spot is the weighted geometric median of the neighbours' spots, `argmin_y sum_j |y - y_j| / d_j`: when most
//! neighbours are in one cluster and some in another, it lies in the first, where their mean would be in the void
//! between. Found by Weiszfeld's rounds (1937).

use rayon::prelude::*;

use super::Place;
use crate::error::LatentError;
use crate::search::Neighbour;

/// Rounds; the spot then moves by less than anyone sees.
const ROUNDS: usize = 50;

/// The spot of each new text from its nearest mapped ones (`lists[i]` of new text i, at least one each; ten are good).
/// A text at distance 0 from a mapped one lands on it.
///
/// ```
/// use strait_latent::project::place;
/// use strait_latent::search::Neighbour;
/// let places = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [50.0, 50.0]];
/// let near = |row| Neighbour { row, distance: 1.0 };
/// let spot = place(&places, &[vec![near(0), near(1), near(2), near(3)]])?[0];
/// assert!(spot[0] < 1.0 && spot[1] < 1.0);
/// # Ok::<(), strait_latent::LatentError>(())
/// ```
///
/// # Errors
/// When a list is empty or names a row that has no spot.
pub fn place(places: &[Place], lists: &[Vec<Neighbour>]) -> Result<Vec<Place>, LatentError> {
    if lists.iter().any(Vec::is_empty) {
        let expected = "at least 1 for each text".to_string();
        return Err(LatentError::Setting { what: "the number of neighbours", value: 0.0, expected });
    }
    if let Some(wrong) = lists.iter().flatten().find(|n| n.row >= places.len()) {
        let expected = format!("below {}, the spots there are", places.len());
        return Err(LatentError::Setting { what: "a neighbour's row", value: wrong.row as f64, expected });
    }
    Ok(lists.par_iter().map(|list| median(places, list)).collect())
}

/// A spot and its weight.
type Weighted = ([f64; 2], f64);

fn median(places: &[Place], list: &[Neighbour]) -> Place {
    let nearest = list.iter().min_by(|a, b| a.distance.total_cmp(&b.distance)).map_or(0, |n| n.row);
    if list.iter().any(|n| n.distance <= 0.0) {
        return places[nearest];
    }
    let spots: Vec<Weighted> =
        list.iter().map(|n| (places[n.row].map(f64::from), 1.0 / f64::from(n.distance))).collect();
    let mean = |weight: &dyn Fn(&Weighted) -> f64| {
        let (mut sum, mut total) = ([0.0; 2], 0.0);
        for spot in &spots {
            let w = weight(spot);
            (sum, total) = ([sum[0] + w * spot.0[0], sum[1] + w * spot.0[1]], total + w);
        }
        sum.map(|s| s / total)
    };
    let mut at = mean(&|s| s.1);
    let width = spots.iter().map(|s| (s.0[0] - at[0]).hypot(s.0[1] - at[1])).fold(0.0, f64::max);
    if width == 0.0 {
        return at.map(|v| v as f32);
    }
    for _ in 0..ROUNDS {
        // A spot that the median has all but reached keeps a finite weight.
        at = mean(&|s| s.1 / (s.0[0] - at[0]).hypot(s.0[1] - at[1]).max(1e-6 * width));
    }
    at.map(|v| v as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::Matrix;
    use crate::project::{MapOptions, map};
    use crate::search::{Exact, Metric};
    use crate::testing::blobs;

    #[test]
    fn held_out_rows_land_in_their_cluster() {
        let (rows, labels) = blobs(330, 6, 5, 1);
        let (old, new) = rows.data().split_at(300 * 6);
        let (old, new) = (Matrix::new(old, 6).unwrap(), Matrix::new(new, 6).unwrap());
        let options = MapOptions { perplexity: 15.0, rounds: 300, early_rounds: 100, ..MapOptions::default() };
        let map = map(old, &options).unwrap();
        let lists = Exact::new(old, Metric::Euclidean).nearest_all(new, 10).unwrap();
        let flat = crate::MatrixBuf::from_rows(&map.places).unwrap();
        let on_map = Exact::new(flat.view(), Metric::Euclidean);
        for (i, spot) in place(&map.places, &lists).unwrap().iter().enumerate() {
            let nearest = on_map.nearest(spot, 5).unwrap();
            assert!(nearest.iter().all(|n| labels[n.row] == labels[300 + i]), "{i}");
        }
        let same = Exact::new(old, Metric::Euclidean).nearest_all(old, 3).unwrap();
        assert_eq!(place(&map.places, &same).unwrap(), map.places);
    }

    #[test]
    fn medians_by_hand_and_bad_lists() {
        let near = |row| Neighbour { row, distance: 0.5 };
        // The geometric median of a square is its middle; of spots on a line, the middle one.
        let square = [[0.0, 0.0], [2.0, 0.0], [2.0, 2.0], [0.0, 2.0]];
        let at = place(&square, &[(0..4).map(near).collect()]).unwrap()[0];
        assert!((at[0] - 1.0).abs() < 1e-4 && (at[1] - 1.0).abs() < 1e-4);
        let line = [[0.0, 0.0], [1.0, 0.0], [9.0, 0.0]];
        let at = place(&line, &[(0..3).map(near).collect()]).unwrap()[0];
        assert!((at[0] - 1.0).abs() < 1e-2, "{at:?}");
        assert_eq!(place(&line, &[vec![near(2), near(2)]]).unwrap(), [[9.0, 0.0]]);
        assert!(matches!(place(&line, &[vec![]]), Err(LatentError::Setting { .. })));
        assert!(matches!(place(&line, &[vec![near(3)]]), Err(LatentError::Setting { .. })));
    }
}
