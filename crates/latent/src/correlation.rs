//! How two lists of numbers go together: Pearson's r, Spearman's rho, the cosine of two vectors.
//!
//! ```text
//! r = sum (x - mx)(y - my) / sqrt( sum (x - mx)^2 sum (y - my)^2 )
//! ```
//!
//! Spearman's rho is r of the ranks, tied values sharing the mean of theirs. Checked against SciPy.

/// Why lists of numbers cannot be compared or used as scores.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum ScoreError {
    /// Lists that should have an entry for each record differ in length.
    #[error("lists of {expected} and {found} numbers cannot be paired; give one of each for every record")]
    Lengths { expected: usize, found: usize },
    /// Not as many kinds of scores as before.
    #[error("{found} kinds of scores are given where {expected} are expected; give those of the calibration, in order")]
    Lists { expected: usize, found: usize },
    /// Too few numbers.
    #[error("{found} numbers are given where at least {least} are needed; give more records")]
    TooFew { found: usize, least: usize },
    /// A NaN or an infinity.
    #[error("number {at} is {value}; leave that record out, or look at why it could not be scored")]
    NotFinite { at: usize, value: f64 },
    /// A list that does not vary.
    #[error("all {n} numbers are {value}; there is nothing to correlate with")]
    Constant { n: usize, value: f64 },
    /// A vector of zeros.
    #[error("a vector of zeros has no direction; leave that record out")]
    Zero,
}

/// Pearson's r, -1..1, of `x` (n) and `y` (n), n >= 2.
///
/// ```
/// use strait_latent::correlation::{pearson, spearman};
/// let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.0, 8.0, 27.0, 64.0]);
/// assert!(pearson(&x, &y)? < 0.99 && spearman(&x, &y)? > 1.0 - 1e-12);
/// # Ok::<(), strait_latent::correlation::ScoreError>(())
/// ```
///
/// # Errors
/// When the lists differ in length, are shorter than 2, hold a value that is not finite or do not vary.
pub fn pearson(x: &[f64], y: &[f64]) -> Result<f64, ScoreError> {
    paired(x, y)?;
    for list in [x, y] {
        if list.iter().all(|&v| v == list[0]) {
            return Err(ScoreError::Constant { n: list.len(), value: list[0] });
        }
    }
    let n = x.len() as f64;
    let (mx, my) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let (mut xy, mut xx, mut yy) = (0.0, 0.0, 0.0);
    for (x, y) in x.iter().zip(y) {
        xy += (x - mx) * (y - my);
        xx += (x - mx).powi(2);
        yy += (y - my).powi(2);
    }
    Ok((xy / (xx.sqrt() * yy.sqrt())).clamp(-1.0, 1.0))
}

/// Spearman's rho, -1..1, of `x` (n) and `y` (n), n >= 2.
///
/// # Errors
/// Those of [`pearson`].
pub fn spearman(x: &[f64], y: &[f64]) -> Result<f64, ScoreError> {
    paired(x, y)?;
    pearson(&ranks(x), &ranks(y))
}

/// The rank of each value, from 1 for the smallest; equal values share the mean of their ranks.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for tie in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = from as f64 + (tie.len() + 1) as f64 / 2.0;
        tie.iter().for_each(|&i| ranks[i] = rank);
        from += tie.len();
    }
    ranks
}

/// `a b / (|a| |b|)`, -1..1, of vectors (d).
///
/// # Errors
/// When the vectors differ in length, hold a value that is not finite, or one has length zero.
pub fn cosine(a: &[f32], b: &[f32]) -> Result<f64, ScoreError> {
    if a.len() != b.len() {
        return Err(ScoreError::Lengths { expected: a.len(), found: b.len() });
    }
    for list in [a, b] {
        if let Some(at) = list.iter().position(|v| !v.is_finite()) {
            return Err(ScoreError::NotFinite { at, value: f64::from(list[at]) });
        }
    }
    let product = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let (aa, bb) = (product(a, a), product(b, b));
    if aa == 0.0 || bb == 0.0 {
        return Err(ScoreError::Zero);
    }
    Ok((product(a, b) / (aa.sqrt() * bb.sqrt())).clamp(-1.0, 1.0))
}

/// Fails unless `values` has at least `least` entries, all finite.
pub(crate) fn finite(values: &[f64], least: usize) -> Result<(), ScoreError> {
    if values.len() < least {
        return Err(ScoreError::TooFew { found: values.len(), least });
    }
    match values.iter().position(|v| !v.is_finite()) {
        Some(at) => Err(ScoreError::NotFinite { at, value: values[at] }),
        None => Ok(()),
    }
}

fn paired(x: &[f64], y: &[f64]) -> Result<(), ScoreError> {
    if x.len() != y.len() {
        return Err(ScoreError::Lengths { expected: x.len(), found: y.len() });
    }
    finite(x, 2)?;
    finite(y, 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_share_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, -2.0, 3.0]), [4.0, 2.0, 4.0, 1.0, 4.0]);
        assert_eq!(ranks(&[0.0, -0.0]), [1.5, 1.5]);
        assert!(ranks(&[]).is_empty());
    }

    #[test]
    fn bad_lists_are_refused() {
        assert_eq!(pearson(&[1.0], &[1.0, 2.0]), Err(ScoreError::Lengths { expected: 1, found: 2 }));
        assert_eq!(spearman(&[1.0], &[1.0]), Err(ScoreError::TooFew { found: 1, least: 2 }));
        assert_eq!(pearson(&[1.0, 2.0], &[7.0, 7.0]), Err(ScoreError::Constant { n: 2, value: 7.0 }));
        assert!(matches!(spearman(&[1.0, f64::NAN], &[1.0, 2.0]), Err(ScoreError::NotFinite { at: 1, .. })));
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 0.0]), Err(ScoreError::Zero));
        assert!(matches!(cosine(&[1.0], &[f32::INFINITY]), Err(ScoreError::NotFinite { at: 0, .. })));
    }

    #[test]
    fn a_long_vector_has_the_cosine_of_a_short_one() {
        assert!((cosine(&[3e30, 4e30], &[4e-30, 3e-30]).unwrap() - 0.96).abs() < 1e-7);
        assert!((pearson(&[1e9 + 1.0, 1e9 + 2.0, 1e9 + 3.0], &[3.0, 2.0, 1.0]).unwrap() + 1.0).abs() < 1e-15);
    }
}
