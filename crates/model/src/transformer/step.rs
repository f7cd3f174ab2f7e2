//! A causal stack one position at a time, for generating: keys and values are kept.

use strait_engine::{
    Params, Tape, Var,
    ops::{
        attention::{Cache, Memory},
        linear,
        rotary::Turns,
    },
};

use super::{Block, Stack, place};
use crate::seq2seq::Encoded;

/// A stack under way for some rows, which all stand at the same place.
pub struct State {
    /// What each block has seen.
    caches: Vec<Cache>,
    /// What each block attends to of the sources, if there are any.
    sources: Vec<Memory>,
    /// The place of the next position.
    place: usize,
    turns: Turns,
    tape: Tape,
    /// Queries, keys, values and the output of the attention, (rows, D) each.
    parts: [Vec<f32>; 3],
    attended: Vec<f32>,
}

impl Clone for State {
    fn clone(&self) -> Self {
        State {
            caches: self.caches.clone(),
            sources: self.sources.clone(),
            place: self.place,
            turns: self.turns.clone(),
            tape: Tape::inference(),
            parts: Default::default(),
            attended: Vec::new(),
        }
    }
}

impl State {
    /// Before the first position of `rows` sequences. `memory` (K rows, P) is laid out as [`super::Memory`]; empty if
    /// there is none. `source` is what each row attends to, if anything.
    pub fn new(stack: &Stack, params: &Params, (memory, source): (&[f32], Option<&Encoded>), rows: usize) -> Self {
        let (d, heads) = (stack.shape.width, stack.shape.heads);
        let caches = stack.blocks.iter().map(|block| {
            let mut cache = Cache::new(d, heads, rows);
            remember(block, params, (memory, stack.shape.memory), rows, &mut cache);
            cache
        });
        let (caches, turns) = (caches.collect(), Turns::new(d / heads, 0));
        let crosses = stack.blocks.iter().filter_map(|block| block.cross.as_ref());
        let sources = source.map_or(Vec::new(), |s| crosses.map(|c| c.memory(params, s, heads)).collect());
        State {
            caches,
            sources,
            place: 0,
            turns,
            tape: Tape::inference(),
            parts: Default::default(),
            attended: Vec::new(),
        }
    }

    /// The next position of each row: x (rows, D) -> (rows, D).
    pub fn step(&mut self, stack: &Stack, params: &Params, x: &[f32]) -> &[f32] {
        self.tape.reset();
        self.turns.reach(self.place + 1);
        let d = stack.shape.width;
        let rows = x.len() / d;
        let mut x = self.tape.input(x, (rows, d));
        if let Some(table) = stack.places {
            let places = self.tape.embedding(params, table, &vec![place(self.place); rows]);
            x = self.tape.add(x, places);
        }
        for (l, block) in stack.blocks.iter().enumerate() {
            let qkv = block.project(&mut self.tape, params, x);
            self.attend(l, qkv, stack.places.is_none());
            let attended = self.tape.input(&self.attended, (rows, d));
            x = block.attended(&mut self.tape, params, (x, attended), |_, h| h);
            if let (Some(cross), Some(memory)) = (&block.cross, self.sources.get_mut(l)) {
                let seen = cross.step(&mut self.tape, params, x, memory);
                x = self.tape.add(x, seen);
            }
            x = block.feed(&mut self.tape, params, x, |_, h| h);
        }
        self.place += 1;
        let y = self.tape.layer_norm(params, x, Some(stack.norm), super::EPS);
        self.tape.value(y)
    }

    /// The attention of block `l`: qkv (rows, 3 D) -> `attended`.
    fn attend(&mut self, l: usize, qkv: Var, rotate: bool) {
        let (rows, width) = self.tape.shape(qkv);
        let d = width / 3;
        for (i, part) in self.parts.iter_mut().enumerate() {
            part.clear();
            let rows = self.tape.value(qkv).chunks_exact(width);
            rows.for_each(|row| part.extend_from_slice(&row[i * d..(i + 1) * d]));
        }
        let [q, k, v] = &mut self.parts;
        if rotate {
            self.turns.turn(self.place, q);
            self.turns.turn(self.place, k);
        }
        self.attended.resize(rows * d, 0.0);
        self.caches[l].push(k, v);
        self.caches[l].attend(q, &mut self.attended);
    }

    /// The weights (T) with which a row looked at its source for the last position, averaged over heads and blocks.
    pub(crate) fn weights(&self, row: usize) -> Option<Vec<f32>> {
        let mut mean = vec![0.0; self.sources.first()?.weights(row).len()];
        for memory in &self.sources {
            let share = 1.0 / self.sources.len() as f32;
            mean.iter_mut().zip(memory.weights(row)).for_each(|(m, w)| *m += share * w);
        }
        Some(mean)
    }

    /// New row i continues old row `from[i]`.
    pub(crate) fn select(&mut self, from: &[usize]) {
        self.caches.iter_mut().for_each(|cache| cache.select(from));
        self.sources.iter_mut().for_each(|memory| memory.select(from));
    }
}

/// Puts the memory's keys and values before all positions.
fn remember(block: &Block, params: &Params, (memory, p): (&[f32], usize), rows: usize, cache: &mut Cache) {
    let Some((w, b)) = block.memory.filter(|_| !memory.is_empty()) else { return };
    let d = params.shape(w).0 / 2;
    let mut kv = vec![0.0; rows * 2 * d];
    for slot in memory.chunks_exact(rows * p) {
        linear::forward(params, slot, rows, w, Some(b), &mut kv);
        let side =
            |at: usize| -> Vec<f32> { kv.chunks_exact(2 * d).flat_map(|row| &row[at..at + d]).copied().collect() };
        cache.push(&side(0), &side(d));
    }
}
