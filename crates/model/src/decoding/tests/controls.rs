//! Each control by hand, on the chain.

use super::super::{Blocked, Prefix, decode_nbest};
use super::*;

#[test]
fn greedy_takes_the_most_likely_token() {
    let output = one(&greedy(4));
    assert_eq!(output.tokens, [2, 3, 4, 2]);
    assert!(!output.finished);
    assert!((output.nats + (0.6f64 * 0.5 * 0.4 * 0.4).ln()).abs() < 1e-6);
}

#[test]
fn ties_go_to_the_lowest_id() {
    let chain: [&[f32]; 4] = [&[0.2, 0.2, 0.3, 0.3], &[0.25; 4], &[0.0, 0.4, 0.2, 0.4], &[0.25; 4]];
    for beam in [1, 2] {
        let output = decode(&mut Table::of(&chain, 1), &Options { beam, ..greedy(4) }, SPECIAL, &[0]).remove(0);
        assert_eq!((output.tokens.as_slice(), output.finished), ([2].as_slice(), true));
    }
}

#[test]
fn blocked_runs_are_not_completed() {
    let blocked = |n, texts: &[Vec<u32>]| Some(std::sync::Arc::new(Blocked::new(n, texts)));
    let texts = [vec![2, 3, 4], vec![9, 3, 4, 2]];
    for beam in [1, 2] {
        let output = one(&Options { blocked: blocked(3, &texts), beam, ..greedy(4) });
        assert!(!output.tokens.windows(3).any(|w| texts.iter().any(|t| t.windows(3).any(|run| run == w))));
        assert!(output.tokens.starts_with(&[2, 3]), "{output:?}");
    }
    // A run of one token is a ban; of none, or longer than the row, nothing.
    assert!(!one(&Options { blocked: blocked(1, &texts), ..greedy(4) }).tokens.contains(&3));
    for n in [0, 5] {
        assert_eq!(one(&Options { blocked: blocked(n, &texts), ..greedy(4) }).tokens, [2, 3, 4, 2]);
    }
}

#[test]
fn the_end_counts_in_nats() {
    let output = one(&Options { banned: vec![vec![3], vec![4]], no_repeat_ngram: 1, ..greedy(4) });
    assert_eq!((output.tokens.as_slice(), output.finished), ([2].as_slice(), true));
    assert!((output.nats + (0.6f64 * 0.1).ln()).abs() < 1e-6);
}

#[test]
fn min_len_holds_the_end_back() {
    let ending: [&[f32]; 3] = [&[0.0, 0.9, 0.1], &[0.3; 3], &[0.0, 0.8, 0.2]];
    for (beam, min_len) in [(1, 0), (1, 3), (2, 0), (2, 3)] {
        let options = Options { min_len, beam, ..greedy(8) };
        let output = decode(&mut Table::of(&ending, 1), &options, SPECIAL, &[0]).remove(0);
        assert_eq!((output.tokens, output.finished), (vec![2; min_len], true));
    }
}

#[test]
fn max_len_cuts() {
    for max_len in [0, 1, 5] {
        for options in [greedy(max_len), Options { beam: 2, banned: vec![vec![1]], ..greedy(max_len) }] {
            let output = one(&options);
            assert_eq!((output.tokens.len(), output.finished), (max_len, false));
        }
    }
}

#[test]
fn repetition_penalty_divides_positive_and_multiplies_negative_logits() {
    // After 2 comes 2 again, unless the penalty pulls it below 3.
    for (logit, other, theta, expected) in
        [(2.0, 1.1, 1.5, 2), (2.0, 1.1, 2.0, 3), (-1.0, -1.9, 1.5, 2), (-1.0, -1.9, 2.0, 3)]
    {
        let row = [-90.0, -90.0, logit, other];
        let mut model = Table::new(row.repeat(4 * 5), 4, 1);
        let output = decode(&mut model, &Options { repetition_penalty: theta, ..greedy(2) }, SPECIAL, &[0]).remove(0);
        assert_eq!(output.tokens, [2, expected]);
    }
}

#[test]
fn a_penalised_token_ties_by_id() {
    // 3 / 1.5 = 2: the one that came first comes again only if its id is lower.
    for (row, expected) in [([-90.0, -90.0, 3.0, 2.0], [2, 2]), ([-90.0, -90.0, 2.0, 3.0], [3, 2])] {
        let mut model = Table::new(row.repeat(4 * 5), 4, 1);
        let output = decode(&mut model, &Options { repetition_penalty: 1.5, ..greedy(2) }, SPECIAL, &[0]).remove(0);
        assert_eq!(output.tokens, expected);
    }
}

#[test]
fn repetition_penalty_counts_a_token_once() {
    // 3 / 1.5 > 1.9 > 3 / 1.5^2.
    let mut model = Table::new([-90.0, -90.0, 3.0, 1.9].repeat(4 * 5), 4, 1);
    let output = decode(&mut model, &Options { repetition_penalty: 1.5, ..greedy(4) }, SPECIAL, &[0]).remove(0);
    assert_eq!(output.tokens, [2; 4]);
}

#[test]
fn no_ngram_appears_twice() {
    for seed in 0..60 {
        let n = 1 + seed as usize % 3;
        let sampled = Options { temperature: 1.5, ..Options::default() };
        for options in [sampled, Options { beam: 3, ..Options::default() }] {
            let options = Options { no_repeat_ngram: n, max_len: 40, banned: vec![vec![1]], ..options };
            let output = decode(&mut Table::random(5, 1, seed), &options, SPECIAL, &[seed]).remove(0);
            let grams: Vec<&[u32]> = output.tokens.windows(n).collect();
            let distinct: std::collections::HashSet<_> = grams.iter().collect();
            assert_eq!(grams.len(), distinct.len(), "n = {n}: {:?}", output.tokens);
            // Three tokens have 3^n n-grams: the row runs out of them.
            assert!(output.tokens.len() < 3usize.pow(n as u32) + n && !output.finished);
        }
    }
}

#[test]
fn banned_sequences_never_appear() {
    let banned = vec![vec![4], vec![2, 3], vec![3, 3, 3], vec![5, 1]];
    for seed in 0..60 {
        for options in [drawing(), Options { temperature: 0.0, beam: 2, ..drawing() }] {
            let options = Options { banned: banned.clone(), ..options };
            let output = decode(&mut Table::random(6, 1, seed), &options, SPECIAL, &[seed]).remove(0);
            let ended = [output.tokens.as_slice(), if output.finished { &[1] } else { &[] }].concat();
            for sequence in &banned {
                assert!(ended.windows(sequence.len()).all(|window| window != sequence.as_slice()), "{ended:?}");
            }
        }
    }
}

#[test]
fn bos_and_never_are_not_generated() {
    let special = Special { never: &[3, 99], ..SPECIAL };
    for seed in 0..40 {
        let output = decode(&mut Table::random(5, 1, seed), &drawing(), special, &[seed]).remove(0);
        assert!(output.tokens.iter().all(|&token| token == 2 || token == 4));
    }
    // One token that both begins and ends may come.
    let both = Special { bos: 1, eos: 1, never: &[] };
    assert!(decode(&mut Table::of(&[&[0.9, 0.1], &[0.1, 0.9]], 1), &greedy(3), both, &[0])[0].finished);
}

#[test]
fn everything_banned_ends_the_row_unfinished() {
    let options = Options { banned: vec![vec![1], vec![2, 3], vec![2, 2], vec![2, 4]], ..greedy(5) };
    for beam in [1, 2] {
        let outputs = decode(&mut Table::of(&CHAIN, 2), &Options { beam, ..options.clone() }, SPECIAL, &[0, 1]);
        if beam == 1 {
            assert_eq!((outputs[0].tokens.as_slice(), outputs[0].finished), ([2].as_slice(), false));
        } else {
            // The beam finds a way around the dead end.
            assert_eq!(outputs[0].tokens.len(), 5);
        }
    }
}

#[test]
fn prefix_is_forced_and_counts() {
    let options = Options { prefix: Prefix::All(vec![4, 4, 2]), banned: vec![vec![4, 4]], ..greedy(4) };
    for beam in [1, 3] {
        let output = one(&Options { beam, ..options.clone() });
        assert_eq!(output.tokens, [4, 4, 2, 3]);
        assert!((output.nats + (0.1f64 * 0.1 * 0.4 * 0.5).ln()).abs() < 1e-6);
    }
}

#[test]
fn prefix_by_row() {
    let options = Options { prefix: Prefix::Rows(vec![vec![4], vec![], vec![3, 3, 3]]), ..greedy(3) };
    for beam in [1, 2] {
        let options = Options { beam, ..options.clone() };
        let outputs = decode(&mut Table::of(&CHAIN, 4), &options, SPECIAL, &[0; 4]);
        assert_eq!(outputs[0].tokens[0], 4);
        assert_eq!(outputs[2].tokens, [3, 3, 3]);
        assert_eq!(outputs[1], outputs[3]);
    }
}

#[test]
fn prefix_outside_the_vocabulary_does_not_panic() {
    let options = Options { prefix: Prefix::All(vec![2, 99]), banned: vec![vec![77]], ..greedy(4) };
    for beam in [1, 2] {
        assert_eq!(one(&Options { beam, ..options.clone() }).tokens, [2]);
    }
}

#[test]
fn a_second_end_ends_too() {
    let output = one(&Options { eos: Some(3), ..greedy(6) });
    assert_eq!((output.tokens.as_slice(), output.finished), ([2].as_slice(), true));
    let lists = decode_nbest(&mut Table::of(&CHAIN, 1), &Options { eos: Some(3), beam: 4, ..greedy(6) }, SPECIAL, 4);
    let distinct: std::collections::HashSet<_> = lists[0].iter().map(|output| &output.tokens).collect();
    assert_eq!(distinct.len(), 4);
}

#[test]
fn refused_options_do_not_panic() {
    let cases = [
        Options { beam: 0, ..greedy(3) },
        Options { beam: usize::MAX, length_penalty: -1.0, ..greedy(3) },
        Options { repetition_penalty: 0.0, ..greedy(3) },
        Options { repetition_penalty: f32::NAN, beam: 2, temperature: f32::NAN, ..greedy(3) },
        Options { temperature: f32::NAN, top_p: f32::NAN, ..greedy(3) },
        Options { temperature: -1.0, top_p: -1.0, min_p: 7.0, typical: 0.0, ..greedy(3) },
        Options { min_p: 7.0, top_p: -1.0, typical: -1.0, no_repeat_ngram: usize::MAX, ..drawing() },
        Options { repetition_penalty: 0.0, top_k: usize::MAX, ..drawing() },
        Options { banned: vec![vec![]], min_len: 9, eos: Some(99), ..greedy(3) },
        Options { prefix: Prefix::Rows(vec![vec![2, 1, 3]]), ..greedy(2) },
    ];
    for options in cases {
        assert!(options.check().and(options.check_for(5, SPECIAL, 1)).is_err(), "{options:?}");
        assert!(one(&options).tokens.len() <= options.max_len, "{options:?}");
    }
}
