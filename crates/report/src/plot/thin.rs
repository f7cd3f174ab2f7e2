//! Fewer points with the same outline.

use super::{Point, drawable};

/// At most `most` points (at least 4) that draw like `points`, sorted by x: the first, the last and, of each bucket of
/// neighbours between them, the lowest and the highest in their order. A bucket without a value to draw stays a gap.
///
/// ```
/// use strait_report::plot::thin;
/// let many: Vec<(f64, f64)> = (0..100_000).map(|i| (i as f64, (i == 70_000) as u8 as f64)).collect();
/// let few = thin(&many, 500);
/// assert!(few.len() <= 500 && few.contains(&(70_000.0, 1.0)));
/// ```
pub fn thin(points: &[Point], most: usize) -> Vec<Point> {
    let most = most.max(4);
    let (Some(&first), Some(&last)) = (points.first(), points.last()) else { return Vec::new() };
    if points.len() <= most {
        return points.to_vec();
    }
    let inner = &points[1..points.len() - 1];
    let buckets = (most - 2) / 2;
    let mut out = Vec::with_capacity(most);
    out.push(first);
    for b in 0..buckets {
        let bucket = &inner[b * inner.len() / buckets..(b + 1) * inner.len() / buckets];
        outline(bucket, &mut out);
    }
    out.push(last);
    out
}

/// Appends the lowest and the highest point of a bucket, or one gap.
fn outline(bucket: &[Point], out: &mut Vec<Point>) {
    let finite = || bucket.iter().enumerate().filter(|(_, p)| drawable(p.1));
    let lowest = finite().min_by(|a, b| a.1.1.total_cmp(&b.1.1));
    let highest = finite().max_by(|a, b| a.1.1.total_cmp(&b.1.1));
    match (lowest, highest) {
        (Some((i, a)), Some((j, b))) if i < j => out.extend([*a, *b]),
        (Some((i, a)), Some((j, b))) if i > j => out.extend([*b, *a]),
        (Some((_, a)), _) => out.push(*a),
        _ => out.extend(bucket.first().map(|p| (p.0, f64::NAN))),
    }
}

/// Means of up to `most` stretches of equally many points (x and y); stretches without a value stay gaps.
pub(super) fn means(points: &[Point], most: usize) -> Vec<Point> {
    let n = most.clamp(1, points.len().max(1));
    let stretch = |b: usize| &points[b * points.len() / n..(b + 1) * points.len() / n];
    let mean = |of: &[Point]| {
        let seen: Vec<&Point> = of.iter().filter(|p| drawable(p.0) && drawable(p.1)).collect();
        let count = seen.len() as f64;
        (seen.iter().map(|p| p.0).sum::<f64>() / count, seen.iter().map(|p| p.1).sum::<f64>() / count)
    };
    (0..n).map(|b| mean(stretch(b))).collect()
}

/// Whether a curve goes up and down rather than along: on average a point is off the middle of its neighbours by more
/// than a thirtieth of the curve's height.
pub(super) fn is_noisy(points: &[Point]) -> bool {
    let values: Vec<f64> = points.iter().map(|p| p.1).filter(|v| drawable(*v)).collect();
    let (low, high) = values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), &v| (l.min(v), h.max(v)));
    let off: f64 = values.windows(3).map(|w| (w[1] - (w[0] + w[2]) / 2.0).abs()).sum();
    values.len() > 100 && off / values.len() as f64 > (high - low) / 30.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_stay_as_they_are() {
        let few = [(1.0, 2.0), (2.0, f64::INFINITY), (3.0, 1.0)];
        assert_eq!(thin(&few, 500), few);
        assert_eq!(thin(&[], 500), []);
    }

    #[test]
    fn extremes_and_ends_of_many_points_are_kept_in_order() {
        let wave = |i: usize| (i as f64, ((i * 7919) % 10_007) as f64);
        let many: Vec<Point> = (0..100_000).map(wave).collect();
        let few = thin(&many, 500);
        assert!(few.len() <= 500 && few.len() > 480, "{}", few.len());
        assert!(few.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!((few[0], few[few.len() - 1]), (many[0], many[99_999]));
        let outline = |points: &[Point]| points.iter().fold((f64::MAX, f64::MIN), |m, p| (m.0.min(p.1), m.1.max(p.1)));
        assert_eq!(outline(&few), outline(&many));
    }

    #[test]
    fn noise_and_its_mean() {
        let noisy: Vec<Point> = (0..1000).map(|i| (i as f64, 5.0 + if i % 2 == 0 { 1.0 } else { -1.0 })).collect();
        let smooth: Vec<Point> = (0..1000).map(|i| (i as f64, (i as f64 / 100.0).sin())).collect();
        assert!(is_noisy(&noisy) && is_noisy(&thin(&noisy, 200)));
        assert!(!is_noisy(&smooth) && !is_noisy(&thin(&smooth, 200)) && !is_noisy(&noisy[..50]));
        let means = means(&noisy, 10);
        assert_eq!((means.len(), means[0]), (10, (49.5, 5.0)));
        assert!(super::means(&[(0.0, f64::NAN); 3], 10).iter().all(|p| p.1.is_nan()));
        assert!(super::means(&[], 10).iter().all(|p| p.1.is_nan()));
    }

    #[test]
    fn long_gaps_stay_gaps() {
        let many: Vec<Point> =
            (0..10_000).map(|i| (i as f64, if (3000..6000).contains(&i) { f64::NAN } else { 1.0 })).collect();
        let gap = thin(&many, 100).iter().filter(|p| p.1.is_nan()).count();
        assert!((13..=15).contains(&gap), "{gap}");
    }
}
