//! The same numbers in other rows: (N, D) -> (N', D') with N D = N' D', row-major. The gradient goes the same way back.

use crate::{
    Tape, Var,
    ops::elementwise::add_scaled,
    tape::{Backward, Op},
};

impl Tape {
    /// x (N, D) -> y of another shape with as many elements, such as the tokens of a window side by side.
    ///
    /// # Panics
    /// If the number of elements differs.
    pub fn reshape(&mut self, x: Var, shape: (usize, usize)) -> Var {
        assert_eq!(self.values.get(x).len(), shape.0 * shape.1, "reshaping keeps the number of elements");
        let y = self.pool.copy(self.values.get(x));
        let needs = self.values.needs_grad(x);
        self.push(y, shape, needs, || Some(Reshape { x }))
    }
}

struct Reshape {
    x: Var,
}

impl Op for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn backward(&mut self, dy: &[f32], cx: &mut Backward<'_>) {
        cx.contribute(self.x, |at, g, fresh| add_scaled(g, &dy[at..], 1.0, fresh));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Params,
        ops::testing::{check_gradients, numbers, weighted_sum},
    };

    #[test]
    fn gradients_and_order() {
        let x = numbers(12, 1);
        check_gradients(&mut Params::new(), &[(&x, (3, 4))], &|t, _, v| {
            let y = t.reshape(v[0], (6, 2));
            let y = t.gather_rows(y, &[5, 1, 1]);
            weighted_sum(t, y);
        });
        let mut t = Tape::inference();
        let v = t.input(&x, (3, 4));
        let y = t.reshape(v, (1, 12));
        assert_eq!((t.value(y), t.shape(y)), (&x[..], (1, 12)));
    }
}
