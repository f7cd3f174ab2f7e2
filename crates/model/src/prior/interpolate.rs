//! Paths between two latents: the straight line, and the great circle that keeps the length that high-dimensional
//! draws have (White, "Sampling generative networks", 2016).

use super::PriorError;

/// Below this sine the two directions are as good as parallel or opposite, and the arc is not defined.
const LEAST_SINE: f64 = 1e-6;

/// `(1 - t) a + t b`; `a`, `b` and the result (Z). `t` outside 0..1 extrapolates; 0 and 1 give the ends to the bit.
pub fn lerp(a: &[f32], b: &[f32], t: f32) -> Result<Vec<f32>, PriorError> {
    weighted(a, b, 1.0 - f64::from(t), f64::from(t))
}

/// `sin((1 - t) w) / sin w * a + sin(t w) / sin w * b`, `w` the angle between `a` and `b`; all (Z).
/// Where the arc is not defined (parallel, opposite, or a zero vector) this is [`lerp`].
pub fn slerp(a: &[f32], b: &[f32], t: f32) -> Result<Vec<f32>, PriorError> {
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    let angle = if lengths > 0.0 { (dot(a, b) / lengths).clamp(-1.0, 1.0).acos() } else { 0.0 };
    let (sine, t64) = (angle.sin(), f64::from(t));
    if sine < LEAST_SINE {
        return lerp(a, b, t);
    }
    weighted(a, b, ((1.0 - t64) * angle).sin() / sine, (t64 * angle).sin() / sine)
}

fn weighted(a: &[f32], b: &[f32], wa: f64, wb: f64) -> Result<Vec<f32>, PriorError> {
    if a.len() != b.len() {
        return Err(PriorError::Lengths { left: a.len(), right: b.len() });
    }
    Ok(a.iter().zip(b).map(|(&a, &b)| (wa * f64::from(a) + wb * f64::from(b)) as f32).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_exact_and_the_middle_is_known() {
        let (a, b) = ([1.0, 0.0], [0.0, 1.0]);
        for path in [lerp, slerp] {
            assert_eq!(path(&a, &b, 0.0).unwrap(), a);
            assert_eq!(path(&a, &b, 1.0).unwrap(), b);
        }
        assert_eq!(lerp(&a, &b, 0.5).unwrap(), [0.5, 0.5]);
        let middle = slerp(&a, &b, 0.5).unwrap();
        assert!(middle.iter().all(|v| (v - 0.5_f32.sqrt()).abs() < 1e-6), "{middle:?}");
    }

    #[test]
    fn slerp_without_an_arc_is_lerp() {
        let a = [0.3, -0.2, 0.9];
        for b in [[0.3, -0.2, 0.9], [-0.3, 0.2, -0.9], [0.0, 0.0, 0.0]] {
            assert_eq!(slerp(&a, &b, 0.25), lerp(&a, &b, 0.25));
        }
    }

    #[test]
    fn different_lengths_are_an_error() {
        assert_eq!(lerp(&[1.0], &[1.0, 2.0], 0.5), Err(PriorError::Lengths { left: 1, right: 2 }));
        assert!(slerp(&[1.0], &[], 0.5).is_err());
    }
}
