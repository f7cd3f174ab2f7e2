//! The cheapest edits without shifts near the diagonal, and which word stands against which.

/// How far from the diagonal is searched.
const BEAM: usize = 25;
/// The cost of a cell that was not reached.
const FAR: usize = usize::MAX / 2;

/// What makes the hypothesis of the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edit {
    Keep,
    Replace,
    /// A word of the hypothesis has no counterpart.
    Surplus,
    /// A word of the reference has none.
    Missing,
}

/// A hypothesis beside a reference.
#[derive(Debug, Default)]
pub(super) struct Alignment {
    /// Edits without shifts.
    pub edits: usize,
    /// For each word of the reference the place in the hypothesis behind the word that it stands against: 0 is the start.
    pub behind: Vec<usize>,
    /// Whether each word of the reference is edited.
    pub reference_wrong: Vec<bool>,
    /// Whether each word of the hypothesis is edited.
    pub hypothesis_wrong: Vec<bool>,
}

impl Alignment {
    /// Aligns by the recurrence of Levenshtein in a band; of equal edits a replacement is taken first, then a surplus
    /// word, then a missing one.
    pub fn new(hypothesis: &[u32], reference: &[u32]) -> Self {
        let table = Table::new(hypothesis, reference);
        let mut path = Vec::new();
        let (mut h, mut r) = (hypothesis.len(), reference.len());
        while h > 0 || r > 0 {
            let edit = match (h, r) {
                (0, _) => Edit::Missing,
                (_, 0) => Edit::Surplus,
                _ => table.at(h, r).1,
            };
            path.push(edit);
            h -= usize::from(edit != Edit::Missing);
            r -= usize::from(edit != Edit::Surplus);
        }
        let mut out = Self { edits: table.edits(), ..Self::default() };
        for edit in path.into_iter().rev() {
            if edit != Edit::Missing {
                out.hypothesis_wrong.push(edit != Edit::Keep);
            }
            if edit != Edit::Surplus {
                out.reference_wrong.push(edit != Edit::Keep);
                out.behind.push(out.hypothesis_wrong.len());
            }
        }
        out
    }

    /// The edits alone.
    pub fn edits(hypothesis: &[u32], reference: &[u32]) -> usize {
        Table::new(hypothesis, reference).edits()
    }
}

/// Cost and last edit of every pair of prefixes.
struct Table {
    cells: Vec<(usize, Edit)>,
    width: usize,
}

impl Table {
    fn new(hypothesis: &[u32], reference: &[u32]) -> Self {
        let width = reference.len() + 1;
        let mut table = Self { cells: vec![(FAR, Edit::Keep); (hypothesis.len() + 1) * width], width };
        (0..width).for_each(|r| table.cells[r] = (r, Edit::Missing));
        let slope = reference.len() as f64 / hypothesis.len().max(1) as f64;
        // Rows of very unequal lengths must still overlap.
        let beam = if BEAM as f64 >= slope / 2.0 { BEAM } else { (slope / 2.0 + BEAM as f64).ceil() as usize };
        for h in 1..=hypothesis.len() {
            let diagonal = (h as f64 * slope).floor() as usize;
            let to = if h == hypothesis.len() { width } else { width.min(diagonal + beam) };
            for r in diagonal.saturating_sub(beam)..to {
                table.cells[h * width + r] = table.best(h, r, r > 0 && hypothesis[h - 1] == reference[r - 1]);
            }
        }
        table
    }

    fn best(&self, h: usize, r: usize, equal: bool) -> (usize, Edit) {
        let surplus = (self.at(h - 1, r).0 + 1, Edit::Surplus);
        if r == 0 {
            return surplus;
        }
        let kept = if equal { (0, Edit::Keep) } else { (1, Edit::Replace) };
        let replaced = (self.at(h - 1, r - 1).0 + kept.0, kept.1);
        let missing = (self.at(h, r - 1).0 + 1, Edit::Missing);
        [surplus, missing].into_iter().fold(replaced, |best, x| if x.0 < best.0 { x } else { best })
    }

    fn at(&self, h: usize, r: usize) -> (usize, Edit) {
        self.cells[h * self.width + r]
    }

    fn edits(&self) -> usize {
        self.cells[self.cells.len() - 1].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit_distance::EditDistance;

    #[test]
    fn within_the_band_it_is_the_edit_distance() {
        let texts = [vec![], vec![3], vec![3, 4, 5, 6], vec![4, 5, 3, 3, 6, 7], vec![7, 6, 5, 4, 3, 3, 3, 9]];
        for a in &texts {
            for b in &texts {
                assert_eq!(Alignment::edits(a, b), EditDistance::new(a).to(b), "{a:?} {b:?}");
            }
        }
    }

    #[test]
    fn an_alignment_worked_by_hand() {
        let alignment = Alignment::new(&[3, 4, 5], &[3, 6, 5, 7]);
        assert_eq!((alignment.edits, &alignment.behind[..]), (2, &[1, 2, 3, 3][..]));
        assert_eq!(alignment.hypothesis_wrong, [false, true, false]);
        assert_eq!(alignment.reference_wrong, [false, true, false, true]);
    }

    #[test]
    fn very_unequal_lengths_are_aligned() {
        let long: Vec<u32> = (3..403).collect();
        assert_eq!((Alignment::new(&[200], &long).edits, Alignment::new(&long, &[200]).edits), (399, 399));
    }
}
