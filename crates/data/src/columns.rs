//! CSV with a header: where the wanted columns stand, and how they are taken from a line.

use std::borrow::Cow;

use crate::bad_lines::Reason;

/// Where the N wanted columns of a file stand.
pub(crate) struct Header<const N: usize> {
    columns: usize,
    places: [usize; N],
}

impl<const N: usize> Header<N> {
    /// The header in this line, if it names all the columns.
    pub(crate) fn of(line: &str, wanted: [&str; N]) -> Option<Self> {
        let names: Vec<_> = columns(line).collect();
        let mut places = [0; N];
        for (place, wanted) in places.iter_mut().zip(wanted) {
            *place = names.iter().position(|name| name == wanted)?;
        }
        Some(Self { columns: names.len(), places })
    }

    /// The wanted columns of another line.
    pub(crate) fn pick<'a>(&self, line: &'a str) -> Result<[Cow<'a, str>; N], Reason> {
        let mut picked = [const { Cow::Borrowed("") }; N];
        let mut found = 0;
        for column in columns(line) {
            if let Some(index) = self.places.iter().position(|place| *place == found) {
                picked[index] = column;
            }
            found += 1;
        }
        if found == self.columns { Ok(picked) } else { Err(Reason::Columns { found, expected: self.columns }) }
    }
}

/// The columns of a line without spaces around them. A column may stand in quotes, with `""` for a quote.
fn columns(line: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        if let Some(quoted) = line.trim_start().strip_prefix('"') {
            let (column, behind) = unquote(quoted);
            rest = behind.split_once(',').map(|(_, rest)| rest);
            return Some(column);
        }
        let (column, behind) = line.split_once(',').map_or((line, None), |(column, behind)| (column, Some(behind)));
        rest = behind;
        Some(Cow::Borrowed(column.trim()))
    })
}

/// The text up to its closing quote, and what follows.
fn unquote(text: &str) -> (Cow<'_, str>, &str) {
    let mut column = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let Some((part, behind)) = rest.split_once('"') else {
            return (column + rest, "");
        };
        column += part;
        let Some(more) = behind.strip_prefix('"') else {
            return (column, behind);
        };
        column += "\"";
        rest = more;
    }
}
