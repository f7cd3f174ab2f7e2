//! The labels of a sample sentence: small closed sets, each value with its name.

use serde::{Deserialize, Serialize};

macro_rules! factor {
    ($(#[$doc:meta])* $name:ident { $($(#[$value_doc:meta])* $value:ident = $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$value_doc])* #[serde(rename = $text)] $value,)+
        }

        impl $name {
            /// Every value.
            pub const ALL: &[Self] = &[$(Self::$value),+];
            /// The name of every value, in the same order.
            pub const NAMES: &[&str] = &[$($text),+];

            /// The value's name, as in a label column.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$value => $text,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
}

factor! {
    /// What a sentence is about.
    Topic {
        /// Cooking and eating.
        Food = "food",
        /// Places to see.
        Travel = "travel",
        /// Sky and storms.
        Weather = "weather",
        /// Papers and projects.
        Work = "work",
        /// Songs and tunes.
        Music = "music",
        /// Matches and races.
        Sport = "sport",
    }
}

factor! {
    /// How it is judged.
    Sentiment {
        /// Well.
        Positive = "positive",
        /// Badly.
        Negative = "negative",
    }
}

factor! {
    /// When it happens.
    Tense {
        /// It has happened.
        Past = "past",
        /// It happens again and again.
        Present = "present",
        /// It will happen.
        Future = "future",
    }
}

factor! {
    /// The number of the subject of the main clause.
    Number {
        /// One.
        Singular = "singular",
        /// More.
        Plural = "plural",
    }
}

factor! {
    /// The language.
    Language {
        /// English.
        English = "en",
        /// Chinese.
        Chinese = "zh",
    }
}

factor! {
    /// One of the labels, by name.
    Factor {
        /// [`Topic`]
        Topic = "topic",
        /// [`Sentiment`]
        Sentiment = "sentiment",
        /// [`Tense`]
        Tense = "tense",
        /// [`Number`]
        Number = "number",
        /// [`Language`]
        Language = "language",
    }
}

impl Factor {
    /// The names of the values that it takes.
    pub fn values(self) -> &'static [&'static str] {
        match self {
            Self::Topic => Topic::NAMES,
            Self::Sentiment => Sentiment::NAMES,
            Self::Tense => Tense::NAMES,
            Self::Number => Number::NAMES,
            Self::Language => Language::NAMES,
        }
    }
}

/// The labels that one language's rules depend on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Labels {
    pub topic: Topic,
    pub sentiment: Sentiment,
    pub tense: Tense,
    pub number: Number,
}

impl Labels {
    /// Every combination, in a fixed order.
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for &topic in Topic::ALL {
            for &sentiment in Sentiment::ALL {
                for &tense in Tense::ALL {
                    all.extend(Number::ALL.iter().map(|&number| Self { topic, sentiment, tense, number }));
                }
            }
        }
        all
    }

    /// The value of the variable `{name}` of a rule.
    pub fn value(self, name: &str) -> Option<&'static str> {
        match name {
            "topic" => Some(self.topic.name()),
            "sentiment" => Some(self.sentiment.name()),
            "tense" => Some(self.tense.name()),
            "number" => Some(self.number.name()),
            _ => None,
        }
    }
}
