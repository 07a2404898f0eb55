//! The page in a real browser: headless Chromium, driven over its debugging pipe, against the real program.
//!
//! Without Chromium these tests are ignored, and say so; where `CI` is `true` they fail instead. The pictures that they
//! take are left in `<target>/tmp/page/` to be looked at.

#![allow(clippy::unwrap_used, reason = "a test stops at what it does not expect")]

#[path = "../../../../ci/browser.rs"]
mod browser;
#[path = "../support/program.rs"]
mod program;

use std::fs;
use std::path::PathBuf;

use libtest_mimic::{Arguments, Failed};
use serde_json::{Value, json};

use crate::browser::{Browser, Tab, trial};
use crate::program::Program;

fn main() {
    let trials = vec![
        trial(
            "a_dial_moves_live_when_somebody_turns_it",
            a_dial_moves_live_when_somebody_turns_it,
        ),
        trial(
            "an_owner_turns_a_dial_with_the_keyboard_alone",
            an_owner_turns_a_dial_with_the_keyboard_alone,
        ),
        trial(
            "an_owner_turns_a_dial_with_the_mouse",
            an_owner_turns_a_dial_with_the_mouse,
        ),
        trial(
            "what_the_service_refuses_is_said_on_the_page",
            what_the_service_refuses_is_said_on_the_page,
        ),
        trial(
            "the_page_loads_nothing_from_anywhere_else",
            the_page_loads_nothing_from_anywhere_else,
        ),
        trial(
            "the_page_fits_narrow_and_wide_light_and_dark",
            the_page_fits_narrow_and_wide_light_and_dark,
        ),
    ];
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A service with dials of two users, and a tab that shows it.
struct World {
    program: Program,
    ada: String,
    bob: String,
    tab: Tab,
}

const NAMES: [&str; 5] = [
    "Deploys",
    "Coffee",
    "Test suite",
    "Sleep",
    "The one with the very long name that has to be broken",
];

fn world() -> World {
    let program = Program::serve();
    let (ada, bob) = (program.add_user("ada"), program.add_user("bob"));
    for (index, name) in NAMES.iter().enumerate() {
        let owner = if index < 3 { &ada } else { &bob };
        let body = json!({ "name": name, "level": index * 25 });
        assert_eq!(program.call("POST", "/dials", Some(owner), Some(&body)).0, 201);
    }
    let mut tab = Browser::start().open(&program.url("/"));
    tab.until("document.querySelectorAll('.dial').length === 5");
    tab.until("document.getElementById('connection').textContent === 'live'");
    World { program, ada, bob, tab }
}

impl World {
    /// Gives the page a token, through its form.
    fn sign_in(&mut self, token: &str) {
        self.tab.run("document.getElementById('token').focus()");
        self.tab.type_text(token);
        self.tab.press("Enter");
        self.tab.until("document.getElementById('sign-in').hidden");
    }

    /// The level that the service has.
    fn level(&self, id: u64) -> f64 {
        let (status, dial) = self.program.call("GET", &format!("/dials/{id}"), None, None);
        assert_eq!(status, 200);
        dial["level"].as_f64().unwrap()
    }
}

/// What a dial's card shows: number, slider value, and the needle's turn in degrees.
fn shown(tab: &mut Tab, index: usize) -> Value {
    tab.run(&format!(
        "(() => {{
            const card = document.querySelectorAll('.dial')[{index}];
            const needle = new DOMMatrix(getComputedStyle(card.querySelector('.needle')).transform);
            return {{
                number: card.querySelector('.number').textContent,
                value: card.querySelector('.face').getAttribute('aria-valuenow'),
                degrees: Math.round(Math.atan2(needle.b, needle.a) * 180 / Math.PI),
            }};
        }})()"
    ))
}

fn a_dial_moves_live_when_somebody_turns_it() -> Result<(), Failed> {
    let mut world = world();
    assert_eq!(
        shown(&mut world.tab, 4),
        json!({ "number": "100", "value": "100", "degrees": 135 })
    );
    let bob = world.bob.clone();
    let level = json!({ "level": 50.4 });
    assert_eq!(
        world.program.call("PUT", "/dials/5/level", Some(&bob), Some(&level)).0,
        200
    );
    world
        .tab
        .until("document.querySelectorAll('.number')[4].textContent === '50'");
    assert_eq!(
        shown(&mut world.tab, 4),
        json!({ "number": "50", "value": "50.4", "degrees": 1 })
    );
    let born = json!({ "name": "Newcomer", "level": 0 });
    assert_eq!(world.program.call("POST", "/dials", Some(&bob), Some(&born)).0, 201);
    world.tab.until("document.querySelectorAll('.dial').length === 6");
    assert_eq!(
        shown(&mut world.tab, 5),
        json!({ "number": "0", "value": "0", "degrees": -135 })
    );
    Ok(())
}

fn an_owner_turns_a_dial_with_the_keyboard_alone() -> Result<(), Failed> {
    let mut world = world();
    let ada = world.ada.clone();
    // From the top of the page to the first dial, by the Tab key: the form is gone once the token is known.
    world.sign_in(&ada);
    world.tab.run("document.activeElement.blur()");
    for _ in 0..2 {
        world.tab.press("Tab");
    }
    let focused = world.tab.run("document.activeElement.getAttribute('aria-label')");
    assert_eq!(focused, "Deploys");
    let steps = [
        ("ArrowRight", 1.0),
        ("ArrowUp", 2.0),
        ("PageUp", 12.0),
        ("ArrowLeft", 11.0),
        ("PageDown", 1.0),
        ("PageDown", 0.0),
        ("End", 100.0),
        ("ArrowDown", 99.0),
        ("Home", 0.0),
        ("PageUp", 10.0),
    ];
    for (key, level) in steps {
        world.tab.press(key);
        world.tab.until(&format!(
            "document.querySelector('.face').getAttribute('aria-valuenow') === '{level}'"
        ));
    }
    // What is sent is the last level, at the latest when the answer to the one before is there.
    world
        .tab
        .until("document.querySelector('.facts').textContent === 'yours, just now'");
    world
        .tab
        .until("fetch('dials/1').then((answer) => answer.json()).then((dial) => dial.level === 10)");
    assert_eq!(world.level(1), 10.0);
    assert_eq!(
        shown(&mut world.tab, 0),
        json!({ "number": "10", "value": "10", "degrees": -108 })
    );
    Ok(())
}

fn an_owner_turns_a_dial_with_the_mouse() -> Result<(), Failed> {
    let mut world = world();
    let ada = world.ada.clone();
    world.sign_in(&ada);
    let face = world.tab.run(
        "(() => { const box = document.querySelector('.face').getBoundingClientRect();
                  return [box.left + box.width / 2, box.top + box.height * 100 / 176]; })()",
    );
    let (x, y) = (face[0].as_f64().unwrap(), face[1].as_f64().unwrap());
    // Down at the left, over the top, up at the right.
    world.tab.mouse("mousePressed", x - 60.0, y);
    world.tab.mouse("mouseMoved", x, y - 60.0);
    world
        .tab
        .until("document.querySelector('.number').textContent === '50'");
    world.tab.mouse("mouseMoved", x + 60.0, y);
    world.tab.mouse("mouseReleased", x + 60.0, y);
    world
        .tab
        .until("fetch('dials/1').then((answer) => answer.json()).then((dial) => dial.level === 83)");
    Ok(())
}

fn what_the_service_refuses_is_said_on_the_page() -> Result<(), Failed> {
    let mut world = world();
    world.tab.run("document.getElementById('token').focus()");
    world.tab.type_text("wtfdial_nobody");
    world.tab.press("Enter");
    world
        .tab
        .until("document.getElementById('notice').textContent.startsWith('this takes the token of a known user')");
    let (ada, bob) = (world.ada.clone(), world.bob.clone());
    world.sign_in(&ada);
    world.tab.until("document.getElementById('notice').hidden");
    let roles = "[...document.querySelectorAll('.face')].map((face) => face.getAttribute('role'))";
    assert_eq!(
        world.tab.run(roles),
        json!(["slider", "slider", "slider", "meter", "meter"])
    );
    // A dial of somebody else takes no focus and no keys.
    assert_eq!(world.tab.run("document.querySelectorAll('.face')[3].tabIndex"), -1);
    // A name that only the service refuses.
    world
        .tab
        .run("document.getElementById('name').value = String.fromCharCode(127)");
    world.tab.run("document.querySelector('#create button').click()");
    world
        .tab
        .until("document.getElementById('notice').textContent.includes('U+007F')");
    assert_eq!(
        world.program.call("GET", "/dials", None, None).1["dials"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    // And away: what was mine is not mine any more.
    world.tab.run("document.querySelector('#sign-out button').click()");
    world
        .tab
        .until("document.querySelectorAll('[role=slider]').length === 0");
    world.sign_in(&bob);
    assert_eq!(
        world.tab.run(roles),
        json!(["meter", "meter", "meter", "slider", "slider"])
    );
    Ok(())
}

fn the_page_loads_nothing_from_anywhere_else() -> Result<(), Failed> {
    let mut world = world();
    let ada = world.ada.clone();
    world.sign_in(&ada);
    let own = world.program.url("/");
    let asked = world.tab.requested_urls();
    for path in ["", "page.css", "page.js", "dials/events", "me"] {
        assert!(
            asked.contains(&format!("{own}{path}")),
            "{path} was not asked for: {asked:?}"
        );
    }
    for url in &asked {
        assert!(url.starts_with(&own) || url.starts_with("data:"), "{url}");
    }
    assert_eq!(world.tab.complaints(), Vec::<String>::new());
    Ok(())
}

fn the_page_fits_narrow_and_wide_light_and_dark() -> Result<(), Failed> {
    let mut world = world();
    let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("page");
    fs::create_dir_all(&pictures)?;
    fs::write(pictures.join("light-1100-anonymous.png"), world.tab.picture())?;
    let ada = world.ada.clone();
    world.sign_in(&ada);
    world.tab.run("document.querySelectorAll('.face')[1].focus()");
    let mut taken = Vec::new();
    for (scheme, ground) in [("light", "rgb(245, 243, 239)"), ("dark", "rgb(22, 23, 26)")] {
        for width in [320, 1100] {
            world.tab.emulate(width, 900, scheme);
            world.tab.until(&format!(
                "getComputedStyle(document.body).backgroundColor === '{ground}'"
            ));
            // Nothing sticks out at the side, and every card is where it can be seen.
            assert_eq!(world.tab.run("document.documentElement.scrollWidth"), width);
            let columns = world
                .tab
                .run("getComputedStyle(document.getElementById('dials')).gridTemplateColumns");
            let columns = columns.as_str().unwrap().split(' ').count();
            assert_eq!(columns, if width == 320 { 1 } else { 4 });
            let picture = world.tab.picture();
            fs::write(pictures.join(format!("{scheme}-{width}.png")), &picture)?;
            taken.push(picture);
        }
        assert!(contrast(&mut world.tab) >= 4.5, "{scheme}");
    }
    taken.dedup();
    assert_eq!(taken.len(), 4, "two pictures are the same");
    named_for_assistive_technology(&mut world.tab);
    Ok(())
}

/// The lowest contrast of a text with the ground it stands on (WCAG 2.2, 1.4.3; 4.5 is asked for).
fn contrast(tab: &mut Tab) -> f64 {
    let lowest = tab.run(
        "(() => {
            const luminance = (colour) => {
                const [r, g, b] = colour.match(/[\\d.]+/g).map((part) => {
                    const share = part / 255;
                    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
                });
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const pairs = [
                ['.facts', 'color', '.dial', 'backgroundColor'], ['.dial h2', 'color', '.dial', 'backgroundColor'],
                ['#help', 'color', 'body', 'backgroundColor'], ['#notice', 'color', '#notice', 'backgroundColor'],
                ['#connection', 'color', 'body', 'backgroundColor'], ['.number', 'fill', '.knob', 'fill'],
            ].map(([text, ink, ground, fill]) => {
                const style = (selector, property) => getComputedStyle(document.querySelector(selector))[property];
                const [a, b] = [luminance(style(text, ink)), luminance(style(ground, fill))].sort((a, b) => b - a);
                return (a + 0.05) / (b + 0.05);
            });
            return Math.min(...pairs);
        })()",
    );
    lowest.as_f64().unwrap()
}

/// What a screen reader is told of the dials.
fn named_for_assistive_technology(tab: &mut Tab) {
    let tree = tab.accessibility_tree();
    let dials: Vec<(String, String, f64)> = tree
        .iter()
        .filter(|node| node["role"]["value"] == "slider" || node["role"]["value"] == "meter")
        .map(|node| {
            let text = |value: &Value| value["value"].as_str().unwrap_or_default().to_owned();
            (
                text(&node["role"]),
                text(&node["name"]),
                node["value"]["value"].as_f64().unwrap_or(f64::NAN),
            )
        })
        .collect();
    let expected: Vec<_> = NAMES
        .iter()
        .enumerate()
        .map(|(index, name)| {
            let role = if index < 3 { "slider" } else { "meter" };
            (role.to_owned(), (*name).to_owned(), (index * 25) as f64)
        })
        .collect();
    assert_eq!(dials, expected);
    for node in &tree {
        if node["role"]["value"] == "button" || node["role"]["value"] == "textbox" {
            assert_ne!(node["name"]["value"], "", "a control without a name: {node}");
        }
    }
}
