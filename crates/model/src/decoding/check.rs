//! Which options make sense: alone ([`Options::check`]), and with a model ([`Options::check_for`]).

use super::{Options, Prefix, Special};

/// What is wrong with decoding options, and what to do about it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum OptionsError {
    /// A value outside its range.
    #[error("`{field}` = {value}: it must be {range}")]
    Range {
        /// The option.
        field: &'static str,
        /// Its value as text.
        value: String,
        /// The values it may have.
        range: &'static str,
    },
    /// Two options that contradict each other.
    #[error("`{field}` = {value} with `{other}` = {other_value}: {reason}; drop `{field}` or `{other}`")]
    Conflict {
        /// The first option.
        field: &'static str,
        /// Its value as text.
        value: String,
        /// The second option.
        other: &'static str,
        /// Its value as text.
        other_value: String,
        /// Why they do not go together.
        reason: &'static str,
    },
    /// An option that would change nothing.
    #[error("`{field}` = {value} has no effect {without}; drop `{field}`, or {instead}")]
    NoEffect {
        /// The option.
        field: &'static str,
        /// Its value as text.
        value: String,
        /// Under which circumstance.
        without: &'static str,
        /// What gives it an effect.
        instead: &'static str,
    },
    /// A banned sequence without tokens.
    #[error("`banned`[{index}] is empty: it would forbid everything; give it at least one token or remove it")]
    EmptyBan {
        /// Its place in the list.
        index: usize,
    },
    /// A prefix longer than the row may be.
    #[error("`prefix` has {length} tokens but `max_len` is {max_len}: shorten the prefix or raise `max_len`")]
    PrefixTooLong {
        /// Tokens in the prefix.
        length: usize,
        /// The longest row allowed.
        max_len: usize,
    },
    /// A prefix that holds what is banned.
    #[error("`prefix` holds the banned sequence {sequence:?}: drop it from `banned` or change `prefix`")]
    PrefixBanned {
        /// The banned sequence.
        sequence: Vec<u32>,
    },
    /// A prefix that holds a token with a role.
    #[error("`prefix` holds token {token}, which starts or ends a row or is never generated: remove it from `prefix`")]
    PrefixSpecial {
        /// The token.
        token: u32,
    },
    /// Prefixes that do not match the rows.
    #[error("`prefix` has {prefixes} lists for {rows} rows: give one list for each row, or one flat list for all")]
    PrefixRows {
        /// Lists given.
        prefixes: usize,
        /// Rows to decode.
        rows: usize,
    },
    /// A token the model does not know.
    #[error("`{field}` holds token {token}, but the vocabulary ends at {}: was it made by another tokenizer?", vocabulary - 1)]
    UnknownToken {
        /// The option.
        field: &'static str,
        /// The token.
        token: u32,
        /// Size of the vocabulary, V.
        vocabulary: usize,
    },
}

impl Options {
    /// Whether the options make sense by themselves: values in range, no contradiction, none without effect.
    pub fn check(&self) -> Result<(), OptionsError> {
        self.check_ranges()?;
        self.check_sampling()?;
        self.check_beam()?;
        self.check_sequences()
    }

    /// Whether the options fit a model and a batch: `vocabulary` V, the special tokens, and `rows` to decode.
    pub fn check_for(&self, vocabulary: usize, special: Special, rows: usize) -> Result<(), OptionsError> {
        let known = |field, tokens: &[u32]| match tokens.iter().find(|&&token| token as usize >= vocabulary) {
            Some(&token) => Err(OptionsError::UnknownToken { field, token, vocabulary }),
            None => Ok(()),
        };
        known("eos", self.eos.as_slice())?;
        self.banned.iter().try_for_each(|sequence| known("banned", sequence))?;
        self.prefix.all().iter().try_for_each(|prefix| known("prefix", prefix))?;
        if let Prefix::Rows(lists) = &self.prefix
            && lists.len() != rows
        {
            return Err(OptionsError::PrefixRows { prefixes: lists.len(), rows });
        }
        let role = |token: &u32| {
            [special.bos, special.eos].contains(token) || self.eos == Some(*token) || special.never.contains(token)
        };
        match self.prefix.all().iter().flatten().find(|token| role(token)) {
            Some(&token) => Err(OptionsError::PrefixSpecial { token }),
            None => Ok(()),
        }
    }

    fn check_ranges(&self) -> Result<(), OptionsError> {
        let range = |ok: bool, field, value: f32, range| match ok {
            true => Ok(()),
            false => Err(OptionsError::Range { field, value: value.to_string(), range }),
        };
        let share = |value: f32| value > 0.0 && value <= 1.0;
        let (t, alpha, theta) = (self.temperature, self.length_penalty, self.repetition_penalty);
        range(t >= 0.0 && t.is_finite(), "temperature", t, "0 (greedy) or above")?;
        range(share(self.top_p), "top_p", self.top_p, "above 0 and at most 1 (off)")?;
        range((0.0..=1.0).contains(&self.min_p), "min_p", self.min_p, "between 0 (off) and 1")?;
        range(share(self.typical), "typical", self.typical, "above 0 and at most 1 (off)")?;
        range(alpha >= 0.0 && alpha.is_finite(), "length_penalty", alpha, "0 (off) or above")?;
        range(theta >= 1.0 && theta.is_finite(), "repetition_penalty", theta, "1 (off) or above")?;
        let positive = |field, value: usize| match value {
            0 => Err(OptionsError::Range { field, value: value.to_string(), range: "at least 1" }),
            _ => Ok(()),
        };
        let contrastive = self.contrastive;
        range((0.0..1.0).contains(&contrastive), "contrastive", contrastive, "at least 0 (off) and below 1")?;
        let lambda = self.diversity;
        range(lambda >= 0.0 && lambda.is_finite(), "diversity", lambda, "0 (off) or above")?;
        positive("beam", self.beam)?;
        positive("beam_groups", self.beam_groups)?;
        positive("max_len", self.max_len)
    }

    /// What belongs to a beam needs one, and groups share it evenly.
    fn check_beam(&self) -> Result<(), OptionsError> {
        let no_effect =
            |field, value: String, without, instead| Err(OptionsError::NoEffect { field, value, without, instead });
        let (groups, diversity) = (self.beam_groups, self.diversity);
        if self.length_penalty != 0.0 && self.beam == 1 {
            return no_effect(
                "length_penalty",
                self.length_penalty.to_string(),
                "without beam search",
                "set `beam` above 1",
            );
        }
        if groups > 1 && !self.beam.is_multiple_of(groups) {
            return Err(OptionsError::Conflict {
                field: "beam_groups",
                value: groups.to_string(),
                other: "beam",
                other_value: self.beam.to_string(),
                reason: "the groups share the hypotheses evenly, so `beam` must be a multiple of `beam_groups`",
            });
        }
        if groups > 1 && diversity == 0.0 {
            let instead = "set `diversity` above 0";
            return no_effect(
                "beam_groups",
                groups.to_string(),
                "without a `diversity` that sets groups apart",
                instead,
            );
        }
        if groups == 1 && diversity != 0.0 {
            return no_effect("diversity", diversity.to_string(), "without groups", "set `beam_groups` above 1");
        }
        Ok(())
    }

    /// Beam search and greedy draw nothing, so what shapes the draw does not go with them.
    fn check_sampling(&self) -> Result<(), OptionsError> {
        let shaping = [
            ("top_k", self.top_k != 0, self.top_k.to_string()),
            ("top_p", self.top_p != 1.0, self.top_p.to_string()),
            ("min_p", self.min_p != 0.0, self.min_p.to_string()),
            ("typical", self.typical != 1.0, self.typical.to_string()),
        ];
        if self.beam > 1 && self.contrastive <= 0.0 {
            let temperature = ("temperature", self.temperature != 0.0, self.temperature.to_string());
            let drawing = std::iter::once(temperature).chain(shaping).find(|(_, set, _)| *set);
            return match drawing {
                None => Ok(()),
                Some((other, _, other_value)) => Err(OptionsError::Conflict {
                    field: "beam",
                    value: self.beam.to_string(),
                    other,
                    other_value,
                    reason: "beam search is deterministic and draws nothing",
                }),
            };
        }
        if self.contrastive > 0.0 {
            return self.check_contrastive();
        }
        match shaping.into_iter().find(|(_, set, _)| *set && self.temperature == 0.0) {
            None => Ok(()),
            Some((field, _, value)) => Err(OptionsError::NoEffect {
                field,
                value,
                without: "with `temperature` = 0 (greedy)",
                instead: "set `temperature` above 0 to draw",
            }),
        }
    }

    /// Contrastive search draws nothing, keeps one sequence, and chooses among candidates.
    fn check_contrastive(&self) -> Result<(), OptionsError> {
        let others = [
            ("beam", self.beam > 1, self.beam.to_string()),
            ("temperature", self.temperature != 0.0, self.temperature.to_string()),
            ("top_p", self.top_p != 1.0, self.top_p.to_string()),
            ("min_p", self.min_p != 0.0, self.min_p.to_string()),
            ("typical", self.typical != 1.0, self.typical.to_string()),
        ];
        let value = self.contrastive.to_string();
        if let Some((other, _, other_value)) = others.into_iter().find(|(_, set, _)| *set) {
            let reason = "contrastive search keeps one sequence and draws nothing";
            return Err(OptionsError::Conflict { field: "contrastive", value, other, other_value, reason });
        }
        match self.top_k {
            0 | 1 => Err(OptionsError::NoEffect {
                field: "contrastive",
                value,
                without: "without candidates to choose from",
                instead: "set `top_k` to 2 or more",
            }),
            _ => Ok(()),
        }
    }

    fn check_sequences(&self) -> Result<(), OptionsError> {
        if self.min_len > self.max_len {
            return Err(OptionsError::Conflict {
                field: "min_len",
                value: self.min_len.to_string(),
                other: "max_len",
                other_value: self.max_len.to_string(),
                reason: "no row can be that long",
            });
        }
        if let Some(index) = self.banned.iter().position(Vec::is_empty) {
            return Err(OptionsError::EmptyBan { index });
        }
        for prefix in self.prefix.all() {
            if prefix.len() > self.max_len {
                return Err(OptionsError::PrefixTooLong { length: prefix.len(), max_len: self.max_len });
            }
            let banned = |sequence: &&Vec<u32>| prefix.windows(sequence.len()).any(|window| window == *sequence);
            if let Some(sequence) = self.banned.iter().find(banned) {
                return Err(OptionsError::PrefixBanned { sequence: sequence.clone() });
            }
        }
        Ok(())
    }
}
