//! Analogies: a is to b as c is to which latent? (Mikolov et al. 2013)

use super::DirectionError;
use crate::matrix::MatrixBuf;

/// `c + mean(b - a)` over pairs (a, b), all (d). Several pairs of the same relation make the answer steadier.
///
/// ```
/// use strait_latent::direction::analogy;
/// assert_eq!(analogy(&[(&[1.0, 0.0], &[1.0, 2.0])], &[5.0, 1.0])?, [5.0, 3.0]);
/// # Ok::<(), strait_latent::direction::DirectionError>(())
/// ```
///
/// # Errors
/// Without a pair, or with latents that are not finite or of different length.
pub fn analogy(pairs: &[(&[f32], &[f32])], c: &[f32]) -> Result<Vec<f32>, DirectionError> {
    if pairs.is_empty() {
        return Err(DirectionError::NoPair);
    }
    let all: Vec<&[f32]> = std::iter::once(c).chain(pairs.iter().flat_map(|&(a, b)| [a, b])).collect();
    MatrixBuf::from_rows(&all)?;
    let change =
        |j: usize| pairs.iter().map(|(a, b)| f64::from(b[j]) - f64::from(a[j])).sum::<f64>() / pairs.len() as f64;
    Ok(c.iter().enumerate().map(|(j, &c)| (f64::from(c) + change(j)) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_averaged_and_bad_ones_refused() {
        let pairs: [(&[f32], &[f32]); 2] = [(&[0.0], &[1.0]), (&[5.0], &[8.0])];
        assert_eq!(analogy(&pairs, &[10.0]).unwrap(), [12.0]);
        assert_eq!(analogy(&[], &[1.0]), Err(DirectionError::NoPair));
        assert!(matches!(analogy(&pairs, &[1.0, 2.0]), Err(DirectionError::Latents(_))));
        assert!(analogy(&[(&[f32::NAN], &[1.0])], &[1.0]).is_err());
    }
}
