//! Signatures: everything that must be equal for two figures to be comparable, as sacreBLEU writes it.

/// The sacreBLEU whose figures and signatures these are: the tests hold them against its package of this version.
pub const SACREBLEU: &str = "2.6.0";

/// `nrefs:1|key:value|...|version:2.6.0`.
pub(super) fn signature(references: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = format!("nrefs:{references}");
    pairs.iter().chain([&("version", SACREBLEU)]).for_each(|(key, value)| out += &format!("|{key}:{value}"));
    out
}
