//! What is sent over one connection.

use crate::command::{Command, Generator};
use crate::mutation::{is_harmful, mutate};
use crate::random::Random;

/// What is sent, and how it is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trial {
    pub(crate) content: Content,
    /// Of the pieces in which it is sent; 0 sends all at once.
    pub(crate) piece_bytes: usize,
}

/// What is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Commands, each with a fence behind it: the answer of each is known in kind.
    Orderly(Vec<Command>),
    /// Anything. Afterwards the server must find back into step, or have closed.
    Wild(Vec<u8>),
}

/// What makes trials.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    pub(crate) seed: u64,
    pub(crate) meta: bool,
}

impl Trial {
    /// The trial of this number.
    pub(crate) fn new(kind: Kind, number: u64) -> Self {
        let mut random = Random::of(kind.seed, number);
        let mut generator = Generator {
            random: &mut random,
            run: kind.seed,
            meta: kind.meta,
        };
        let count = 1 + generator.random.below(12);
        let commands: Vec<Command> = (0..count).map(|_| generator.command()).collect();
        let piece_bytes = random.pick(&[0, 0, 1, 3, 17]);
        let content = if number.is_multiple_of(3) {
            Content::Orderly(commands)
        } else {
            let mut stream: Vec<u8> = commands.into_iter().flat_map(|command| command.bytes).collect();
            mutate(&mut stream, &mut random);
            if is_harmful(&stream) {
                stream.clear();
            }
            Content::Wild(stream)
        };
        Trial { content, piece_bytes }
    }
}
