//! Which options are refused, and in which words.

use super::super::{OptionsError, Prefix};
use super::*;

/// The message for options that are refused.
fn refusal(options: Options) -> String {
    options.check().expect_err("the options must be refused").to_string()
}

#[test]
fn defaults_are_accepted() {
    assert_eq!(Options::default().check(), Ok(()));
    assert_eq!(drawing().check_for(5, SPECIAL, 3), Ok(()));
}

#[test]
fn values_out_of_range_are_named() {
    let cases = [
        ("temperature", Options { temperature: -1.0, ..Options::default() }),
        ("temperature", Options { temperature: f32::NAN, ..Options::default() }),
        ("top_p", Options { top_p: 0.0, ..drawing() }),
        ("min_p", Options { min_p: 1.5, ..drawing() }),
        ("typical", Options { typical: f32::NAN, ..drawing() }),
        ("repetition_penalty", Options { repetition_penalty: 0.9, ..Options::default() }),
        ("length_penalty", Options { length_penalty: -1.0, beam: 2, ..Options::default() }),
        ("contrastive", Options { contrastive: 1.0, top_k: 4, ..Options::default() }),
        ("diversity", Options { diversity: f32::NAN, beam: 4, beam_groups: 2, ..Options::default() }),
        ("beam_groups", Options { beam_groups: 0, ..Options::default() }),
        ("beam", Options { beam: 0, ..Options::default() }),
        ("max_len", Options { max_len: 0, ..Options::default() }),
    ];
    for (field, options) in cases {
        let error = options.check().expect_err(field);
        assert!(matches!(error, OptionsError::Range { field: named, .. } if named == field), "{field}: {error}");
    }
    let text = refusal(Options { top_p: 1.5, ..drawing() });
    assert_eq!(text, "`top_p` = 1.5: it must be above 0 and at most 1 (off)");
}

#[test]
fn beam_does_not_draw() {
    let text = refusal(Options { beam: 4, temperature: 0.8, ..Options::default() });
    assert_eq!(
        text,
        "`beam` = 4 with `temperature` = 0.8: beam search is deterministic and draws nothing; \
         drop `beam` or `temperature`"
    );
    let text = refusal(Options { beam: 4, top_k: 3, ..Options::default() });
    assert!(text.contains("`top_k` = 3"), "{text}");
}

#[test]
fn options_without_effect_are_refused() {
    let text = refusal(Options { top_p: 0.9, ..Options::default() });
    assert_eq!(
        text,
        "`top_p` = 0.9 has no effect with `temperature` = 0 (greedy); drop `top_p`, or set `temperature` above 0 to draw"
    );
    let contrastive = Options { contrastive: 0.6, ..Options::default() };
    assert!(refusal(contrastive.clone()).ends_with("set `top_k` to 2 or more"));
    let text = refusal(Options { beam: 4, top_k: 5, ..contrastive.clone() });
    assert!(text.starts_with("`contrastive` = 0.6 with `beam` = 4"), "{text}");
    assert_eq!(Options { top_k: 5, ..contrastive }.check(), Ok(()));
    let groups = |beam, beam_groups, diversity| Options { beam, beam_groups, diversity, ..Options::default() };
    assert!(refusal(groups(4, 3, 0.5)).contains("must be a multiple"));
    assert!(refusal(groups(4, 2, 0.0)).ends_with("set `diversity` above 0"));
    assert!(refusal(groups(4, 1, 0.5)).ends_with("set `beam_groups` above 1"));
    let text = refusal(Options { length_penalty: 0.6, ..Options::default() });
    assert!(text.ends_with("set `beam` above 1"), "{text}");
}

#[test]
fn sequences_that_contradict_are_refused() {
    let text = refusal(Options { min_len: 9, max_len: 4, ..Options::default() });
    assert!(text.contains("`min_len` = 9 with `max_len` = 4"), "{text}");
    let text = refusal(Options { banned: vec![vec![2], vec![]], ..Options::default() });
    assert!(text.starts_with("`banned`[1] is empty"), "{text}");
    let text = refusal(Options { prefix: Prefix::All(vec![2, 3, 4]), max_len: 2, ..Options::default() });
    assert!(text.contains("3 tokens but `max_len` is 2"), "{text}");
    let prefix = Prefix::Rows(vec![vec![], vec![2, 3, 4]]);
    let text = refusal(Options { prefix, banned: vec![vec![3, 4]], ..Options::default() });
    assert!(text.contains("[3, 4]"), "{text}");
}

#[test]
fn options_that_do_not_fit_the_model_are_refused() {
    let refused = |options: Options| options.check_for(5, SPECIAL, 2).expect_err("refused").to_string();
    let text = refused(Options { banned: vec![vec![2, 5]], ..Options::default() });
    assert_eq!(text, "`banned` holds token 5, but the vocabulary ends at 4: was it made by another tokenizer?");
    let text = refused(Options { eos: Some(9), ..Options::default() });
    assert!(text.starts_with("`eos` holds token 9"), "{text}");
    let text = refused(Options { prefix: Prefix::All(vec![2, 1]), ..Options::default() });
    assert!(text.starts_with("`prefix` holds token 1"), "{text}");
    let text = refused(Options { prefix: Prefix::Rows(vec![vec![2]]), ..Options::default() });
    assert!(text.contains("1 lists for 2 rows"), "{text}");
}
