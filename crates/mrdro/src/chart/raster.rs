//! A surface of pixels, which shows what SVG shows: the same places, colours and widths of lines.

use std::io;
use std::sync::OnceLock;

use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind, FontTransform,
};
use tiny_skia::{FillRule, Paint, Path, PathBuilder, Pixmap, Stroke, Transform};
use ttf_parser::{Face, OutlineBuilder};

/// The font of all texts.
const FONT: &[u8] = include_bytes!("font/DejaVuSans.ttf");
/// Pixels for each unit of a drawing, so that thin lines and small letters are sharp.
const SCALE: u32 = 2;
/// Sizes of texts are given in a unit of their own, of which the SVG surface, too, makes this size of letters.
const LETTERS: f32 = 1.0 / 1.24;
/// The height of small letters such as x, as a share of the font size.
const X_HEIGHT: f32 = 0.547;
/// The distance from the top of a text to its base line, as a share of the font size; that of the SVG surface.
const TOP_TO_BASE_LINE: f32 = 0.76;

type Drawn = Result<(), DrawingErrorKind<io::Error>>;

/// The pixels of a picture that is being drawn.
pub(super) struct Raster<'a> {
    pixels: &'a mut Pixmap,
    size: (u32, u32),
}

impl<'a> Raster<'a> {
    /// The pixels of a picture of this size, in units of the drawing.
    pub(super) fn pixels((width, height): (u32, u32)) -> Result<Pixmap, String> {
        let pixels = width.checked_mul(SCALE).zip(height.checked_mul(SCALE));
        let pixels = pixels.and_then(|(width, height)| Pixmap::new(width, height));
        pixels.ok_or_else(|| format!("a picture of {width} by {height} units is too large"))
    }

    /// A surface of this size, in units of the drawing.
    pub(super) fn new(pixels: &'a mut Pixmap, size: (u32, u32)) -> Self {
        Self { pixels, size }
    }

    fn fill(&mut self, path: Option<Path>, color: BackendColor, place: Transform) {
        if let Some(path) = path {
            let place = place.post_scale(SCALE as f32, SCALE as f32);
            self.pixels.fill_path(&path, &paint(color), FillRule::Winding, place, None);
        }
    }

    fn stroke(&mut self, path: Option<Path>, style: &impl BackendStyle) {
        if let Some(path) = path {
            let stroke = Stroke { width: style.stroke_width() as f32, ..Stroke::default() };
            let scale = Transform::from_scale(SCALE as f32, SCALE as f32);
            self.pixels.stroke_path(&path, &paint(style.color()), &stroke, scale, None);
        }
    }
}

fn paint(color: BackendColor) -> Paint<'static> {
    let (red, green, blue) = color.rgb;
    let mut paint = Paint::default();
    paint.set_color_rgba8(red, green, blue, (color.alpha.clamp(0.0, 1.0) * 255.0).round() as u8);
    paint
}

/// A path through points; `None` if there are too few to draw.
fn path(points: impl IntoIterator<Item = BackendCoord>, is_closed: bool) -> Option<Path> {
    let mut builder = PathBuilder::new();
    for (x, y) in points {
        let (x, y) = (x as f32, y as f32);
        if builder.is_empty() { builder.move_to(x, y) } else { builder.line_to(x, y) }
    }
    if is_closed {
        builder.close();
    }
    builder.finish()
}

impl DrawingBackend for Raster<'_> {
    type ErrorType = io::Error;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        self.draw_rect((x, y), (x + 1, y + 1), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_rect<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S, fill: bool) -> Drawn {
        let corners = path([from, (to.0, from.1), to, (from.0, to.1)], true);
        if fill {
            self.fill(corners, style.color(), Transform::identity());
        } else {
            self.stroke(corners, style);
        }
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, points: I, style: &S) -> Drawn {
        self.stroke(path(points, false), style);
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, (x, y): BackendCoord, radius: u32, style: &S, fill: bool) -> Drawn {
        let circle = PathBuilder::from_circle(x as f32, y as f32, radius as f32);
        if fill {
            self.fill(circle, style.color(), Transform::identity());
        } else {
            self.stroke(circle, style);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, corners: I, style: &S) -> Drawn {
        self.fill(path(corners, true), style.color(), Transform::identity());
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, (x, y): BackendCoord) -> Drawn {
        let font_size = style.size() as f32 * LETTERS;
        let (outline, width) = outline(text, font_size);
        let anchor = style.anchor();
        let across = match anchor.h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let down = match anchor.v_pos {
            VPos::Top => TOP_TO_BASE_LINE * font_size,
            VPos::Center => X_HEIGHT / 2.0 * font_size,
            VPos::Bottom => -X_HEIGHT / 2.0 * font_size,
        };
        let angle = match style.transform() {
            FontTransform::None => 0.0,
            FontTransform::Rotate90 => 90.0,
            FontTransform::Rotate180 => 180.0,
            FontTransform::Rotate270 => 270.0,
        };
        let place = Transform::from_translate(across, down)
            .post_concat(Transform::from_rotate(angle))
            .post_translate(x as f32, y as f32);
        self.fill(outline, style.color(), place);
        Ok(())
    }
}

/// The outlines of a text that begins at the origin, on its base line, and the width of the text. A character that the font
/// does not have is an empty box.
fn outline(text: &str, font_size: f32) -> (Option<Path>, f32) {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    let face = FACE.get_or_init(|| Face::parse(FONT, 0).expect("the font is part of the program"));
    let scale = font_size / f32::from(face.units_per_em());
    let mut outline = TextOutline { builder: PathBuilder::new(), x: 0.0, scale };
    for character in text.chars().filter(|character| !character.is_control()) {
        let glyph = face.glyph_index(character).unwrap_or_default();
        // A space has no outline.
        let _ = face.outline_glyph(glyph, &mut outline);
        outline.x += f32::from(face.glyph_hor_advance(glyph).unwrap_or(0)) * scale;
    }
    (outline.builder.finish(), outline.x)
}

/// Collects the outlines of letters. In fonts y grows upwards, in pictures downwards.
struct TextOutline {
    builder: PathBuilder,
    /// The beginning of the present letter.
    x: f32,
    scale: f32,
}

impl TextOutline {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, -y * self.scale)
    }
}

impl OutlineBuilder for TextOutline {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.builder.line_to(x, y);
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x1, y1), (x, y)) = (self.at(x1, y1), self.at(x, y));
        self.builder.quad_to(x1, y1, x, y);
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let ((x1, y1), (x2, y2), (x, y)) = (self.at(x1, y1), self.at(x2, y2), self.at(x, y));
        self.builder.cubic_to(x1, y1, x2, y2, x, y);
    }

    fn close(&mut self) {
        self.builder.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_of_charts_has_letters_in_the_font() {
        let face = Face::parse(FONT, 0).expect("a font");
        for character in "Q2 1 − 0.999, 1e-6 Mbit/s µs αβ é ü ø Ж 95 % – @16 “x” ≤ …".chars() {
            assert!(face.glyph_index(character).is_some(), "{character}");
        }
        let (path, width) = outline("Q2", 20.0);
        assert!(path.is_some() && (20.0..40.0).contains(&width), "{width}");
        assert!(outline("漢\n", 20.0).0.is_some(), "an empty box");
    }
}
