//! Embedding: rows of a table, `y[i] = E[ids[i]]`.
//!
//! E (V, D), ids (N), y (N, D). The gradient touches only the rows that were looked up.

use crate::{
    ParamId, Params, Tape, Var,
    tape::{Backward, Op},
};

impl Tape {
    /// `y[i] = table[ids[i]]`: table (V, D), ids (N) -> y (N, D).
    ///
    /// # Panics
    /// If an id is not below V: ids come from the model's own tokenizer.
    pub fn embedding(&mut self, params: &Params, table: ParamId, ids: &[u32]) -> Var {
        let (_, d) = params.shape(table);
        let mut y = self.pool.take(ids.len() * d);
        forward(params, table, ids, &mut y);
        let needs = self.recording() && params.get(table).trainable();
        let kept = if needs { self.pool.copy_words(ids) } else { Vec::new() };
        self.push(y, (ids.len(), d), needs, || Some(Embedding { table, ids: kept }))
    }
}

/// The forward pass on slices: ids (N) -> y (N, D).
pub fn forward(params: &Params, table: ParamId, ids: &[u32], y: &mut [f32]) {
    let (_, d) = params.shape(table);
    let values = params.value(table);
    for (y, &id) in y.chunks_exact_mut(d).zip(ids) {
        y.copy_from_slice(&values[id as usize * d..][..d]);
    }
}

struct Embedding {
    table: ParamId,
    ids: Vec<u32>,
}

impl Op for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, d) = cx.params.shape(self.table);
        for (&id, dy) in self.ids.iter().zip(dy.chunks_exact(d)) {
            cx.params.grad_row(self.table, id, dy);
        }
        cx.pool.give_words(std::mem::take(&mut self.ids));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, params, weighted_sum};

    #[test]
    fn gradients_and_touched_rows() {
        let (mut p, ids) = params(&[(6, 3)]);
        let look = |t: &mut Tape, p: &Params, _: &[Var]| {
            let y = t.embedding(p, ids[0], &[4, 1, 4]);
            weighted_sum(t, y);
        };
        check_gradients(&mut p, &[], &look);
        let mut touched = p.get(ids[0]).touched.rows.clone();
        touched.sort();
        assert_eq!(touched, [1, 4]);
    }
}
