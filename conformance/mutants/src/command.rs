//! One command as it went over the wire, and the edits that faults make.

/// A command of a client: its line, and the data block where there is one.
#[derive(Debug, Clone, Default)]
pub struct Command {
    /// The line without its end.
    pub line: Vec<u8>,
    /// Its end: CR LF, LF, or nothing where the server did not wait for one.
    pub end: Vec<u8>,
    /// What follows the line and belongs to it, the data block's own CR LF included.
    pub block: Vec<u8>,
    /// What is executed before it, unseen; must be commands that answer nothing.
    pub before: Vec<u8>,
    /// What is executed after it, unseen; the same.
    pub after: Vec<u8>,
    /// Answered with this, and not executed at all.
    pub answer: Option<Vec<u8>>,
    /// Whether the server refuses it before it is executed.
    pub refused: bool,
    /// The connection ends when it has been answered.
    pub hang_up: bool,
}

impl Command {
    /// A command of these bytes, which end with its data block.
    pub fn new(bytes: &[u8], refused: bool) -> Self {
        let line_end = bytes
            .iter()
            .position(|&byte| byte == b'\n')
            .map_or(bytes.len(), |at| at + 1);
        let (line, block) = bytes.split_at(line_end);
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        Command {
            line: text.to_vec(),
            end: line[text.len()..].to_vec(),
            block: block.to_vec(),
            refused,
            ..Command::default()
        }
    }

    /// The words of the line.
    pub fn words(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.line.split(|&byte| byte == b' ').filter(|word| !word.is_empty())
    }

    /// The word at this place, from 0; empty if there are fewer.
    pub fn word(&self, place: usize) -> &[u8] {
        self.words().nth(place).unwrap_or_default()
    }

    /// The word at this place as a number.
    pub fn number(&self, place: usize) -> Option<i64> {
        std::str::from_utf8(self.word(place)).ok()?.parse().ok()
    }

    /// Whether its name is one of these, separated by blanks.
    pub fn is(&self, names: &str) -> bool {
        names.split(' ').any(|name| name.as_bytes() == self.word(0))
    }

    /// Whether its last word asks for no answer.
    pub fn noreply(&self) -> bool {
        self.words().next_back() == Some(b"noreply")
    }

    /// Where the flag with this letter stands in a meta command, and its token.
    pub fn flag(&self, letter: u8) -> Option<(usize, &[u8])> {
        let first = if self.is("ms") { 3 } else { 2 };
        let mut words = self.words().enumerate().skip(first);
        words.find_map(|(place, word)| match word.split_first() {
            Some((code, token)) if *code == letter => Some((place, token)),
            _ => None,
        })
    }

    /// Whether a meta command has the flag with this letter.
    pub fn has(&self, letter: u8) -> bool {
        self.flag(letter).is_some()
    }

    /// Puts `word` at a place of the line; blanks become one each.
    pub fn put(&mut self, place: usize, word: impl AsRef<[u8]>) {
        let mut words: Vec<Vec<u8>> = self.words().map(<[u8]>::to_vec).collect();
        if let Some(old) = words.get_mut(place) {
            *old = word.as_ref().to_vec();
        }
        self.line = words.join(&b' ');
    }

    /// Leaves the first bytes of the word at a place.
    pub fn cut(&mut self, place: usize, bytes: usize) {
        let word: Vec<u8> = self.word(place).iter().copied().take(bytes).collect();
        self.put(place, word);
    }

    /// Takes the word at a place away.
    pub fn take(&mut self, place: usize) {
        let words: Vec<&[u8]> = self.words().collect();
        let left = words.iter().enumerate().filter(|(at, _)| *at != place);
        self.line = left.map(|(_, word)| *word).collect::<Vec<_>>().join(&b' ');
    }

    /// Adds a word at the end of the line.
    pub fn push(&mut self, word: &str) {
        self.line.push(b' ');
        self.line.extend_from_slice(word.as_bytes());
    }

    /// Takes the flag with this letter away.
    pub fn without(&mut self, letter: u8) {
        if let Some((place, _)) = self.flag(letter) {
            self.take(place);
        }
    }

    /// The data block without its CR LF.
    pub fn data(&self) -> &[u8] {
        self.block.strip_suffix(b"\r\n").unwrap_or(&self.block)
    }

    /// Makes `data` the data block, and its length what the line says.
    pub fn put_data(&mut self, data: &[u8]) {
        let place = if self.is("ms") { 2 } else { 4 };
        self.put(place, data.len().to_string());
        self.block = [data, b"\r\n"].concat();
    }

    /// The bytes to execute.
    pub(crate) fn forwarded(&self) -> Vec<u8> {
        match self.answer {
            Some(_) => Vec::new(),
            None => [&self.before[..], &self.line, &self.end, &self.block, &self.after].concat(),
        }
    }
}

/// Replaces the first `from` in `out` by `to`; says whether there was one.
pub fn swap(out: &mut Vec<u8>, from: impl AsRef<[u8]>, to: impl AsRef<[u8]>) -> bool {
    let (from, to) = (from.as_ref(), to.as_ref());
    let found = out.windows(from.len()).position(|window| window == from);
    if let Some(at) = found {
        out.splice(at..at + from.len(), to.iter().copied());
    }
    found.is_some()
}

/// Makes `text` all of `out`.
pub fn become_text(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    out.clear();
    out.extend_from_slice(text.as_ref());
}

/// Edits the first line of `out`, given without its end as words.
pub fn edit_words(out: &mut Vec<u8>, edit: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let Some(end) = out.windows(2).position(|window| window == b"\r\n") else {
        return;
    };
    let mut words: Vec<Vec<u8>> = out[..end].split(|&byte| byte == b' ').map(<[u8]>::to_vec).collect();
    edit(&mut words);
    out.splice(..end, words.join(&b' '));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_its_line_and_its_block() {
        let mut command = Command::new(b"set k 1  2 3 noreply\r\nabc\r\n", false);
        assert!(command.is("add set") && command.noreply());
        assert_eq!(
            (command.word(3), command.number(2), command.data()),
            (&b"2"[..], Some(1), &b"abc"[..])
        );
        command.put_data(b"z");
        command.take(5);
        assert_eq!(command.forwarded(), b"set k 1 2 1\r\nz\r\n");
    }

    #[test]
    fn flags_of_a_meta_command_are_found_behind_key_and_length() {
        let mut command = Command::new(b"ms key 1 T5 O1\r\nx\r\n", false);
        assert_eq!(command.flag(b'O'), Some((4, &b"1"[..])));
        assert!(!command.has(b'k'));
        command.without(b'T');
        assert_eq!(command.forwarded(), b"ms key 1 O1\r\nx\r\n");
    }

    #[test]
    fn replies_are_edited_in_place() {
        let mut out = b"VALUE k 1 2\r\nab\r\nEND\r\n".to_vec();
        edit_words(&mut out, |words| words[2] = b"0".to_vec());
        assert!(swap(&mut out, "END", "OK"));
        assert_eq!(out, b"VALUE k 0 2\r\nab\r\nOK\r\n");
    }
}
