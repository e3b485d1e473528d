//! The surface that charts are drawn on: SVG or PNG.

use std::io;
use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingErrorKind};
use tiny_skia::Pixmap;

use super::png;
use super::raster::Raster;
use crate::error::Error;
use crate::files::{check_file, write_file};

/// The file format of a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureFormat {
    /// SVG, a drawing of any size.
    Svg,
    /// PNG, with two pixels for each unit of the drawing.
    Png,
}

impl PictureFormat {
    /// Names of the formats, as they end the names of files.
    pub const EXTENSIONS: [(&'static str, Self); 2] = [("svg", Self::Svg), ("png", Self::Png)];

    /// The format that the name of a picture asks for by its extension: `.svg` or `.png`. A name without an extension, and one
    /// of a pipe or device, stands for SVG. `None` for other extensions.
    pub fn of(path: &Path) -> Option<Self> {
        let Some(extension) = path.extension() else { return Some(Self::Svg) };
        let known = Self::EXTENSIONS.into_iter().find(|(name, _)| extension.eq_ignore_ascii_case(name));
        let takes_any_name = || path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir());
        known.map(|(_, format)| format).or_else(|| takes_any_name().then_some(Self::Svg))
    }

    /// The format of a picture that will be written by [`write_file`], so that a command fails before its work and not after
    /// it.
    ///
    /// # Errors
    /// If there is no format for the extension, or the file cannot be written.
    pub fn check(path: &Path) -> Result<Self, Error> {
        let format = Self::of(path).ok_or_else(|| {
            let reason = "the name must end in .svg or .png, which are the formats of pictures".to_owned();
            Error::Picture { path: path.to_owned(), reason }
        })?;
        check_file(path)?;
        Ok(format)
    }
}

/// The part of a picture that charts are drawn on.
pub(super) type Area<'a> = DrawingArea<Canvas<'a>, Shift>;

/// Draws a picture of this size, in units of an SVG file, and returns the bytes of its file.
pub(super) fn draw(
    format: PictureFormat,
    size: (u32, u32),
    paint: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<Vec<u8>, String> {
    let draw_on = |canvas: Canvas<'_>| {
        let area = canvas.into_drawing_area();
        area.fill(&WHITE).map_err(text)?;
        paint(&area)?;
        area.present().map_err(text)
    };
    match format {
        PictureFormat::Svg => {
            let mut svg = String::new();
            draw_on(Canvas::Svg(SVGBackend::with_string(&mut svg, size)))?;
            Ok(svg.into_bytes())
        }
        PictureFormat::Png => {
            let mut pixels = Raster::pixels(size)?;
            draw_on(Canvas::Png(Raster::new(&mut pixels, size)))?;
            encoded(&pixels)
        }
    }
}

/// Draws a picture in the format that the name of its file asks for, and writes it with [`write_file`].
pub(super) fn write(
    path: &Path,
    size: (u32, u32),
    paint: impl FnOnce(&Area<'_>) -> Result<(), String>,
) -> Result<(), Error> {
    let format = PictureFormat::check(path)?;
    let picture = draw(format, size, paint).map_err(|reason| Error::Picture { path: path.to_owned(), reason })?;
    write_file(path, &picture)
}

/// The pixels as a PNG file. Pictures begin with a white background, so that no pixel is transparent.
fn encoded(pixels: &Pixmap) -> Result<Vec<u8>, String> {
    let colours = pixels.pixels().iter().map(|pixel| [pixel.red(), pixel.green(), pixel.blue()]);
    png::encode(pixels.width(), pixels.height(), colours).map_err(text)
}

/// The text of an error of the drawing library.
pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A surface of either format. One type for both keeps the code of charts from being compiled for each format.
pub(super) enum Canvas<'a> {
    Svg(SVGBackend<'a>),
    Png(Raster<'a>),
}

type Drawn = Result<(), DrawingErrorKind<io::Error>>;

/// Calls the same method of the surface in a canvas.
macro_rules! on {
    ($canvas:ident, $method:ident($($argument:expr),*)) => {
        match $canvas {
            Canvas::Svg(surface) => surface.$method($($argument),*),
            Canvas::Png(surface) => surface.$method($($argument),*),
        }
    };
}

impl DrawingBackend for Canvas<'_> {
    type ErrorType = io::Error;

    fn get_size(&self) -> (u32, u32) {
        on!(self, get_size())
    }

    fn ensure_prepared(&mut self) -> Drawn {
        on!(self, ensure_prepared())
    }

    fn present(&mut self) -> Drawn {
        on!(self, present())
    }

    fn draw_pixel(&mut self, point: BackendCoord, color: BackendColor) -> Drawn {
        on!(self, draw_pixel(point, color))
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        on!(self, draw_line(from, to, style))
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        on!(self, draw_rect(from, to, style, fill))
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Drawn {
        on!(self, draw_path(path, style))
    }

    fn draw_circle<S: BackendStyle>(&mut self, center: BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        on!(self, draw_circle(center, radius, style, fill))
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        on!(self, fill_polygon(corners, style))
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, pos: BackendCoord) -> Drawn {
        on!(self, draw_text(text, style, pos))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_picture_decides_its_format() {
        use PictureFormat::{Png, Svg};
        for (name, format) in [
            ("plot.svg", Some(Svg)),
            ("a.b/Plot.SVG", Some(Svg)),
            ("plot.png", Some(Png)),
            ("plot.PnG", Some(Png)),
            ("a.pdf/plot", Some(Svg)),
            ("-", Some(Svg)),
            ("plot.pdf", None),
            ("plot.svg.gz", None),
            ("plot.jpeg", None),
        ] {
            assert_eq!(PictureFormat::of(Path::new(name)), format, "{name}");
        }
        let error = PictureFormat::check(Path::new("plot.pdf")).expect_err("not a picture").to_string();
        assert!(error.contains("plot.pdf") && error.contains(".svg") && error.contains(".png"), "{error}");
    }
}
