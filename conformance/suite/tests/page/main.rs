//! The pages in a real browser: headless Chromium, driven over its debugging pipe.
//!
//! Without Chromium these tests are ignored, and say so; where `CI` is `true` they fail instead. The pictures that they
//! take are left in `<target>/tmp/mcspec-pages/` to be looked at.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "../../../../ci/browser.rs"]
#[allow(dead_code, reason = "shared with the page of another crate")]
mod browser;
#[path = "../fake/mod.rs"]
#[allow(dead_code, reason = "shared with another test")]
mod fake;
mod pages;

use std::path::PathBuf;

use browser::{Browser, Tab, trial};
use libtest_mimic::{Arguments, Failed};
use serde_json::{Value, json};

fn main() {
    let trials = vec![
        trial("typing_filters_the_report", typing_filters_the_report),
        trial(
            "a_link_of_the_matrix_leads_to_the_failure",
            a_link_of_the_matrix_leads_to_the_failure,
        ),
        trial(
            "a_verdict_has_a_sign_beside_its_colour",
            a_verdict_has_a_sign_beside_its_colour,
        ),
        trial(
            "pages_fit_narrow_and_wide_light_and_dark",
            pages_fit_narrow_and_wide_light_and_dark,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A page in a file, and a tab that shows it.
struct World {
    _directory: tempfile::TempDir,
    url: String,
    tab: Tab,
}

fn show(page: &str) -> World {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("page.html");
    std::fs::write(&file, page).unwrap();
    let url = format!("file://{}", file.display());
    let mut tab = Browser::start().open(&url);
    tab.until("document.readyState === 'complete' && document.querySelector('.filter:not([hidden])') !== null");
    World {
        _directory: directory,
        url,
        tab,
    }
}

impl World {
    /// Nothing but the page itself was asked for, and nothing was complained of.
    fn assert_quiet(&mut self) {
        let mut asked = self.tab.requested_urls();
        asked.retain(|url| !url.starts_with(&self.url) && !url.starts_with("data:"));
        assert_eq!(asked, [""; 0]);
        assert_eq!(self.tab.complaints(), [""; 0]);
    }
}

/// How many elements of a kind can be seen.
fn visible(tab: &mut Tab, selector: &str) -> Value {
    tab.run(&format!(
        "[...document.querySelectorAll({})].filter((e) => e.checkVisibility()).length",
        json!(selector)
    ))
}

fn typing_filters_the_report() -> Result<(), Failed> {
    let mut world = show(&pages::report());
    let tab = &mut world.tab;
    assert_eq!(visible(tab, "article"), 3, "two failures and a remark");
    tab.run("document.querySelector('.filter input').focus()");
    tab.type_text("s/t/bad fail");
    tab.until("document.querySelector('.filter output').value === '1 results'");
    assert_eq!(visible(tab, "article"), 1);
    assert_eq!(visible(tab, "details.section li"), 1, "the section is unfolded");
    assert_eq!(
        tab.run("location.hash"),
        "#q=s%2Ft%2Fbad%20fail",
        "the address can be passed on"
    );
    tab.type_text(" nonsense");
    tab.until("!document.querySelector('.nothing').hidden");
    tab.run("dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }))");
    tab.until("document.querySelector('.filter input').value === ''");
    assert_eq!(visible(tab, "article"), 3);
    world.assert_quiet();
    Ok(())
}

fn a_link_of_the_matrix_leads_to_the_failure() -> Result<(), Failed> {
    let mut world = show(&pages::matrix());
    let tab = &mut world.tab;
    assert_eq!(visible(tab, "table.cases tr"), 0, "sections are folded");
    tab.run("document.querySelector('table.matrix tbody a').click()");
    tab.until("document.querySelector('details.section').open");
    tab.run("document.querySelector('table.cases tr[data-text^=\"s/t/bad \"] td a').click()");
    tab.until("location.hash === '#server-0-s-t-bad'");
    tab.until("(() => { const top = document.querySelector(location.hash).getBoundingClientRect().top; return top >= 0 && top < innerHeight; })()");
    // The filter reaches the rows, too.
    tab.run("document.querySelector('.filter input').focus()");
    tab.type_text("s/t/known");
    tab.until("document.querySelector('.filter output').value.endsWith('results')");
    assert_eq!(visible(tab, "table.cases tbody tr"), 1);
    assert_eq!(visible(tab, "article"), 0);
    world.assert_quiet();
    Ok(())
}

fn a_verdict_has_a_sign_beside_its_colour() -> Result<(), Failed> {
    for page in [pages::report(), pages::matrix()] {
        let mut world = show(&page);
        let tab = &mut world.tab;
        for (verdict, sign) in [
            ("pass", "\u{2713}"),
            ("fail", "\u{2717}"),
            ("deviation", "\u{2260}"),
            ("unsupported", "\u{2013}"),
        ] {
            let all = format!(
                "[...document.querySelectorAll('table:not(.cases) :is(td, .count).{verdict}')]
                    .filter((e) => e.checkVisibility()).map((e) => e.textContent.trim()[0])"
            );
            let signs = tab.run(&all);
            let signs = signs.as_array().unwrap();
            assert!(!signs.is_empty(), "{verdict}");
            assert!(signs.iter().all(|shown| shown == sign), "{verdict}: {signs:?}");
        }
        let colour = |tab: &mut Tab, verdict: &str| {
            tab.run(&format!(
                "getComputedStyle(document.querySelector('table .{verdict}')).color"
            ))
        };
        assert_ne!(colour(tab, "pass"), colour(tab, "fail"));
    }
    Ok(())
}

fn pages_fit_narrow_and_wide_light_and_dark() -> Result<(), Failed> {
    let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("mcspec-pages");
    std::fs::create_dir_all(&pictures)?;
    for (name, page) in [("report", pages::report()), ("matrix", pages::matrix())] {
        let mut world = show(&page);
        world
            .tab
            .run("document.querySelectorAll('details').forEach((details) => { details.open = true; })");
        let mut grounds = Vec::new();
        for scheme in ["light", "dark"] {
            for width in [1100, 320] {
                let tab = &mut world.tab;
                tab.emulate(width, 900, scheme);
                tab.until(&format!("innerWidth === {width}"));
                let wide = tab.run("document.documentElement.scrollWidth");
                assert!(
                    wide.as_u64().unwrap() <= u64::from(width),
                    "{name} at {width} is {wide} wide"
                );
                std::fs::write(pictures.join(format!("{name}-{scheme}-{width}.png")), tab.picture())?;
                grounds.push(tab.run("getComputedStyle(document.body).backgroundColor"));
            }
        }
        assert_eq!(grounds[0], grounds[1]);
        assert_ne!(grounds[0], grounds[2], "dark is dark");
        world.assert_quiet();
    }
    Ok(())
}
