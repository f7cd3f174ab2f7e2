//! Very long records: cut into pieces at the ends of sentences, or shortened.

/// `text` as pieces of at most `max` characters: cut behind the last end of a sentence in the
/// second half of the room, else at the last blank there, else in mid-word. Blanks at a cut go.
pub(super) fn split(text: &str, max: usize) -> Vec<&str> {
    let max = max.max(1);
    let mut pieces = Vec::new();
    let mut rest = text.trim();
    while let Some((end, _)) = rest.char_indices().nth(max) {
        // When the room ends right before a blank, all of it is whole words.
        let at_blank = rest[end..].starts_with(char::is_whitespace);
        let cut = best_cut(&rest[..end], at_blank);
        let (piece, tail) = rest.split_at(cut);
        pieces.push(piece.trim_end());
        rest = tail.trim_start();
    }
    if !rest.is_empty() {
        pieces.push(rest);
    }
    pieces
}

/// `text` shortened to `max` characters, at a blank if there is one in the second half.
pub(super) fn truncate(text: &str, max: usize) -> &str {
    let max = max.max(1);
    match text.char_indices().nth(max) {
        None => text,
        Some((end, _)) => {
            let room = &text[..end];
            let whole = text[end..].starts_with(char::is_whitespace);
            let cut = if whole { end } else { last_blank(room).unwrap_or(end) };
            let kept = room[..cut].trim_end();
            if kept.is_empty() { room } else { kept }
        }
    }
}

fn best_cut(room: &str, at_blank: bool) -> usize {
    let half = room.len() / 2;
    let sentence = room
        .char_indices()
        .filter(|&(i, c)| {
            let after = &room[i + c.len_utf8()..];
            match c {
                '。' | '！' | '？' | '\n' => true,
                '.' | '!' | '?' => after.starts_with(char::is_whitespace) || after.is_empty() && at_blank,
                _ => false,
            }
        })
        .map(|(i, c)| i + c.len_utf8())
        .next_back()
        .filter(|&cut| cut > half);
    sentence.or(at_blank.then_some(room.len())).or_else(|| last_blank(room)).unwrap_or(room.len())
}

fn last_blank(room: &str) -> Option<usize> {
    room.rfind(char::is_whitespace).filter(|&i| i > room.len() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_at_sentences_then_blanks_then_anywhere() {
        assert_eq!(split("One two. Three four five", 12), ["One two.", "Three four", "five"]);
        assert_eq!(split("abcdefghij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(split("今天很好。明天也好。", 6), ["今天很好。", "明天也好。"]);
        assert_eq!(truncate("one two three", 9), "one two");
        assert_eq!(truncate("short", 9), "short");
    }

    proptest! {
        #[test]
        fn nothing_but_blanks_is_lost(text in "[a-c.。 \n]{0,80}", max in 1usize..20) {
            let pieces = split(&text, max);
            let bare = |s: &str| s.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&pieces.concat()), bare(&text));
            prop_assert!(pieces.iter().all(|p| !p.is_empty() && p.chars().count() <= max));
            prop_assert!(truncate(&text, max).chars().count() <= max);
        }
    }
}
