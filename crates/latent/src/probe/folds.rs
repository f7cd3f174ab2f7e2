//! Dealing rows out to folds so that each holds its share of every class.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The rows of each fold, in order: those of a class are shuffled and dealt out in turn, each class going on where the
/// one before it ended, so that folds differ by at most one row, in a class and in all. `codes` is the class of each of
/// the rows `which`.
pub(crate) fn stratified(which: &[usize], codes: &[usize], folds: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let classes = codes.iter().max().map_or(0, |c| c + 1);
    let mut dealt = vec![Vec::new(); folds];
    let mut next = 0;
    for class in 0..classes {
        let mut rows: Vec<usize> = which.iter().zip(codes).filter(|p| *p.1 == class).map(|p| *p.0).collect();
        rows.shuffle(&mut rng);
        for row in rows {
            dealt[next % folds].push(row);
            next += 1;
        }
    }
    dealt.iter_mut().for_each(|fold| fold.sort_unstable());
    dealt
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_row_is_in_one_fold_and_classes_are_spread(
            codes in proptest::collection::vec(0usize..4, 1..60), folds in 2usize..7, seed: u64,
        ) {
            let which: Vec<usize> = (0..codes.len()).map(|i| 3 * i).collect();
            let dealt = stratified(&which, &codes, folds, seed);
            let mut all = dealt.concat();
            all.sort_unstable();
            prop_assert_eq!(&all, &which);
            for class in 0..5 {
                let counts = dealt.iter().map(|f| f.iter().filter(|&&i| class == 4 || codes[i / 3] == class).count());
                let counts: Vec<usize> = counts.collect();
                prop_assert!(counts.iter().max().unwrap() - counts.iter().min().unwrap() <= 1, "{counts:?}");
            }
        }
    }

    #[test]
    fn another_seed_deals_otherwise() {
        let (which, codes): (Vec<usize>, Vec<usize>) = (0..50).map(|i| (i, i % 2)).unzip();
        assert_eq!(stratified(&which, &codes, 5, 1), stratified(&which, &codes, 5, 1));
        assert_ne!(stratified(&which, &codes, 5, 1), stratified(&which, &codes, 5, 2));
    }
}
