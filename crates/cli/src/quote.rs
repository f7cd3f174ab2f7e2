//! Texts in other places: on one line of output, in a command to paste.

use std::borrow::Cow;

/// A text on one line: line ends inside it are written as `\n` and `\r`.
pub fn one_line(text: &str) -> Cow<'_, str> {
    if !text.contains(['\n', '\r']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.replace('\n', "\\n").replace('\r', "\\r"))
}

/// A text for a person's eye: on one line, without control characters, cut to about `width` characters.
pub fn glimpse(text: &str, width: usize) -> String {
    let mut out: String =
        one_line(text).chars().map(|c| if c.is_control() { ' ' } else { c }).take(width + 1).collect();
    if out.chars().count() > width {
        out.pop();
        out.pop();
        out.push('…');
    }
    out
}

/// A word of a command line, quoted if a shell would take it apart.
pub fn shell(word: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// A command line that a shell takes apart into `words` again.
pub fn command<S: AsRef<str>>(words: &[S]) -> String {
    words.iter().map(|w| shell(w.as_ref())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_and_width() {
        assert_eq!(one_line("a\nb\r\nc"), r"a\nb\r\nc");
        assert_eq!(glimpse("abcdef", 6), "abcdef");
        assert_eq!(glimpse("abcdefg", 6), "abcde…");
        assert_eq!(glimpse("a\x1b[1mb", 9), "a [1mb");
    }

    #[test]
    fn a_shell_gives_the_words_back() {
        assert_eq!(command(&["strait", "a b", "", "it's", "-n", "火车"]), r"strait 'a b' '' 'it'\''s' -n 火车");
    }
}
