//! A history, put together: who said what on which connection, which datasets there were, who ordered what.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::command::{Command, MARKER, Reply};
use crate::history::{Answer, Ending, Event, What};
use crate::shelf::resolved;

/// What happened in a world. All places are those of events in the history.
#[derive(Debug, Default)]
pub struct Account {
    /// The runs of the server, in order.
    pub lives: Vec<Life>,
    /// All datasets, in the order in which they were opened.
    pub datasets: Vec<Dataset>,
    /// All connections, by number.
    pub conversations: BTreeMap<u32, Conversation>,
    /// All orders, by number.
    pub orders: BTreeMap<u32, Ordering>,
}

/// One run of the server.
#[derive(Debug)]
pub struct Life {
    /// Where it began.
    pub began: usize,
    /// Where it was asked to stop, or crashed.
    pub ended: Option<usize>,
    /// Whether it crashed.
    pub crashed: bool,
    /// Whether it has stopped in good order.
    pub stopped: bool,
}

/// A dataset from its opening to its end.
#[derive(Debug)]
pub struct Dataset {
    /// Its number.
    pub number: u32,
    /// The run of the server that it belongs to.
    pub life: usize,
    /// Its generation, as it must be numbered.
    pub generation: u64,
    /// The stem of the file, not of a link to it.
    pub filename: String,
    /// How many records it had.
    pub keys: u64,
    /// Where its file was looked for.
    pub sought: usize,
    /// Where it was opened.
    pub opened: usize,
    /// The time then.
    pub opened_at: Duration,
    /// Its end.
    pub end: Option<End>,
}

/// The end of a dataset.
#[derive(Debug)]
pub struct End {
    /// Where.
    pub place: usize,
    /// The time then.
    pub at: Duration,
    /// Whether it was closed, not only dropped.
    pub closed: bool,
    /// What went wrong.
    pub fault: Option<String>,
}

/// One connection.
#[derive(Debug)]
pub struct Conversation {
    /// The client.
    pub client: u32,
    /// The run of the server.
    pub life: usize,
    /// Where it began.
    pub began: usize,
    /// What was asked, in order.
    pub asked: Vec<Asked>,
    /// Where and how it ended.
    pub ended: Option<(usize, Ending)>,
}

/// A command and its answer.
#[derive(Debug)]
pub struct Asked {
    /// Its number.
    pub number: u64,
    /// What was asked.
    pub command: Command,
    /// Where the last byte of it was sent.
    pub sent: usize,
    /// The time then.
    pub sent_at: Duration,
    /// Where it was answered, when, and how.
    pub answered: Option<(usize, Duration, Reply)>,
}

/// An order and its answer.
#[derive(Debug)]
pub struct Ordering {
    /// The file, as it was named.
    pub filename: String,
    /// Where it was given.
    pub ordered: usize,
    /// The run of the server that answered, where and how.
    pub answered: Option<(usize, usize, Answer)>,
}

impl Account {
    /// Puts a history together.
    pub fn of(events: &[Event]) -> Account {
        let mut account = Account::default();
        let mut commands = BTreeMap::new();
        let mut sought = 0;
        for (place, Event { at, what }) in events.iter().enumerate() {
            match what {
                What::Sought { .. } => sought = place,
                What::Sent {
                    connection,
                    number,
                    command,
                } => {
                    let conversation = account.conversations.get_mut(connection);
                    let conversation = conversation.expect("a command is sent on a connection that has been made");
                    commands.insert(*number, (*connection, conversation.asked.len()));
                    conversation.asked.push(Asked {
                        number: *number,
                        command: command.clone(),
                        sent: place,
                        sent_at: *at,
                        answered: None,
                    });
                }
                What::Answered { number, reply } => {
                    let (connection, index) = commands[number];
                    if let Some(conversation) = account.conversations.get_mut(&connection) {
                        conversation.asked[index].answered = Some((place, *at, reply.clone()));
                    }
                }
                _ => account.note(place, *at, what, sought),
            }
        }
        account
    }

    fn note(&mut self, place: usize, at: Duration, what: &What, sought: usize) {
        let life = self.lives.len().saturating_sub(1);
        match what {
            What::Started => self.lives.push(Life {
                began: place,
                ended: None,
                crashed: false,
                stopped: false,
            }),
            What::Crashed | What::Stopping => {
                if let Some(life) = self.lives.last_mut() {
                    life.ended = Some(place);
                    life.crashed = *what == What::Crashed;
                }
            }
            What::Stopped => {
                if let Some(life) = self.lives.last_mut() {
                    life.stopped = true;
                }
            }
            What::Opened {
                dataset,
                filename,
                keys,
            } => self.datasets.push(Dataset {
                number: *dataset,
                life,
                generation: 1 + self.datasets.iter().filter(|dataset| dataset.life == life).count() as u64,
                filename: resolved(filename).to_owned(),
                keys: *keys,
                sought,
                opened: place,
                opened_at: at,
                end: None,
            }),
            What::Closed { dataset, fault } => self.end(*dataset, place, at, true, fault.clone()),
            What::Dropped { dataset } => self.end(*dataset, place, at, false, None),
            What::Connected { connection, client } => {
                let conversation = Conversation {
                    client: *client,
                    life,
                    began: place,
                    asked: Vec::new(),
                    ended: None,
                };
                self.conversations.insert(*connection, conversation);
            }
            What::Ended { connection, how } => {
                if let Some(conversation) = self.conversations.get_mut(connection) {
                    conversation.ended = Some((place, how.clone()));
                }
            }
            What::Ordered { order, filename } => {
                let ordering = Ordering {
                    filename: filename.clone(),
                    ordered: place,
                    answered: None,
                };
                self.orders.insert(*order, ordering);
            }
            What::Obeyed { order, answer } => {
                let answered = self.orders.get(order).map(|order| self.answering(order, answer));
                if let (Some(ordering), Some(life)) = (self.orders.get_mut(order), answered) {
                    ordering.answered = Some((life, place, answer.clone()));
                }
            }
            _ => {}
        }
    }

    /// The run of the server that gave an answer, which may have been on its way for longer than that run lasted.
    fn answering(&self, order: &Ordering, answer: &Answer) -> usize {
        let named = |dataset: &&Dataset| match answer {
            Answer::Switched {
                generation, filename, ..
            } => {
                let is_named = dataset.generation == *generation && dataset.filename == resolved(filename);
                is_named && dataset.opened > order.ordered
            }
            _ => false,
        };
        let dataset = self.datasets.iter().find(named);
        dataset.map_or(self.lives.len().saturating_sub(1), |dataset| dataset.life)
    }

    /// The runs of the server between two places.
    pub fn lives_between(&self, from: usize, to: usize) -> std::ops::Range<usize> {
        let begun = |place: usize| self.lives.iter().filter(|life| life.began < place).count();
        begun(from).saturating_sub(1)..begun(to)
    }

    fn end(&mut self, number: u32, place: usize, at: Duration, closed: bool, fault: Option<String>) {
        let dataset = self.datasets.iter_mut().find(|dataset| dataset.number == number);
        if let Some(dataset) = dataset {
            // It ends once; what is told of it later cannot undo that.
            dataset.end.get_or_insert(End {
                place,
                at,
                closed,
                fault,
            });
        }
    }

    /// The datasets of one run of the server, in the order of their generations.
    pub fn of_life(&self, life: usize) -> impl DoubleEndedIterator<Item = &Dataset> {
        self.datasets.iter().filter(move |dataset| dataset.life == life)
    }

    /// The generation that answers a command at least that is sent at a place, by what had been answered to orders before.
    pub fn promised(&self, life: usize, sent: usize) -> u64 {
        let answered = self.orders.values().filter_map(|order| match &order.answered {
            Some((of_life, place, Answer::Switched { generation, .. })) if *of_life == life && *place < sent => {
                Some(*generation)
            }
            _ => None,
        });
        answered.max().unwrap_or(1)
    }
}

/// The values of the marker in a reply.
pub fn markers(reply: &Reply) -> Vec<&str> {
    match reply {
        Reply::Items(items) => {
            let markers = items.iter().filter(|(key, _)| key == MARKER);
            markers.map(|(_, found)| found.value.as_str()).collect()
        }
        _ => Vec::new(),
    }
}

impl Dataset {
    /// Whether this is what a marker says.
    pub fn is_marked(&self, marker: &str) -> bool {
        match marker.split_once('@') {
            Some((filename, number)) => filename == self.filename && number.parse() == Ok(self.number),
            None => marker == self.filename,
        }
    }
}
