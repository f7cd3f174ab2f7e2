//! Ways between two latents, as rows: straight, along an arc, or along points given.

use super::DirectionError;
use crate::error::LatentError;
use crate::matrix::MatrixBuf;

/// Below this sine two directions are as good as parallel or opposite, and there is no arc between them.
const LEAST_SINE: f64 = 1e-6;

/// `steps` points (steps, d) from `a` (d) to `b` (d), both included, evenly along the straight line.
///
/// # Errors
/// With fewer than two steps, or ends that are empty, not finite or of different length.
pub fn straight(a: &[f32], b: &[f32], steps: usize) -> Result<MatrixBuf, DirectionError> {
    along(&ends(a, b)?, steps)
}

/// `steps` points (steps, d) from `a` (d) to `b` (d), both included, evenly along the great circle about the origin,
/// which keeps the length that draws in many dimensions have (White 2016):
///
/// `sin((1 - t) w) / sin w a + sin(t w) / sin w b`, with w the angle between a and b.
///
/// Where there is no arc (parallel, opposite, or a zero vector) the way is straight.
///
/// ```
/// use strait_latent::direction::spherical;
/// let way = spherical(&[2.0, 0.0], &[0.0, 2.0], 3)?;
/// assert!((way.row(1)[0] - 2f32.sqrt()).abs() < 1e-6);
/// # Ok::<(), strait_latent::direction::DirectionError>(())
/// ```
///
/// # Errors
/// Those of [`straight`].
pub fn spherical(a: &[f32], b: &[f32], steps: usize) -> Result<MatrixBuf, DirectionError> {
    let both = ends(a, b)?;
    check_steps(steps)?;
    let dot = |x: &[f32], y: &[f32]| x.iter().zip(y).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum::<f64>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    let angle = if lengths > 0.0 { (dot(a, b) / lengths).clamp(-1.0, 1.0).acos() } else { 0.0 };
    let sine = angle.sin();
    if sine < LEAST_SINE {
        return along(&both, steps);
    }
    let point = |step: usize| {
        let t = step as f64 / (steps - 1) as f64;
        match step {
            0 => a.to_vec(),
            _ if step == steps - 1 => b.to_vec(),
            _ => mix(a, b, ((1.0 - t) * angle).sin() / sine, (t * angle).sin() / sine),
        }
    };
    Ok(MatrixBuf::new((0..steps).flat_map(point).collect(), a.len())?)
}

/// `steps` points (steps, d) evenly along the straight pieces between `points` (at least one, d), first and last
/// included.
///
/// # Errors
/// With fewer than two steps.
pub fn along(points: &MatrixBuf, steps: usize) -> Result<MatrixBuf, DirectionError> {
    check_steps(steps)?;
    let mut reached = vec![0.0];
    for i in 1..points.rows() {
        let last = reached[i - 1];
        reached.push(last + distance(points.row(i - 1), points.row(i)));
    }
    let whole = reached[points.rows() - 1];
    let point = |step: usize| {
        let goal = whole * step as f64 / (steps - 1) as f64;
        let next = reached.partition_point(|&r| r < goal).clamp(1, points.rows().max(2) - 1);
        if step == 0 || points.rows() == 1 {
            return points.row(0).to_vec();
        }
        if step == steps - 1 {
            return points.row(points.rows() - 1).to_vec();
        }
        let piece = reached[next] - reached[next - 1];
        let t = if piece > 0.0 { (goal - reached[next - 1]) / piece } else { 0.0 };
        mix(points.row(next - 1), points.row(next), 1.0 - t, t)
    };
    Ok(MatrixBuf::new((0..steps).flat_map(point).collect(), points.dim())?)
}

/// Euclidean distance.
pub(super) fn distance(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(&x, &y)| (f64::from(x) - f64::from(y)).powi(2)).sum::<f64>().sqrt()
}

/// Both ends as rows.
pub(super) fn ends(a: &[f32], b: &[f32]) -> Result<MatrixBuf, LatentError> {
    MatrixBuf::from_rows(&[a, b])
}

fn mix(a: &[f32], b: &[f32], wa: f64, wb: f64) -> Vec<f32> {
    a.iter().zip(b).map(|(&a, &b)| (wa * f64::from(a) + wb * f64::from(b)) as f32).collect()
}

fn check_steps(steps: usize) -> Result<(), LatentError> {
    if steps >= 2 {
        return Ok(());
    }
    let expected = "2 or more: both ends are steps".to_owned();
    Err(LatentError::Setting { what: "the number of steps", value: steps as f64, expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_even_and_ends_exact() {
        let way = straight(&[0.1, 0.0], &[0.7, 3.0], 4).unwrap();
        assert_eq!((way.rows(), way.row(0), way.row(3)), (4, &[0.1, 0.0][..], &[0.7, 3.0][..]));
        assert!((way.row(1)[0] - 0.3).abs() < 1e-6 && (way.row(1)[1] - 1.0).abs() < 1e-6);
        let corner = MatrixBuf::from_rows(&[[0.0, 0.0], [0.0, 3.0], [1.0, 3.0]]).unwrap();
        let way = along(&corner, 5).unwrap();
        assert_eq!(way.data(), [0.0, 0.0, 0.0, 1.0, 0.0, 2.0, 0.0, 3.0, 1.0, 3.0]);
        let double = MatrixBuf::from_rows(&[[1.0], [1.0], [1.0]]).unwrap();
        assert_eq!(along(&double, 2).unwrap().data(), [1.0, 1.0]);
        let one = MatrixBuf::from_rows(&[[1.0]]).unwrap();
        assert_eq!(along(&one, 3).unwrap().data(), [1.0; 3]);
    }

    #[test]
    fn an_arc_keeps_the_length_and_turns_evenly() {
        let way = spherical(&[3.0, 0.0, 0.0], &[0.0, 0.0, 3.0], 7).unwrap();
        for i in 0..7 {
            let angle = std::f32::consts::FRAC_PI_2 * i as f32 / 6.0;
            let (x, z) = (3.0 * angle.cos(), 3.0 * angle.sin());
            assert!((way.row(i)[0] - x).abs() < 1e-5 && (way.row(i)[2] - z).abs() < 1e-5, "{i} {:?}", way.row(i));
        }
        assert_eq!(spherical(&[1.0, 1.0], &[-1.0, -1.0], 3).unwrap().row(1), [0.0, 0.0]);
        assert_eq!(spherical(&[0.0, 0.0], &[2.0, 0.0], 3).unwrap().row(1), [1.0, 0.0]);
    }

    #[test]
    fn impossible_ways_are_refused() {
        assert!(straight(&[1.0], &[1.0], 1).unwrap_err().to_string().contains("both ends are steps"));
        assert!(spherical(&[1.0], &[2.0], 0).is_err());
        let lengths = straight(&[1.0], &[1.0, 2.0], 3).unwrap_err();
        assert_eq!(lengths, LatentError::Dim { expected: 1, found: 2 }.into());
        assert!(spherical(&[f32::NAN], &[1.0], 3).is_err());
    }
}
