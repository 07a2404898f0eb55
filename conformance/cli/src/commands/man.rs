//! `mcspec man` and `mcspec completions`: what packagers install beside the program, made from the command line itself.

use std::io::{self, Write as _};

use clap_mangen::Man as Page;

use crate::args::{Completions, Man, command_line};
use crate::exit::{Exit, Failure, codes};

/// Prints the completions for a shell.
pub(crate) fn completions(args: &Completions) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command_line(), "mcspec", &mut script);
    print(&script);
    Ok(Exit::Conforms)
}

/// Prints one manual page, or writes them all.
pub(crate) fn man(args: &Man) -> Result<Exit, Failure> {
    let Some(directory) = &args.output else {
        print(&page(args.command.as_deref())?);
        return Ok(Exit::Conforms);
    };
    let failed = |error: io::Error| Failure::usage(format!("--output {}: {error}", directory.display()));
    std::fs::create_dir_all(directory).map_err(failed)?;
    for name in [None].into_iter().chain(names().iter().map(|name| Some(name.as_str()))) {
        let file = name.map_or("mcspec.1".to_owned(), |name| format!("mcspec-{name}.1"));
        std::fs::write(directory.join(file), page(name)?).map_err(failed)?;
    }
    Ok(Exit::Conforms)
}

/// A reader that has seen enough closes the pipe; that is no error.
fn print(bytes: &[u8]) {
    let _ = io::stdout().write_all(bytes);
}

fn names() -> Vec<String> {
    let command = command_line();
    let names = command.get_subcommands().map(|command| command.get_name().to_owned());
    names.collect()
}

/// The page of a command, in the language of `man`.
fn page(name: Option<&str>) -> Result<Vec<u8>, Failure> {
    let mut command = command_line();
    command.build();
    if let Some(name) = name {
        let found = command.find_subcommand(name).cloned();
        let unknown = || {
            let names = names().join(", ");
            Failure::usage(format!("there is no command `{name}`; there are {names}"))
        };
        command = found
            .ok_or_else(unknown)?
            .display_name(format!("mcspec-{name}"))
            .version(env!("CARGO_PKG_VERSION"));
    }
    let has_commands = command.has_subcommands();
    let page = Page::new(command);
    let mut out = Vec::new();
    let written = (|| {
        page.render_title(&mut out)?;
        page.render_name_section(&mut out)?;
        page.render_synopsis_section(&mut out)?;
        page.render_description_section(&mut out)?;
        page.render_options_section(&mut out)?;
        if has_commands {
            page.render_subcommands_section(&mut out)?;
        }
        exit_status(name, &mut out)?;
        page.render_version_section(&mut out)
    })();
    written.map_err(|error| Failure::unreachable(format!("the page cannot be made: {error}")))?;
    Ok(out)
}

fn exit_status(name: Option<&str>, out: &mut Vec<u8>) -> io::Result<()> {
    writeln!(out, ".SH \"EXIT STATUS\"")?;
    for (code, meaning) in codes(name) {
        writeln!(out, ".TP\n{}\n{meaning}", *code as u8)?;
    }
    Ok(())
}
