//! Structs of settings: reading, checking, and the macro that writes both.

use super::document::{Document, Section};
use super::{Mistake, Mistakes};

/// A struct of settings, one field for each key of a TOML table.
pub trait Table: Sized {
    /// Replaces the values of all keys that the section has.
    fn read_keys(&mut self, section: &Section<'_>);

    /// Adds all mistakes of these settings.
    fn check_keys(&self, checks: &mut Checks);

    /// Reads a TOML text over these settings: its values replace theirs, and keys that it leaves out keep their values.
    /// `origin` is the file or preset that messages name.
    ///
    /// # Errors
    /// All mistakes of the text and of the resulting settings.
    fn with_toml(mut self, origin: &str, text: &str) -> Result<Self, Mistakes> {
        let document = Document::parse(origin, text)?;
        let root = document.root();
        self.read_keys(&root);
        root.finish();
        document.report(self.mistakes())?;
        Ok(self)
    }

    /// All mistakes of these settings, at most one for each key.
    fn mistakes(&self) -> Vec<Mistake> {
        let mut checks = Checks::default();
        self.check_keys(&mut checks);
        checks.list
    }

    /// Checks these settings, which messages call `origin`.
    ///
    /// # Errors
    /// All mistakes.
    fn check(&self, origin: &str) -> Result<(), Mistakes> {
        let list = self.mistakes();
        if list.is_empty() { Ok(()) } else { Err(Mistakes { origin: origin.to_owned(), list }) }
    }
}

/// The mistakes found so far while a [`Table`] is checked.
#[derive(Debug, Default)]
pub struct Checks {
    path: String,
    list: Vec<Mistake>,
}

impl Checks {
    /// Adds a mistake of a key of the table that is being checked, unless the key has one already.
    pub fn add(&mut self, key: &str, message: impl Into<String>) {
        self.add_at(format!("{}{key}", self.path), message);
    }

    /// Adds a mistake of the whole table that is being checked.
    pub fn add_to_table(&mut self, message: impl Into<String>) {
        self.add_at(self.path.trim_end_matches('.').to_owned(), message);
    }

    fn add_at(&mut self, key: String, message: impl Into<String>) {
        if !self.list.iter().any(|known| known.covers(&key)) {
            self.list.push(Mistake::new(key, message));
        }
    }

    /// The path of a key of the table that is being checked, for messages that name another key.
    pub fn path_of(&self, key: &str) -> String {
        format!("{}{key}", self.path)
    }

    /// Checks a table inside the one that is being checked.
    pub fn within(&mut self, key: &str, check: impl FnOnce(&mut Self)) {
        let length = self.path.len();
        self.path.push_str(key);
        self.path.push('.');
        check(self);
        self.path.truncate(length);
    }
}

/// A struct of settings, each field written once: documentation, name, type, default, and the [`Rule`](crate::config::Rule)
/// that reads and checks it. The struct gets [`Default`] and [`Table`](crate::config::Table).
///
/// Rules between fields stand in a function that runs after the rules of all fields; it is named behind the struct.
///
/// ```
/// use sim::config::{Any, Checks, Table};
///
/// sim::settings! {
///     /// Settings of a toy.
///     #[derive(Debug, Clone, PartialEq)]
///     pub struct Toy {
///         /// Steps to take.
///         pub steps: usize = 100, in 1..=1000;
///         /// Steps between two reports.
///         pub report_every: usize = 10, in 1..=1000;
///         /// Whether reports are printed.
///         pub verbose: bool = false, in Any;
///     }
///     check together with reports_fit;
/// }
///
/// fn reports_fit(toy: &Toy, checks: &mut Checks) {
///     if toy.report_every > toy.steps {
///         checks.add("report_every", format!("must be at most steps, {}, is {}", toy.steps, toy.report_every));
///     }
/// }
///
/// let toy = Toy::default().with_toml("toy.toml", "steps = 20")?;
/// assert_eq!(toy, Toy { steps: 20, report_every: 10, verbose: false });
/// let mistakes = toy.with_toml("toy.toml", "steps = 0\nverbos = true").unwrap_err();
/// assert_eq!(
///     mistakes.to_string(),
///     "toy.toml has 3 mistakes:\n  report_every: must be at most steps, 0, is 10\n  \
///      line 1, column 9: steps: must lie between 1 and 1000, is 0\n  \
///      line 2, column 1: verbos: unknown key; did you mean `verbose`?"
/// );
/// # Ok::<(), sim::config::Mistakes>(())
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$attribute:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[$field_attribute:meta])*
                $field_visibility:vis $field:ident : $type:ty = $default:expr, in $rule:expr;
            )*
        }
        $(check together with $together:path;)?
    ) => {
        $(#[$attribute])*
        $visibility struct $name {
            $(
                $(#[$field_attribute])*
                $field_visibility $field: $type,
            )*
        }

        impl ::std::default::Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::Table for $name {
            fn read_keys(&mut self, section: &$crate::config::Section<'_>) {
                $($crate::config::Rule::read(&$rule, &mut self.$field, section, stringify!($field));)*
            }

            fn check_keys(&self, checks: &mut $crate::config::Checks) {
                $($crate::config::Rule::check(&$rule, &self.$field, checks, stringify!($field));)*
                $($together(self, checks);)?
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::config::{Any, Flattened, Keyword, Keywords, Name, Nested, PositiveUpTo, RangeUpTo};

    #[derive(Debug, Clone, Copy, PartialEq, Serialize)]
    #[serde(rename_all = "kebab-case")]
    enum Colour {
        DarkRed,
        Green,
    }

    impl Keyword for Colour {
        const KEYWORDS: &'static [(&'static str, Self)] = &[("dark-red", Self::DarkRed), ("green", Self::Green)];
    }

    settings! {
        /// One field of every kind: to add one more setting is to add one line here.
        #[derive(Debug, Clone, PartialEq, Serialize)]
        struct Toy {
            name: String = "toy".to_owned(), in Name;
            steps: usize = 10, in 1..=100;
            /// Optional settings may be left out.
            #[serde(skip_serializing_if = "Option::is_none")]
            rest: Option<usize> = None, in 0..=9;
            share: f64 = 0.5, in PositiveUpTo(1.0);
            tiny: f64 = 1e-8, in 1e-12..=1.0;
            widths: Vec<usize> = vec![3, 4], in 1..=64;
            sizes: (usize, usize) = (1, 2), in RangeUpTo(5);
            colour: Colour = Colour::Green, in Keywords;
            quiet: bool = false, in Any;
            inner: Inner = Inner { depth: 7, ..Inner::default() }, in Nested;
            #[serde(flatten)]
            beside: Inner = Inner::default(), in Flattened;
        }
    }

    settings! {
        #[derive(Debug, Clone, PartialEq, Serialize)]
        struct Inner {
            depth: usize = 2, in 0..=9;
            height: usize = 3, in 0..=9;
        }
        check together with deep_enough;
    }

    fn deep_enough(inner: &Inner, checks: &mut Checks) {
        if inner.depth > inner.height + 5 {
            let height = checks.path_of("height");
            checks.add("depth", format!("must be at most 5 more than {height}"));
        }
    }

    #[test]
    fn one_line_for_a_field_makes_default_reading_writing_and_checking() {
        let toy = Toy::default();
        assert_eq!(toy.check("toy"), Ok(()));
        let text = "name = \"mine\"\nsteps = 5\nrest = 3\nshare = 1\ntiny = 1e-12\nwidths = [9]\nsizes = [2, 5]\n\
                    colour = \"dark-red\"\nquiet = true\nheight = 8\n[inner]\nheight = 4\n";
        let read = toy.clone().with_toml("toy.toml", text).expect("valid");
        let expected = Toy {
            name: "mine".to_owned(),
            steps: 5,
            rest: Some(3),
            share: 1.0,
            tiny: 1e-12,
            widths: vec![9],
            sizes: (2, 5),
            colour: Colour::DarkRed,
            quiet: true,
            inner: Inner { depth: 7, height: 4 },
            beside: Inner { depth: 2, height: 8 },
        };
        assert_eq!(read, expected);
        let written = toml::to_string(&read).expect("can be written");
        assert!(written.starts_with("name = \"mine\"\nsteps = 5\nrest = 3\nshare = 1.0\n"), "{written}");
        assert_eq!(toy.with_toml("written", &written), Ok(read));
        assert!(!toml::to_string(&Toy::default()).expect("can be written").contains("rest"));
    }

    #[test]
    fn all_mistakes_come_at_once_with_key_place_and_suggestion() {
        let text = "steps = 0\nrest = 10\nshare = 0\ntiny = nan\nwidths = [1, 65]\nsizes = [3, 2]\n\
                    colour = \"blue\"\nquiet = 1\nnmae = \"x\"\n[inner]\ndepth = 9\nheight = 3\n";
        let mistakes = Toy::default().with_toml("toy.toml", text).expect_err("wrong everywhere");
        let expected = "toy.toml has 10 mistakes:
  line 1, column 9: steps: must lie between 1 and 100, is 0
  line 2, column 8: rest: must lie between 0 and 9, is 10
  line 3, column 9: share: must lie above 0 and at most 1, is 0
  line 4, column 8: tiny: must lie between 1e-12 and 1, is NaN
  line 5, column 14: widths[1]: must lie between 1 and 64, is 65
  line 6, column 9: sizes: must be two numbers from 1 to 5, the first no larger than the second
  line 7, column 10: colour: must be \"dark-red\" or \"green\", is \"blue\"
  line 8, column 9: quiet: must be true or false, is 1
  line 9, column 1: nmae: unknown key; did you mean `name`?
  line 11, column 9: inner.depth: must be at most 5 more than inner.height";
        assert_eq!(mistakes.to_string(), expected);
    }

    #[test]
    fn a_key_has_one_mistake_at_most() {
        let inner = Inner { depth: 20, height: 3 };
        let list = inner.mistakes();
        assert_eq!(list, [Mistake::new("depth", "must lie between 0 and 9, is 20")]);
    }
}
