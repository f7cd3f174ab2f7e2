//! From rewards to the weights of a policy gradient (REINFORCE, Williams 1992).
//!
//! The gradient of the expected reward is that of `-sum_it A_it nats_it`, weights held fixed, with `A_it = Q_it - b_it`: the
//! nats of a token that did better than the baseline b fall. b is the mean of Q over the other samples at the same place, on
//! which the token has no influence (leave-one-out: Kool et al. 2019); with one sample there A is 0.

/// Q of each token of each sample -> A.
pub(crate) fn advantages(values: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let longest = values.iter().map(Vec::len).max().unwrap_or(0);
    let (mut sums, mut counts) = (vec![0.0; longest], vec![0.0f64; longest]);
    for value in values {
        for (t, q) in value.iter().enumerate() {
            sums[t] += q;
            counts[t] += 1.0;
        }
    }
    let others = |t: usize, q: f64| (sums[t] - q) / (counts[t] - 1.0);
    let advantage = |(t, &q): (usize, &f64)| if counts[t] > 1.0 { q - others(t, q) } else { 0.0 };
    values.iter().map(|value| value.iter().enumerate().map(advantage).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let a = advantages(&[vec![1.0, 0.5], vec![0.0], vec![0.5, 0.1]]);
        // At the first place the others have means 0.25, 0.75 and 0.5; at the second 0.1 and 0.5.
        assert_eq!(a, [vec![0.75, 0.4], vec![-0.75], vec![0.0, -0.4]]);
        assert_eq!(advantages(&[vec![3.0]]), [[0.0]]);
    }
}
