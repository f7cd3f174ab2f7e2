//! Meanings as they are written: `slot[value], slot[value]`.

use thiserror::Error;

/// What a text is to say: slots and their values, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    /// Names of slots, lower case and without blanks, and their values in plain form.
    pub(super) slots: Vec<(String, String)>,
}

/// Why a text is no meaning.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no meaning; slots are written `name[value]`, with commas between them")]
pub struct MeaningError(String);

impl Meaning {
    /// Reads a meaning.
    ///
    /// ```
    /// use strait_eval::generation::Meaning;
    /// assert_eq!(Meaning::parse("name[Blue Spice], priceRange[£ 20 - 25]")?.len(), 2);
    /// assert!(Meaning::parse("name: Blue Spice").is_err());
    /// # Ok::<(), strait_eval::generation::MeaningError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, MeaningError> {
        let error = || MeaningError(text.into());
        let (mut slots, mut rest) = (Vec::new(), text.trim());
        loop {
            let (name, behind) = rest.split_once('[').ok_or_else(error)?;
            let (value, behind) = behind.split_once(']').ok_or_else(error)?;
            let key: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
            let value = plain(value);
            if key.is_empty() || name.contains([',', ']']) || value.is_empty() {
                return Err(error());
            }
            slots.push((key, value));
            match behind.trim_start() {
                "" => return Ok(Self { slots }),
                more => rest = more.strip_prefix(',').ok_or_else(error)?,
            }
        }
    }

    /// Number of slots.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is no slot; never of one that was read.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// A text in lower case, without accents of Latin letters and without marks but £; one blank between any two words.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.to_lowercase().chars() {
        match c {
            'à'..='å' => out.push('a'),
            'è'..='ë' => out.push('e'),
            'ì'..='ï' => out.push('i'),
            'ò'..='ö' => out.push('o'),
            'ù'..='ü' => out.push('u'),
            'ç' => out.push('c'),
            'ñ' => out.push('n'),
            '£' => out.push_str(" £ "),
            c if c.is_alphanumeric() => out.push(c),
            _ => out.push(' '),
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_put_in_one_form() {
        let meaning = Meaning::parse(" customer rating[5  out of 5],eatType[pub] ").unwrap();
        let slot = |name: &str, value: &str| (name.to_string(), value.to_string());
        assert_eq!(meaning.slots, [slot("customerrating", "5 out of 5"), slot("eattype", "pub")]);
        assert_eq!(Meaning::parse("price[£20-25], near[The Café]"), Meaning::parse("price[£ 20 - 25], near[the cafe]"));
    }

    #[test]
    fn what_is_no_meaning_is_named() {
        for bad in ["", "name", "name[", "name[x", "name[x] area[y]", "name[x],", "[x]", "name[]", "name[x]]"] {
            let error = Meaning::parse(bad).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{bad}` is no meaning")), "{error}");
        }
    }
}
