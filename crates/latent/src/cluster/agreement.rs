//! How far two labellings of the same rows agree, whatever the labels are called.

use std::collections::BTreeMap;

use crate::error::LatentError;

/// The adjusted Rand index (Hubert & Arabie 1985): 1 for equal partitions, 0 on average for unrelated ones.
///
/// Of the pairs of rows that both put together, `(sum - expected) / (mean - expected)`.
///
/// ```
/// use strait_latent::cluster::adjusted_rand_index;
/// assert_eq!(adjusted_rand_index(&[0, 0, 1, 1], &["b", "b", "a", "a"])?, 1.0);
/// # Ok::<(), strait_latent::LatentError>(())
/// ```
///
/// # Errors
/// When they are empty or of different lengths.
pub fn adjusted_rand_index<A: Ord, B: Ord>(a: &[A], b: &[B]) -> Result<f64, LatentError> {
    let table = Table::new(a, b)?;
    let both = pairs(table.cells.values());
    let (of_a, of_b) = (pairs(table.a.values()), pairs(table.b.values()));
    let expected = of_a * of_b / (table.n * (table.n - 1.0) / 2.0);
    let mean = (of_a + of_b) / 2.0;
    // Both are one cluster, or both all single rows.
    Ok(if mean == expected || table.n == 1.0 { 1.0 } else { (both - expected) / (mean - expected) })
}

/// Mutual information over the mean of the two entropies (Strehl & Ghosh 2002), 0..1; 1 when both are one cluster.
///
/// # Errors
/// When they are empty or of different lengths.
pub fn normalised_mutual_information<A: Ord, B: Ord>(a: &[A], b: &[B]) -> Result<f64, LatentError> {
    let table = Table::new(a, b)?;
    let n = table.n;
    let (of_a, of_b) = (entropy(table.a.values(), n), entropy(table.b.values(), n));
    if of_a + of_b == 0.0 {
        return Ok(1.0);
    }
    let term = |((a, b), &c): (&(&A, &B), &f64)| c / n * (c * n / (table.a[a] * table.b[b])).ln();
    let mutual: f64 = table.cells.iter().map(term).sum();
    Ok((2.0 * mutual / (of_a + of_b)).max(0.0))
}

/// Pairs of rows within groups of these sizes.
fn pairs<'c>(counts: impl Iterator<Item = &'c f64>) -> f64 {
    counts.map(|&c| c * (c - 1.0) / 2.0).sum()
}

/// Entropy in nats of n rows in groups of these sizes.
fn entropy<'c>(counts: impl Iterator<Item = &'c f64>, n: f64) -> f64 {
    -counts.map(|&c| c / n * (c / n).ln()).sum::<f64>()
}

/// Numbers of rows for each label and each pair of labels.
struct Table<'l, A, B> {
    n: f64,
    a: BTreeMap<&'l A, f64>,
    b: BTreeMap<&'l B, f64>,
    cells: BTreeMap<(&'l A, &'l B), f64>,
}

impl<'l, A: Ord, B: Ord> Table<'l, A, B> {
    fn new(a: &'l [A], b: &'l [B]) -> Result<Self, LatentError> {
        if a.is_empty() {
            return Err(LatentError::Empty);
        }
        if a.len() != b.len() {
            return Err(LatentError::Length { what: "labels", expected: a.len(), found: b.len() });
        }
        let mut table = Self { n: a.len() as f64, a: BTreeMap::new(), b: BTreeMap::new(), cells: BTreeMap::new() };
        for (a, b) in a.iter().zip(b) {
            *table.a.entry(a).or_default() += 1.0;
            *table.b.entry(b).or_default() += 1.0;
            *table.cells.entry((a, b)).or_default() += 1.0;
        }
        Ok(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes() {
        let same = [3, 3, 1, 2];
        assert_eq!(adjusted_rand_index(&same, &["x", "x", "y", "z"]), Ok(1.0));
        assert!((normalised_mutual_information(&same, &[0, 0, 1, 2]).unwrap() - 1.0).abs() < 1e-12);
        assert!((adjusted_rand_index(&[0, 0, 1, 1], &[0, 1, 0, 1]).unwrap() + 0.5).abs() < 1e-12);
        assert_eq!(normalised_mutual_information(&[0, 0, 1, 1], &[0, 1, 0, 1]), Ok(0.0));
        assert_eq!(adjusted_rand_index(&[1], &[2]), Ok(1.0));
        assert_eq!(normalised_mutual_information(&[1, 1], &[2, 2]), Ok(1.0));
        assert_eq!(adjusted_rand_index::<u8, u8>(&[], &[]), Err(LatentError::Empty));
        assert!(matches!(adjusted_rand_index(&[1], &[1, 2]), Err(LatentError::Length { .. })));
    }
}
