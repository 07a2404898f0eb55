//! The table's place in a file that holds other text: between two comments, so that a program can bring it up to date.

/// Where the table begins.
const BEGIN: &str = "<!-- mcspec matrix -->\n";

/// Where it ends.
const END: &str = "<!-- end of mcspec matrix -->\n";

/// A file that holds no place for a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no place for the table; it stands between two lines, `{}` and `{}`", BEGIN.trim_end(), END.trim_end())]
pub struct BlockError;

/// The text with this table in the place of the one that is there.
///
/// # Errors
/// The text holds no place for one.
pub fn replace_block(text: &str, table: &str) -> Result<String, BlockError> {
    let (before, rest) = text.split_once(BEGIN).ok_or(BlockError)?;
    let (_, after) = rest.split_once(END).ok_or(BlockError)?;
    Ok(format!("{before}{BEGIN}\n{}\n\n{END}{after}", table.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stands_between_the_comments_changes() {
        let text = format!("a\n{BEGIN}old\n{END}b\n");
        let new = replace_block(&text, "| t |\n").unwrap();
        assert_eq!(new, format!("a\n{BEGIN}\n| t |\n\n{END}b\n"));
        assert_eq!(replace_block(&new, "| t |\n").unwrap(), new);
        for without in ["", BEGIN, END] {
            assert_eq!(replace_block(without, "x"), Err(BlockError));
        }
    }
}
