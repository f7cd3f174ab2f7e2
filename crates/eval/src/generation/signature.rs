//! Signatures: everything that must be equal for two figures to be comparable, as sacreBLEU writes it.

/// The sacreBLEU whose figures and signatures these are: the tests hold them against its package of this version.
pub const SACREBLEU: &str = "2.6.0";

/// `nrefs:1|key:value|...`, without a version: of metrics that sacreBLEU does not have.
pub(super) fn signature(references: &str, pairs: &[(&str, &str)]) -> String {
    pairs.iter().fold(format!("nrefs:{references}"), |out, (key, value)| format!("{out}|{key}:{value}"))
}

/// The signature of a metric of sacreBLEU.
pub(super) fn sacrebleu_signature(references: &str, pairs: &[(&str, &str)]) -> String {
    signature(references, &[pairs, &[("version", SACREBLEU)]].concat())
}
