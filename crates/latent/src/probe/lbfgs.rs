//! Minimising a smooth convex function by the limited-memory BFGS method (Liu and Nocedal 1989; Nocedal and Wright,
//! Numerical Optimization, algorithm 7.4).
//!
//! The step along the direction `-H g` is found by bisection until it fulfils the weak Wolfe conditions (Lewis and
//! Overton 2013). `H` is never formed: its product with the gradient comes from the last [`MEMORY`] pairs of steps `s`
//! and changes of the gradient `y`.

/// Pairs that are remembered.
const MEMORY: usize = 10;
/// A step must win this part of what the slope promises,
const DECREASE: f64 = 1e-4;
/// and leave at most this part of the slope.
const CURVATURE: f64 = 0.9;
/// Halvings and doublings of a step before giving up.
const TRIES: usize = 40;

/// Where the search ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Minimum {
    pub at: Vec<f64>,
    pub value: f64,
    /// Directions followed.
    pub steps: usize,
    /// Whether no entry of the gradient is larger than the tolerance.
    pub converged: bool,
}

/// Minimises from `start` (P) until no entry of the gradient is larger than `tolerance`, for at most `most` steps.
/// `evaluate` gives the value at a point (P) and writes the gradient (P).
pub(super) fn minimise(
    start: Vec<f64>,
    tolerance: f64,
    most: usize,
    mut evaluate: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let mut at = start;
    let mut gradient = vec![0.0; at.len()];
    let mut value = evaluate(&at, &mut gradient);
    let mut memory: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
    for steps in 0.. {
        let converged = gradient.iter().all(|g| g.abs() <= tolerance);
        if converged || steps == most {
            return Minimum { at, value, steps, converged };
        }
        let mut direction = product(&memory, &gradient);
        direction.iter_mut().for_each(|d| *d = -*d);
        let slope = dot(&direction, &gradient);
        let (mut low, mut high) = (0.0, f64::INFINITY);
        let mut step = if memory.is_empty() { 1.0 / dot(&gradient, &gradient).sqrt().max(1.0) } else { 1.0 };
        let (mut next, mut next_gradient) = (at.clone(), gradient.clone());
        let mut go = |step: f64, next: &mut [f64], next_gradient: &mut [f64]| {
            next.iter_mut().zip(&at).zip(&direction).for_each(|((n, a), d)| *n = a + step * d);
            evaluate(next, next_gradient)
        };
        let mut found = None;
        for _ in 0..TRIES {
            let next_value = go(step, &mut next, &mut next_gradient);
            // Near the minimum the win is smaller than the value's rounding.
            let rounding = 4.0 * f64::EPSILON * value.abs();
            if next_value.is_nan() || next_value > value + DECREASE * step * slope + rounding {
                high = step;
            } else if dot(&direction, &next_gradient) < CURVATURE * slope {
                low = step;
            } else {
                found = Some(next_value);
                break;
            }
            step = if high.is_finite() { 0.5 * (low + high) } else { 2.0 * low };
        }
        let next_value = match found {
            Some(value) => value,
            None if low > 0.0 => go(low, &mut next, &mut next_gradient),
            None => return Minimum { at, value, steps, converged },
        };
        let moved: Vec<f64> = next.iter().zip(&at).map(|(n, a)| n - a).collect();
        let bent: Vec<f64> = next_gradient.iter().zip(&gradient).map(|(n, g)| n - g).collect();
        if dot(&moved, &bent) > 0.0 {
            if memory.len() == MEMORY {
                memory.remove(0);
            }
            memory.push((moved, bent));
        }
        (at, gradient, value) = (next, next_gradient, next_value);
    }
    unreachable!("the loop ends at `most`")
}

/// `H g` by the two-loop recursion; `g` itself without memory.
fn product(memory: &[(Vec<f64>, Vec<f64>)], gradient: &[f64]) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut alphas = Vec::with_capacity(memory.len());
    for (s, y) in memory.iter().rev() {
        let alpha = dot(s, &q) / dot(s, y);
        add(&mut q, -alpha, y);
        alphas.push(alpha);
    }
    if let Some((s, y)) = memory.last() {
        let scale = dot(s, y) / dot(y, y);
        q.iter_mut().for_each(|q| *q *= scale);
    }
    for ((s, y), alpha) in memory.iter().zip(alphas.into_iter().rev()) {
        let beta = dot(y, &q) / dot(s, y);
        add(&mut q, alpha - beta, s);
    }
    q
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add(to: &mut [f64], factor: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(t, w)| *t += factor * w);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ill_conditioned_quadratic_is_minimised() {
        // f = 1/2 sum_i c_i (x_i - i)^2, c from 1 to 100.
        let c: Vec<f64> = (0..30).map(|i| 10f64.powf(2.0 * f64::from(i) / 29.0)).collect();
        let found = minimise(vec![0.0; 30], 1e-9, 500, |x, g| {
            let mut value = 0.0;
            for i in 0..30 {
                g[i] = c[i] * (x[i] - i as f64);
                value += 0.5 * g[i] * (x[i] - i as f64);
            }
            value
        });
        assert!(found.converged && found.steps < 250, "{found:?}");
        found.at.iter().enumerate().for_each(|(i, x)| assert!((x - i as f64).abs() < 1e-8, "{i} {x}"));
    }

    #[test]
    fn rosenbrock_s_valley_is_followed() {
        let found = minimise(vec![-1.2, 1.0], 1e-8, 200, |x, g| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            g[0] = -2.0 * a - 400.0 * x[0] * b;
            g[1] = 200.0 * b;
            a * a + 100.0 * b * b
        });
        assert!(found.converged && found.value < 1e-16, "{found:?}");
        assert!((found.at[0] - 1.0).abs() < 1e-7 && (found.at[1] - 1.0).abs() < 1e-7, "{found:?}");
    }

    #[test]
    fn too_few_steps_are_said() {
        let square = |x: &[f64], g: &mut [f64]| {
            g[0] = x[0].powi(3);
            x[0].powi(4) / 4.0
        };
        let found = minimise(vec![100.0], 1e-12, 2, square);
        assert!(!found.converged && found.steps == 2 && found.value < 2.5e7, "{found:?}");
    }
}
