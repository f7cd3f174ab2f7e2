//! A quantised latent: S slots of D = Z / S dimensions, each the nearest of the K vectors of a codebook (VQ-VAE: van den
//! Oord et al. 2017), one codebook for each slot or one for all.
//!
//! `k(s) = argmin_k |u_s - e_k|^2` and `z_s = e_k(s)` for the encoder's output u (normalised); the gradient of z goes to u
//! as it is (straight-through), and `commitment * sum_s |u_s - e_k(s)|^2` draws u to its codes. The vectors are not
//! trained but follow the means of what falls to them (ibid., appendix A.1), with counts `N`: of the n rows of a batch
//! with mean m that fall to a code,
//!
//! `N' = decay N + (1 - decay) n` and `e' = e + (1 - decay) n / N' (m - e)`.
//!
//! The first batch places the codes by k-means. A code whose count falls below `restart` times an even share is moved to
//! a row of the batch drawn at random (Dhariwal et al. 2020), which fills a codebook larger than the first batch, too.

use std::borrow::Cow;

use rand::{Rng, RngExt};
use strait_engine::{ParamId, Params, Tape, Var, ops::losses::Weighting};

use super::{Code, normalise::Normaliser};
use crate::{
    config::LatentConfig,
    objective::Figures,
    prior::{kmeans, rows::Rows},
};

/// A restarted code counts so many times what would restart it again, so that it has time to be used.
const RESPITE: f32 = 2.0;

/// The vectors of a quantised latent.
#[derive(Debug, Clone, Copy)]
pub struct Codebook<'a> {
    /// (K, D) if shared, else (S K, D): those of slot 0 first.
    pub vectors: &'a [f32],
    /// Vectors to choose from in each slot, K.
    pub codes: usize,
    /// Slots of a latent, S.
    pub slots: usize,
    /// Whether all slots have the same vectors.
    pub shared: bool,
}

impl<'a> Codebook<'a> {
    /// Dimensions of a vector, D.
    pub fn dim(&self) -> usize {
        self.vectors.len() / (self.codes * self.books())
    }

    fn books(&self) -> usize {
        if self.shared { 1 } else { self.slots }
    }

    fn book(&self, book: usize) -> &'a [f32] {
        &self.vectors[book * self.codes * self.dim()..][..self.codes * self.dim()]
    }

    /// What a book's codes are chosen for: a slot of all latents (n, D), or all their slots (n S, D).
    fn rows<'r>(&self, latents: &'r [f32], book: usize) -> Cow<'r, [f32]> {
        let d = self.dim();
        match self.books() {
            1 => Cow::Borrowed(latents),
            _ => latents.chunks_exact(self.slots * d).flat_map(|z| &z[book * d..][..d]).copied().collect(),
        }
    }

    /// The places in a list of codes (n, S) of what [`Codebook::rows`] gives.
    fn places(&self, latents: usize, book: usize) -> impl Iterator<Item = usize> + use<> {
        let (rows, step) = if self.books() == 1 { (latents * self.slots, 1) } else { (latents, self.slots) };
        (0..rows).map(move |i| book + i * step)
    }

    /// The nearest codes of latents (n, Z): (n, S), each below K.
    pub fn nearest(&self, latents: &[f32]) -> Vec<u32> {
        let d = self.dim();
        let n = latents.len() / (self.slots * d);
        let mut codes = vec![0; n * self.slots];
        for book in 0..self.books() {
            let rows = self.rows(latents, book);
            let found = kmeans::nearest(Rows::new(&rows, d), self.book(book));
            self.places(n, book).zip(found).for_each(|(at, (code, _))| codes[at] = code as u32);
        }
        codes
    }

    /// The latents (n, Z) that codes (n, S) stand for.
    ///
    /// # Panics
    /// If a code is not below K.
    pub fn latents(&self, codes: &[u32]) -> Vec<f32> {
        let book = |i: usize| self.book(if self.shared { 0 } else { i % self.slots });
        let vector = |(i, &code): (usize, &u32)| &book(i)[code as usize * self.dim()..][..self.dim()];
        codes.iter().enumerate().flat_map(vector).copied().collect()
    }
}

/// Settings and state; the state lies with the weights but is not trained.
#[derive(Debug)]
pub struct Quantised {
    config: LatentConfig,
    normaliser: Normaliser,
    /// (S K, D), or (K, D) if shared.
    vectors: ParamId,
    /// Running counts N of each code, (1, S K) or (1, K); all 0 before the first batch.
    counts: ParamId,
    restarted: usize,
    perplexity: f64,
}

impl Quantised {
    /// Adds `latent.codebook.vectors` and `latent.codebook.counts`, and what the normalisation needs.
    pub fn new(params: &mut Params, config: &LatentConfig) -> Self {
        let normaliser = Normaliser::new(params, config);
        let d = config.size / config.slots;
        let all = config.quantiser.codes * if config.quantiser.shared { 1 } else { config.slots };
        let vectors = params.add("latent.codebook.vectors", (all, d), vec![0.0; all * d]);
        let counts = params.add("latent.codebook.counts", (1, all), vec![0.0; all]);
        params.set_trainable("latent.", false);
        Quantised { config: config.clone(), normaliser, vectors, counts, restarted: 0, perplexity: 0.0 }
    }

    /// The vectors as they are now.
    pub fn codebook<'a>(&self, params: &'a Params) -> Codebook<'a> {
        let (slots, quantiser) = (self.config.slots, &self.config.quantiser);
        Codebook { vectors: params.value(self.vectors), codes: quantiser.codes, slots, shared: quantiser.shared }
    }

    /// u (B, Z) -> the nearest codes' vectors (B, Z).
    pub fn infer(&self, tape: &mut Tape, params: &Params, u: Var) -> Code {
        let u = self.normaliser.infer(tape, params, u);
        let book = self.codebook(params);
        let vectors = book.latents(&book.nearest(tape.value(u)));
        Code::point(tape.straight_through(u, &vectors))
    }

    /// u (B, Z) -> itself, normalised by the batch's statistics.
    pub fn plain(&self, tape: &mut Tape, params: &mut Params, u: Var) -> Code {
        Code::point(self.normaliser.train(tape, params, u))
    }

    /// As [`Quantised::infer`] with the batch's statistics, the commitment's loss (summed over the texts, times `scale`)
    /// and an update of the codebook.
    pub fn train(&mut self, tape: &mut Tape, params: &mut Params, u: Var, scale: f32, rng: &mut impl Rng) -> Code {
        let u = self.normaliser.train(tape, params, u);
        let rows = tape.value(u).to_vec();
        if params.value(self.counts).iter().all(|&n| n == 0.0) {
            self.begin(params, &rows, rng);
        }
        let book = self.codebook(params);
        let codes = book.nearest(&rows);
        let vectors = book.latents(&codes);
        let mean = tape.straight_through(u, &vectors);
        let scale = scale * self.config.quantiser.commitment;
        tape.squared_error(u, &vectors, Weighting { row_weights: None, scale });
        self.update(params, &rows, &codes, rng);
        Code { z: tape.dropout(mean, self.config.dropout, rng), mean, log_variance: None }
    }

    /// Places the codes by k-means on latents (B, Z).
    fn begin(&self, params: &mut Params, latents: &[f32], rng: &mut impl Rng) {
        let book = self.codebook(params);
        let vectors: Vec<f32> = (0..book.books())
            .flat_map(|b| kmeans::centres(Rows::new(&book.rows(latents, b), book.dim()), book.codes, rng))
            .collect();
        params.assign(self.vectors, &vectors);
        let book = self.codebook(params);
        let mut counts = vec![0.0; params.value(self.counts).len()];
        for (i, &code) in book.nearest(latents).iter().enumerate() {
            counts[self.place(i, code)] += 1.0;
        }
        params.assign(self.counts, &counts);
    }

    /// Where the i-th of a list of codes (n, S) lies in the codebook.
    fn place(&self, i: usize, code: u32) -> usize {
        let book = if self.config.quantiser.shared { 0 } else { i % self.config.slots };
        book * self.config.quantiser.codes + code as usize
    }

    /// Moves the codes towards the means of their rows, and those of too little use to rows at random.
    fn update(&mut self, params: &mut Params, latents: &[f32], codes: &[u32], rng: &mut impl Rng) {
        let q = &self.config.quantiser;
        let d = self.config.size / self.config.slots;
        let mut vectors = params.value(self.vectors).to_vec();
        let mut counts = params.value(self.counts).to_vec();
        let mut found = vec![0.0f64; counts.len()];
        let mut sums = vec![0.0f64; vectors.len()];
        for (i, (row, &code)) in latents.chunks_exact(d).zip(codes).enumerate() {
            let at = self.place(i, code);
            found[at] += 1.0;
            sums[at * d..][..d].iter_mut().zip(row).for_each(|(s, &x)| *s += x as f64);
        }
        for (at, vector) in vectors.chunks_exact_mut(d).enumerate() {
            counts[at] = q.decay * counts[at] + (1.0 - q.decay) * found[at] as f32;
            if found[at] > 0.0 {
                let rate = (1.0 - q.decay) * found[at] as f32 / counts[at];
                let mean = sums[at * d..][..d].iter().map(|s| (s / found[at]) as f32);
                vector.iter_mut().zip(mean).for_each(|(e, m)| *e += rate * (m - *e));
            }
        }
        self.perplexity =
            counts.chunks_exact(q.codes).map(perplexity).sum::<f64>() * q.codes as f64 / counts.len() as f64;
        self.restarted = 0;
        let book = Codebook { vectors: &vectors.clone(), codes: q.codes, slots: self.config.slots, shared: q.shared };
        for b in 0..book.books() {
            let own = b * q.codes..(b + 1) * q.codes;
            let least = q.restart * counts[own.clone()].iter().sum::<f32>() / q.codes as f32;
            let rows = book.rows(latents, b);
            for at in own.filter(|_| !rows.is_empty()) {
                if counts[at] < least {
                    let row = rng.random_range(0..rows.len() / d);
                    vectors[at * d..][..d].copy_from_slice(&rows[row * d..][..d]);
                    counts[at] = RESPITE * least;
                    self.restarted += 1;
                }
            }
        }
        params.assign(self.vectors, &vectors);
        params.assign(self.counts, &counts);
    }

    /// Of the last batch: the perplexity of the running counts (averaged over codebooks), and how many codes were moved.
    pub fn figures(&self) -> Figures {
        vec![("code_perplexity", self.perplexity), ("codes_restarted", self.restarted as f64)]
    }
}

/// `exp` of the entropy of a distribution given by counts: how many codes are used, were they used evenly.
pub fn perplexity(counts: &[f32]) -> f64 {
    let total: f64 = counts.iter().map(|&n| n as f64).sum();
    let shares = counts.iter().map(|&n| n as f64 / total).filter(|&p| p > 0.0);
    (-shares.map(|p| p * p.ln()).sum::<f64>()).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{LatentKind, Normalise, QuantiserConfig};
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn quantised(quantiser: QuantiserConfig) -> (Quantised, Params) {
        let mut params = Params::new();
        let kind = LatentKind::Quantised;
        let config =
            LatentConfig { kind, size: 4, slots: 2, normalise: Normalise::None, quantiser, ..Default::default() };
        (Quantised::new(&mut params, &config), params)
    }

    #[test]
    fn nearest_codes_and_back_by_hand() {
        let vectors = [0.0, 0.0, 1.0, 1.0, 5.0, 5.0, -1.0, 0.0];
        let own = Codebook { vectors: &vectors, codes: 2, slots: 2, shared: false };
        let latents = [0.9, 0.8, 4.0, 4.0, 0.1, 0.2, -3.0, 0.0];
        assert_eq!(own.nearest(&latents), [1, 0, 0, 1]);
        assert_eq!(own.latents(&[1, 0, 0, 1]), [1.0, 1.0, 5.0, 5.0, 0.0, 0.0, -1.0, 0.0]);
        let shared = Codebook { codes: 4, shared: true, ..own };
        assert_eq!(shared.nearest(&latents), [1, 2, 0, 3]);
        assert_eq!(shared.latents(&shared.nearest(&latents)), [1.0, 1.0, 5.0, 5.0, 0.0, 0.0, -1.0, 0.0]);
    }

    #[test]
    fn codes_follow_the_means_by_hand() {
        let quantiser = QuantiserConfig { codes: 2, decay: 0.5, restart: 0.0, commitment: 0.25, shared: true };
        let (mut q, mut params) = quantised(quantiser);
        params.assign(q.vectors, &[0.0, 0.0, 10.0, 10.0]);
        params.assign(q.counts, &[1.0, 4.0]);
        let mut tape = Tape::new();
        let u = tape.variable(&[2.0, 0.0, 4.0, 0.0], (1, 4));
        let code = q.train(&mut tape, &mut params, u, 0.5, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(tape.value(code.z), [0.0; 4]);
        // Both slots fall to code 0, whose count goes to 0.5 * 1 + 0.5 * 2 and which moves 1 / 1.5 of the way to (3, 0).
        assert_eq!(params.value(q.counts), [1.5, 2.0]);
        assert!((params.value(q.vectors)[0] - 2.0).abs() < 1e-6 && params.value(q.vectors)[2..] == [10.0, 10.0]);
        // The commitment: 0.5 * 0.25 * (4 + 16), its gradient 0.125 * 2 u; the decoder's gradient passes.
        assert!((tape.loss() - 2.5).abs() < 1e-6);
        tape.custom_loss(code.z, 0.0, &[1.0, 2.0, 3.0, 4.0]);
        tape.backward(&mut Params::new()).unwrap();
        assert_eq!(tape.grad(u), [1.5, 2.0, 4.0, 4.0]);
    }

    #[test]
    fn a_codebook_finds_the_clusters_and_dead_codes_are_moved_to_them() {
        let quantiser = QuantiserConfig { codes: 8, decay: 0.9, restart: 0.1, ..Default::default() };
        let (mut q, mut params) = quantised(quantiser);
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let batch = |rng: &mut ChaCha8Rng| -> Vec<f32> {
            (0..64).map(|i| ((i / 4) % 4) as f32 * 10.0 + rng.random::<f32>() * 0.1).collect()
        };
        let mut tape = Tape::new();
        for step in 0..200 {
            tape.reset();
            // The first batch shows one cluster only.
            let rows = if step == 0 { vec![0.0; 64] } else { batch(&mut rng) };
            let u = tape.input(&rows, (16, 4));
            q.train(&mut tape, &mut params, u, 1.0, &mut rng);
        }
        assert!(q.perplexity > 3.9, "{}", q.perplexity);
        let book = q.codebook(&params);
        let rows = batch(&mut rng);
        let far = book.latents(&book.nearest(&rows)).iter().zip(&rows).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(far < 0.2, "{far}");
    }

    #[test]
    fn perplexities_by_hand() {
        assert!((perplexity(&[2.0, 2.0, 0.0, 2.0, 2.0]) - 4.0).abs() < 1e-9);
        assert!((perplexity(&[7.0, 0.0]) - 1.0).abs() < 1e-9);
    }
}
