//! Headless Chromium over its debugging pipe: the few commands of its protocol that the tests need.
//!
//! The browser reads commands on descriptor 3 and writes answers and events on descriptor 4, each a JSON text that ends
//! with a zero byte. Protocol: <https://chromedevtools.github.io/devtools-protocol/>.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long the browser may take over anything before it is taken for hung: it is slow to start on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A test in the browser. Without one it is ignored, and says so; where `CI` is `true` it fails instead.
pub(crate) fn trial(name: &str, test: fn() -> Result<(), Failed>) -> Trial {
    let missing = chromium().is_none() && std::env::var("CI").as_deref() != Ok("true");
    let trial = Trial::test(name, test).with_ignored_flag(missing);
    if missing {
        trial.with_kind("no chromium here: install Debian's package `chromium`")
    } else {
        trial
    }
}

/// Where Chromium is: what `CHROMIUM` names, or the first of its usual names in `PATH`.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    let path = std::env::var_os("PATH")?;
    let names = ["chromium", "chromium-browser", "google-chrome"];
    std::env::split_paths(&path)
        .flat_map(|place| names.map(|name| place.join(name)))
        .find(|file| file.is_file())
}

/// A browser with a profile of its own; it ends when this is dropped.
pub(crate) struct Browser {
    child: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    events: Vec<Value>,
    last_id: u64,
    _profile: TempDir,
}

impl Browser {
    pub(crate) fn start() -> Browser {
        let program = chromium().expect("no chromium: install Debian's package `chromium`, or name one in CHROMIUM");
        let profile = tempfile::tempdir().unwrap();
        // The shell turns its own standard input and output, which are pipes, into descriptors 3 and 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 0</dev/null 1>/dev/null 2>/dev/null"])
            .arg(program)
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-first-run",
                "--no-sandbox",
                "--disable-gpu",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--disable-component-update",
            ])
            .args(["--hide-scrollbars", "--lang=en"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let commands = child.stdin.take().unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let (sender, messages) = channel();
        thread::spawn(move || {
            for message in answers.split(0) {
                let Ok(message) = message else { return };
                let message = serde_json::from_slice(&message).expect("the browser sends JSON");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Browser {
            child,
            commands,
            messages,
            events: Vec::new(),
            last_id: 0,
            _profile: profile,
        }
    }

    /// Opens a tab that records what it asks the network for, and what it complains about.
    pub(crate) fn open(mut self, url: &str) -> Tab {
        let target = self.command(None, "Target.createTarget", &json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let session = self.command(None, "Target.attachToTarget", &attach)["sessionId"].clone();
        let mut tab = Tab {
            browser: self,
            session: session.as_str().unwrap().to_owned(),
        };
        for domain in ["Page", "Network", "Runtime", "Log", "Accessibility"] {
            tab.command(&format!("{domain}.enable"), &json!({}));
        }
        tab.emulate(1100, 900, "light");
        tab.command("Page.navigate", &json!({ "url": url }));
        tab
    }

    fn command(&mut self, session: Option<&str>, method: &str, params: &Value) -> Value {
        self.last_id += 1;
        let mut command = json!({ "id": self.last_id, "method": method, "params": params });
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        write!(self.commands, "{command}\0").unwrap();
        self.commands.flush().unwrap();
        loop {
            let message = self
                .messages
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no answer to {method}"));
            if message["id"] == self.last_id {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A tab and its browser.
pub(crate) struct Tab {
    browser: Browser,
    session: String,
}

impl Tab {
    fn command(&mut self, method: &str, params: &Value) -> Value {
        self.browser.command(Some(&self.session), method, params)
    }

    /// What an expression of the page comes to.
    pub(crate) fn run(&mut self, expression: &str) -> Value {
        let params = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let outcome = self.command("Runtime.evaluate", &params);
        assert!(
            outcome["exceptionDetails"].is_null(),
            "{expression}: {}",
            outcome["exceptionDetails"]
        );
        outcome["result"]["value"].clone()
    }

    /// Waits until an expression of the page, or the promise that it gives, is true.
    pub(crate) fn until(&mut self, condition: &str) {
        let tries = PATIENCE.as_millis() / 20;
        let reached = self.run(&format!(
            "(async () => {{
                for (let left = {tries}; left > 0; left -= 1) {{
                    if (await ({condition})) return true;
                    await new Promise((resolve) => setTimeout(resolve, 20));
                }}
                return false;
            }})()"
        ));
        assert_eq!(reached, true, "it never came to: {condition}");
    }

    pub(crate) fn type_text(&mut self, text: &str) {
        self.command("Input.insertText", &json!({ "text": text }));
    }

    /// Presses and releases a key, named as in a `KeyboardEvent`.
    pub(crate) fn press(&mut self, key: &str) {
        let code = match key {
            "Tab" => 9,
            "Enter" => 13,
            "PageUp" => 33,
            "PageDown" => 34,
            "End" => 35,
            "Home" => 36,
            "ArrowLeft" => 37,
            "ArrowUp" => 38,
            "ArrowRight" => 39,
            "ArrowDown" => 40,
            _ => panic!("no code is known for the key {key}"),
        };
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let press = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code, "text": text });
            self.command("Input.dispatchKeyEvent", &press);
        }
    }

    /// Moves, presses or releases the left button of the mouse.
    pub(crate) fn mouse(&mut self, kind: &str, x: f64, y: f64) {
        let buttons = if kind == "mouseReleased" { 0 } else { 1 };
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1 });
        self.command("Input.dispatchMouseEvent", &event);
    }

    /// Shows the page on a screen of this size, to somebody who likes it `light` or `dark`, and still.
    pub(crate) fn emulate(&mut self, width: u32, height: u32, scheme: &str) {
        let screen = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.command("Emulation.setDeviceMetricsOverride", &screen);
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.command("Emulation.setEmulatedMedia", &features);
    }

    /// The whole page as a PNG.
    pub(crate) fn picture(&mut self) -> Vec<u8> {
        let shot = self.command(
            "Page.captureScreenshot",
            &json!({ "format": "png", "captureBeyondViewport": true }),
        );
        let bytes = from_base64(shot["data"].as_str().unwrap());
        assert!(bytes.starts_with(b"\x89PNG"));
        bytes
    }

    /// The nodes of the accessibility tree that are not left out of it, in the order of the document.
    pub(crate) fn accessibility_tree(&mut self) -> Vec<Value> {
        let tree = self.command("Accessibility.getFullAXTree", &json!({}));
        let nodes = tree["nodes"].as_array().unwrap().clone();
        nodes.into_iter().filter(|node| node["ignored"] == false).collect()
    }

    /// Every address that the tab has asked for.
    pub(crate) fn requested_urls(&mut self) -> Vec<String> {
        let url = |event: &Value| event["params"]["request"]["url"].as_str().map(str::to_owned);
        self.events("Network.requestWillBeSent").filter_map(url).collect()
    }

    /// What the browser has logged against the page, and what the page threw and did not catch.
    pub(crate) fn complaints(&mut self) -> Vec<String> {
        let logged: Vec<_> = self.events("Log.entryAdded").map(Value::to_string).collect();
        self.events("Runtime.exceptionThrown")
            .map(Value::to_string)
            .chain(logged)
            .collect()
    }

    fn events(&mut self, method: &'static str) -> impl Iterator<Item = &Value> {
        // Events come in the order of things: behind this answer none of the past is still on its way.
        self.run("0");
        self.browser
            .events
            .iter()
            .filter(move |event| event["method"] == method)
    }
}

/// RFC 4648, section 4.
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter(|byte| *byte != b'=');
    let digits = digits.map(|byte| ALPHABET.iter().position(|digit| *digit == byte).expect("base64") as u32);
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0, 0_u32);
    for digit in digits {
        held = (held << 6 | digit) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits) as u8);
        }
    }
    bytes
}
