//! The report of an experiment: one HTML page that refers to nothing but the data and pictures next to it.

use std::fmt::Write as _;
use std::path::Path;

use mrdro::chart::{Palette, Panel, picture};
use mrdro::files::{csv_of_cells, write_file};

use crate::error::Error;

/// One picture of a report, with its data.
pub(crate) struct Figure {
    /// The name of its files without their extensions, such as `fig5`.
    pub(crate) id: &'static str,
    /// The heading.
    pub(crate) title: String,
    /// The caption: what the picture shows.
    pub(crate) text: String,
    /// The colours of its series.
    pub(crate) palette: Palette,
    /// The charts, side by side.
    pub(crate) panels: Vec<Panel>,
    /// The data as rows of cells, the first of them the header.
    pub(crate) rows: Vec<Vec<String>>,
    /// A command that makes one of the runs behind the picture; empty if there is none.
    pub(crate) command: String,
}

impl Figure {
    /// Writes the data, then the picture, and returns the picture.
    pub(crate) fn write(&self, folder: &Path) -> Result<String, Error> {
        write_file(&folder.join(format!("{}.csv", self.id)), csv_of_cells(&self.rows).as_bytes())?;
        let path = folder.join(format!("{}.svg", self.id));
        let undrawable = |reason| mrdro::Error::Picture { path: path.clone(), reason };
        let svg = picture(&self.panels, self.palette).map_err(undrawable)?;
        write_file(&path, svg.as_bytes())?;
        Ok(svg)
    }
}

/// A table of a report.
pub(crate) struct Table {
    /// The heading.
    pub(crate) title: String,
    /// The rows of cells, the first of them the header.
    pub(crate) rows: Vec<Vec<String>>,
}

impl Table {
    /// Writes the table as a CSV file called `id`.
    pub(crate) fn write(&self, folder: &Path, id: &str) -> Result<(), Error> {
        Ok(write_file(&folder.join(format!("{id}.csv")), csv_of_cells(&self.rows).as_bytes())?)
    }
}

/// A row of cells from texts, such as the header of a table.
pub(crate) fn cells<T: ToString>(texts: impl IntoIterator<Item = T>) -> Vec<String> {
    texts.into_iter().map(|text| text.to_string()).collect()
}

/// Removes the column called `name` if none of the rows below the header has anything in it.
pub(crate) fn drop_empty_column(rows: &mut [Vec<String>], name: &str) {
    let Some(column) = rows.first().and_then(|header| header.iter().position(|cell| cell == name)) else { return };
    if rows.iter().skip(1).all(|row| row[column].is_empty()) {
        for row in rows {
            row.remove(column);
        }
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

/// The content of a report.
pub(crate) struct Page<'a> {
    /// The heading of the page.
    pub(crate) title: &'a str,
    /// The paragraphs at the top.
    pub(crate) introduction: &'a [String],
    /// The claims with their verdicts.
    pub(crate) claims: Option<&'a Table>,
    /// The other tables, each with the name of its file.
    pub(crate) tables: &'a [(String, Table)],
    /// The figures, each with its picture as SVG.
    pub(crate) figures: &'a [(Figure, String)],
}

impl Page<'_> {
    /// The page as HTML.
    pub(crate) fn html(&self) -> String {
        let mut html = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width, initial-scale=1\"><title>{0}</title><style>{STYLE}</style></head><body>\n<h1>{0}</h1>\n",
            escaped(self.title)
        );
        for paragraph in self.introduction {
            let _ = writeln!(html, "<p>{}</p>", escaped(paragraph));
        }
        html += &self.navigation();
        if let Some(claims) = self.claims {
            html += &section("claims", claims);
        }
        for (id, table) in self.tables {
            html += &section(id, table);
        }
        for (figure, svg) in self.figures {
            html += &figure_section(figure, svg);
        }
        html + "</body></html>\n"
    }

    /// Links to all parts of the page.
    fn navigation(&self) -> String {
        let mut html = "<nav aria-label=\"Parts\">".to_owned();
        if self.claims.is_some() {
            html += "<a href=\"#claims\">claims</a>";
        }
        for (id, _) in self.tables {
            let _ = write!(html, "<a href=\"#{id}\">{id}</a>");
        }
        for (figure, _) in self.figures {
            let _ = write!(html, "<a href=\"#{0}\">{0}</a>", figure.id);
        }
        html + "</nav>\n"
    }
}

fn figure_section(figure: &Figure, svg: &str) -> String {
    let (id, title) = (figure.id, escaped(&figure.title));
    let mut html = format!(
        "<h2 id=\"{id}\">{title}</h2>\n<p>{}</p>\n<figure role=\"img\" aria-label=\"{title}\">{svg}</figure>\n\
         <p>Data: <a href=\"{id}.csv\">{id}.csv</a>, picture: <a href=\"{id}.svg\">{id}.svg</a>.</p>\n",
        escaped(&figure.text)
    );
    if !figure.command.is_empty() {
        let _ = writeln!(html, "<p>One of its runs:</p>\n<pre>{}</pre>", escaped(&figure.command));
    }
    html
}

/// A table as a part of the page. Cells with numbers and verdicts get a class of their own.
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

/// A text without characters that HTML takes as markup.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_table_are_no_markup() {
        let rows = vec![vec!["a<b".to_owned(), "verdict".to_owned()], vec!["\"1\" & 2".to_owned(), "holds".to_owned()]];
        let table = Table { title: "x > y".to_owned(), rows };
        let html = section("claims", &table);
        assert!(
            html.contains("<th>a&lt;b</th>") && html.contains("&quot;1&quot; &amp; 2") && html.contains("x &gt; y")
        );
        assert!(html.contains("<td class=\"holds\">holds</td>"));
    }
}
