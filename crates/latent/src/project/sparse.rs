//! Where a map is empty: the largest circles inside its hull that hold no spot but are surrounded by spots.
//!
//! The centres are those of a grid of squares; a circle ends at the nearest spot or at the hull's edge. A bay at the
//! edge of the map is no gap to be filled, so from the centre no two neighbouring spots within twice the radius may be
//! more than [`WIDEST`] apart.

use rayon::prelude::*;
use serde::Serialize;

use super::Place;
use crate::error::LatentError;
use crate::matrix::MatrixBuf;

/// Squares along the wider side of the map.
const GRID: usize = 128;

/// The widest angle in which a circle may have no spots near, in radians: 120 degrees.
pub const WIDEST: f32 = std::f32::consts::TAU / 3.0;

/// An empty circle.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sparse {
    pub centre: Place,
    /// Distance to the nearest spot or the edge of the hull.
    pub radius: f32,
}

/// At most `most` empty circles, the largest first; the centre of none lies inside of one before it, and none is
/// smaller than a square of the grid. A map whose spots lie on a line has no inside, so none.
///
/// # Errors
/// When there are no spots, or one is not finite.
pub fn sparse_places(places: &[Place], most: usize) -> Result<Vec<Sparse>, LatentError> {
    MatrixBuf::from_rows(places)?;
    let hull = hull(places);
    if hull.len() < 3 {
        return Ok(Vec::new());
    }
    let grid = Grid::new(places);
    let circle = |at: usize| {
        let centre = grid.centre(at);
        let inside = distance_inside(&hull, centre);
        (inside > grid.side).then(|| Sparse { centre, radius: grid.nearest(places, centre).min(inside) })
    };
    let mut circles: Vec<Sparse> = (0..grid.columns * grid.rows).into_par_iter().filter_map(circle).collect();
    circles.retain(|c| c.radius > grid.side);
    circles.sort_by(|a, b| b.radius.total_cmp(&a.radius)); // stable: equal ones by row and column
    let mut chosen: Vec<Sparse> = Vec::new();
    for circle in circles {
        if chosen.len() == most {
            break;
        }
        let apart = chosen.iter().all(|c| distance(c.centre, circle.centre) >= c.radius);
        if apart && widest_gap(grid.angles(places, circle.centre, 2.0 * circle.radius)) <= WIDEST {
            chosen.push(circle);
        }
    }
    Ok(chosen)
}

fn distance(a: Place, b: Place) -> f32 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

/// The widest angle between neighbouring directions, a whole turn when there is at most one.
fn widest_gap(mut angles: Vec<f32>) -> f32 {
    angles.sort_by(f32::total_cmp);
    let (Some(first), Some(last)) = (angles.first(), angles.last()) else { return std::f32::consts::TAU };
    let across = first + std::f32::consts::TAU - last;
    angles.windows(2).map(|w| w[1] - w[0]).fold(across, f32::max)
}

/// Twice the area of the triangle, positive when it turns left.
fn turn(a: Place, b: Place, c: Place) -> f64 {
    let along = |from: Place, to: Place, axis: usize| f64::from(to[axis]) - f64::from(from[axis]);
    along(a, b, 0) * along(a, c, 1) - along(a, b, 1) * along(a, c, 0)
}

/// The corners of the convex hull, turning left (Andrew 1979).
fn hull(places: &[Place]) -> Vec<Place> {
    let mut sorted = places.to_vec();
    sorted.sort_by(|a, b| a[0].total_cmp(&b[0]).then(a[1].total_cmp(&b[1])));
    sorted.dedup();
    [half(sorted.iter()), half(sorted.iter().rev())].concat()
}

/// The corners from the first to the last of sorted places, the last left out.
fn half<'p>(places: impl Iterator<Item = &'p Place>) -> Vec<Place> {
    let mut chain: Vec<Place> = Vec::new();
    for &place in places {
        while chain.len() > 1 && turn(chain[chain.len() - 2], chain[chain.len() - 1], place) <= 0.0 {
            chain.pop();
        }
        chain.push(place);
    }
    chain.pop(); // the other half begins with it
    chain
}

/// Distance of a place to the nearest edge of a hull around it, negative outside.
fn distance_inside(hull: &[Place], at: Place) -> f32 {
    let edge = |i: usize| {
        let (a, b) = (hull[i], hull[(i + 1) % hull.len()]);
        turn(a, b, at) / f64::from(distance(a, b))
    };
    (0..hull.len()).map(edge).fold(f64::INFINITY, f64::min) as f32
}

/// The spots by squares.
struct Grid {
    low: Place,
    side: f32,
    columns: usize,
    rows: usize,
    /// The spots of each square.
    squares: Vec<Vec<u32>>,
}

impl Grid {
    fn new(places: &[Place]) -> Self {
        let bound = |axis: usize, best: fn(f32, f32) -> f32| places.iter().map(|p| p[axis]).fold(places[0][axis], best);
        let low = [bound(0, f32::min), bound(1, f32::min)];
        let (width, height) = (bound(0, f32::max) - low[0], bound(1, f32::max) - low[1]);
        let side = width.max(height) / GRID as f32;
        let count = |length: f32| ((length / side).ceil() as usize).clamp(1, GRID);
        let (columns, rows) = (count(width), count(height));
        let mut grid = Self { low, side, columns, rows, squares: vec![Vec::new(); columns * rows] };
        for (i, &place) in places.iter().enumerate() {
            let (column, row) = grid.square(place);
            grid.squares[row * columns + column].push(i as u32);
        }
        grid
    }

    fn square(&self, place: Place) -> (usize, usize) {
        let at = |axis: usize, most: usize| (((place[axis] - self.low[axis]) / self.side) as usize).min(most - 1);
        (at(0, self.columns), at(1, self.rows))
    }

    fn centre(&self, at: usize) -> Place {
        let middle = |axis: usize, i: usize| self.low[axis] + (i as f32 + 0.5) * self.side;
        [middle(0, at % self.columns), middle(1, at / self.columns)]
    }

    /// The directions of the spots that are at most `reach` away.
    fn angles(&self, places: &[Place], from: Place, reach: f32) -> Vec<f32> {
        let ((left, bottom), (right, top)) =
            (self.square([from[0] - reach, from[1] - reach]), self.square([from[0] + reach, from[1] + reach]));
        let squares = (bottom..=top).flat_map(|row| (left..=right).map(move |column| row * self.columns + column));
        let spots = squares.flat_map(|square| &self.squares[square]).map(|&i| places[i as usize]);
        let near = spots.filter(|&p| distance(p, from) <= reach);
        near.map(|p| (p[1] - from[1]).atan2(p[0] - from[0])).collect()
    }

    /// Distance to the nearest spot from the centre of a square: rings of squares outwards.
    fn nearest(&self, places: &[Place], from: Place) -> f32 {
        let (column, row) = self.square(from);
        let mut best = f32::INFINITY;
        for ring in 0..self.columns.max(self.rows) {
            // What lies in this ring is at least half a square less than `ring` squares away.
            if (ring as f32 - 0.5) * self.side > best {
                break;
            }
            let columns = column.saturating_sub(ring)..(column + ring + 1).min(self.columns);
            for r in row.saturating_sub(ring)..(row + ring + 1).min(self.rows) {
                for c in columns.clone().filter(|c| c.abs_diff(column).max(r.abs_diff(row)) == ring) {
                    let spots = self.squares[r * self.columns + c].iter();
                    best = spots.map(|&i| distance(places[i as usize], from)).fold(best, f32::min);
                }
            }
        }
        best
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::normal;

    #[test]
    fn a_hole_is_found() {
        // A square of 41 x 41 spots with two round holes.
        let hole = |x: f32, y: f32| (x - 12.0).hypot(y - 12.0) < 6.0 || (x - 30.0).hypot(y - 25.0) < 4.0;
        let places: Vec<Place> =
            (0..41 * 41).map(|i| [(i % 41) as f32, (i / 41) as f32]).filter(|p| !hole(p[0], p[1])).collect();
        let found = sparse_places(&places, 2).unwrap();
        assert!(distance(found[0].centre, [12.0, 12.0]) < 0.5 && (found[0].radius - 6.0).abs() < 0.5, "{found:?}");
        assert!(distance(found[1].centre, [30.0, 25.0]) < 0.5 && (found[1].radius - 4.0).abs() < 0.5, "{found:?}");
    }

    #[test]
    fn a_bay_is_no_gap() {
        // A disc with a wedge cut out, wider than the hole in its middle.
        let spots = (0..61 * 61).map(|i| [(i % 61) as f32 - 30.0, (i / 61) as f32 - 30.0]);
        let bay = |p: &Place| p[1].atan2(p[0]).abs() < 0.5 && p[0].hypot(p[1]) > 12.0;
        let hole = |p: &Place| (p[0] + 12.0).hypot(p[1]) < 3.0;
        let places: Vec<Place> = spots.filter(|p| p[0].hypot(p[1]) < 30.0 && !bay(p) && !hole(p)).collect();
        let found = sparse_places(&places, 1).unwrap();
        assert!(distance(found[0].centre, [-12.0, 0.0]) < 0.5, "{found:?}");
        assert!((widest_gap(vec![3.0, -3.0, 0.0]) - 3.0).abs() < 1e-6);
        assert_eq!(widest_gap(vec![1.0]), std::f32::consts::TAU);
    }

    #[test]
    fn circles_are_empty_and_inside() {
        let places: Vec<Place> = normal(300, 2, 1).data().as_chunks::<2>().0.to_vec();
        let (found, hull) = (sparse_places(&places, 8).unwrap(), hull(&places));
        assert!(found.len() > 3, "{}", found.len());
        for (i, circle) in found.iter().enumerate() {
            let nearest = places.iter().map(|&p| distance(p, circle.centre)).fold(f32::INFINITY, f32::min);
            let edge = distance_inside(&hull, circle.centre);
            assert_eq!(circle.radius, nearest.min(edge));
            assert!(found[..i].iter().all(|c| c.radius >= circle.radius));
            assert!(found[..i].iter().all(|c| distance(c.centre, circle.centre) >= c.radius));
        }
    }

    #[test]
    fn the_hull_of_a_square() {
        let places = [[0.0, 0.0], [1.0, 0.0], [0.5, 0.5], [1.0, 1.0], [0.0, 1.0], [0.5, 0.0], [1.0, 1.0]];
        assert_eq!(hull(&places), [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]);
        assert_eq!(distance_inside(&hull(&places), [0.5, 0.25]), 0.25);
        assert!(distance_inside(&hull(&places), [0.5, -0.25]) < 0.0);
    }

    #[test]
    fn corners() {
        assert_eq!(sparse_places(&[[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]], 3), Ok(vec![]));
        assert_eq!(sparse_places(&[[1.0, 1.0]; 5], 3), Ok(vec![]));
        assert_eq!(sparse_places(&[], 3), Err(LatentError::Empty));
        assert!(matches!(sparse_places(&[[f32::NAN, 0.0]], 3), Err(LatentError::NotFinite { .. })));
    }
}
