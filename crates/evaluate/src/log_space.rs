//! Sums and means of numbers that are only known by their logarithms.

/// `log sum_i exp(v_i)`; -inf for no values.
pub(crate) fn log_sum_exp(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !most.is_finite() {
        return if values.iter().any(|v| v.is_nan()) { f64::NAN } else { most };
    }
    most + values.iter().map(|v| (v - most).exp()).sum::<f64>().ln()
}

/// `log (1/n sum_i exp(v_i))`.
pub(crate) fn log_mean_exp(values: &[f64]) -> f64 {
    log_sum_exp(values) - (values.len() as f64).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_by_hand_where_exponentials_underflow() {
        assert!((log_sum_exp(&[2.0f64.ln(), 3.0f64.ln()]) - 5.0f64.ln()).abs() < 1e-12);
        assert!((log_mean_exp(&[-5000.0, -5000.0 + 3.0f64.ln()]) - (-5000.0 + 2.0f64.ln())).abs() < 1e-9);
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY, 0.0]), 0.0);
        assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
        assert!(log_sum_exp(&[0.0, f64::NAN]).is_nan());
    }
}
