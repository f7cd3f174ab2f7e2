//! Elements of HTML and SVG as values: balanced by construction, every text escaped.
//!
//! What a page shows comes from corpora and from models, so any text may hold markup, control characters or the marks
//! that turn the direction of writing. A `&str` put into an [`Element`] or set as an attribute is therefore always
//! escaped (see [`escape_into`]); markup as it stands can only be a literal of the program, [`Raw`].

use std::fmt::{Display, Write};

/// Something that can be put into an element.
pub trait Part {
    /// Appends the markup.
    fn write(self, out: &mut String);
}

/// An element under construction.
#[derive(Debug, Clone)]
pub struct Element {
    name: &'static str,
    attributes: String,
    content: String,
}

/// Markup written in the program itself. `'static`, so that no text met at run time can be passed by mistake.
#[derive(Debug, Clone, Copy)]
pub struct Raw(pub &'static str);

/// An element of this name without attributes and content.
pub fn element(name: &'static str) -> Element {
    Element { name, attributes: String::new(), content: String::new() }
}

impl Element {
    /// Sets an attribute. Set each name once.
    #[must_use]
    pub fn set(mut self, name: &'static str, value: impl Display) -> Self {
        let _ = write!(self.attributes, " {name}=\"");
        escape_into(&value.to_string(), &mut self.attributes);
        self.attributes.push('"');
        self
    }

    /// Sets the class.
    #[must_use]
    pub fn class(self, value: &'static str) -> Self {
        if value.is_empty() { self } else { self.set("class", value) }
    }

    /// Appends to the content.
    #[must_use]
    pub fn put(mut self, part: impl Part) -> Self {
        part.write(&mut self.content);
        self
    }

    /// Whether nothing was put in.
    pub fn is_empty(&self) -> bool {
        self.content.is_empty()
    }

    /// The markup.
    pub fn markup(self) -> String {
        let mut out = String::with_capacity(self.content.len() + self.attributes.len() + 2 * self.name.len() + 5);
        self.write(&mut out);
        out
    }
}

impl Part for Element {
    fn write(self, out: &mut String) {
        let _ = write!(out, "<{}{}>", self.name, self.attributes);
        if !is_void(self.name) {
            let _ = write!(out, "{}</{}>", self.content, self.name);
        }
    }
}

impl Part for Raw {
    fn write(self, out: &mut String) {
        out.push_str(self.0);
    }
}

impl Part for &str {
    fn write(self, out: &mut String) {
        escape_into(self, out);
    }
}

impl Part for String {
    fn write(self, out: &mut String) {
        escape_into(&self, out);
    }
}

impl Part for &String {
    fn write(self, out: &mut String) {
        escape_into(self, out);
    }
}

impl<P: Part> Part for Option<P> {
    fn write(self, out: &mut String) {
        if let Some(part) = self {
            part.write(out);
        }
    }
}

impl<P: Part> Part for Vec<P> {
    fn write(self, out: &mut String) {
        self.into_iter().for_each(|part| part.write(out));
    }
}

/// Elements of HTML that have no content and no end tag.
pub(crate) fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img" | "input" | "link" | "meta" | "wbr")
}

/// Appends a text so that it shows as itself, in content and in quoted attributes alike.
///
/// Markup characters become entities. Characters that are not seen or that act on their surroundings become visible:
/// control characters their pictures (`␛`), line ends `↵`, tabs `⇥`, and the marks of writing direction, invisible
/// separators and noncharacters their number in angle brackets (`⟨U+202E⟩`). The joiners inside emoji and in Persian or
/// Indic words stay as they are; so do the tags behind a black flag, which spell the flags of Scotland or Wales.
pub fn escape_into(text: &str, out: &mut String) {
    let mut in_flag = false;
    for c in text.chars() {
        in_flag = c == '\u{1F3F4}' || (in_flag && is_tag(c));
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('↵'),
            '\t' => out.push('⇥'),
            '\0'..='\x1f' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or(' ')),
            '\x7f' => out.push('␡'),
            c if (is_tag(c) && !in_flag) || is_meddling(c) => {
                let _ = write!(out, "⟨U+{:04X}⟩", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// Tag characters: invisible twins of ASCII.
fn is_tag(c: char) -> bool {
    matches!(c, '\u{E0000}'..='\u{E007F}')
}

/// Characters that are unseen or act on their surroundings: C1 controls, direction marks, invisible separators and
/// operators, annotation marks, noncharacters.
fn is_meddling(c: char) -> bool {
    matches!(c,
        '\u{80}'..='\u{9f}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{fdd0}'..='\u{fdef}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// The first `most` characters of a text, and how many were left out.
pub fn cut(text: &str, most: usize) -> (&str, usize) {
    match text.char_indices().nth(most) {
        Some((at, _)) => (&text[..at], text[at..].chars().count()),
        None => (text, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        let mut out = String::new();
        escape_into(text, &mut out);
        out
    }

    #[test]
    fn markup_characters_are_entities_in_content_and_attributes() {
        let e = element("p").set("title", "\"><b>'&").put("<script>alert('x')</script>").put(Raw("<br>"));
        assert_eq!(
            e.markup(),
            "<p title=\"&quot;&gt;&lt;b&gt;&#39;&amp;\">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;<br></p>"
        );
    }

    #[test]
    fn unseen_characters_become_visible() {
        assert_eq!(escaped("a\u{202e}b\u{2066}c"), "a⟨U+202E⟩b⟨U+2066⟩c");
        assert_eq!(escaped("\x1b[1m\0\n\t\x7f\u{85}"), "␛[1m␀↵⇥␡⟨U+0085⟩");
        assert_eq!(escaped("\u{ffff}\u{10fffe}\u{feff}\u{e0041}"), "⟨U+FFFF⟩⟨U+10FFFE⟩⟨U+FEFF⟩⟨U+E0041⟩");
    }

    #[test]
    fn other_scripts_and_emoji_stay() {
        let scotland = "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}";
        for text in ["火车 한국 สวัสดี", "می\u{200c}خواهم", "👩\u{200d}🚀 ❤\u{fe0f}", scotland]
        {
            assert_eq!(escaped(text), text);
        }
    }

    #[test]
    fn void_elements_have_no_end() {
        assert_eq!(element("div").put(element("br")).put(Some("x")).put(None::<&str>).markup(), "<div><br>x</div>");
    }

    #[test]
    fn cuts_between_characters() {
        assert_eq!(cut("火车站", 2), ("火车", 1));
        assert_eq!(cut("火车", 2), ("火车", 0));
    }
}
