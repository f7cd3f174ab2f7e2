//! Texts drawn from the model.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use strait_model::{decoding::Options, generate};

use crate::{
    EvaluateError,
    request::{Hear, Progress, Subject},
};

/// Samples decoded between two reports of progress.
const CHUNK: usize = 1024;

/// `n` texts: latents drawn from the prior, decoded; the same texts as the command's `sample` writes for this seed.
pub(crate) fn draw(
    subject: &Subject<'_>,
    n: usize,
    seed: u64,
    options: &Options,
    hear: Hear<'_>,
) -> Result<Vec<String>, EvaluateError> {
    options.check()?;
    options.check_for(subject.model.vocabulary(), generate::special(subject.tokenizer.kind()), n)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let seeds: Vec<u64> = (0..n).map(|_| rng.next_u64()).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(1);
    let mut texts = Vec::with_capacity(n);
    for seeds in seeds.chunks(CHUNK) {
        hear(Progress { part: "samples", done: texts.len(), of: n });
        let latents = subject.prior.sample_many(seeds.len(), &mut rng);
        let outputs = subject.model.decode(&latents, options, subject.tokenizer.kind(), seeds);
        texts.extend(outputs.iter().map(|o| subject.tokenizer.decode(&o.tokens)));
    }
    Ok(texts)
}
