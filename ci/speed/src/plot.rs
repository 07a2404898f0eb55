//! The picture: for each mix, how many operations a second of its processors the second server does for one of the first.

use std::path::Path;

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::measure::Results;

const ROW: i32 = 30;
const LEFT: i32 = 270;
const RIGHT: i32 = 60;
const TOP: i32 = 60;
const WIDTH: i32 = 860;

/// Neither black nor white, so that it is read on a light page and on a dark one.
const INK: RGBColor = RGBColor(120, 120, 120);
const BAR: RGBColor = RGBColor(46, 134, 193);

/// Draws bars into `path`.
pub(crate) fn draw(results: &Results, path: &Path) -> anyhow::Result<()> {
    let height = TOP + ROW * results.mixes.len() as i32 + 20;
    let backend = SVGBackend::new(path, (WIDTH as u32, height as u32));
    let area = backend.into_drawing_area();
    let most = results.mixes.iter().map(|compared| compared.ratio).fold(1.0, f64::max);
    let x = |ratio: f64| LEFT + (ratio / most * f64::from(WIDTH - LEFT - RIGHT)) as i32;
    let text = |size: i32, horizontal: HPos| {
        let anchor = Pos::new(horizontal, VPos::Center);
        TextStyle::from(("sans-serif", size)).color(&INK).pos(anchor)
    };
    area.draw_text(
        "refcached's operations per CPU second, memcached = 1",
        &text(16, HPos::Left),
        (10, TOP / 2),
    )?;
    for (row, compared) in results.mixes.iter().enumerate() {
        let y = TOP + ROW * row as i32;
        let middle = y + ROW / 2 - 3;
        area.draw_text(compared.mix, &text(13, HPos::Right), (LEFT - 10, middle))?;
        area.draw(&Rectangle::new(
            [(LEFT, y), (x(compared.ratio), y + ROW - 8)],
            BAR.filled(),
        ))?;
        let figure = format!("{:.2}", compared.ratio);
        area.draw_text(&figure, &text(13, HPos::Left), (x(compared.ratio) + 6, middle))?;
    }
    let bottom = TOP + ROW * results.mixes.len() as i32;
    area.draw(&PathElement::new(
        [(x(1.0), TOP - 8), (x(1.0), bottom)],
        INK.stroke_width(1),
    ))?;
    area.present()?;
    Ok(())
}
