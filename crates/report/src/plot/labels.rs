//! Names beside points, so that they do not cover each other.

use super::{FONT, Point};

/// A rectangle: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Area {
    /// The area shared with another box.
    fn overlap(&self, other: &Area) -> f64 {
        let across = self.right.min(other.right) - self.left.max(other.left);
        let down = self.bottom.min(other.bottom) - self.top.max(other.top);
        across.max(0.0) * down.max(0.0)
    }

    /// The area that lies outside another box.
    fn outside(&self, other: &Area) -> f64 {
        (self.right - self.left) * (self.bottom - self.top) - self.overlap(other)
    }

    fn around((x, y): Point, radius: f64) -> Self {
        Area { left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }
    }
}

/// Distances between a point and its label that are tried.
const DISTANCES: [f64; 4] = [7.0, 16.0, 28.0, 42.0];
/// Rounds in which each label looks for a better place.
const ROUNDS: usize = 4;
/// Radius of a point, with some air.
const RADIUS: f64 = 6.0;

/// Places for labels of the given widths beside their points, within `area`: a box for each.
///
/// Each label tries eight directions at a few distances and takes the place that overlaps other labels, points and
/// the edge least, near places first; this is repeated a few times, as each move may make room for another. Where it
/// ends depends on who chooses first, so it is done in several orders and the best end is taken.
pub(super) fn place_labels(points: &[Point], widths: &[f64], area: Area) -> Vec<Area> {
    let orders: [fn(Point) -> f64; 4] = [|p| p.0, |p| -p.0, |p| p.1, |p| -p.1];
    let ends = orders.into_iter().map(|key| {
        let mut order: Vec<usize> = (0..points.len()).collect();
        order.sort_by(|&a, &b| key(points[a]).total_cmp(&key(points[b])));
        let mut boxes: Vec<Option<Area>> = vec![None; points.len()];
        let mut costs = vec![0.0; points.len()];
        for &i in (0..ROUNDS).flat_map(|_| &order) {
            let (place, cost) = best(i, (points, widths[i]), &boxes, area);
            (boxes[i], costs[i]) = (Some(place), cost);
        }
        (boxes, costs.iter().sum::<f64>())
    });
    let (boxes, _) = ends.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
    boxes.into_iter().flatten().collect()
}

/// The best box for one label beside the others, and what speaks against it.
fn best(i: usize, (points, width): (&[Point], f64), boxes: &[Option<Area>], area: Area) -> (Area, f64) {
    let cost = |b: &Area, distance: f64| {
        let others = boxes.iter().enumerate().filter(|(j, _)| *j != i).filter_map(|(_, o)| *o);
        let covered: f64 = others.map(|o| b.overlap(&o)).sum();
        let points: f64 = points.iter().map(|p| b.overlap(&Area::around(*p, RADIUS))).sum();
        4.0 * covered + 3.0 * points + 20.0 * b.outside(&area) + distance
    };
    let candidates = DISTANCES.iter().flat_map(|&d| (0..8).map(move |k| (d, k)));
    let judged = candidates.map(|(d, k)| {
        let b = beside(points[i], width, d, k);
        // Right and left read best, then above and below, then the corners.
        (b, cost(&b, d + 0.5 * k as f64))
    });
    judged.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((Area::around(points[i], 0.0), 0.0))
}

/// The box of a label in direction `k` at a distance from its point.
fn beside((x, y): Point, width: f64, distance: f64, k: usize) -> Area {
    let (across, down) = [(1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (1, 1), (-1, -1), (-1, 1)][k];
    let shift = if across != 0 && down != 0 { 0.7 * distance } else { distance };
    let height = FONT;
    let left = match across {
        1 => x + shift,
        -1 => x - shift - width,
        _ => x - width / 2.0,
    };
    let top = match down {
        1 => y + shift,
        -1 => y - shift - height,
        _ => y - height / 2.0,
    };
    Area { left, top, right: left + width, bottom: top + height }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AREA: Area = Area { left: 0.0, top: 0.0, right: 400.0, bottom: 300.0 };

    fn clashes(boxes: &[Area]) -> usize {
        (0..boxes.len()).map(|i| boxes[i + 1..].iter().filter(|b| boxes[i].overlap(b) > 1.0).count()).sum()
    }

    #[test]
    fn a_lone_label_stands_to_the_right_and_turns_at_the_edge() {
        let b = place_labels(&[(100.0, 100.0)], &[50.0], AREA)[0];
        assert_eq!((b.left, b.right), (107.0, 157.0));
        let b = place_labels(&[(390.0, 100.0)], &[50.0], AREA)[0];
        assert!(b.right <= 390.0, "{b:?}");
    }

    #[test]
    fn crowded_labels_keep_apart_and_inside() {
        let points: Vec<Point> =
            (0..12).map(|i| (200.0 + 6.0 * (i % 4) as f64, 150.0 + 6.0 * (i / 4) as f64)).collect();
        let boxes = place_labels(&points, &[60.0; 12], AREA);
        assert!(clashes(&boxes) <= 1, "{}", clashes(&boxes));
        assert!(boxes.iter().all(|b| b.outside(&AREA) < 1e-6));
        // The plain rule, always to the right, is much worse.
        assert!(clashes(&points.iter().map(|p| beside(*p, 60.0, 7.0, 0)).collect::<Vec<_>>()) > 20);
    }
}
