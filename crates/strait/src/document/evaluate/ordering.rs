//! Passages whose sentences are put in order, and how near the orders come to the true ones.

use serde::Serialize;

/// How a method orders sentences.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SentenceOrdering {
    pub method: &'static str,
    /// Kendall's tau, mean over passages: 1 the true order, 0 chance, -1 backwards; and its standard error.
    pub tau: f64,
    pub tau_error: f64,
    /// Share of the pairs of sentences in their order.
    pub pairwise: f64,
    /// Share of the passages wholly in order.
    pub exact: f64,
}

/// What an order found at random is worth.
pub(super) fn chance(length: usize) -> SentenceOrdering {
    let all = (1..=length).map(|n| n as f64).product::<f64>();
    SentenceOrdering { method: "chance", tau: 0.0, tau_error: 0.0, pairwise: 0.5, exact: 1.0 / all }
}

/// Scores orders of 0..length, whose true order is rising.
pub(super) fn score(method: &'static str, orders: &[Vec<usize>], length: usize) -> SentenceOrdering {
    let (n, pairs) = (orders.len() as f64, length * (length - 1) / 2);
    let taus: Vec<f64> = orders.iter().map(|o| 1.0 - 2.0 * inversions(o) as f64 / pairs as f64).collect();
    let tau = taus.iter().sum::<f64>() / n;
    let variance = taus.iter().map(|t| (t - tau).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let exact = orders.iter().filter(|o| inversions(o) == 0).count() as f64 / n;
    SentenceOrdering { method, tau, tau_error: (variance / n).sqrt(), pairwise: 0.5 * (1.0 + tau), exact }
}

/// Pairs in the wrong order.
fn inversions(order: &[usize]) -> usize {
    (0..order.len()).map(|i| order[i + 1..].iter().filter(|&&later| later < order[i]).count()).sum()
}

/// From every start to the nearest that is left; of these chains the one of the nearest neighbours, as indices into
/// `items`.
pub(super) fn nearest_chain(items: &[usize], near: &dyn Fn(usize, usize) -> f64) -> Vec<usize> {
    let chain = |start: usize| {
        let (mut order, mut total) = (vec![start], 0.0);
        while order.len() < items.len() {
            let last = items[order[order.len() - 1]];
            let left = (0..items.len()).filter(|i| !order.contains(i)).map(|i| (near(last, items[i]), i));
            let Some((nearness, i)) = left.max_by(|a, b| a.0.total_cmp(&b.0)) else { break };
            total += nearness;
            order.push(i);
        }
        (total, order)
    };
    let chains = (0..items.len()).map(chain);
    chains.max_by(|a, b| a.0.total_cmp(&b.0)).map(|c| c.1).unwrap_or_default()
}

/// The order of 0..n with the largest sum of `gain(a, b)` over neighbours a before b (Held & Karp 1962): n² 2^n sums, so for
/// short passages only.
pub(super) fn best_chain(n: usize, gain: &dyn Fn(usize, usize) -> f64) -> Vec<usize> {
    // For each set of sentences and the last of them: the best sum, and the one before the last.
    let mut best = vec![(f64::NEG_INFINITY, usize::MAX); n << n];
    (0..n).for_each(|i| best[(1 << i) * n + i] = (0.0, usize::MAX));
    for set in 1usize..1 << n {
        for last in (0..n).filter(|last| set >> last & 1 == 1) {
            let sum = best[set * n + last].0;
            for next in (0..n).filter(|next| set >> next & 1 == 0) {
                let (to, sum) = ((set | 1 << next) * n + next, sum + gain(last, next));
                if sum > best[to].0 {
                    best[to] = (sum, last);
                }
            }
        }
    }
    let mut set = (1usize << n) - 1;
    let mut at = (0..n).max_by(|&a, &b| best[set * n + a].0.total_cmp(&best[set * n + b].0));
    let mut order = Vec::with_capacity(n);
    while let Some(last) = at {
        order.push(last);
        at = Some(best[set * n + last].1).filter(|&before| before < n);
        set &= !(1 << last);
    }
    order.reverse();
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_hand() {
        let [right, wrong] = [vec![0, 1, 2, 3], vec![3, 2, 1, 0]];
        assert_eq!((inversions(&right), inversions(&wrong), inversions(&[1, 0, 2])), (0, 6, 1));
        let score = score("x", &[right, wrong], 4);
        assert_eq!((score.tau, score.pairwise, score.exact, score.tau_error), (0.0, 0.5, 0.5, 1.0));
    }

    #[test]
    fn chains_go_to_the_nearest() {
        let found = nearest_chain(&[5, 1, 3], &|a, b| -(a as f64 - b as f64).abs());
        assert!(found == [0, 2, 1] || found == [1, 2, 0], "{found:?}");
    }

    /// The best chain is the best of all orders, tried one by one.
    #[test]
    fn the_best_chain_is_the_best_of_all() {
        let gain = |a: usize, b: usize| f64::sin((7 * a + 3 * b) as f64);
        let total = |order: &[usize]| order.windows(2).map(|w| gain(w[0], w[1])).sum::<f64>();
        let found = best_chain(5, &gain);
        let mut best = f64::NEG_INFINITY;
        for code in 0..5usize.pow(5) {
            let order: Vec<usize> = (0..5).map(|i| code / 5usize.pow(i) % 5).collect();
            if (0..5).all(|i| order.contains(&i)) {
                best = best.max(total(&order));
            }
        }
        assert!((total(&found) - best).abs() < 1e-12 && (0..5).all(|i| found.contains(&i)), "{found:?}");
        assert_eq!(best_chain(1, &gain), [0]);
    }
}
