//! A decoder of the GPT-2 family step by step: keys and values are kept.

use strait_engine::{Params, Tape, Var, ops::attention::Cache};

use crate::{config::Shape, gpt2::Gpt2, injection::MemoryCache};

/// A decoder under way for some rows, which all stand at the same place.
pub struct Generator<'a> {
    network: &'a Gpt2,
    params: &'a Params,
    /// What each block has seen.
    caches: Vec<Cache>,
    /// What a latent adds: to every token's embedding (rows, D), if anything; and the memory.
    added: Vec<f32>,
    memory: Option<MemoryCache>,
    rows: usize,
    /// The next position.
    position: usize,
    tape: Tape,
    /// Queries, keys, values and the output of the attention, (rows, D) each.
    parts: [Vec<f32>; 3],
    attended: Vec<f32>,
}

impl<'a> Generator<'a> {
    /// Before the first position of `rows` texts. `embedding` (rows, D) and `memory` (rows, 2 D L) are what a latent adds
    /// ([`Injection`](crate::Injection)); empty: nothing.
    pub fn new(network: &'a Gpt2, params: &'a Params, rows: usize, [embedding, memory]: [&[f32]; 2]) -> Self {
        let Shape { width, heads, .. } = network.shape;
        let caches = network.blocks.iter().map(|_| Cache::new(width, heads, rows)).collect();
        let memory = (!memory.is_empty()).then(|| MemoryCache::new(memory, (width, heads), rows));
        let (parts, attended) = Default::default();
        Generator {
            network,
            params,
            caches,
            added: embedding.to_vec(),
            memory,
            rows,
            position: 0,
            tape: Tape::inference(),
            parts,
            attended,
        }
    }

    /// Tokens in the network's own vocabulary, V.
    pub fn vocabulary(&self) -> usize {
        self.network.shape.vocabulary
    }

    /// Rows now alive.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The next token of each row (rows) -> the scores of the one after it (rows, V). A text longer than the network
    /// has places stays at the last one.
    pub fn step(&mut self, tokens: &[u32], logits: &mut Vec<f32>) {
        let (network, params) = (self.network, self.params);
        let y = self.advance(tokens);
        network.scores(params, self.tape.value(y), logits);
    }

    /// As [`Generator::step`], up to the last states (rows, D).
    pub fn step_states(&mut self, tokens: &[u32]) -> &[f32] {
        let y = self.advance(tokens);
        self.tape.value(y)
    }

    fn advance(&mut self, tokens: &[u32]) -> Var {
        let (Gpt2 { shape, blocks, norm, .. }, params) = (self.network, self.params);
        let (n, d) = (tokens.len(), shape.width);
        self.tape.reset();
        let added = (!self.added.is_empty()).then(|| self.tape.input(&self.added, (n, d)));
        let places = vec![self.network.place(self.position); n];
        let mut x = self.network.embed(&mut self.tape, params, (tokens, &places), added);
        for (l, block) in blocks.iter().enumerate() {
            let h = self.tape.layer_norm(params, x, Some(block.norms[0]), shape.eps);
            let qkv = block.project(&mut self.tape, params, h);
            self.attend(l, qkv);
            let attended = self.tape.input(&self.attended, (n, d));
            let h = block.mix(&mut self.tape, params, attended);
            x = self.tape.add(x, h);
            x = self.network.feed(&mut self.tape, params, (block, x), |_, h| h);
        }
        self.position += 1;
        self.tape.layer_norm(params, x, Some(*norm), shape.eps)
    }

    /// The attention of block `l`: qkv (rows, 3 D) -> `attended`.
    fn attend(&mut self, l: usize, qkv: Var) {
        let (rows, width) = self.tape.shape(qkv);
        let d = width / 3;
        for (i, part) in self.parts.iter_mut().enumerate() {
            part.clear();
            self.tape.value(qkv).chunks_exact(width).for_each(|row| part.extend(&row[i * d..(i + 1) * d]));
        }
        let [q, k, v] = &self.parts;
        self.attended.resize(rows * d, 0.0);
        self.caches[l].push(k, v);
        self.caches[l].attend(q, &mut self.attended);
        if let Some(memory) = &mut self.memory {
            memory.add_share(l, [q, k], &mut self.attended);
        }
    }

    /// New row i continues old row `from[i]`.
    pub fn select(&mut self, from: &[usize]) {
        self.caches.iter_mut().for_each(|cache| cache.select(from));
        self.memory.iter_mut().for_each(|memory| memory.select(from));
        if !self.added.is_empty() {
            let d = self.network.shape.width;
            self.added = from.iter().flat_map(|&r| &self.added[r * d..(r + 1) * d]).copied().collect();
        }
        self.rows = from.len();
    }
}
