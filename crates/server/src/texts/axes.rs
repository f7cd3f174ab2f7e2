//! Principal axes of a model's latents: along what its texts differ most.

use strait::{
    Collection, Error, Model,
    latent::{Matrix, Principal},
};

/// Axes at most.
const MOST: usize = 16;
/// Draws of the prior that tell the axes where there are no texts.
const DRAWS: usize = 4096;
/// Texts shown at each end of an axis.
const SHOWN: usize = 3;

/// The axes, and the texts at their ends.
pub struct Axes {
    /// Whether they are those of texts, not of draws from the prior.
    pub of_texts: bool,
    pub principal: Principal,
    /// Of each axis the texts at its low and its high end, the outermost first; none without texts.
    pub ends: Vec<[Vec<String>; 2]>,
}

impl Axes {
    /// Of texts.
    ///
    /// # Errors
    /// With fewer than two texts.
    pub fn of_texts(collection: &Collection) -> Result<Self, Error> {
        let rows = collection.matrix()?;
        let principal = Principal::fit(rows, MOST)?;
        let mut ends = Vec::with_capacity(principal.directions.len());
        if !principal.directions.is_empty() {
            let places = principal.project(rows)?;
            for axis in 0..principal.directions.len() {
                let mut order: Vec<usize> = (0..rows.rows()).collect();
                order.sort_by(|&a, &b| places.row(a)[axis].total_cmp(&places.row(b)[axis]));
                let low = shown(collection, order.iter().copied());
                ends.push([low, shown(collection, order.iter().rev().copied())]);
            }
        }
        Ok(Axes { of_texts: true, principal, ends })
    }

    /// Of what the model draws by itself.
    ///
    /// # Errors
    /// If a draw is not finite, as those of a damaged model.
    pub fn of_prior(model: &Model) -> Result<Self, Error> {
        let draws = model.draw(DRAWS, 1);
        let principal = Principal::fit(Matrix::new(draws.data(), draws.dim())?, MOST)?;
        let ends = vec![[Vec::new(), Vec::new()]; principal.directions.len()];
        Ok(Axes { of_texts: false, principal, ends })
    }

    /// Number of axes.
    pub fn len(&self) -> usize {
        self.principal.directions.len()
    }

    /// Standard deviation along an axis.
    pub fn deviation(&self, axis: usize) -> f64 {
        self.principal.variances[axis].sqrt()
    }

    /// Where a latent lies along each axis, in standard deviations from the mean.
    pub fn positions(&self, latent: &[f32]) -> Vec<f64> {
        let along = |axis: &Vec<f64>| -> f64 {
            let centred = latent.iter().zip(&self.principal.mean).map(|(&z, mean)| f64::from(z) - mean);
            axis.iter().zip(centred).map(|(a, z)| a * z).sum()
        };
        self.principal.directions.iter().enumerate().map(|(i, axis)| along(axis) / self.deviation(i)).collect()
    }

    /// The latent moved by so many standard deviations along each axis; `amounts` beyond the last axis do nothing.
    pub fn moved(&self, latent: &[f32], amounts: &[f64]) -> Vec<f32> {
        let mut moved: Vec<f64> = latent.iter().map(|&z| f64::from(z)).collect();
        for (i, (axis, amount)) in self.principal.directions.iter().zip(amounts).enumerate() {
            let amount = amount * self.deviation(i);
            moved.iter_mut().zip(axis).for_each(|(z, a)| *z += amount * a);
        }
        moved.into_iter().map(|z| z as f32).collect()
    }
}

/// The first different texts of some rows.
fn shown(collection: &Collection, rows: impl Iterator<Item = usize>) -> Vec<String> {
    let mut shown: Vec<String> = Vec::with_capacity(SHOWN);
    for row in rows {
        let text = &collection.records()[row].text;
        if shown.len() == SHOWN {
            break;
        }
        if !shown.contains(text) {
            shown.push(text.clone());
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use strait::{Latents, Source, text::Record};

    use super::*;

    #[test]
    fn amounts_are_standard_deviations_and_positions_tell_them_back() {
        let texts = ["a", "b", "b", "c", "d"];
        let latents = Latents::new(vec![-2.0, 0.1, -1.0, -0.1, -1.0, 0.0, 1.0, 0.2, 3.0, -0.2], 2);
        let records = texts.iter().map(|&text| Record { text: text.into(), label: None }).collect();
        let source = Source { name: "made".into(), hash: String::new() };
        let axes = Axes::of_texts(&Collection::new(source, records, latents).unwrap()).unwrap();
        assert_eq!((axes.len(), axes.of_texts), (2, true));
        assert_eq!(
            axes.ends[0],
            [["a", "b", "c"].map(String::from).to_vec(), ["d", "c", "b"].map(String::from).to_vec()]
        );
        let before = axes.positions(&[0.5, 0.5]);
        let moved = axes.moved(&[0.5, 0.5], &[1.5, -0.5, 9.0]);
        let after = axes.positions(&moved);
        assert!((after[0] - before[0] - 1.5).abs() < 1e-5 && (after[1] - before[1] + 0.5).abs() < 1e-5, "{after:?}");
        assert!(axes.positions(&[0.0, 0.0])[0].abs() < 1e-6);
    }
}
