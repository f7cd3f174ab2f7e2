//! The decoding controls of a request, by the names of the command's flags.

use schemars::JsonSchema;
use serde::Deserialize;
use strait::{Controls, Decoding, DecodingOptions, Model};

use super::check;
use crate::{options::Limits, refusal::Refusal};

/// How latents become text. What is not given is the model's own way.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DecodingFields {
    /// Draw tokens: 1 as the model is, below 1 safer, above 1 wilder; 0 takes the most likely one.
    #[schemars(range(min = 0.0))]
    pub temperature: Option<f32>,
    /// Draw among the k most likely tokens.
    pub top_k: Option<usize>,
    /// Draw among the fewest tokens whose probability reaches p.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub top_p: Option<f32>,
    /// Draw among tokens at least p times as likely as the likeliest.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_p: Option<f32>,
    /// Draw among the tokens of the most expected surprise, up to probability p.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub typical: Option<f32>,
    /// Contrastive search: of the top_k (5 unless given) likeliest tokens the one that brings the decoder least back to
    /// where it was, by this weight.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub contrastive: Option<f32>,
    /// Beam search with so many hypotheses.
    #[schemars(range(min = 1))]
    pub beam: Option<usize>,
    /// With beam: groups that avoid each other's tokens.
    #[schemars(range(min = 1))]
    pub beam_groups: Option<usize>,
    /// With beam_groups: nats that a token costs for each hypothesis of other groups that took it; 0.5 unless given.
    #[schemars(range(min = 0.0))]
    pub diversity: Option<f32>,
    /// With beam: above 0 favours longer texts.
    #[schemars(range(min = 0.0))]
    pub length_penalty: Option<f32>,
    /// Above 1 makes tokens that are already there less likely.
    #[schemars(range(min = 1.0))]
    pub repetition_penalty: Option<f32>,
    /// No n tokens in a row appear twice.
    pub no_repeat_ngram: Option<usize>,
    /// Write no word that the model's corpus does not have; true unless said otherwise.
    pub known_words: Option<bool>,
    /// Words or phrases that must not appear.
    pub ban: Vec<String>,
    /// Every text starts like this.
    pub prefix: Option<String>,
    /// At most so many tokens.
    #[schemars(range(min = 1))]
    pub max_len: Option<usize>,
    /// At least so many tokens.
    pub min_len: Option<usize>,
    /// About so many words (characters in scripts without blanks).
    #[schemars(range(min = 1))]
    pub words: Option<usize>,
}

impl DecodingFields {
    /// The fields' names.
    pub const NAMES: [&str; 18] = Controls::NAMES;

    /// The model's own way, `own` (of decoding, or of sampling), changed by the fields.
    ///
    /// # Errors
    /// If a field is beyond a limit, or the controls do not go together or with the model.
    pub fn resolve(self, model: &Model, own: &DecodingOptions, limits: &Limits) -> Result<Decoding, Refusal> {
        check::at_most("/beam", self.beam.unwrap_or(1), limits.beam)?;
        check::at_most("/beam_groups", self.beam_groups.unwrap_or(1), limits.beam)?;
        // Each candidate of contrastive search is a row of the model, as a hypothesis is.
        let candidates = self.contrastive.and(self.top_k).unwrap_or(1);
        check::at_most("/top_k", candidates, limits.beam)?;
        check::at_most("/max_len", self.max_len.unwrap_or(0), limits.max_len)?;
        check::at_most("/no_repeat_ngram", self.no_repeat_ngram.unwrap_or(0), limits.max_len)?;
        if self.ban.len() > limits.ban {
            return Err(Refusal::invalid("/ban", format!("{} phrases; at most {}", self.ban.len(), limits.ban)));
        }
        for (i, phrase) in self.ban.iter().enumerate() {
            check::length(&format!("/ban/{i}"), phrase, limits)?;
        }
        check::length("/prefix", self.prefix.as_deref().unwrap_or_default(), limits)?;
        let decoding = self.controls().over(own);
        model.check_decoding(&decoding).map_err(|e| refused(&e.to_string()))?;
        Ok(decoding)
    }

    fn controls(self) -> Controls {
        Controls {
            greedy: false,
            temperature: self.temperature,
            top_k: self.top_k,
            top_p: self.top_p,
            min_p: self.min_p,
            typical: self.typical,
            contrastive: self.contrastive,
            beam: self.beam,
            beam_groups: self.beam_groups,
            diversity: self.diversity,
            length_penalty: self.length_penalty,
            repetition_penalty: self.repetition_penalty,
            no_repeat_ngram: self.no_repeat_ngram,
            known_words: self.known_words,
            ban: self.ban,
            prefix: self.prefix,
            max_len: self.max_len,
            min_len: self.min_len,
            words: self.words,
        }
    }
}

/// The library's message names the field first, in backticks.
fn refused(message: &str) -> Refusal {
    let message = Controls::rename(message, |field| format!("`{field}`"));
    let field = message.split('`').nth(1).filter(|field| DecodingFields::NAMES.contains(field));
    Refusal::invalid(field.map(|field| format!("/{field}")).unwrap_or_default(), message.clone())
}

#[cfg(test)]
mod tests {
    use schemars::schema_for;

    use super::*;

    #[test]
    fn the_names_are_those_of_the_fields() {
        let schema = schema_for!(DecodingFields);
        let mut fields: Vec<&str> =
            schema.get("properties").unwrap().as_object().unwrap().keys().map(String::as_str).collect();
        let mut names = DecodingFields::NAMES;
        fields.sort();
        names.sort();
        assert_eq!(fields, names);
    }

    #[test]
    fn a_refused_control_is_a_pointer() {
        let refusal = refused("`banned`[2] is empty");
        assert_eq!(refusal, Refusal::invalid("/ban", "`ban`[2] is empty"));
        assert_eq!(refused("`eos` holds"), Refusal::invalid("", "`eos` holds"));
    }
}
