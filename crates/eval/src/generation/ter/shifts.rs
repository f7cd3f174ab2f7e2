//! Shifts of runs of words, one by one, each the best at its time.

use super::alignment::Alignment;

/// Longest run that is shifted.
const LONGEST: usize = 10;
/// How far apart the places of a run in both texts may be.
const REACH: usize = 50;
/// Shifts tried for a pair of texts.
const TRIES: usize = 1000;

/// Edits of a hypothesis to a reference, shifts included.
pub(super) fn edits(hypothesis: &[u32], reference: &[u32]) -> usize {
    if reference.is_empty() {
        return hypothesis.len();
    }
    let (mut words, mut shifts, mut tries) = (hypothesis.to_vec(), 0, 0);
    loop {
        let alignment = Alignment::new(&words, reference);
        let best = best_shift(&words, reference, &alignment, &mut tries);
        // Out of tries, the last round does not count.
        match best.filter(|best| tries < TRIES && best.saved > 0) {
            Some(best) => words = best.words,
            None => return shifts + alignment.edits,
        }
        shifts += 1;
    }
}

struct Shift {
    /// Edits that it makes needless; may be below 0.
    saved: isize,
    length: usize,
    start: usize,
    target: usize,
    words: Vec<u32>,
}

impl Shift {
    /// What saves most comes first, then the longest, then what comes from furthest ahead, then what goes there.
    fn beats(&self, other: &Shift) -> bool {
        let rank = |s: &Shift| (s.saved, s.length, std::cmp::Reverse((s.start, s.target)));
        rank(self) > rank(other)
    }
}

fn best_shift(words: &[u32], reference: &[u32], alignment: &Alignment, tries: &mut usize) -> Option<Shift> {
    let mut best: Option<Shift> = None;
    for (start, to, length) in common_runs(words, reference) {
        let run = start..start + length;
        // Only words that are wrong move, and only to where the reference is not met yet, and not within themselves.
        if !alignment.hypothesis_wrong[run.clone()].contains(&true)
            || !alignment.reference_wrong[to..to + length].contains(&true)
            || alignment.behind[to].checked_sub(1).is_some_and(|against| run.contains(&against))
        {
            continue;
        }
        let mut last = None;
        for offset in 0..=length {
            // Before the run's place in the reference, then behind each of its words.
            let target = if to + offset == 0 { 0 } else { alignment.behind[to + offset - 1] };
            if last.replace(target) == Some(target) {
                continue;
            }
            let shifted = shift(words, start, length, target);
            let saved = alignment.edits as isize - Alignment::edits(&shifted, reference) as isize;
            let candidate = Shift { saved, length, start, target, words: shifted };
            *tries += 1;
            if best.as_ref().is_none_or(|best| candidate.beats(best)) {
                best = Some(candidate);
            }
        }
        if *tries >= TRIES {
            break;
        }
    }
    best
}

/// Every run that both texts have: its start in the words, its start in the reference, its length.
fn common_runs<'a>(words: &'a [u32], reference: &'a [u32]) -> impl Iterator<Item = (usize, usize, usize)> + 'a {
    let pairs = (0..words.len()).flat_map(move |start| (0..reference.len()).map(move |to| (start, to)));
    pairs.filter(|(start, to)| start.abs_diff(*to) <= REACH).flat_map(move |(start, to)| {
        let equal = words[start..].iter().zip(&reference[to..]).take(LONGEST).take_while(|(a, b)| a == b).count();
        (1..=equal).map(move |length| (start, to, length))
    })
}

/// The words with a run of them moved to `target`; a target within the run counts from the run's end.
fn shift(words: &[u32], start: usize, length: usize, target: usize) -> Vec<u32> {
    let end = start + length;
    let (run, n) = (&words[start..end], words.len());
    if target < start {
        [&words[..target], run, &words[target..start], &words[end..]].concat()
    } else {
        let to = if target > end { target } else { n.min(length + target) };
        [&words[..start], &words[end..to], run, &words[to..]].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_move_both_ways() {
        let words = [1, 2, 3, 4, 5, 6];
        assert_eq!(shift(&words, 3, 2, 1), [1, 4, 5, 2, 3, 6]);
        assert_eq!(shift(&words, 0, 2, 5), [3, 4, 5, 1, 2, 6]);
        assert_eq!(shift(&words, 1, 2, 2), [1, 4, 2, 3, 5, 6]);
        assert_eq!(shift(&words, 4, 2, 5), words);
    }

    #[test]
    fn a_shift_is_one_edit() {
        assert_eq!(edits(&[5, 6, 1, 2, 3, 4], &[1, 2, 3, 4, 5, 6]), 1);
        assert_eq!(edits(&[5, 6, 1, 2, 9, 4], &[1, 2, 3, 4, 5, 6]), 2);
        assert_eq!(edits(&[], &[1, 2]), 2);
    }

    #[test]
    fn tries_are_bounded() {
        let (a, b): (Vec<u32>, Vec<u32>) = ((0..60).map(|i| i % 3).collect(), (0..60).map(|i| i % 4).collect());
        assert!(edits(&a, &b) <= 60);
    }
}
