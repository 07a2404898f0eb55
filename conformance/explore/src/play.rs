//! Plays a history to a server: cuts it into writes, sends them, keeps what came.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mcspec_suite::play::Address;
use mcspec_suite::target::Fence;

use crate::command::{CasRef, Command, History, Key, Step};
use crate::link::{Broken, Link};
use crate::model::Span;
use crate::part::{NEVER_SEEN, Names, request};
use crate::scan::cas_values;

/// A server, and how to talk to it.
#[derive(Debug, Clone)]
pub struct Site {
    /// Where it listens.
    pub address: Address,
    /// What shows that all before it was answered.
    pub fence: Fence,
    /// How long it may take to answer.
    pub patience: Duration,
}

/// Commands that were sent in one write, and what came.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    /// The connection; 0 is `A`.
    pub(crate) conn: u8,
    /// The commands with their places in the history; CAS values are filled in.
    pub(crate) commands: Vec<(usize, Command)>,
    /// When it was sent and answered.
    pub(crate) at: Span,
    /// What came before the fence's answer.
    pub(crate) reply: Vec<u8>,
    /// Whether the fence was answered, or after `quit` the connection ended.
    pub(crate) end: Result<(), Broken>,
}

/// The connections of one who plays histories, kept from one to the next.
pub(crate) struct Player {
    site: Site,
    links: BTreeMap<u8, Link>,
    /// What was sent since data blocks were taken away.
    sent_bytes: usize,
}

impl Player {
    pub(crate) fn new(site: Site) -> Self {
        Self {
            site,
            links: BTreeMap::new(),
            sent_bytes: 0,
        }
    }

    /// Plays a history; stops early where the server closes or says nothing.
    ///
    /// # Errors
    /// When no connection can be opened.
    pub(crate) async fn play(&mut self, history: &History, names: &Names) -> std::io::Result<Vec<Segment>> {
        if history.len() > LONG {
            // It is a burst: how much a connection takes shows on a fresh one.
            self.hang_up();
        }
        let start = Instant::now();
        let mut turns = Turns::new(history);
        let mut segments = Vec::new();
        while let Some(turn) = turns.next() {
            let (conn, commands) = match turn {
                Turn::Wait(time) => {
                    tokio::time::sleep(time).await;
                    continue;
                }
                Turn::Send(conn, commands) => (conn, commands),
            };
            let segment = self.segment(start, conn, commands, names).await?;
            turns.saw(&segment.reply, names);
            let broken = segment.end.is_err();
            if broken || matches!(segment.commands.last(), Some((_, Command::Quit))) {
                self.links.remove(&conn);
            }
            segments.push(segment);
            if broken {
                break;
            }
        }
        if self.sent_bytes > LARGE_BYTES {
            self.take_away(history, names).await;
        }
        Ok(segments)
    }

    /// Deletes what a history stored. Thousands of large data blocks would fill the server, which then may drop what another
    /// history has yet to look at.
    async fn take_away(&mut self, history: &History, names: &Names) {
        let Some(mut link) = self.links.first_entry() else {
            return;
        };
        let mut requests = Vec::new();
        for key in keys(history) {
            requests.extend_from_slice(b"delete ");
            requests.extend(names.key(key));
            requests.extend_from_slice(b"\r\n");
        }
        let (_, end) = link.get_mut().exchange(requests).await;
        if end.is_err() {
            self.hang_up();
        }
        self.sent_bytes = 0;
    }

    async fn segment(
        &mut self,
        start: Instant,
        conn: u8,
        commands: Vec<(usize, Command)>,
        names: &Names,
    ) -> std::io::Result<Segment> {
        let link = match self.links.entry(conn) {
            std::collections::btree_map::Entry::Occupied(link) => link.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(Link::open(&self.site.address, self.site.fence, self.site.patience).await?)
            }
        };
        let mut bytes = Vec::with_capacity(commands.len() * 48);
        for (_, command) in &commands {
            for part in request(command) {
                names.write(&part, &mut bytes);
            }
        }
        self.sent_bytes += bytes.len();
        let sent = start.elapsed().as_secs_f64();
        let (reply, end) = match commands.last() {
            Some((_, Command::Quit)) => link.last_words(bytes).await,
            _ => link.exchange(bytes).await,
        };
        let at = Span {
            sent,
            received: start.elapsed().as_secs_f64(),
        };
        Ok(Segment {
            conn,
            commands,
            at,
            reply,
            end,
        })
    }

    /// Forgets the connections: after a difference nobody knows what is still on its way.
    pub(crate) fn hang_up(&mut self) {
        self.links.clear();
    }
}

/// What happens next.
enum Turn {
    Wait(Duration),
    Send(u8, Vec<(usize, Command)>),
}

/// Cuts a history into turns. One who plays it to two servers has two of these: they see different CAS values.
struct Turns<'h> {
    history: &'h History,
    at: usize,
    /// The CAS values that were seen last.
    cas: BTreeMap<Key, u64>,
    needs_cas: bool,
}

/// How many commands are sent in one write at most: all of a history's on one connection, if nothing else parts them.
const COMMANDS_MAX: usize = 256;
/// A history that sends more than this has large data blocks, or follows many that have none.
const LARGE_BYTES: usize = 64 * 1024;
/// Histories with more steps begin on fresh connections.
const LONG: usize = 100;

impl<'h> Turns<'h> {
    fn new(history: &'h History) -> Self {
        let uses = |step: &Step| matches!(step, Step::Send { command, .. } if command.uses_seen_cas());
        Self {
            history,
            at: 0,
            cas: BTreeMap::new(),
            needs_cas: history.iter().any(uses),
        }
    }

    fn next(&mut self) -> Option<Turn> {
        let first = match self.history.get(self.at)? {
            Step::Wait(milliseconds) => {
                self.at += 1;
                return Some(Turn::Wait(Duration::from_millis(*milliseconds)));
            }
            Step::Send { conn, .. } => *conn,
        };
        let mut commands = Vec::new();
        while let Some(Step::Send { conn, apart, command }) = self.history.get(self.at) {
            let is_next = *conn != first || *apart || command.uses_seen_cas() || commands.len() == COMMANDS_MAX;
            if is_next && !commands.is_empty() {
                break;
            }
            commands.push((self.at, self.filled_in(command)));
            self.at += 1;
            if *command == Command::Quit {
                break;
            }
        }
        Some(Turn::Send(first, commands))
    }

    fn filled_in(&self, command: &Command) -> Command {
        let mut command = command.clone();
        for cas in command.cas_refs() {
            if let CasRef::Seen(key, offset) = *cas {
                let number = self
                    .cas
                    .get(&key)
                    .map_or(NEVER_SEEN, |seen| seen.wrapping_add_signed(offset));
                *cas = CasRef::Number(number);
            }
        }
        command
    }

    fn saw(&mut self, reply: &[u8], names: &Names) {
        if !self.needs_cas {
            return;
        }
        let keys: Vec<(Key, Vec<u8>)> = keys(self.history).map(|key| (key, names.key(key))).collect();
        for (name, number) in cas_values(reply) {
            if let Some((key, _)) = keys.iter().find(|(_, known)| *known == name) {
                self.cas.insert(*key, number);
            }
        }
    }
}

/// The keys of a history, each once.
pub(crate) fn keys(history: &History) -> impl Iterator<Item = Key> {
    let commands = history.iter().filter_map(|step| match step {
        Step::Send { command, .. } => Some(command.keys()),
        Step::Wait(_) => None,
    });
    let mut keys: Vec<Key> = commands.flatten().collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
}
