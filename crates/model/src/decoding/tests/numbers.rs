//! The fast passes against their plain twins.

use super::super::Prefix;
use super::super::filter::Top;
use super::super::scan::{exp, max, scan};
use super::*;

/// Random logits (V) with ties, -inf and NaN among them.
fn awkward(vocabulary: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let logit = |_| match rng.random_range(0..10) {
        0 => f32::NEG_INFINITY,
        1 => f32::NAN,
        2..5 => rng.random_range(-2..3) as f32,
        _ => rng.random_range(-30.0..30.0),
    };
    (0..vocabulary).map(logit).collect()
}

/// The best k tokens by a stable full sort.
fn best_by_sort(row: &[f32], k: usize) -> Vec<(f32, u32)> {
    let mut all: Vec<(f32, u32)> =
        row.iter().copied().zip(0..).filter(|(logit, _)| *logit > f32::NEG_INFINITY).collect();
    all.sort_by(|a, b| b.0.partial_cmp(&a.0).expect("no NaN is left"));
    all.truncate(k);
    all
}

#[test]
fn exp_agrees_with_std() {
    for step in 0..=870_000 {
        let x = -step as f32 * 1e-4;
        let exact = f64::from(x).exp();
        assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "exp({x})");
    }
    assert_eq!([exp(0.0), exp(f32::NEG_INFINITY), exp(f32::NAN), exp(f32::MIN), exp(1.0)], [1.0, 0.0, 0.0, 0.0, 1.0]);
}

#[test]
fn one_pass_agrees_with_the_definition() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for vocabulary in [0, 1, 5, 16, 17, 1023, 1024, 1025, 10_000] {
        let row = awkward(vocabulary, &mut rng);
        let found = scan(&row);
        let best = best_by_sort(&row, 1).first().map(|&(logit, token)| (token, logit));
        assert_eq!(found.best, best);
        assert_eq!(max(&row), best.map_or(f32::NEG_INFINITY, |(_, logit)| logit));
        let sum: f64 = row.iter().filter(|logit| !logit.is_nan()).map(|&logit| f64::from(logit).exp()).sum();
        match best {
            Some(_) => assert!((found.mass.value() - sum.ln()).abs() < 1e-6, "V = {vocabulary}"),
            None => assert_eq!(found.mass.value(), f64::NEG_INFINITY),
        }
    }
}

#[test]
fn top_agrees_with_a_full_sort() {
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut top = Top::default();
    for vocabulary in [1, 2, 63, 64, 65, 1000, 5000] {
        for k in [1, 2, 7, 64, 300, 9000] {
            let row = awkward(vocabulary, &mut rng);
            let mut found = top.of(&row, k).to_vec();
            found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            assert_eq!(found, best_by_sort(&row, k), "V = {vocabulary}, k = {k}");
        }
    }
}

#[test]
fn infinite_logits_are_certain() {
    let mut logits = vec![0.0; 2000];
    logits[1500] = f32::INFINITY;
    let found = scan(&logits);
    assert_eq!(found.best, Some((1500, f32::MAX)));
    assert_eq!(found.mass.surprise(f32::MAX), 0.0);
}

#[test]
fn a_row_without_numbers_ends_unfinished() {
    for bad in [f32::NAN, f32::NEG_INFINITY] {
        for options in [greedy(4), drawing(), Options { top_k: 2, ..drawing() }, Options { beam: 3, ..greedy(4) }] {
            let mut model = Table::new(vec![bad; 4 * 3 * 3], 3, 2);
            let empty = Output { tokens: Vec::new(), finished: false, nats: 0.0 };
            assert_eq!(decode(&mut model, &options, SPECIAL, &[1, 2]), [empty.clone(), empty]);
        }
    }
}

#[test]
fn single_nan_logits_are_never_taken() {
    let mut chain = CHAIN;
    chain[0] = &[f32::NAN, f32::NAN, f32::NAN, 0.7, 0.3];
    let cases = [greedy(1), Options { max_len: 1, top_p: 0.5, ..drawing() }, Options { beam: 2, ..greedy(1) }];
    for options in cases {
        let output = decode(&mut Table::of(&chain, 1), &options, SPECIAL, &[3]).remove(0);
        assert_eq!(output.tokens, [3]);
        assert!((output.nats + 0.7f64.ln()).abs() < 1e-6);
    }
}

#[test]
fn nats_are_those_of_the_unmodified_model() {
    for seed in 0..40 {
        let vocabulary = 9;
        let model = Table::random(vocabulary, 3, seed);
        let mut options = Options {
            temperature: 1.7,
            top_k: 5,
            typical: 0.9,
            repetition_penalty: 1.3,
            no_repeat_ngram: 2,
            banned: vec![vec![3], vec![4, 5]],
            prefix: Prefix::All(vec![2, 6]),
            min_len: 4,
            max_len: 9,
            ..Options::default()
        };
        if seed % 2 == 0 {
            options = Options { temperature: 0.0, top_k: 0, typical: 1.0, beam: 3, ..options };
        }
        options.check().expect("the options make sense");
        let special = Special { never: &[8], ..SPECIAL };
        for output in decode(&mut model.clone(), &options, special, &[seed, 8, 9]) {
            assert!((output.nats - model.nats(&output, special)).abs() < 1e-5);
        }
    }
}
