//! Tables in a page of the documentation.

use std::fs;
use std::path::Path;

use anyhow::Context as _;

const BEGIN: &str = "<!-- speed -->\n";
const END: &str = "<!-- /speed -->\n";

/// Puts `tables` between the marks of the page, in place of what is there.
pub(crate) fn put(tables: &str, page: &Path) -> anyhow::Result<()> {
    let text = fs::read_to_string(page).with_context(|| format!("{} cannot be read", page.display()))?;
    let text = replaced(&text, tables).with_context(|| {
        let (begin, end) = (BEGIN.trim(), END.trim());
        format!(
            "{} has no lines `{begin}` and `{end}` to put the tables between",
            page.display()
        )
    })?;
    fs::write(page, text).with_context(|| format!("{} cannot be written", page.display()))
}

fn replaced(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_take_the_place_of_those_before() {
        let page = "# Speed\n<!-- speed -->\nold\n<!-- /speed -->\nWhy.\n";
        let once = replaced(page, "new\n").unwrap();
        assert_eq!(once, "# Speed\n<!-- speed -->\n\nnew\n\n<!-- /speed -->\nWhy.\n");
        assert_eq!(replaced(&once, "new\n").unwrap(), once);
        assert_eq!(replaced("# Speed\n", "new\n"), None);
    }
}
