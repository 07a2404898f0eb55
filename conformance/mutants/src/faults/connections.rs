//! Faults between connections, and at their ends.

use std::time::Duration;

use super::{STORAGE, arriving, talk};
use crate::fault::{Conn, Fault, Planted};

pub(super) const FAULTS: &[Fault] = &[
    talk(
        "a_connection_remembers_what_it_read",
        "a connection does not see what others write over what it has read",
        "connections/races/what_was_read_before_is_not_remembered",
        |conn, c| {
            let key = c.word(1).to_vec();
            if !c.is("get") {
                conn.mine.remove(&key);
            } else if let Some(known) = conn.mine.get(&key) {
                c.answer = Some(known.clone());
            }
        },
        |conn, c, out| {
            if c.is("get") && c.words().count() == 2 {
                conn.mine.insert(c.word(1).to_vec(), out.clone());
            }
        },
    ),
    talk(
        "a_write_is_late_for_others",
        "a `set` is seen by others when its connection sends its next command",
        "connections/races/a_write_is_seen_at_once_elsewhere",
        |conn, c| late(conn, c, "set", "STORED"),
        |_, _, _| {},
    )
    .after("memcached PR#1011"),
    talk(
        "a_delete_is_late_for_others",
        "a `delete` is seen by others when its connection sends its next command",
        "connections/races/a_delete_is_seen_at_once_elsewhere",
        |conn, c| late(conn, c, "delete", "DELETED"),
        |_, _, _| {},
    ),
    arriving(
        "a_set_removes_when_it_begins",
        "an item is gone while a `set` of its key is on its way",
        "connections/races/an_unfinished_set_changes_nothing_yet",
        |conn, bytes| {
            begin(conn, bytes, b"set ", "delete", "");
        },
    ),
    arriving(
        "an_add_is_decided_when_it_begins",
        "an `add` takes its key before its data is there",
        "connections/races/an_unfinished_add_creates_nothing_yet",
        |conn, bytes| {
            begin(conn, bytes, b"add ", "add", " 0 0 0");
        },
    ),
    talk(
        "an_error_is_told_to_another",
        "a refusal is sent to the connection that next asks for what is not there",
        "connections/races/an_error_on_one_is_not_seen_on_another",
        |_, _| {},
        |conn, c, out| {
            // Only on a miss: it must not strike one of the cases that the killer rests on, which run at the same time.
            if c.is("get")
                && out.starts_with(b"END")
                && let Some(error) = conn.ours().remove(&b"error"[..])
            {
                out.extend(error);
            }
            if c.line == b"bogus" {
                conn.ours().insert(b"error".to_vec(), b"ERROR\r\n".to_vec());
            }
        },
    ),
    talk(
        "the_third_connection_appends_elsewhere",
        "an `append` of every third connection is lost",
        "connections/races/three_connections_take_turns",
        |conn, c| {
            let key = c.word(1).to_vec();
            if c.is("append") {
                let mut ours = conn.ours();
                let count = ours.entry(key).or_default();
                count.push(b'x');
                if count.len() == 3 {
                    c.answer_line("STORED");
                }
            }
        },
        |_, _, _| {},
    ),
    talk(
        "a_flush_is_for_one_connection",
        "a `flush_all` of a connection that has stored nothing does nothing",
        "flush/immediate/is_seen_on_another_connection",
        |conn, c| {
            if c.is("set") {
                conn.mine.insert(b"stored".to_vec(), Vec::new());
            } else if c.is("flush_all") && !conn.mine.contains_key(&b"stored"[..]) {
                c.answer_line("OK");
            }
        },
        |_, _, _| {},
    ),
    Fault::new(
        "half_a_line_is_run",
        "a line without its end is executed when the client ends",
        "connections/half_close/half_a_command_is_dropped",
        Planted::Ending(|_, left| {
            if !left.is_empty() {
                left.extend_from_slice(b"\r\n");
            }
        }),
    ),
    Fault::new(
        "a_value_without_its_end_is_stored",
        "a value whose CR LF is missing is stored when the client ends",
        "connections/half_close/a_value_without_its_crlf_is_dropped",
        Planted::Ending(|_, left| {
            if left.starts_with(b"set ") {
                left.extend_from_slice(b"\r\n");
            }
        }),
    ),
    Fault::new(
        "half_a_value_is_stored",
        "what has come of a value is stored when the client ends",
        "connections/half_close/half_a_value_is_dropped",
        Planted::Ending(|_, left| {
            let mut command = crate::command::Command::new(left, false);
            if command.is(STORAGE) && command.block.len() > 1 {
                let data = command.block.clone();
                command.put_data(&data);
                *left = command.forwarded();
            }
        }),
    ),
    Fault::new(
        "a_client_that_ends_removes",
        "the item is gone when a client ends in the middle of its value",
        "connections/half_close/half_a_value_is_dropped",
        Planted::Ending(|_, left| {
            let command = crate::command::Command::new(left, false);
            if command.is("set") && !command.block.is_empty() {
                *left = [b"delete ", command.word(1), b"\r\n"].concat();
            }
        }),
    ),
    Fault::new(
        "an_idle_second_hangs_up",
        "a connection ends after a second without a command",
        "expiry/relative/set_is_there_two_seconds_later",
        Planted::Config(|config| {
            config.idle_timeout = Some(Duration::from_millis(1000));
        }),
    ),
    talk(
        "a_large_answer_is_short_after_the_end",
        "a value over 100 kB loses its end",
        "connections/half_close/a_large_answer_still_comes_whole",
        |_, _| {},
        |_, c, out| {
            if c.is("get") && out.len() > 100_000 && out.len() < 1_000_000 {
                out.truncate(out.len() - 7);
            }
        },
    ),
    talk(
        "quit_is_answered",
        "`quit` answers OK",
        "admin/quit/closes",
        |_, c| {
            if c.is("quit") {
                c.answer_line("OK");
                c.hang_up = true;
            }
        },
        |_, _, _| {},
    ),
];

/// Executes commands of this name when the connection's next one comes, and answers at once.
fn late(conn: &mut Conn, c: &mut crate::command::Command, verb: &str, answer: &str) {
    if let Some(late) = conn.mine.remove(&b"late"[..]) {
        c.before = late;
    }
    if c.is(verb) && !c.refused && !c.noreply() {
        let late = [&c.before[..], &c.line, b" noreply\r\n", &c.block].concat();
        conn.mine.insert(b"late".to_vec(), late);
        c.answer_line(answer);
    }
}

/// Executes `verb` on the key of a command whose line is there and whose data is not.
fn begin(conn: &Conn, bytes: &mut Vec<u8>, name: &[u8], verb: &str, words: &str) {
    let command = crate::command::Command::new(bytes, false);
    let missing = command
        .number(4)
        .is_some_and(|length| (command.block.len() as i64) < length + 2);
    if conn.waiting.is_empty() && bytes.starts_with(name) && !command.end.is_empty() && missing {
        let data: &[u8] = if words.is_empty() { b"" } else { b"\r\n" };
        let first = [
            verb.as_bytes(),
            b" ",
            command.word(1),
            words.as_bytes(),
            b" noreply\r\n",
            data,
        ]
        .concat();
        bytes.splice(..0, first);
    }
}
