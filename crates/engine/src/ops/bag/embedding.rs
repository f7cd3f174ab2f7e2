//! The sum of embeddings: `y_b = sum_v x_bv E[v]` for sparse rows x (B, V), that is `x E` at the cost of what is not 0.
//!
//! E (V, D), y (B, D). Gradient: `dE[v] += sum_b x_bv dy_b`, for the rows v that occur only.

use std::sync::Arc;

use super::Bags;
use crate::{
    ParamId, Params, Tape, Var,
    ops::elementwise::add_scaled,
    tape::{Backward, Op},
    threads::{self, Shared},
};

/// Elements a thread should have before rows are split.
const GRAIN: usize = 1 << 12;

impl Tape {
    /// `y_b = sum_v x_bv table[v]`: table (V, D), bags (B, V) -> y (B, D).
    ///
    /// # Panics
    /// If a column is not below V: columns come from the model's own tokenizer.
    pub fn embedding_bag(&mut self, params: &Params, table: ParamId, bags: &Arc<Bags>) -> Var {
        let ((_, d), b) = (params.shape(table), bags.rows());
        let mut y = self.pool.zeros(b * d);
        let (values, out) = (params.value(table), Shared(y.as_mut_ptr()));
        threads::split(b, GRAIN / d.max(1) + 1, |rows| {
            for i in rows {
                // SAFETY: each range owns its rows.
                let y = unsafe { out.slice(i * d, d) };
                bags.row(i).for_each(|(v, x)| add_scaled(y, &values[v * d..][..d], x, false));
            }
        });
        let needs = self.recording() && params.get(table).trainable();
        self.push(y, (b, d), needs, || Some(EmbeddingBag { table, bags: bags.clone() }))
    }
}

struct EmbeddingBag {
    table: ParamId,
    bags: Arc<Bags>,
}

impl Op for EmbeddingBag {
    fn name(&self) -> &'static str {
        "embedding bag"
    }

    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        let (_, d) = cx.params.shape(self.table);
        let mut delta = cx.pool.take(d);
        for (b, dy) in dy.chunks_exact(d.max(1)).enumerate() {
            for (v, x) in self.bags.row(b) {
                add_scaled(&mut delta, dy, x, true);
                cx.params.grad_row(self.table, v as u32, &delta);
            }
        }
        cx.pool.give(delta);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{check_gradients, params, weighted_sum};

    fn bags() -> Arc<Bags> {
        let mut bags = Bags::new();
        bags.push([(4, 0.7), (1, 1.5)]);
        bags.push([]);
        bags.push([(1, -2.0), (3, 1.0), (1, 0.5)]);
        Arc::new(bags)
    }

    #[test]
    fn gradients_and_touched_rows() {
        let (mut p, ids) = params(&[(6, 3)]);
        check_gradients(&mut p, &[], &|t, p, _| {
            let y = t.embedding_bag(p, ids[0], &bags());
            weighted_sum(t, y);
        });
        assert_eq!(p.get(ids[0]).touched.rising().collect::<Vec<_>>(), [1, 3, 4]);
    }

    #[test]
    fn equals_the_product_with_dense_rows() {
        let (p, ids) = params(&[(6, 3)]);
        let (mut t, bags) = (Tape::inference(), bags());
        let y = t.embedding_bag(&p, ids[0], &bags);
        let table = p.value(ids[0]);
        for b in 0..3 {
            for j in 0..3 {
                let expected: f64 = bags.row(b).map(|(v, x)| x as f64 * table[v * 3 + j] as f64).sum();
                assert!((t.value(y)[b * 3 + j] as f64 - expected).abs() < 1e-6);
            }
        }
    }
}
