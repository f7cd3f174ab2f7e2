//! What a recipe must keep to.

use strait_text::TokenizerKind;

use super::{
    AttentionKind, BagOutput, DiscriminatorKind, KlConfig, LatentKind, NetworkKind, Normalise, Recipe,
    RegulariserConfig, Tuning,
};

/// A field, its value, and what was expected.
type Fault = (&'static str, String, &'static str);

/// The first fault of a recipe.
pub(super) fn check(r: &Recipe) -> Result<(), Fault> {
    sizes(r)?;
    shares(r)?;
    numbers(r)?;
    shape(r)?;
    published(r)?;
    repetition(r)?;
    regulariser(r)?;
    text_gan(r)?;
    r.objective.noise.validate().map_err(|e| ("objective.noise", e.to_string(), "a valid noise"))
}

fn sizes(r: &Recipe) -> Result<(), Fault> {
    let sizes = [
        ("encoder.embedding", r.encoder.embedding),
        ("encoder.hidden", r.encoder.hidden),
        ("encoder.layers", r.encoder.layers),
        ("encoder.heads", r.encoder.heads),
        ("encoder.window", r.encoder.window),
        ("latent.slots", r.latent.slots),
        ("attention.heads", r.attention.heads),
        ("latent.quantiser.codes", r.latent.quantiser.codes),
        ("decoder.hidden", r.decoder.hidden),
        ("decoder.layers", r.decoder.layers),
        ("decoder.heads", r.decoder.heads),
        ("decoder.window", r.decoder.window),
        ("training.batch_tokens", r.training.batch_tokens),
        ("encoder.tuned_layers", r.encoder.tuned_layers),
        ("encoder.rank", r.encoder.rank),
        ("decoder.tuned_layers", r.decoder.tuned_layers),
        ("decoder.rank", r.decoder.rank),
    ];
    match sizes.iter().find(|s| !(1..=65_536).contains(&s.1)) {
        Some(&(field, value)) => Err((field, value.to_string(), "between 1 and 65536")),
        None => Ok(()),
    }
}

fn shares(r: &Recipe) -> Result<(), Fault> {
    let shares = [
        ("encoder.dropout", r.encoder.dropout),
        ("latent.dropout", r.latent.dropout),
        ("latent.quantiser.decay", r.latent.quantiser.decay),
        ("latent.quantiser.restart", r.latent.quantiser.restart),
        ("decoder.dropout", r.decoder.dropout),
        ("decoder.word_dropout", r.decoder.word_dropout),
        ("objective.label_smoothing", r.objective.label_smoothing),
        ("objective.pretrain", r.objective.pretrain),
        ("training.warmup", r.training.warmup),
        ("training.floor", r.training.floor),
        ("training.beta1", r.training.beta1),
        ("training.beta2", r.training.beta2),
    ];
    match shares.iter().find(|s| !(0.0..1.0).contains(&s.1)) {
        Some(&(field, value)) => Err((field, value.to_string(), "at least 0 and below 1")),
        None => Ok(()),
    }
}

fn numbers(r: &Recipe) -> Result<(), Fault> {
    let t = &r.training;
    positive(&[("training.rate", t.rate), ("training.clip", t.clip)])?;
    positive(&[("training.encoder_rate", t.encoder_rate), ("training.decoder_rate", t.decoder_rate)])?;
    positive(&[("latent.spread", r.latent.spread)])?;
    positive(&[("decoder.concentration", r.decoder.concentration), ("decoder.frequent", r.decoder.frequent)])?;
    not_negative(&[("latent.noise", r.latent.noise), ("latent.quantiser.commitment", r.latent.quantiser.commitment)])
}

fn positive(fields: &[(&'static str, f32)]) -> Result<(), Fault> {
    match fields.iter().find(|f| !(f.1 > 0.0 && f.1.is_finite())) {
        Some(&(field, value)) => Err((field, value.to_string(), "above 0")),
        None => Ok(()),
    }
}

fn not_negative(fields: &[(&'static str, f32)]) -> Result<(), Fault> {
    match fields.iter().find(|f| !(f.1 >= 0.0 && f.1.is_finite())) {
        Some(&(field, value)) => Err((field, value.to_string(), "at least 0")),
        None => Ok(()),
    }
}

/// What must fit together.
fn shape(r: &Recipe) -> Result<(), Fault> {
    let (encoder, latent, decoder) = (&r.encoder, &r.latent, &r.decoder);
    if decoder.kind == NetworkKind::None || decoder.kind.is_given() {
        let kind = format!("{:?}", decoder.kind).to_lowercase();
        return Err(("decoder.kind", kind, "a network that is trained here, or \"published\""));
    }
    if encoder.kind.is_frozen() && !r.objective.noise.is_none() {
        let expected = "none (drop = 0 and so on) with a frozen encoder, whose vectors are of whole texts";
        return Err(("objective.noise", "set".into(), expected));
    }
    if encoder.columns > 65_536 {
        return Err(("encoder.columns", encoder.columns.to_string(), "at most 65536"));
    }
    let size = latent.size;
    if r.objective.text_gan.is_some() && (!r.is_language_model() || r.is_seq2seq()) {
        return Err(("objective.text_gan", "set".into(), "used with a language model (encoder.kind = \"none\")"));
    }
    if r.is_seq2seq() {
        seq2seq(r)?;
    } else if r.objective.risk.is_some() {
        return Err(("objective.risk", "set".into(), "used with task = \"seq2seq\""));
    } else if r.is_language_model() {
        if size != 0 {
            return Err(("latent.size", size.to_string(), "0 without an encoder (a language model has no latent)"));
        }
        if !decoder.kind.writes() {
            let expected = "recurrent, transformer or published without an encoder";
            return Err(("decoder.kind", format!("{:?}", decoder.kind), expected));
        }
    } else if !(1..=65_536).contains(&size) {
        return Err(("latent.size", size.to_string(), "between 1 and 65536"));
    }
    if decoder.topics && (decoder.kind != NetworkKind::Bag || decoder.output != BagOutput::Multinomial || size < 2) {
        return Err((
            "decoder.topics",
            "true".into(),
            "used with decoder.kind = \"bag\", decoder.output = \"multinomial\" and a latent.size of 2 or more",
        ));
    }
    if !size.is_multiple_of(latent.slots) {
        return Err(("latent.slots", latent.slots.to_string(), "a divisor of latent.size"));
    }
    for (field, kind, heads) in
        [("encoder.heads", encoder.kind, encoder.heads), ("decoder.heads", decoder.kind, decoder.heads)]
    {
        // Rotary positions turn pairs of columns.
        if kind == NetworkKind::Transformer && !encoder.embedding.is_multiple_of(2 * heads) {
            return Err((field, heads.to_string(), "such that encoder.embedding is a multiple of twice as many"));
        }
    }
    Ok(())
}

/// What goes with a published decoder.
fn published(r: &Recipe) -> Result<(), Fault> {
    if r.encoder.kind == NetworkKind::Published {
        let expected = "another; a published encoder is \"pretrained\" or \"tuned\"";
        return Err(("encoder.kind", "published".into(), expected));
    }
    if r.decoder.kind != NetworkKind::Published {
        return Ok(());
    }
    let (tokenizer, objective) = (&r.tokenizer, &r.objective);
    let set = |field, expected| Err((field, "set".to_string(), expected));
    match () {
        () if tokenizer.vocabulary.is_some() || tokenizer.kind != TokenizerKind::Subword => {
            set("tokenizer", "left as it is with decoder.kind = \"published\", which has its own tokens")
        }
        () if r.is_language_model() && r.decoder.tuning == Tuning::Frozen => {
            let expected = "another without an encoder: nothing would learn";
            Err(("decoder.tuning", "frozen".into(), expected))
        }
        // Which spreads weight over tokens that it never writes.
        () if objective.label_smoothing > 0.0 => {
            set("objective.label_smoothing", "0 with decoder.kind = \"published\"")
        }
        () if objective.pretrain > 0.0 => {
            set("objective.pretrain", "0 with decoder.kind = \"published\", which does not start afresh")
        }
        () if objective.text_gan.is_some() => {
            set("objective.text_gan", "used with decoder.kind recurrent or transformer")
        }
        () => Ok(()),
    }
}

/// Cures of repetition, for decoders that write token by token.
fn repetition(r: &Recipe) -> Result<(), Fault> {
    let writes = r.decoder.kind.writes();
    not_negative(&[("objective.unlikelihood", r.objective.unlikelihood)])?;
    let chance = r.decoder.scheduled_sampling;
    if !(0.0..=1.0).contains(&chance) {
        return Err(("decoder.scheduled_sampling", chance.to_string(), "between 0 and 1"));
    }
    let fields = [("objective.unlikelihood", r.objective.unlikelihood), ("decoder.scheduled_sampling", chance)];
    match fields.iter().find(|field| field.1 > 0.0 && !writes) {
        Some(&(field, value)) => {
            Err((field, value.to_string(), "0 unless the decoder is recurrent, a transformer or published"))
        }
        None => Ok(()),
    }
}

/// What attends, and what is attended to.
fn seq2seq(r: &Recipe) -> Result<(), Fault> {
    let writes = |kind: NetworkKind| kind.cell().is_some() || kind == NetworkKind::Transformer;
    for (field, kind) in [("encoder.kind", r.encoder.kind), ("decoder.kind", r.decoder.kind)] {
        if !writes(kind) {
            return Err((field, format!("{kind:?}"), "recurrent or transformer in seq2seq"));
        }
    }
    latent_between(r)?;
    let additive = r.attention.kind == AttentionKind::Additive;
    if additive && r.decoder.kind == NetworkKind::Transformer {
        return Err(("attention.kind", "additive".into(), "product with a Transformer decoder"));
    }
    if r.attention.coverage && !additive {
        return Err(("attention.coverage", "true".into(), "used with attention.kind = \"additive\""));
    }
    if r.attention.copies() && r.attention.kind != AttentionKind::Product {
        return Err(("attention.copy", "true".into(), "used with attention.kind = \"product\""));
    }
    if r.attention.copies() && r.tokenizer.joint == Some(false) {
        return Err((
            "tokenizer.joint",
            "false".into(),
            "true with attention.copy (what is copied is a target's token)",
        ));
    }
    if let Some(risk) = &r.objective.risk {
        if !(2..=1000).contains(&risk.samples) {
            return Err(("objective.risk.samples", risk.samples.to_string(), "between 2 and 1000"));
        }
        if !(0.0..=1.0).contains(&risk.cross_entropy) {
            return Err(("objective.risk.cross_entropy", risk.cross_entropy.to_string(), "between 0 and 1"));
        }
        positive(&[("objective.risk.sharpness", risk.sharpness)])?;
    }
    let width = r.states();
    match width.is_multiple_of(r.attention.heads) {
        true => Ok(()),
        false => Err(("attention.heads", r.attention.heads.to_string(), "a divisor of the encoder's width")),
    }
}

/// What may lie between source and target.
fn latent_between(r: &Recipe) -> Result<(), Fault> {
    let transformer = r.decoder.kind == NetworkKind::Transformer;
    if !r.is_conditional() {
        return match r.attention.kind == AttentionKind::None && transformer {
            true => {
                Err(("attention.kind", "none".into(), "another in seq2seq with a Transformer decoder without a latent"))
            }
            false => Ok(()),
        };
    }
    let expected = "0 in seq2seq, or used with latent.kind = \"gaussian\" (conditional VAE)";
    match () {
        () if r.latent.kind != LatentKind::Gaussian => Err(("latent.size", r.latent.size.to_string(), expected)),
        () if r.latent.size > 65_536 => Err(("latent.size", r.latent.size.to_string(), "at most 65536")),
        () if r.latent.normalise != Normalise::None => {
            Err(("latent.normalise", "set".into(), "\"none\" in seq2seq (the prior is learned)"))
        }
        () if r.objective.risk.is_some() => Err(("objective.risk", "set".into(), "used without a latent")),
        () => Ok(()),
    }
}

/// Adversarial training of a language model.
fn text_gan(r: &Recipe) -> Result<(), Fault> {
    let Some(gan) = &r.objective.text_gan else { return Ok(()) };
    let sizes = [
        ("objective.text_gan.rollouts", gan.rollouts.max(usize::from(gan.method.leaks()))),
        ("objective.text_gan.horizon", gan.horizon),
        ("objective.text_gan.goal", gan.goal),
        ("objective.text_gan.references", gan.references),
        ("objective.text_gan.embedding", gan.embedding),
        ("objective.text_gan.hidden", gan.hidden),
        ("objective.text_gan.discriminator_steps", gan.discriminator_steps as usize),
        ("objective.text_gan.filters", gan.filters),
        ("objective.text_gan.widths", gan.widths.len()),
        ("objective.text_gan.heads", gan.heads),
        ("objective.text_gan.layers", gan.layers),
    ];
    if let Some(&(field, value)) = sizes.iter().find(|s| !(1..=65_536).contains(&s.1)) {
        return Err((field, value.to_string(), "between 1 and 65536"));
    }
    if let Some(width) = gan.widths.iter().find(|w| !(1..=64).contains(*w)) {
        return Err(("objective.text_gan.widths", width.to_string(), "between 1 and 64 tokens each"));
    }
    if gan.method.judges_prefixes() && gan.discriminator == DiscriminatorKind::Conv {
        let expected = "\"recurrent\" (or, with \"scratchgan\", \"transformer\") with a method whose discriminator judges prefixes";
        return Err(("objective.text_gan.discriminator", "conv".into(), expected));
    }
    if gan.method.leaks() && gan.discriminator != DiscriminatorKind::Recurrent {
        let expected = "\"recurrent\" with method = \"leakgan\", whose features leak token by token";
        return Err(("objective.text_gan.discriminator", "transformer".into(), expected));
    }
    if gan.interleave == 1 {
        let expected = "0 or at least 2 (1 would leave no adversarial step)";
        return Err(("objective.text_gan.interleave", "1".into(), expected));
    }
    // Rotary positions turn pairs of columns.
    let transformer = gan.discriminator == DiscriminatorKind::Transformer;
    if transformer && !gan.embedding.is_multiple_of(2 * gan.heads) {
        let expected = "such that objective.text_gan.embedding is a multiple of twice as many";
        return Err(("objective.text_gan.heads", gan.heads.to_string(), expected));
    }
    if !(2..=65_536).contains(&gan.samples) {
        return Err(("objective.text_gan.samples", gan.samples.to_string(), "between 2 and 65536"));
    }
    let shares = [
        ("objective.text_gan.pretrain", gan.pretrain),
        ("objective.text_gan.warmup", gan.warmup),
        ("objective.text_gan.likelihood", gan.likelihood),
        ("objective.text_gan.dropout", gan.dropout),
        ("objective.text_gan.lag", gan.lag),
    ];
    if let Some(&(field, value)) = shares.iter().find(|s| !(0.0..1.0).contains(&s.1)) {
        return Err((field, value.to_string(), "at least 0 and below 1"));
    }
    if gan.lag > 0.0 && !gan.method.completes() {
        let expected = "0 unless method is \"seqgan\" or \"rankgan\", which complete samples";
        return Err(("objective.text_gan.lag", gan.lag.to_string(), expected));
    }
    if !(0.0..=1.0).contains(&gan.discount) {
        return Err(("objective.text_gan.discount", gan.discount.to_string(), "between 0 and 1"));
    }
    not_negative(&[("objective.text_gan.intrinsic", gan.intrinsic)])?;
    positive(&[
        ("objective.text_gan.sharpness", gan.sharpness),
        ("objective.text_gan.temperature", gan.temperature),
        ("objective.text_gan.generator_rate", gan.generator_rate),
        ("objective.text_gan.rate", gan.rate),
    ])
}

/// How an adversary is trained.
fn adversary(rate: f32, beta1: f32) -> Result<(), Fault> {
    match (0.0..1.0).contains(&beta1) {
        true => positive(&[("objective.regulariser.rate", rate)]),
        false => Err(("objective.regulariser.beta1", beta1.to_string(), "at least 0 and below 1")),
    }
}

/// How a divergence is charged.
fn kl(c: &KlConfig) -> Result<(), Fault> {
    not_negative(&[
        ("objective.regulariser.weight", c.weight),
        ("objective.regulariser.free", c.free),
        ("objective.regulariser.free_total", c.free_total),
    ])?;
    positive(&[("objective.regulariser.target", c.target.unwrap_or(1.0))])?;
    if !(0.0..=1.0).contains(&c.warmup) {
        return Err(("objective.regulariser.warmup", c.warmup.to_string(), "between 0 and 1"));
    }
    match c.cycles {
        0 => Err(("objective.regulariser.cycles", "0".into(), "at least 1")),
        _ => Ok(()),
    }
}

fn regulariser(r: &Recipe) -> Result<(), Fault> {
    let gaussian = r.latent.kind == LatentKind::Gaussian;
    let kind = |name: &'static str| {
        Err(("objective.regulariser.kind", name.to_string(), "used with latent.kind = \"gaussian\""))
    };
    let widths = |field: &'static str, hidden: &[usize]| match hidden.iter().find(|h| !(1..=65_536).contains(*h)) {
        Some(h) => Err((field, h.to_string(), "between 1 and 65536")),
        None => Ok(()),
    };
    match &r.objective.regulariser {
        RegulariserConfig::None => Ok(()),
        RegulariserConfig::Kl(c) if r.is_conditional() && gaussian => kl(c),
        _ if r.is_language_model() || r.is_seq2seq() => {
            Err(("objective.regulariser.kind", "set".into(), "none where there are no latents"))
        }
        RegulariserConfig::Kl(_) if !gaussian => kind("kl"),
        RegulariserConfig::Kl(c) => kl(c),
        RegulariserConfig::Mmd(c) => not_negative(&[("objective.regulariser.weight", c.weight)]),
        RegulariserConfig::Adversarial(c) => {
            if c.log_variance > 0.0 && !gaussian {
                return kind("adversarial with log_variance");
            }
            widths("objective.regulariser.hidden", &c.hidden)?;
            not_negative(&[
                ("objective.regulariser.weight", c.weight),
                ("objective.regulariser.log_variance", c.log_variance),
            ])?;
            adversary(c.rate, c.beta1)
        }
        RegulariserConfig::Arae(c) => {
            widths("objective.regulariser.generator", &c.generator)?;
            widths("objective.regulariser.critic", &c.critic)?;
            widths("objective.regulariser.noise", &[c.noise])?;
            not_negative(&[("objective.regulariser.weight", c.weight), ("objective.regulariser.penalty", c.penalty)])?;
            if c.critic_steps == 0 {
                return Err(("objective.regulariser.critic_steps", "0".into(), "at least 1"));
            }
            adversary(c.rate, c.beta1)
        }
    }
}
