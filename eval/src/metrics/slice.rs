//! Parts of the golden set: by language, format of the evidence, kind and tag.

use std::collections::BTreeSet;

use super::grade::Graded;
use crate::golden::case::Case;

/// The slices that a case belongs to, as `lang:es`, `format:pdf`, `kind:handoff`, `tag:typo`,
/// `source:human`, `split:dev`.
pub fn slices_of(case: &Case) -> BTreeSet<String> {
    let mut slices = BTreeSet::from([
        format!("kind:{}", case.kind),
        format!("lang:{}", case.lang),
        format!("split:{}", crate::golden::split::split_of(&case.id)),
        format!(
            "turns:{}",
            if case.history.is_empty() {
                "single"
            } else {
                "multi"
            }
        ),
    ]);
    slices.extend(
        case.formats()
            .into_iter()
            .map(|format| format!("format:{format}")),
    );
    // A tag `format:pdf` says no more than the evidence does.
    slices.extend(
        case.tags
            .iter()
            .filter(|tag| !tag.starts_with("format:"))
            .map(|tag| format!("tag:{tag}")),
    );
    slices
}

/// Every slice of the set, sorted.
pub fn all<'a>(cases: impl IntoIterator<Item = &'a Case>) -> BTreeSet<String> {
    cases.into_iter().flat_map(slices_of).collect()
}

/// The replies of one slice; all of them when no slice is named.
pub fn part<'a>(graded: &'a [Graded], slice: Option<&str>) -> Vec<&'a Graded> {
    let holds = |g: &&Graded| slice.is_none_or(|slice| slices_of(&g.case).contains(slice));
    graded.iter().filter(holds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::sample;

    #[test]
    fn a_slice_is_a_part_of_the_set() {
        let graded = sample(1);
        assert_eq!(part(&graded, None).len(), graded.len());
        let handoff = part(&graded, Some("kind:handoff"));
        assert!(!handoff.is_empty() && handoff.len() < graded.len());
        assert!(part(&graded, Some("lang:xx")).is_empty());
        assert!(all(graded.iter().map(|g| &g.case)).contains("kind:handoff"));
    }
}
