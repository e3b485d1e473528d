//! The name that was probably meant by one that does not exist.

/// The name that a text differs from in the fewest characters, if these are few: at most a quarter of the text's, and one more.
/// Of names equally near, it is the first in the alphabet.
pub(crate) fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let (edits, name) = names.into_iter().map(|name| (strsim::osa_distance(name, text), name)).min()?;
    (edits <= 1 + text.chars().count() / 4).then_some(name)
}

/// The most characters of a line of names.
const LINE: usize = 100;

/// Names with commas between them, in lines of a message: the first stands behind `before`, further ones are indented as it is.
pub(crate) fn lines_of(before: &str, names: &[impl AsRef<str>]) -> String {
    let mut text = format!("\n  {before}");
    let mut length = before.len() + 2;
    for (index, name) in names.iter().enumerate() {
        let name = name.as_ref();
        let comma = if index + 1 < names.len() { "," } else { "" };
        if index > 0 && length + 1 + name.len() + comma.len() > LINE {
            text.push_str("\n   ");
            length = 3;
        }
        text.push(' ');
        text.push_str(name);
        text.push_str(comma);
        length += 1 + name.len() + comma.len();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{LINE, lines_of, nearest};

    #[test]
    fn names_stand_in_lines_that_a_terminal_shows() {
        assert_eq!(lines_of("there are", &["a", "b"]), "\n  there are a, b");
        let names: Vec<String> = (0..60).map(|number| format!("name-{number}")).collect();
        let text = lines_of("there are", &names);
        assert!(text.lines().all(|line| line.len() <= LINE && !line.ends_with(' ')), "{text}");
        assert!(text.lines().count() > 4);
        let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words, format!("there are {}", names.join(", ")));
    }

    #[test]
    fn names_are_suggested_where_few_characters_differ() {
        let names = ["greedy", "genetic", "exact"];
        assert_eq!(nearest("gredy", names), Some("greedy"));
        assert_eq!(nearest("exatc", names), Some("exact"));
        assert_eq!(nearest("annealing", names), None);
        assert_eq!(nearest("", []), None);
    }
}
