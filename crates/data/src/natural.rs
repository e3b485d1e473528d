//! The order of names that people expect: `run-2` before `run-10`.

use std::cmp::Ordering;
use std::path::Path;

/// Compares names with the numbers in them by their values, so that `run-2` comes before `run-10`. Only equal names are
/// equal.
///
/// ```
/// let mut names = ["run-10", "run-9", "run-1"];
/// names.sort_by(|a, b| data::natural_order(a, b));
/// assert_eq!(names, ["run-1", "run-9", "run-10"]);
/// ```
pub fn natural_order(a: &str, b: &str) -> Ordering {
    alphanumeric_sort::compare_str(a, b).then_with(|| a.cmp(b))
}

/// The same for paths, folder by folder.
pub fn natural_path_order(a: &Path, b: &Path) -> Ordering {
    let names = |path: &Path| -> Vec<String> {
        path.components().map(|name| name.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (first, second) = (names(a), names(b));
    let differing = first.iter().zip(&second).map(|(a, b)| natural_order(a, b)).find(|order| order.is_ne());
    differing.unwrap_or_else(|| first.len().cmp(&second.len())).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_in_names_count_by_their_value() {
        let mut names = ["d10", "d2", "d1", "a", "d02", "10", "9", "d2b", "d2a"];
        names.sort_by(|a, b| natural_order(a, b));
        assert_eq!(names, ["9", "10", "a", "d1", "d2", "d02", "d2a", "d2b", "d10"]);
    }

    #[test]
    fn paths_are_compared_folder_by_folder() {
        let mut paths = ["a-b/1", "a/10", "a/9", "a"].map(Path::new);
        paths.sort_by(|a, b| natural_path_order(a, b));
        assert_eq!(paths, ["a", "a/9", "a/10", "a-b/1"].map(Path::new));
    }

    proptest! {
        /// Sorting may panic if an order contradicts itself.
        #[test]
        fn it_is_an_order(names in prop::array::uniform3("[01a中é -]{0,6}")) {
            let [a, b, c] = &names;
            prop_assert_eq!(natural_order(a, b), natural_order(b, a).reverse());
            prop_assert_eq!(natural_order(a, b).is_eq(), a == b);
            if natural_order(a, b).is_le() && natural_order(b, c).is_le() {
                prop_assert!(natural_order(a, c).is_le());
            }
        }
    }
}
