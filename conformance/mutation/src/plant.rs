//! All mutants of a file in one text, of which a process chooses one when it starts.
//!
//! A function's body becomes a `match` on the number that was chosen, with one arm for each mutant, which holds the whole body
//! changed in one place, and the body as it was for any other number. Nothing of what the change means needs to be known.
//! Which number was chosen is not known while compiling, so no function of such a file stays `const`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use anyhow::Context as _;
use syn::spanned::Spanned as _;
use syn::visit::Visit;

use crate::mutant::Mutant;

/// A mutant and its number, from 1.
pub type Numbered<'m> = (usize, &'m Mutant);

/// A file with mutants in it.
#[derive(Debug, Default)]
pub struct Planted {
    /// The text.
    pub text: String,
    /// Which lines of the text, from 1, belong to which mutant alone.
    pub arms: Vec<(Range<usize>, usize)>,
    /// Which mutants share a function; each is named by the first of them.
    pub functions: BTreeMap<usize, Vec<usize>>,
}

/// A function's body, braces included.
struct Body {
    bytes: Range<usize>,
    /// Where the word `const` stands before the function, if it does.
    constness: Option<Range<usize>>,
    /// Whether all its bodies would have one type.
    takes_arms: bool,
}

/// The places of a file that can hold mutants.
#[derive(Default)]
struct Bodies(Vec<Body>);

impl Bodies {
    fn of(source: &str) -> syn::Result<Self> {
        let mut bodies = Bodies::default();
        bodies.visit_file(&syn::parse_file(source)?);
        Ok(bodies)
    }

    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        self.0.push(Body {
            bytes: block.span().byte_range(),
            constness: signature.constness.map(|word| word.span().byte_range()),
            takes_arms: !Hidden::is_in(&signature.output),
        });
    }

    fn around(&self, place: &Range<usize>) -> Option<&Body> {
        let holds = |body: &&Body| body.bytes.start < place.start && place.end < body.bytes.end;
        self.0.iter().find(holds).filter(|body| body.takes_arms)
    }
}

// What stands within a function is part of it, so no visit goes on from there.
impl<'a> Visit<'a> for Bodies {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.add(&function.sig, &function.block);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
    }
}

/// Whether a type says `impl`: then two bodies have two types.
struct Hidden(bool);

impl Hidden {
    fn is_in(output: &syn::ReturnType) -> bool {
        let mut hidden = Hidden(false);
        hidden.visit_return_type(output);
        hidden.0
    }
}

impl<'a> Visit<'a> for Hidden {
    fn visit_type_impl_trait(&mut self, _: &'a syn::TypeImplTrait) {
        self.0 = true;
    }
}

/// Which of the mutants of one file can only be built one at a time: those in constants, and those of functions whose type
/// depends on their body.
///
/// # Errors
/// When `source` is no Rust.
pub fn alone(source: &str, mutants: &[Numbered<'_>]) -> anyhow::Result<Vec<usize>> {
    let bodies = Bodies::of(source)?;
    let mut alone = Vec::new();
    for (number, mutant) in mutants {
        if bodies.around(&place(mutant, source)?).is_none() {
            alone.push(*number);
        }
    }
    Ok(alone)
}

/// Plants these mutants, which are all of one file; those that can only be built alone are left out.
///
/// # Errors
/// When `source` is no Rust, or is not what the mutants were made of.
pub fn plant(source: &str, mutants: &[Numbered<'_>]) -> anyhow::Result<Planted> {
    let bodies = Bodies::of(source)?;
    let mut by_body: BTreeMap<usize, Vec<Numbered<'_>>> = BTreeMap::new();
    for &(number, mutant) in mutants {
        if let Some(body) = bodies.around(&place(mutant, source)?) {
            by_body.entry(body.bytes.start).or_default().push((number, mutant));
        }
    }
    let mut planted = Planted::default();
    let mut done = 0;
    for body in &bodies.0 {
        if let Some(word) = &body.constness {
            planted.text.push_str(&source[done..word.start]);
            done = word.end;
        }
        if let Some(of_body) = by_body.get(&body.bytes.start) {
            planted.text.push_str(&source[done..body.bytes.start]);
            planted.match_arms(source, &body.bytes, of_body)?;
            done = body.bytes.end;
        }
    }
    planted.text.push_str(&source[done..]);
    Ok(planted)
}

impl Planted {
    fn match_arms(&mut self, source: &str, body: &Range<usize>, mutants: &[Numbered<'_>]) -> anyhow::Result<()> {
        let first = mutants.first().map_or(0, |(number, _)| *number);
        let numbers = mutants.iter().map(|(number, _)| *number).collect();
        self.functions.insert(first, numbers);
        // Writing to a string does not fail.
        let _ = writeln!(self.text, "{{ match crate::planted::chosen({first}) {{");
        for (number, mutant) in mutants {
            let place = place(mutant, source)?;
            let begin = self.line();
            let _ = writeln!(
                self.text,
                "{number} => {}{} {}",
                &source[body.start..place.start],
                mutant.replacement,
                &source[place.end..body.end]
            );
            self.arms.push((begin..self.line(), *number));
        }
        let _ = write!(self.text, "_ => {} }} }}", &source[body.clone()]);
        Ok(())
    }

    /// The line, from 1, that is written next.
    fn line(&self) -> usize {
        1 + self.text.bytes().filter(|byte| *byte == b'\n').count()
    }
}

/// `source` with one mutant in place, as cargo-mutants would make it.
///
/// # Errors
/// When `source` is not what the mutant was made of.
pub fn changed(source: &str, mutant: &Mutant) -> anyhow::Result<String> {
    let place = place(mutant, source)?;
    Ok([&source[..place.start], &mutant.replacement, " ", &source[place.end..]].concat())
}

fn place(mutant: &Mutant, source: &str) -> anyhow::Result<Range<usize>> {
    let beyond = || {
        format!(
            "{} lies beyond the end of the file: the list is of another tree",
            mutant.name
        )
    };
    mutant.span.bytes(source).with_context(beyond)
}

/// What a crate needs that holds planted mutants, of which there are `count`: to be appended to its `lib.rs`.
///
/// `MCSPEC_MUTANT` is the number that a process chooses. The file `MCSPEC_REACHED` is told the first mutant of each function
/// that was called.
pub fn chooser(count: usize) -> String {
    format!(
        r#"
pub(crate) mod planted {{
    use std::io::Write as _;
    use std::sync::LazyLock;
    use std::sync::atomic::{{AtomicBool, Ordering}};

    static CHOSEN: LazyLock<usize> = LazyLock::new(|| match std::env::var("MCSPEC_MUTANT") {{
        Ok(number) => number.parse().expect("MCSPEC_MUTANT is the number of a mutant"),
        Err(_) => 0,
    }});
    static REACHED: [AtomicBool; {count} + 1] = [const {{ AtomicBool::new(false) }}; {count} + 1];

    pub(crate) fn chosen(function: usize) -> usize {{
        if !REACHED[function].load(Ordering::Relaxed) && !REACHED[function].swap(true, Ordering::Relaxed) {{
            reached(function);
        }}
        *CHOSEN
    }}

    #[cold]
    fn reached(function: usize) {{
        let Some(path) = std::env::var_os("MCSPEC_REACHED") else {{ return }};
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(format!("{{function}}\n").as_bytes()))
            .expect("MCSPEC_REACHED can be written");
    }}
}}
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mutant::{Position, Span};

    const SOURCE: &str = "\
const LIMIT: usize = 1 + 2;
const fn double(n: usize) -> usize { n * 2 }
fn odd(n: &[usize]) -> impl Iterator<Item = usize> { n.iter().map(|n| n % 2) }
struct Sum;
impl Sum {
    fn of(a: usize, b: usize) -> usize {
        // \u{f6}
        a + b
    }
}
fn untouched() {}
";

    /// A mutant of the first place where `what` stands.
    fn mutant(what: &str, replacement: &str) -> Mutant {
        let (row, line) = SOURCE
            .lines()
            .enumerate()
            .find(|(_, line)| line.contains(what))
            .unwrap();
        let column = line.find(what).unwrap() + 1;
        let at = |column| Position { line: row + 1, column };
        Mutant {
            name: format!("a.rs: {what} to {replacement}"),
            file: "a.rs".to_owned(),
            span: Span {
                start: at(column),
                end: at(column + what.len()),
            },
            replacement: replacement.to_owned(),
        }
    }

    #[test]
    fn what_is_evaluated_while_compiling_is_built_alone() {
        let mutants = [
            mutant("+ 2", "- 2"),
            mutant("* 2", "+ 2"),
            mutant("% 2", "/ 2"),
            mutant("a + b", "0"),
        ];
        let numbered: Vec<_> = mutants
            .iter()
            .enumerate()
            .map(|(place, one)| (place + 1, one))
            .collect();
        assert_eq!(alone(SOURCE, &numbered).unwrap(), [1, 3]);
        assert_eq!(
            changed(SOURCE, &mutants[1]).unwrap(),
            SOURCE.replace("n * 2", "n + 2 ").as_str()
        );
    }

    #[test]
    fn each_mutant_has_an_arm_with_the_whole_body() {
        let mutants = [mutant("+ b", "- b"), mutant("a + b", "0"), mutant("* 2", "+ 2")];
        let numbered: Vec<_> = mutants
            .iter()
            .enumerate()
            .map(|(place, one)| (place + 7, one))
            .collect();
        let planted = plant(SOURCE, &numbered).unwrap();
        assert_eq!(planted.functions, BTreeMap::from([(7, vec![7, 8]), (9, vec![9])]));
        let file = syn::parse_file(&planted.text).unwrap();
        assert_eq!(file.items.len(), 6);
        assert!(planted.text.contains("match crate::planted::chosen(7)"));
        assert!(planted.text.contains("\n fn double(n: usize) -> usize { match"));
        assert!(planted.text.contains("const LIMIT: usize = 1 + 2;"));
        let lines: Vec<&str> = planted.text.lines().collect();
        let arms: Vec<(usize, String)> = planted
            .arms
            .iter()
            .map(|(range, number)| (*number, lines[range.start - 1..range.end - 1].join("\n")))
            .collect();
        let of = |body: &str, number| {
            (
                number,
                format!("{number} => {{\n        // \u{f6}\n        {body}\n    }}"),
            )
        };
        assert_eq!(arms, [(9, "9 => { n + 2  }".to_owned()), of("a - b ", 7), of("0 ", 8)]);
    }

    #[test]
    fn a_list_of_another_tree_is_refused() {
        let mut beyond = mutant("+ b", "- b");
        beyond.span.end.line = 99;
        assert!(
            plant(SOURCE, &[(1, &beyond)])
                .unwrap_err()
                .to_string()
                .contains("another tree")
        );
    }
}
