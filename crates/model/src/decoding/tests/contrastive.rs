//! Contrastive search against its definition.

use super::*;

fn contrastive(alpha: f32, top_k: usize, max_len: usize) -> Options {
    Options { contrastive: alpha, top_k, ..greedy(max_len) }
}

fn cosine(a: [f32; 3], b: [f32; 3]) -> f64 {
    let dot = |a: [f32; 3], b: [f32; 3]| a.iter().zip(b).map(|(&x, y)| f64::from(x) * f64::from(y)).sum::<f64>();
    dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

/// One token after the other, everything computed anew.
fn slowly(model: &Table, options: &Options) -> Vec<u32> {
    let (alpha, none) = (f64::from(options.contrastive), model.vocabulary as u32);
    let mut history = vec![none, SPECIAL.bos];
    while history.len() < options.max_len + 2 {
        let states: Vec<[f32; 3]> = history.windows(2).map(|pair| Table::state(pair[0], pair[1])).collect();
        let log_p = model.log_p(&history[1..]);
        let mut tokens: Vec<u32> = (1..none).collect();
        tokens.sort_by(|&a, &b| log_p[b as usize].total_cmp(&log_p[a as usize]));
        tokens.truncate(options.top_k);
        let pays = |token: u32| {
            let state = Table::state(history[history.len() - 1], token);
            states.iter().map(|&other| cosine(state, other)).fold(f64::NEG_INFINITY, f64::max)
        };
        let others: Vec<f64> = tokens.iter().filter(|&&token| token != SPECIAL.eos).map(|&token| pays(token)).collect();
        let mean = others.iter().sum::<f64>() / others.len().max(1) as f64;
        let score = |token: u32| {
            let pays = if token == SPECIAL.eos { mean } else { pays(token) };
            (1.0 - alpha) * log_p[token as usize].exp() - alpha * pays
        };
        let best = tokens.iter().copied().max_by(|&a, &b| score(a).total_cmp(&score(b))).unwrap();
        if best == SPECIAL.eos {
            break;
        }
        history.push(best);
    }
    history.split_off(2)
}

#[test]
fn equals_the_definition() {
    let mut different = 0;
    for seed in 0..40 {
        let model = Table::random(9, 1, seed);
        for (alpha, k) in [(0.2, 3), (0.6, 4), (0.9, 2), (0.6, 20)] {
            let options = contrastive(alpha, k, 10);
            let output = decode(&mut model.clone(), &options, SPECIAL, &[0]).remove(0);
            assert_eq!(output.tokens, slowly(&model, &options), "seed {seed}, alpha {alpha}, k {k}");
            assert!((output.nats - model.nats(&output, SPECIAL)).abs() < 1e-4);
            different += usize::from(output.tokens != decode(&mut model.clone(), &greedy(10), SPECIAL, &[0])[0].tokens);
        }
    }
    assert!(different > 50, "{different} of 160 differ from greedy search");
}

#[test]
fn little_weight_is_greedy() {
    for seed in 0..20 {
        let output = decode(&mut Table::random(7, 2, seed), &contrastive(1e-6, 4, 9), SPECIAL, &[0, 0]);
        assert_eq!(output, decode(&mut Table::random(7, 2, seed), &greedy(9), SPECIAL, &[0, 0]));
    }
}

#[test]
fn rows_do_not_see_each_other() {
    use super::super::Prefix;
    let prefixes: Vec<Vec<u32>> = vec![vec![2], vec![], vec![5, 3], vec![4, 4, 4, 4, 4, 4]];
    let options = |prefix| Options { prefix, no_repeat_ngram: 2, ..contrastive(0.6, 4, 6) };
    let model = |rows| Table::random(8, rows, 3);
    let together = decode(&mut model(4), &options(Prefix::Rows(prefixes.clone())), SPECIAL, &[0; 4]);
    for (prefix, output) in prefixes.into_iter().zip(together) {
        assert!(output.tokens.starts_with(&prefix));
        assert_eq!(decode(&mut model(1), &options(Prefix::All(prefix)), SPECIAL, &[0])[0], output);
    }
}

#[test]
fn nothing_allowed_ends_a_row_unfinished() {
    let options = Options { banned: vec![vec![1], vec![2, 2], vec![2, 3], vec![2, 4]], ..contrastive(0.5, 3, 6) };
    let options = Options { prefix: super::super::Prefix::All(vec![2]), ..options };
    let output = one(&options);
    assert_eq!((output.tokens.as_slice(), output.finished), ([2].as_slice(), false));
}
