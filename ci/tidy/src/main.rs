//! Runs every check of the tree that this program stands in; exit code 1 when one finds something.

use std::path::Path;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let findings = tidy::check(&root)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} findings", findings.len());
    Ok(ExitCode::from(u8::from(!findings.is_empty())))
}
