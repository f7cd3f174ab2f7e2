//! Where two texts differ, word by word.

/// A stretch of a text, with whether it also stands in the other text at its place. An empty one that does not is a
/// gap: the other text has words there, and this one nothing instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch<'a> {
    pub text: &'a str,
    pub same: bool,
}

/// Most pairs of words that are compared; longer texts are marked as a whole between their common ends.
const COMPARED: usize = 400_000;

/// Both texts cut into stretches that are in both, in order, and stretches that are not: the longest common
/// subsequence of their words. Spaces are not compared; a space between two words that differ belongs to them.
///
/// A word is a run of letters, digits and marks, a single punctuation character, or a single character of a script
/// written without spaces.
pub fn differences<'a>(a: &'a str, b: &'a str) -> (Vec<Stretch<'a>>, Vec<Stretch<'a>>) {
    let (words_a, words_b) = (words(a), words(b));
    let (same_a, same_b) = common(&words_a, &words_b);
    (stretches(a, &words_a, &same_a, &gaps(&same_a, &same_b)), stretches(b, &words_b, &same_b, &gaps(&same_b, &same_a)))
}

/// Whether two texts have the same words.
pub fn equal(a: &str, b: &str) -> bool {
    words(a) == words(b)
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Space,
    Word,
    Single,
}

fn kind(c: char) -> Kind {
    let east_asian = matches!(u32::from(c),
        0x2e80..=0x2fdf | 0x3000..=0x9fff | 0xf900..=0xfaff | 0xff00..=0xffef | 0x20000..=0x3ffff);
    match c {
        _ if c.is_whitespace() => Kind::Space,
        _ if east_asian || (c.is_ascii_punctuation() && c != '\'' && c != '_') => Kind::Single,
        _ => Kind::Word,
    }
}

fn words(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((from, c)) = chars.next() {
        if kind(c) == Kind::Word {
            while chars.next_if(|(_, c)| kind(*c) == Kind::Word).is_some() {}
        }
        if kind(c) != Kind::Space {
            out.push(&text[from..chars.peek().map_or(text.len(), |p| p.0)]);
        }
    }
    out
}

/// Which words of each text belong to the longest common subsequence.
fn common(a: &[&str], b: &[&str]) -> (Vec<bool>, Vec<bool>) {
    let (mut same_a, mut same_b) = (vec![false; a.len()], vec![false; b.len()]);
    let start = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let end = a[start..].iter().rev().zip(b[start..].iter().rev()).take_while(|(x, y)| x == y).count();
    for same in [&mut same_a, &mut same_b] {
        let n = same.len();
        same[..start].fill(true);
        same[n - end..].fill(true);
    }
    let (a, b) = (&a[start..a.len() - end], &b[start..b.len() - end]);
    if a.len().saturating_mul(b.len()) > COMPARED {
        return (same_a, same_b);
    }
    // longest[i][j]: length of the longest common subsequence of a[i..] and b[j..].
    let columns = b.len() + 1;
    let mut longest = vec![0u32; (a.len() + 1) * columns];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * columns + j] = match a[i] == b[j] {
                true => 1 + longest[(i + 1) * columns + j + 1],
                false => longest[(i + 1) * columns + j].max(longest[i * columns + j + 1]),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            (same_a[start + i], same_b[start + j]) = (true, true);
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * columns + j] >= longest[i * columns + j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    (same_a, same_b)
}

/// Before which words of a text (and whether after the last) the other text alone has words.
fn gaps(same: &[bool], other: &[bool]) -> Vec<bool> {
    let mut gaps = vec![false; same.len() + 1];
    let (mut i, mut j) = (0, 0);
    loop {
        let new = same[i..].iter().take_while(|s| !**s).count();
        let lost = other[j..].iter().take_while(|s| !**s).count();
        gaps[i] = new == 0 && lost > 0;
        (i, j) = (i + new + 1, j + lost + 1);
        if i > same.len() || j > other.len() {
            return gaps;
        }
    }
}

/// Joins neighbouring words of one kind with the spaces between them.
fn stretches<'a>(text: &'a str, words: &[&'a str], same: &[bool], gaps: &[bool]) -> Vec<Stretch<'a>> {
    let mut out: Vec<Stretch> = Vec::new();
    let offset = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let mut done = 0;
    let mut i = 0;
    while i < words.len() {
        if gaps[i] {
            out.push(Stretch { text: "", same: false });
        }
        let run = 1 + (i + 1..same.len()).take_while(|&k| same[k] == same[i] && !gaps[k]).count();
        let (from, last) = (offset(words[i]), words[i + run - 1]);
        let to = offset(last) + last.len();
        if same[i] {
            // The spaces around words that differ belong to the others.
            let to = words.get(i + run).map_or(text.len(), |next| offset(next));
            out.push(Stretch { text: &text[done..to], same: true });
            done = to;
        } else {
            if done < from {
                out.push(Stretch { text: &text[done..from], same: true });
            }
            out.push(Stretch { text: &text[from..to], same: false });
            done = to;
        }
        i += run;
    }
    if gaps[words.len()] {
        out.push(Stretch { text: "", same: false });
    }
    if done < text.len() {
        out.push(Stretch { text: &text[done..], same: true });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The text with its differing stretches in brackets.
    fn marked(stretches: &[Stretch]) -> String {
        stretches
            .iter()
            .map(|s| match (s.same, s.text) {
                (true, text) => text.to_string(),
                (false, "") => "_".to_string(),
                (false, text) => format!("[{text}]"),
            })
            .collect()
    }

    fn both(a: &str, b: &str) -> (String, String) {
        let (a, b) = differences(a, b);
        (marked(&a), marked(&b))
    }

    #[test]
    fn words_that_differ_are_marked_in_both() {
        let (a, b) = both("a red kite flies over it", "a blue kite flies.");
        assert_eq!((&a[..], &b[..]), ("a [red] kite flies [over it]", "a [blue] kite flies[.]"));
        // Where words are missing and nothing came instead there is a gap.
        assert_eq!(both("one two three four", "two four").1, "_two _four");
        assert_eq!(both("one two", "one"), ("one [two]".into(), "one_".into()));
        assert_eq!(both("same  text", "same text"), ("same  text".into(), "same text".into()));
        assert!(equal("same  text", "same text") && !equal("same text", "sametext"));
    }

    #[test]
    fn empty_texts_and_scripts_without_spaces() {
        assert_eq!(both("", "new"), ("_".into(), "[new]".into()));
        assert_eq!(both(" ", ""), (" ".into(), "".into()));
        assert_eq!(both("我坐火车去", "我坐汽车去"), ("我坐[火]车去".into(), "我坐[汽]车去".into()));
        assert_eq!(both("👩\u{200d}🚀 ok", "👩 ok"), ("[👩\u{200d}🚀] ok".into(), "[👩] ok".into()));
    }

    #[test]
    fn stretches_make_up_the_text() {
        let words = ["a", "b", "a", " ", "b", ".", "火", "\u{301}", "  "];
        for seed in 0..300u32 {
            let text = |s: u32| {
                (0..12)
                    .map(|i| words[(s.wrapping_mul(2654435761 + 97 * i) >> 16) as usize % words.len()])
                    .collect::<String>()
            };
            let (a, b) = (text(seed), text(seed * 31 + 7));
            let (x, y) = differences(&a, &b);
            assert_eq!(x.iter().map(|s| s.text).collect::<String>(), a);
            assert_eq!(y.iter().map(|s| s.text).collect::<String>(), b);
            // What is the same in both is the same text, spaces aside.
            let same = |v: &[Stretch]| {
                v.iter()
                    .filter(|s| s.same)
                    .flat_map(|s| s.text.chars())
                    .filter(|c| !c.is_whitespace())
                    .collect::<String>()
            };
            assert_eq!(same(&x), same(&y));
        }
    }

    #[test]
    fn very_long_texts_end_in_time() {
        let a: String = (0..4000).map(|i| format!("a{i} ")).collect();
        let b: String = (0..4000).map(|i| format!("b{i} ")).collect();
        let (x, _) = differences(&a, &b);
        assert_eq!(x.len(), 2); // one stretch and the space at the end
    }
}
