//! The name that was probably meant by one that does not exist.

/// The name that a text differs from in the fewest characters, if these are few: at most a quarter of the text's, and one more.
/// Of names equally near, it is the first in the alphabet.
pub(crate) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let (edits, name) = names.into_iter().map(|name| (strsim::osa_distance(name, text), name)).min()?;
    (edits <= 1 + text.chars().count() / 4).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn names_are_suggested_where_few_characters_differ() {
        let names = ["greedy", "genetic", "exact"];
        assert_eq!(nearest("gredy", names), Some("greedy"));
        assert_eq!(nearest("exatc", names), Some("exact"));
        assert_eq!(nearest("annealing", names), None);
        assert_eq!(nearest("", []), None);
    }
}
