//! Tables of text with a header: where the wanted columns stand, and how they are taken from a row.
//!
//! The rules are the same for workloads, recordings, sizes of tasks and splits:
//! - Columns are divided by commas, semicolons or tabs; the header tells by which. With semicolons or tabs, numbers may have
//!   a decimal comma.
//! - Columns may stand in any order. Further columns, with a name or without, are ignored.
//! - Names may have capitals, spaces around them, and a space or a hyphen for `_`.
//! - A field may stand in quotes, with `""` for a quote; it ends on its line. Spaces around fields mean nothing.
//! - Lines above the header that are blank, begin with `#`, or are the `sep=;` of Excel are no part of the table.
//!
//! A reader takes the [`Header`] of a line, asks for the [`Columns`] that it wants, and calls [`Columns::pick`] for each row.

use std::borrow::Cow;
use std::fmt;

use crate::bad_lines::{Reason, excerpt};

/// The character between two columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    Comma,
    Semicolon,
    Tab,
}

impl Delimiter {
    /// Of delimiters that explain a header equally well, the last one is taken.
    const ALL: [Self; 3] = [Self::Tab, Self::Semicolon, Self::Comma];

    const fn character(self) -> char {
        match self {
            Self::Comma => ',',
            Self::Semicolon => ';',
            Self::Tab => '\t',
        }
    }
}

/// The names of the columns of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    delimiter: Delimiter,
    /// The names in lower case, with `_` for spaces and hyphens; empty for a column without a name.
    names: Vec<String>,
}

impl Header {
    /// Reads a line as a header. The delimiter is the one by which the line names most of the `wanted` columns, or else has
    /// most columns. Every line is some header: whether it names the wanted columns, [`Header::find`] and
    /// [`Header::columns`] tell.
    pub(crate) fn read(line: &str, wanted: &[&str]) -> Self {
        let header = |delimiter| {
            let names = Fields::of(line, delimiter).map(|name| plain_name(&name)).collect();
            Self { delimiter, names }
        };
        let explains = |header: &Self| (header.count(wanted), header.names.len());
        let [tab, semicolon, comma] = Delimiter::ALL.map(header);
        [semicolon, comma]
            .into_iter()
            .fold(tab, |best, other| if explains(&other) >= explains(&best) { other } else { best })
    }

    /// The place of a column, from 0. `name` may be written in any way that a header may.
    pub(crate) fn find(&self, name: &str) -> Option<usize> {
        let name = plain_name(name);
        self.names.iter().position(|other| *other == name)
    }

    /// The number of `wanted` columns that the header names.
    pub(crate) fn count(&self, wanted: &[&str]) -> usize {
        wanted.iter().filter(|name| self.find(name).is_some()).count()
    }

    /// The wanted columns.
    ///
    /// # Errors
    /// If the header does not name one of them, or names it twice.
    pub(crate) fn columns<const N: usize>(&self, wanted: [&str; N]) -> Result<Columns<N>, HeaderError> {
        self.columns_with_optional(wanted, N)
    }

    /// The wanted columns, of which the header must name the first `needed`. The others are empty in every row if it does not
    /// name them.
    ///
    /// # Errors
    /// If the header does not name one of those that it must, or names a wanted column twice.
    pub(crate) fn columns_with_optional<const N: usize>(
        &self,
        wanted: [&str; N],
        needed: usize,
    ) -> Result<Columns<N>, HeaderError> {
        if let Some(missing) = wanted[..needed].iter().find(|name| self.find(name).is_none()) {
            let found = self.names.iter().filter(|name| !name.is_empty()).cloned().collect();
            let wanted = wanted[..needed].iter().map(|name| (*name).to_owned()).collect();
            return Err(HeaderError::Missing { missing: (*missing).to_owned(), found, wanted });
        }
        let stands_twice = |wanted: &str| self.names.iter().filter(|name| *name == &plain_name(wanted)).count() > 1;
        if let Some(name) = wanted.iter().find(|name| stands_twice(name)) {
            return Err(HeaderError::Twice { name: (*name).to_owned() });
        }
        Ok(self.at(wanted.map(|name| self.find(name))))
    }

    /// The columns at these places. A column without a place is empty in every row.
    pub(crate) fn at<const N: usize>(&self, places: [Option<usize>; N]) -> Columns<N> {
        let least = self.names.iter().rposition(|name| !name.is_empty()).map_or(0, |last| last + 1);
        Columns { delimiter: self.delimiter, least, count: self.names.len(), places }
    }
}

/// Why a header does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderError {
    /// A column is missing.
    Missing {
        /// Its name.
        missing: String,
        /// The columns that the header names.
        found: Vec<String>,
        /// The columns that it must name.
        wanted: Vec<String>,
    },
    /// A column is there twice.
    Twice {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing { missing, found, wanted } => {
                let found: Vec<_> = found.iter().map(|name| format!("`{}`", excerpt(name))).collect();
                let found = if found.is_empty() { "no column".to_owned() } else { found.join(", ") };
                write!(
                    f,
                    "the column `{missing}` is missing: the header must name {}, it names {found}",
                    wanted.join(", ")
                )
            }
            Self::Twice { name } => write!(f, "the header names the column `{name}` twice"),
        }
    }
}

impl std::error::Error for HeaderError {}

/// Where the N wanted columns of a table stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns<const N: usize> {
    delimiter: Delimiter,
    /// The number of columns of the header, without those at its end that have no name.
    least: usize,
    /// The number of columns of the header.
    count: usize,
    places: [Option<usize>; N],
}

impl<const N: usize> Columns<N> {
    /// The fields of a row in the wanted columns, without spaces around them. Empty fields beyond those of the header are
    /// ignored: spreadsheets leave them behind.
    ///
    /// # Errors
    /// [`Reason::Columns`] if the row has another number of fields than the header, [`Reason::OpenQuote`] if a quote is not
    /// closed.
    pub(crate) fn pick<'a>(&self, row: &'a str) -> Result<[Cow<'a, str>; N], Reason> {
        let mut picked = [const { Cow::Borrowed("") }; N];
        let mut fields = Fields::of(row, self.delimiter);
        let mut found = 0;
        for field in fields.by_ref() {
            if found >= self.count && field.is_empty() {
                continue;
            }
            if let Some(index) = self.places.iter().position(|place| *place == Some(found)) {
                picked[index] = field;
            }
            found += 1;
        }
        if fields.quote_is_open {
            Err(Reason::OpenQuote)
        } else if (self.least..=self.count).contains(&found) {
            Ok(picked)
        } else {
            Err(Reason::Columns { found, expected: self.least })
        }
    }

    /// One of the wanted columns of a row that [`Columns::pick`] refuses, if the row has it.
    pub(crate) fn pick_one<'a>(&self, row: &'a str, index: usize) -> Option<Cow<'a, str>> {
        Fields::of(row, self.delimiter).nth(self.places[index]?)
    }

    /// Whether the table has a wanted column.
    pub(crate) fn has(&self, index: usize) -> bool {
        self.places[index].is_some()
    }

    /// A number as Rust reads it: with a decimal point where the table may write a comma.
    pub(crate) fn decimal<'a>(&self, field: &'a str) -> Cow<'a, str> {
        if self.delimiter == Delimiter::Comma || !field.contains(',') || field.contains('.') {
            Cow::Borrowed(field)
        } else {
            Cow::Owned(field.replacen(',', ".", 1))
        }
    }

    /// Whether a row with too many fields may have decimal commas in it.
    pub(crate) fn is_divided_by_commas(&self) -> bool {
        self.delimiter == Delimiter::Comma
    }
}

/// A whole number from 0, also if it is written as `3.0`.
pub(crate) fn index(field: &str) -> Option<usize> {
    field.parse().ok().or_else(|| {
        let (whole, zeros) = field.split_once(['.', ','])?;
        if zeros.bytes().all(|byte| byte == b'0') { whole.parse().ok() } else { None }
    })
}

/// Whether a line above the header is no part of the table: blank, a comment, or the delimiter that Excel notes there.
pub(crate) fn is_above_header(line: &str) -> bool {
    let line = line.trim();
    let is_delimiter_of_excel =
        line.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("sep=")) && line.len() <= 5;
    line.is_empty() || line.starts_with('#') || is_delimiter_of_excel
}

/// A name of a column as all names are compared.
fn plain_name(name: &str) -> String {
    let plain = |character: char| match character {
        ' ' | '-' => '_',
        character => character.to_ascii_lowercase(),
    };
    name.trim().chars().map(plain).collect()
}

/// The fields of a row, without spaces around them.
struct Fields<'a> {
    delimiter: char,
    rest: Option<&'a str>,
    /// Whether the last field began with a quote and the row ended before the next one.
    quote_is_open: bool,
}

impl<'a> Fields<'a> {
    fn of(row: &'a str, delimiter: Delimiter) -> Self {
        Self { delimiter: delimiter.character(), rest: Some(row), quote_is_open: false }
    }

    /// The text up to its closing quote, and what follows.
    fn unquote(&mut self, text: &'a str) -> (Cow<'a, str>, &'a str) {
        let mut field = Cow::Borrowed("");
        let mut rest = text;
        loop {
            let Some((part, behind)) = rest.split_once('"') else {
                self.quote_is_open = true;
                return (field + rest, "");
            };
            field += part;
            let Some(more) = behind.strip_prefix('"') else {
                return (field, behind);
            };
            field += "\"";
            rest = more;
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Cow<'a, str>;

    fn next(&mut self) -> Option<Self::Item> {
        let row = self.rest?;
        // A tab before a quote is a delimiter, or spaces that mean nothing.
        let start = if self.delimiter == '\t' { row.trim_start_matches(' ') } else { row.trim_start() };
        if let Some(quoted) = start.strip_prefix('"') {
            let (field, behind) = self.unquote(quoted);
            self.rest = behind.split_once(self.delimiter).map(|(_, rest)| rest);
            return Some(trimmed(field));
        }
        let (field, behind) = row.split_once(self.delimiter).map_or((row, None), |(field, rest)| (field, Some(rest)));
        self.rest = behind;
        Some(Cow::Borrowed(field.trim()))
    }
}

fn trimmed(field: Cow<'_, str>) -> Cow<'_, str> {
    match field {
        Cow::Borrowed(field) => Cow::Borrowed(field.trim()),
        Cow::Owned(field) => Cow::Owned(field.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WANTED: [&str; 3] = ["device", "t_s", "mbps"];

    fn picked(header: &str, row: &str) -> Result<[String; 3], Reason> {
        let columns = Header::read(header, &WANTED).columns(WANTED).expect("all are there");
        let number = |field: Cow<'_, str>| columns.decimal(&field).into_owned();
        columns.pick(row).map(|fields| fields.map(number))
    }

    #[test]
    fn columns_are_found_whatever_divides_them_and_however_they_are_written() {
        for (header, row) in [
            ("device,t_s,mbps", "a,1,2.5"),
            (",device,t_s,mbps", "0,a,1,2.5"),
            ("\tdevice\tt_s\tmbps", "0\ta\t1\t2,5"),
            (" MBPS ; T S;Device", "2,5; 1 ; a"),
            ("note;mbps;t-s;device", "x,y;2,5;1;a"),
            ("\"device\",\"t_s\",\"mbps\"", "\" a\",\"1\",\"2.5\""),
            ("device,t_s,mbps", "a,1,2.5,,"),
            ("device,t_s,mbps,", "a,1,2.5,"),
            ("device,t_s,mbps,", "a,1,2.5"),
            ("device,t_s,mbps,", "a,1,2.5,7"),
        ] {
            assert_eq!(picked(header, row), Ok(["a", "1", "2.5"].map(str::to_owned)), "{header} {row}");
        }
    }

    #[test]
    fn a_row_that_does_not_fit_the_header_is_refused() {
        assert_eq!(picked("device,t_s,mbps", "a,1"), Err(Reason::Columns { found: 2, expected: 3 }));
        assert_eq!(picked("device,t_s,mbps", "a,1,2,5"), Err(Reason::Columns { found: 4, expected: 3 }));
        assert_eq!(picked("device,t_s,mbps", "\"a,1,2"), Err(Reason::OpenQuote));
    }

    #[test]
    fn the_error_of_a_header_names_what_is_missing_and_what_was_found() {
        let error = |line| Header::read(line, &WANTED).columns(WANTED).expect_err("wrong").to_string();
        assert_eq!(
            error("time;device;mbps"),
            "the column `t_s` is missing: the header must name device, t_s, mbps, it names `time`, `device`, `mbps`"
        );
        assert_eq!(error("device,t_s,mbps,MBPS"), "the header names the column `mbps` twice");
    }

    #[test]
    fn whole_numbers_may_have_a_fraction_of_zeros() {
        let indices = ["3", "3.0", "3.", "0,0", "3.5", "-1", "", "1e3"].map(index);
        assert_eq!(indices, [Some(3), Some(3), Some(3), Some(0), None, None, None, None]);
    }

    #[test]
    fn a_column_without_a_place_is_empty() {
        let header = Header::read("t_s,mbps", &WANTED);
        let columns = header.at(WANTED.map(|name| header.find(name)));
        assert_eq!(columns.pick("1,2").expect("two fields"), ["", "1", "2"]);
    }
}
