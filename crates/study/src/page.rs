//! The report: one page that needs nothing but itself.

use std::fmt::Write as _;
use std::path::Path;

use super::chart::{Palette, Panel, picture};
use super::csv_of;
use crate::error::AppError;
use crate::run_dir::write_file;

/// One picture of a report, with its data.
pub(crate) struct Figure {
    /// Of its files: `fig5`.
    pub(crate) id: &'static str,
    pub(crate) title: String,
    /// What is to be seen.
    pub(crate) text: String,
    pub(crate) palette: Palette,
    pub(crate) panels: Vec<Panel>,
    /// The data, the first row being the header.
    pub(crate) rows: Vec<Vec<String>>,
    /// What it was made with; may be empty.
    pub(crate) command: String,
}

impl Figure {
    /// Writes the data, then the picture, and returns the picture.
    pub(crate) fn write(&self, folder: &Path) -> Result<String, AppError> {
        write_file(&folder.join(format!("{}.csv", self.id)), csv_of(&self.rows)?.as_bytes())?;
        let path = folder.join(format!("{}.svg", self.id));
        let undrawable = |reason| AppError::Picture { path: path.clone(), reason };
        let svg = picture(&self.panels, self.palette).map_err(undrawable)?;
        write_file(&path, svg.as_bytes())?;
        Ok(svg)
    }
}

/// A table with its rows as text, the first being the header.
pub(crate) struct Table {
    pub(crate) title: String,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Writes it as CSV.
    pub(crate) fn write(&self, folder: &Path, id: &str) -> Result<(), AppError> {
        write_file(&folder.join(format!("{id}.csv")), csv_of(&self.rows)?.as_bytes())
    }
}

const STYLE: &str = "
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; background: #fff; max-width: 1120px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.7rem; } h2 { font-size: 1.25rem; margin-top: 2.6rem; border-top: 1px solid #ddd; padding-top: 1.4rem; }
figure { margin: 0; } svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; margin: 1rem 0; }
th, td { padding: .28rem .6rem; border-bottom: 1px solid #e3e3e3; text-align: left; vertical-align: top; }
th { border-bottom: 2px solid #888; } .number { text-align: right; }
.scroll { overflow-x: auto; } code, pre { font: .82rem ui-monospace, monospace; background: #f5f5f5; }
pre { padding: .6rem .8rem; overflow-x: auto; } .holds { color: #00674b; } .fails { color: #a33c00; } nav a { margin-right: .9rem; }
";

/// What the report is made of.
pub(crate) struct Page<'a> {
    pub(crate) title: &'a str,
    /// Paragraphs at the top.
    pub(crate) introduction: &'a [String],
    pub(crate) claims: Option<&'a Table>,
    pub(crate) tables: &'a [(String, Table)],
    /// With their SVG.
    pub(crate) figures: &'a [(Figure, String)],
}

impl Page<'_> {
    pub(crate) fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>{0}</title><style>{STYLE}</style></head><body>\n<h1>{0}</h1>\n",
            escaped(self.title)
        );
        for paragraph in self.introduction {
            let _ = writeln!(html, "<p>{}</p>", escaped(paragraph));
        }
        html += "<nav aria-label=\"Parts\">";
        if self.claims.is_some() {
            html += "<a href=\"#claims\">claims</a>";
        }
        for (id, _) in self.tables {
            let _ = write!(html, "<a href=\"#{id}\">{id}</a>");
        }
        for (figure, _) in self.figures {
            let _ = write!(html, "<a href=\"#{0}\">{0}</a>", figure.id);
        }
        html += "</nav>\n";
        if let Some(claims) = self.claims {
            html += &section("claims", claims);
        }
        for (id, table) in self.tables {
            html += &section(id, table);
        }
        for (figure, svg) in self.figures {
            let (id, title) = (figure.id, escaped(&figure.title));
            let _ = write!(
                html,
                "<h2 id=\"{id}\">{title}</h2>\n<p>{}</p>\n<figure role=\"img\" aria-label=\"{title}\">{svg}</figure>\n\
                 <p>Data: <a href=\"{id}.csv\">{id}.csv</a>, picture: <a href=\"{id}.svg\">{id}.svg</a>.</p>\n",
                escaped(&figure.text)
            );
            if !figure.command.is_empty() {
                let _ = writeln!(html, "<p>One of its runs:</p>\n<pre>{}</pre>", escaped(&figure.command));
            }
        }
        html + "</body></html>\n"
    }
}

fn section(id: &str, table: &Table) -> String {
    let is_number = |text: &String| text.chars().next().is_some_and(|c| c.is_ascii_digit() || c == '–');
    let mut html = format!(
        "<h2 id=\"{id}\">{}</h2>\n<p>Data: <a href=\"{id}.csv\">{id}.csv</a></p>\n<div class=\"scroll\"><table>\n",
        escaped(&table.title)
    );
    for (index, row) in table.rows.iter().enumerate() {
        html += "<tr>";
        for cell in row {
            let class = match cell.as_str() {
                "holds" => " class=\"holds\"",
                "does not hold" => " class=\"fails\"",
                _ if index > 0 && is_number(cell) && cell.parse::<f64>().is_ok() => " class=\"number\"",
                _ => "",
            };
            let _ = match index {
                0 => write!(html, "<th>{}</th>", escaped(cell)),
                _ => write!(html, "<td{class}>{}</td>", escaped(cell)),
            };
        }
        html += "</tr>\n";
    }
    html + "</table></div>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_table_is_no_markup() {
        let rows = vec![vec!["a<b".to_owned(), "verdict".to_owned()], vec!["\"1\" & 2".to_owned(), "holds".to_owned()]];
        let table = Table { title: "x > y".to_owned(), rows };
        let html = section("claims", &table);
        assert!(
            html.contains("<th>a&lt;b</th>") && html.contains("&quot;1&quot; &amp; 2") && html.contains("x &gt; y")
        );
        assert!(html.contains("<td class=\"holds\">holds</td>"));
    }
}
