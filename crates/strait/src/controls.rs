//! The controls of decoding that a caller gave, over a model's own way of decoding.

use strait_model::decoding::Options;

use crate::Decoding;

/// Controls of decoding, each given or not. What is not given is the model's own.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Controls {
    /// Takes the most likely token at each step, whatever is the model's own.
    pub greedy: bool,
    /// See [`Options::temperature`]; 0 is greedy too.
    pub temperature: Option<f32>,
    /// See [`Options::top_k`].
    pub top_k: Option<usize>,
    /// See [`Options::top_p`].
    pub top_p: Option<f32>,
    /// See [`Options::min_p`].
    pub min_p: Option<f32>,
    /// See [`Options::typical`].
    pub typical: Option<f32>,
    /// See [`Options::contrastive`].
    pub contrastive: Option<f32>,
    /// See [`Options::beam`].
    pub beam: Option<usize>,
    /// See [`Options::beam_groups`].
    pub beam_groups: Option<usize>,
    /// See [`Options::diversity`].
    pub diversity: Option<f32>,
    /// See [`Options::length_penalty`].
    pub length_penalty: Option<f32>,
    /// See [`Options::repetition_penalty`].
    pub repetition_penalty: Option<f32>,
    /// See [`Options::no_repeat_ngram`].
    pub no_repeat_ngram: Option<usize>,
    /// See [`Options::known_words`].
    pub known_words: Option<bool>,
    /// Words or phrases that must not appear.
    pub ban: Vec<String>,
    /// How every text must start.
    pub prefix: Option<String>,
    /// See [`Options::max_len`].
    pub max_len: Option<usize>,
    /// See [`Options::min_len`].
    pub min_len: Option<usize>,
    /// See [`Options::about_words`].
    pub words: Option<usize>,
}

/// Candidates of contrastive search, and what groups of a beam pay, unless they are given.
const CANDIDATES: usize = 5;
const DIVERSITY: f32 = 0.5;

impl Controls {
    /// The names of the controls that have a value.
    pub const NAMES: [&str; 18] = [
        "temperature",
        "top_k",
        "top_p",
        "min_p",
        "typical",
        "contrastive",
        "beam",
        "beam_groups",
        "diversity",
        "length_penalty",
        "repetition_penalty",
        "no_repeat_ngram",
        "known_words",
        "ban",
        "prefix",
        "max_len",
        "min_len",
        "words",
    ];

    /// The model's own way, `own` (of decoding, or of sampling), changed by the controls.
    ///
    /// Greedy decoding, beams and contrastive search draw nothing, so they put off what is `own` of drawing; whoever says what to draw from
    /// wants to draw, so that makes a greedy `own` draw at temperature 1.
    pub fn over(self, own: &Options) -> Decoding {
        let mut options = own.clone();
        let shaping = self.top_k.is_some() || self.top_p.is_some() || self.min_p.is_some() || self.typical.is_some();
        let searches = self.beam.or(self.beam_groups).is_some() || self.contrastive.is_some_and(|alpha| alpha > 0.0);
        if self.greedy || searches || self.temperature == Some(0.0) {
            options.temperature = 0.0;
            (options.top_k, options.top_p, options.min_p, options.typical) = (0, 1.0, 0.0, 1.0);
        } else if shaping && options.temperature == 0.0 {
            options.temperature = 1.0;
        }
        // A beam of the model's own gives way to who wants draws, or greed.
        let draws = options.temperature > 0.0 || self.temperature.is_some_and(|t| t > 0.0);
        if (self.greedy || draws || searches) && self.beam.is_none() || self.beam == Some(1) {
            (options.beam, options.length_penalty) = (1, 0.0);
        }
        if let Some(groups) = self.beam_groups {
            (options.beam, options.diversity) = (groups, DIVERSITY);
        }
        if self.contrastive.is_some() {
            options.top_k = CANDIDATES;
        }
        set(&mut options.temperature, self.temperature);
        set(&mut options.top_k, self.top_k);
        set(&mut options.top_p, self.top_p);
        set(&mut options.min_p, self.min_p);
        set(&mut options.typical, self.typical);
        set(&mut options.contrastive, self.contrastive);
        set(&mut options.beam, self.beam);
        set(&mut options.beam_groups, self.beam_groups);
        set(&mut options.diversity, self.diversity);
        set(&mut options.length_penalty, self.length_penalty);
        set(&mut options.repetition_penalty, self.repetition_penalty);
        set(&mut options.no_repeat_ngram, self.no_repeat_ngram);
        set(&mut options.known_words, self.known_words);
        set(&mut options.max_len, self.max_len);
        set(&mut options.min_len, self.min_len);
        set(&mut options.about_words, self.words);
        Decoding { options: Some(options), banned: self.ban, prefix: self.prefix, blocked: None }
    }

    /// A message of the library with its names of fields (`` `top_k` ``) as `named` writes them. What the library calls
    /// `banned` and `about_words` is `ban` and `words` here.
    pub fn rename(message: &str, named: impl Fn(&str) -> String) -> String {
        let message = message.replace("`banned`", "`ban`").replace("`about_words`", "`words`");
        Self::NAMES.iter().fold(message, |text, name| text.replace(&format!("`{name}`"), &named(name)))
    }
}

fn set<T>(field: &mut T, given: Option<T>) {
    if let Some(value) = given {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawing() -> Options {
        Options { temperature: 0.7, top_p: 0.9, max_len: 40, ..Options::default() }
    }

    fn over(controls: Controls, own: &Options) -> Options {
        controls.over(own).options.unwrap()
    }

    #[test]
    fn what_is_not_given_is_the_models_own() {
        assert_eq!(over(Controls::default(), &drawing()), drawing());
        let changed = over(Controls { min_len: Some(3), ..Controls::default() }, &drawing());
        assert_eq!(changed, Options { min_len: 3, ..drawing() });
    }

    #[test]
    fn greedy_decoding_and_beams_put_off_drawing() {
        let greedy = Options { temperature: 0.0, top_p: 1.0, ..drawing() };
        assert_eq!(over(Controls { greedy: true, ..Controls::default() }, &drawing()), greedy);
        assert_eq!(over(Controls { temperature: Some(0.0), ..Controls::default() }, &drawing()), greedy);
        let beam = over(Controls { beam: Some(4), ..Controls::default() }, &drawing());
        assert_eq!(beam, Options { beam: 4, ..greedy });
    }

    #[test]
    fn who_says_what_to_draw_from_draws() {
        let shaped = over(Controls { top_k: Some(5), ..Controls::default() }, &Options::default());
        assert_eq!(shaped, Options { temperature: 1.0, top_k: 5, ..Options::default() });
        // Unless a contradiction was asked for: then it stays, to be refused.
        let both = over(Controls { top_k: Some(5), greedy: true, ..Controls::default() }, &Options::default());
        assert_eq!((both.temperature, both.top_k), (0.0, 5));
    }

    #[test]
    fn searches_bring_what_they_need() {
        let contrastive = over(Controls { contrastive: Some(0.6), ..Controls::default() }, &drawing());
        let expected = Options { contrastive: 0.6, top_k: 5, temperature: 0.0, top_p: 1.0, ..drawing() };
        assert_eq!((contrastive.check(), contrastive), (Ok(()), expected));
        let groups = over(Controls { beam_groups: Some(3), ..Controls::default() }, &drawing());
        let expected = Options { beam: 3, beam_groups: 3, diversity: 0.5, temperature: 0.0, top_p: 1.0, ..drawing() };
        assert_eq!((groups.check(), groups), (Ok(()), expected));
        let beam = Options { beam: 4, length_penalty: 0.6, ..Options::default() };
        assert_eq!(over(Controls { beam: Some(1), ..Controls::default() }, &beam).check(), Ok(()));
        assert_eq!(over(Controls { contrastive: Some(0.6), ..Controls::default() }, &beam).check(), Ok(()));
    }

    #[test]
    fn every_name_is_a_field_of_the_options() {
        let fields = serde_json::to_value(Options::default()).unwrap();
        for name in Controls::NAMES {
            let field = match name {
                "ban" => "banned",
                "words" => "about_words",
                other => other,
            };
            assert!(fields.get(field).is_some(), "{name}");
        }
    }

    #[test]
    fn messages_are_told_in_other_names() {
        let told = Controls::rename("`top_k` and `banned`[2], not `eos`", |name| name.to_uppercase());
        assert_eq!(told, "TOP_K and BAN[2], not `eos`");
    }
}
