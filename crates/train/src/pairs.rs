//! A training on pairs: their sources, their vocabularies, and looks at what is written for them.

use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use strait_eval::{
    Counts as _, ReconstructionReport,
    generation::{Chrf, ChrfCounts, Meaning},
};
use strait_model::{
    Autoencoder, Recipe,
    config::{AttentionKind, RiskMetric, TokenizerConfig},
    decoding::Options,
    folder::Saved,
};
use strait_text::Tokenizer;

use crate::{
    TrainError,
    alike::{kept_words, shared_letters},
    finish::max_len,
    look::{RECONSTRUCTED, SCORED, SHOWN, Scene, Seen, bits_per_byte},
    run::Run,
};

/// Validation sources for which something is written when a training ends, at most.
const WRITTEN: usize = 500;
/// Sides that share so much of their letters share a vocabulary.
const ALIKE: f64 = 0.5;
/// Targets that keep so much of their sources' words are written with copying.
const KEPT: f64 = 0.5;
/// At what temperature draws are made when nothing is asked.
pub(crate) const TEMPERATURE: f32 = 0.7;

/// The sources of a training, one for each text.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    pub train: Vec<String>,
    pub valid: Vec<String>,
}

/// The sources as a run has them.
pub(crate) struct SourceSide {
    /// If they have one of their own.
    pub(crate) tokenizer: Option<Tokenizer>,
    pub(crate) train_ids: Vec<Vec<u32>>,
    pub(crate) valid: Vec<String>,
    pub(crate) valid_ids: Vec<Vec<u32>>,
}

impl SourceSide {
    /// Reads sources with their own tokenizer, or with that of the targets.
    pub(crate) fn new(own: Option<Tokenizer>, shared: &Tokenizer, sources: Sources) -> Self {
        let tokenizer = own.as_ref().unwrap_or(shared);
        let (train_ids, valid_ids) = (tokenizer.encode_batch(&sources.train), tokenizer.encode_batch(&sources.valid));
        SourceSide { tokenizer: own, train_ids, valid: sources.valid, valid_ids }
    }
}

/// Whether a recipe and what it is to be trained on go together.
pub(crate) fn check(recipe: &Recipe, sources: Option<&Sources>) -> Result<(), TrainError> {
    let name = || recipe.name.clone();
    match (recipe.is_seq2seq(), sources) {
        (true, None) => Err(TrainError::NeedsPairs { recipe: name() }),
        (false, Some(_)) => Err(TrainError::KnowsNoSources { recipe: name() }),
        (true, Some(sources)) if recipe.objective.risk.as_ref().is_some_and(|r| r.metric == RiskMetric::Slots) => {
            sources.train.iter().enumerate().try_for_each(|(i, source)| {
                let why = |e: strait_eval::generation::MeaningError| e.to_string();
                let meaning = Meaning::parse(source).map_err(why);
                meaning.map(drop).map_err(|why| TrainError::NoSlots { pair: i + 1, why })
            })
        }
        _ => Ok(()),
    }
}

/// What was learned of the texts' tokens.
pub(crate) struct Tokenizers {
    pub(crate) tokenizer: Tokenizer,
    /// Of the sources, if they have one of their own.
    pub(crate) source: Option<Tokenizer>,
    pub(crate) reasons: Vec<String>,
}

impl Tokenizers {
    /// That of a published decoder.
    pub(crate) fn published(tokenizer: &Tokenizer) -> Self {
        let reasons = vec![format!("{} tokens: those of the published decoder", tokenizer.vocab_size())];
        Tokenizers { tokenizer: tokenizer.clone(), source: None, reasons }
    }

    /// Those of a model that is trained on.
    pub(crate) fn of(saved: &Saved) -> Result<Self, TrainError> {
        let again = |t: &Tokenizer| Tokenizer::from_bytes(&t.to_bytes()?);
        let reasons = vec!["vocabularies and first weights are those of the model that it starts from".into()];
        let source = saved.source_tokenizer.as_ref().map(again).transpose()?;
        Ok(Tokenizers { tokenizer: again(&saved.tokenizer)?, source, reasons })
    }
}

/// Settles whether tokens may be copied, if the recipe leaves it open; says why they may.
pub(crate) fn settle_copying(recipe: &mut Recipe, targets: &[String], sources: Option<&Sources>) -> Option<String> {
    let (attention, joint) = (&mut recipe.attention, &mut recipe.tokenizer.joint);
    let open = attention.copy.is_none() && attention.kind == AttentionKind::Product && *joint != Some(false);
    let kept = sources.filter(|_| open).map_or(0.0, |sources| kept_words(&sources.train, targets));
    let copies = *attention.copy.get_or_insert(kept >= KEPT);
    if copies {
        *joint = Some(true);
    }
    let percent = 100.0 * kept;
    let said =
        || format!("tokens of the source may be copied: targets keep {percent:.0} % of its words (attention.copy)");
    (copies && open).then(said)
}

/// Learns the vocabularies of texts and of their sources; settles whether it is one.
pub(crate) fn tokenizers(
    config: &mut TokenizerConfig,
    targets: &[String],
    sources: Option<&Sources>,
) -> Result<Tokenizers, TrainError> {
    let texts = targets.iter().map(String::as_str);
    let learn = |texts: &mut dyn Iterator<Item = &str>| Tokenizer::train(config.kind, config.vocabulary, texts);
    let reason = |t: &Tokenizer| t.vocab_reason().map(String::from);
    let Some(sources) = sources else {
        let tokenizer = learn(&mut { texts })?;
        let reasons = reason(&tokenizer).into_iter().collect();
        return Ok(Tokenizers { tokenizer, source: None, reasons });
    };
    let shared = shared_letters(&sources.train, targets);
    let joint = config.joint.unwrap_or(shared >= ALIKE);
    let share = 100.0 * shared;
    let said = match joint {
        true => format!("one vocabulary for both sides, which share {share:.0} % of their letters (tokenizer.joint)"),
        false => format!("a vocabulary for each side: they share {share:.0} % of their letters (tokenizer.joint)"),
    };
    let own = sources.train.iter().map(String::as_str);
    let (tokenizer, source) = match joint {
        true => (learn(&mut texts.chain(own))?, None),
        false => (learn(&mut { texts })?, Some(learn(&mut { own })?)),
    };
    let mut reasons = vec![said];
    reasons.extend(reason(&tokenizer).map(|r| if joint { r } else { format!("targets: {r}") }));
    reasons.extend(source.as_ref().and_then(reason).map(|r| format!("sources: {r}")));
    config.joint = Some(joint);
    Ok(Tokenizers { tokenizer, source, reasons })
}

/// How targets are written when nothing is asked: by a beam, which finds better ones than greed.
pub(crate) fn by_beam(greedy: Options) -> Options {
    Options { beam: 4, length_penalty: 0.6, ..greedy }
}

/// A look at validation pairs: the loss of targets given their sources, and what is written greedily for some.
pub(crate) fn look(model: &mut Autoencoder, scene: &Scene<'_>, side: &SourceSide) -> Seen {
    let n = scene.valid_ids.len().min(SCORED);
    let loss = model.score_pairs(&side.valid_ids[..n], &scene.valid_ids[..n], &mut Vec::new());
    let bytes: usize = scene.valid[..n].iter().map(String::len).sum();
    let places = distinct(&side.valid, RECONSTRUCTED);
    let written = write(model, (side, scene.tokenizer), &places, scene.max_len);
    let pairs: Vec<(&str, &str)> =
        written.iter().zip(&places).map(|(text, &i)| (text.as_str(), scene.valid[i].as_str())).collect();
    let shown = pairs.iter().take(SHOWN);
    Seen {
        criterion: bits_per_byte(loss.bound(), bytes),
        bits_per_byte: bits_per_byte(loss.bound(), bytes),
        nats_per_token: loss.bound() / loss.tokens.max(1) as f64,
        token_accuracy: loss.correct as f64 / loss.tokens.max(1) as f64,
        reconstruction: ReconstructionReport::new(&pairs, scene.unit),
        reconstructions: shown.map(|&(text, wanted)| (wanted.to_string(), text.to_string())).collect(),
        samples: Vec::new(),
        figures: vec![("chrf", chrf(&pairs))],
        sources: places.iter().take(SHOWN).map(|&i| side.valid[i].clone()).collect(),
    }
}

/// chrF2 of pairs of a text and its reference, 0..100.
fn chrf(pairs: &[(&str, &str)]) -> f64 {
    let chrf = Chrf { words: false, lowercase: false };
    let mut all = ChrfCounts::default();
    pairs.iter().for_each(|(text, reference)| all.merge(&chrf.counts(text, &[reference])));
    chrf.score(&all)
}

/// The places of the first sources that differ, so many at most.
fn distinct(sources: &[String], most: usize) -> Vec<usize> {
    let mut seen = HashSet::new();
    (0..sources.len()).filter(|&i| seen.insert(&sources[i])).take(most).collect()
}

fn write(
    model: &Autoencoder,
    (side, tokenizer): (&SourceSide, &Tokenizer),
    places: &[usize],
    max_len: usize,
) -> Vec<String> {
    let sources: Vec<&[u32]> = places.iter().map(|&i| &side.valid_ids[i][..]).collect();
    let options = Options { max_len, ..Options::default() };
    let written = model.generate_from(&sources, (&options, 1), tokenizer.kind(), &vec![0; sources.len()]);
    written.iter().flatten().map(|output| tokenizer.decode(&output.tokens)).collect()
}

/// The figures of the kept weights.
pub(crate) fn figures(run: &mut Run) -> BTreeMap<String, f64> {
    let Some(side) = &run.sources else { return BTreeMap::new() };
    let loss = run.model.score_pairs(&side.valid_ids, &run.valid_ids, &mut Vec::new());
    let bytes: usize = run.valid.iter().map(String::len).sum();
    let places = distinct(&side.valid, WRITTEN);
    let written = write(&run.model, (side, &run.tokenizer), &places, max_len(&run.train_ids));
    let pairs: Vec<(&str, &str)> =
        written.iter().zip(&places).map(|(text, &i)| (text.as_str(), run.valid[i].as_str())).collect();
    let report = (!pairs.is_empty()).then(|| ReconstructionReport::new(&pairs, run.unit));
    let nats_per_token = loss.bound() / loss.tokens.max(1) as f64;
    [
        ("valid_bits_per_byte", bits_per_byte(loss.bound(), bytes)),
        ("valid_nats_per_token", nats_per_token),
        ("valid_token_accuracy", loss.correct as f64 / loss.tokens.max(1) as f64),
        ("valid_token_perplexity", nats_per_token.exp()),
        ("valid_written_bleu4", report.as_ref().map_or(f64::NAN, |r| r.bleu4)),
        ("valid_written_n", pairs.len() as f64),
        ("seconds", run.seconds().round()),
    ]
    .into_iter()
    .filter(|(_, v)| v.is_finite())
    .map(|(k, v)| (k.to_string(), v))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_written_alike_share_a_vocabulary() {
        let texts = |lines: &[&str]| lines.iter().map(|l| l.to_string()).collect::<Vec<_>>();
        let (english, german) = (
            texts(&["the small dog sleeps in the old garden"; 20]),
            texts(&["der kleine hund schläft in dem alten garten"; 20]),
        );
        let chinese = texts(&["狗在睡觉"; 20]);
        for (sources, joint) in [(german, true), (chinese, false)] {
            let mut config = TokenizerConfig::default();
            let sources = Sources { train: sources, valid: Vec::new() };
            let learned = tokenizers(&mut config, &english, Some(&sources)).unwrap();
            assert_eq!((config.joint, learned.source.is_some()), (Some(joint), !joint));
        }
    }

    #[test]
    fn rewrites_are_copied_from_unless_told_otherwise() {
        let noun = |i: usize| ["cat", "dog", "horse", "cow", "goose", "mouse"][i % 6];
        let sources: Vec<String> = (0..30).map(|i| format!("{} the{} saw a{i}", noun(i), noun(i + 1))).collect();
        let rewrites: Vec<String> = sources.iter().map(|s| s.replace(" saw", "")).collect();
        let others: Vec<String> = (0..30).map(|i| format!("x{i} y")).collect();
        let sources = Sources { train: sources, valid: Vec::new() };
        let settled = |targets: &[String], fields: &[(&str, &str)]| {
            let recipe = Recipe::find("seq2seq-lstm").unwrap();
            let mut recipe = fields.iter().fold(recipe, |r, (field, value)| r.with(field, value).unwrap());
            let said = settle_copying(&mut recipe, targets, Some(&sources));
            (recipe.attention.copy, recipe.tokenizer.joint, said.is_some())
        };
        assert_eq!(settled(&rewrites, &[]), (Some(true), Some(true), true));
        assert_eq!(settled(&others, &[]), (Some(false), None, false));
        assert_eq!(settled(&others, &[("attention.copy", "true")]), (Some(true), Some(true), false));
        assert_eq!(settled(&rewrites, &[("attention.copy", "false")]), (Some(false), None, false));
        assert_eq!(settled(&rewrites, &[("tokenizer.joint", "false")]), (Some(false), Some(false), false));
        assert_eq!(settled(&rewrites, &[("attention.kind", "additive")]), (Some(false), None, false));
    }

    #[test]
    fn recipes_and_data_must_go_together() {
        let (plain, paired) = (Recipe::default(), Recipe::find("seq2seq-lstm").unwrap());
        let sources = Sources { train: Vec::new(), valid: Vec::new() };
        assert!(check(&paired, None).unwrap_err().to_string().contains("--targets"));
        assert!(check(&plain, Some(&sources)).unwrap_err().to_string().contains("--task seq2seq"));
        assert!(check(&plain, None).is_ok() && check(&paired, Some(&sources)).is_ok());
    }
}
