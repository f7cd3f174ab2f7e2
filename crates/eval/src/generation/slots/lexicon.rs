//! How restaurants' slots are said: those of the E2E NLG challenge (Novikova et al. 2017) but for names.
//!
//! Patterns run over texts in lower case, without marks but £. Several values of a slot may share a way to be said: that
//! which is meant is taken to be.

use super::meaning::plain;

/// Slot, value, ways to say it.
type Entry = (&'static str, &'static str, &'static [&'static str]);

const COFFEE: &[&str] = &["coffee(?: shops?| houses?| bars?| places?)?", "cafes?"];
const CENTRE: &[&str] = &[
    "(?:city|town) ?cent(?:re|er)",
    "cent(?:re|er) of (?:the )?(?:city|town)",
    "cent(?:re|er) city",
    "in the cent(?:re|er)",
    "(?:heart|middle) of (?:the )?(?:city|town)",
    "downtown",
    "inner city",
];
const RIVER: &[&str] = &["river ?side", "river ?(?:bank|front)", "the river", "waterfront"];
const CHEAP: &[&str] = &[
    "cheap(?:ly|er)?(?: price(?:s|d)?(?: range)?)?",
    "inexpensive(?:ly)?",
    "affordabl[ey]",
    "low(?:er)?(?: in)? (?:price(?:s|d)?|pricing|costs?)(?: range)?",
    "pric(?:es?|ing)(?: range)?(?: is| are| being| of| in| the| at| a| on| very| quite| fairly| rather| pretty| relatively){0,3} (?:low|cheap)",
    "(?:less than|under|below|lower than|up to) £? ?20",
    "£? ?20 (?:or less|and under)",
];
const MODERATE: &[&str] = &[
    "(?:moderate|reasonable|average|mid|medium|middle|fair|decent|okay|ok)(?:ly)?(?: range)? (?:price(?:s|d)?|pricing|costs?)(?: range)?",
    "pric(?:es?|ed|ing)(?: range)?(?: is| are| being| of| in| the| at| a| on| very| quite| fairly| rather| pretty| relatively){0,3} (?:moderate|reasonable|average|medium|mid)(?:ly)?",
    "£? ?20 (?:to |and |or |through )?(?:£ )?25",
    "affordabl[ey]",
    "moderately expensive",
];
const DEAR: &[&str] = &[
    "(?:high|higher|highly|expensive|upper|premium)(?: end)? (?:price(?:s|d)?|pricing|costs?)(?: range)?",
    "pric(?:es?|ed|ing)(?: range)?(?: is| are| being| of| in| the| at| a| on| very| quite| fairly| rather| pretty| relatively){0,3} (?:high|expensive)",
    "expensive",
    "(?:more than|over|above|exceeds?|exceeding|upwards of|higher than) £? ?30",
    "£? ?30 (?:or more|and up|plus)",
    "not cheap",
    "pric(?:e)?y",
    "high end",
    "costly",
];
const LOW: &[&str] = &[
    "(?:low|lower|lowly|poor|poorly|bad|badly|not (?:\\w+ )?(?:good|well|highly))(?: customers?| users?| service| quality){0,2}(?: s)? (?:ratings?|rated|reviews?|reviewed|satisfaction|scores?)",
    "(?:ratings?|rated?|reviews?|satisfaction)(?: customers?)?(?: is| are| of| as| it| at| a| an| very| by| only| quite){0,3} (?:low|lowly|poor|poorly|bad|badly)",
    "(?:1|one)(?: out of| of| out) (?:5|five)(?: stars?)?",
    "(?:1|one) stars?",
];
const AVERAGE: &[&str] = &[
    "(?:average|averagely|good|ok|okay|decent|mediocre|medium|moderate|moderately|fair|fairly)(?: customers?| users?| service| quality){0,2}(?: s)? (?:ratings?|rated|reviews?|reviewed|satisfaction|scores?)",
    "(?:ratings?|rated?|reviews?|satisfaction)(?: customers?)?(?: is| are| of| as| it| at| a| an| very| by| only| quite){0,3} (?:average|averagely|good|ok|okay|decent|mediocre|medium|moderate|moderately|fair|fairly)",
    "(?:3|three)(?: out of| of| out) (?:5|five)(?: stars?)?",
    "(?:3|three) stars?",
];
const HIGH: &[&str] = &[
    "(?:high|higher|highly|good|great|excellent|top|well|best|outstanding|superb|perfect|wonderful)(?: customers?| users?| service| quality){0,2}(?: s)? (?:ratings?|rated|reviews?|reviewed|satisfaction|scores?)",
    "(?:ratings?|rated?|reviews?|satisfaction)(?: customers?)?(?: is| are| of| as| it| at| a| an| very| by| only| quite){0,3} (?:high|highly|good|great|excellent|well)",
    "(?:5|five)(?: out of| of| out) (?:5|five)(?: stars?)?",
    "(?:5|five) stars?",
    "highly recommended",
];
const FAMILIES: &[&str] = &["(?:famil(?:y|ies)|kids?|child(?:ren)?)", "all ages?"];
const ADULTS: &[&str] = &[
    "(?:not|no|non|n t|isn t|isnt|never|doesn t|don t|aren t|un)(?: a| an| the| very| really| so| particularly| considered| good| great| suitable| suited| ideal| recommended| friendly| appropriate| open| fit| meant| intended| place| room| go| for| to| with| at| as| be| welcoming| welcome| allow| accept| cater| bring| your| any| all| whole| young| small){0,6} (?:famil(?:y|ies)|kids?|child(?:ren)?)",
    "(?:famil(?:y|ies)|kids?|child(?:ren)?)(?: friendly)? (?:are|is|aren|isn)? ?(?:not|n t|t)",
    "(?:famil(?:y|ies)|kids?|child(?:ren)?) (?:un friendly|unfriendly)",
    "adults?",
];

const ENTRIES: &[Entry] = &[
    ("area", "city centre", CENTRE),
    ("area", "riverside", RIVER),
    ("customerrating", "1 out of 5", LOW),
    ("customerrating", "3 out of 5", AVERAGE),
    ("customerrating", "5 out of 5", HIGH),
    ("customerrating", "average", AVERAGE),
    ("customerrating", "high", HIGH),
    ("customerrating", "low", LOW),
    ("eattype", "coffee shop", COFFEE),
    ("eattype", "pub", &["pubs?"]),
    ("eattype", "restaurant", &["restaurants?"]),
    ("familyfriendly", "no", ADULTS),
    ("familyfriendly", "yes", FAMILIES),
    ("food", "Chinese", &["chinese"]),
    ("food", "English", &["english", "british"]),
    ("food", "Fast food", &["fast ?foods?"]),
    ("food", "French", &["french"]),
    ("food", "Indian", &["indian"]),
    ("food", "Italian", &["italian"]),
    ("food", "Japanese", &["japanese", "sushi"]),
    ("pricerange", "cheap", CHEAP),
    ("pricerange", "high", DEAR),
    ("pricerange", "less than £20", CHEAP),
    ("pricerange", "moderate", MODERATE),
    ("pricerange", "more than £30", DEAR),
    ("pricerange", "£20-25", MODERATE),
];

/// Whether the slot is described here.
pub(super) fn has(slot: &str) -> bool {
    ENTRIES.iter().any(|entry| entry.0 == slot)
}

/// Every slot and value described, in plain form.
pub(super) fn values() -> impl Iterator<Item = (String, String)> {
    ENTRIES.iter().map(|entry| (entry.0.into(), plain(entry.1)))
}

/// The pattern of a value in plain form, if it is described here.
pub(super) fn pattern(slot: &str, value: &str) -> Option<String> {
    let entry = ENTRIES.iter().find(|entry| entry.0 == slot && plain(entry.1) == value)?;
    Some(format!(r"\b(?:{})\b", entry.2.join("|")))
}

#[cfg(test)]
mod tests {
    use super::super::{Meaning, SlotCounts, Slots};

    /// Every value there is, so that each can be made up.
    const ALL: &str =
        "eatType[pub], food[French], priceRange[cheap], customerRating[low], area[riverside], familyFriendly[no]";

    /// Missing, wrong and surplus slots of a text.
    fn errors(meaning: &str, text: &str) -> [u64; 3] {
        let meaning = Meaning::parse(meaning).unwrap();
        let SlotCounts { missing, wrong, surplus, .. } =
            Slots::new([&meaning, &Meaning::parse(ALL).unwrap()]).counts(&meaning, text);
        [missing, wrong, surplus]
    }

    #[test]
    fn right_texts_have_no_error() {
        for (meaning, text) in [
            ("eatType[coffee shop]", "A small café."),
            ("eatType[restaurant], food[English]", "This restaurant serves British food."),
            ("food[Fast food], area[city centre]", "Fast-food in the centre of town."),
            ("area[riverside]", "You find it on the river bank."),
            ("priceRange[£20-25]", "Meals are moderately priced, between £20 and £25."),
            ("priceRange[£20-25], food[Italian]", "Italian food for £ 20 - 25 ."),
            ("priceRange[less than £20]", "You pay less than £ 20 ."),
            ("priceRange[more than £30]", "Its prices are very high."),
            ("priceRange[high], customerRating[1 out of 5]", "Prices are high and the customer rating is low."),
            ("priceRange[moderate]", "It has a reasonable price range."),
            ("customerRating[5 out of 5]", "A highly rated place with five out of five stars."),
            ("customerRating[3 out of 5], eatType[pub]", "The pub has an average customer rating."),
            ("customerRating[low]", "It is not well rated."),
            ("familyFriendly[yes]", "Bring your children!"),
            ("familyFriendly[yes], eatType[pub]", "a pub where kids are welcome"),
            ("familyFriendly[no]", "It isn't a place for families."),
            ("familyFriendly[no]", "It does n't welcome kids ."),
            ("familyFriendly[no], eatType[restaurant]", "a non family - friendly restaurant"),
            ("familyFriendly[no]", "adults only"),
        ] {
            assert_eq!(errors(meaning, text), [0, 0, 0], "{meaning}: {text}");
        }
    }

    #[test]
    fn errors_are_told_by_kind() {
        for (meaning, text, expected) in [
            ("eatType[pub], area[riverside]", "A pub.", [1, 0, 0]),
            ("eatType[pub]", "A cheap Indian pub.", [0, 0, 2]),
            ("priceRange[cheap], familyFriendly[no]", "Expensive, but good for families.", [0, 2, 0]),
            ("familyFriendly[yes]", "It isn't kid friendly.", [0, 1, 0]),
            ("customerRating[high], food[French]", "It is poorly rated.", [1, 1, 0]),
            ("food[French]", "French and Italian food", [0, 0, 1]),
            ("area[city centre]", "Downtown, by the river, with a rating of 1 out of 5.", [0, 0, 2]),
        ] {
            assert_eq!(errors(meaning, text), expected, "{meaning}: {text}");
        }
    }
}
