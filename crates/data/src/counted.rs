//! Numbers of things, in words for people.

/// A number with what it counts, in the singular for 1.
///
/// ```
/// assert_eq!([0, 1, 2].map(|count| data::counted(count, "task")), ["0 tasks", "1 task", "2 tasks"]);
/// ```
pub fn counted(count: usize, thing: &str) -> String {
    let (things, ending) = thing.strip_suffix('y').map_or((thing, "s"), |stem| (stem, "ies"));
    if count == 1 { format!("1 {thing}") } else { format!("{count} {things}{ending}") }
}
