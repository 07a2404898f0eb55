//! Faults of `flush_all`.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Text, request, talk};
use crate::command::Command;
use crate::fault::{Conn, Fault, Planted};

const fn flush(
    name: Text,
    wrong: Text,
    killer: Text,
    edit: fn(refcached_store::Timestamp, refcached_store::Timestamp) -> Option<refcached_store::Timestamp>,
) -> Fault {
    Fault::new(name, wrong, killer, Planted::Flush(edit))
}

pub(super) const FAULTS: &[Fault] = &[
    flush(
        "flush_does_nothing",
        "`flush_all` answers and leaves all items",
        "flush/immediate/takes_everything",
        |_, _| None,
    ),
    flush(
        "a_delay_is_ignored",
        "`flush_all` with a delay takes effect at once",
        "flush/delay/takes_nothing_before_its_time",
        |_, now| Some(now),
    ),
    flush(
        "a_delayed_flush_is_forgotten",
        "`flush_all` with a delay does nothing",
        "flush/delay/takes_what_was_written_before_it_struck_and_nothing_later",
        |at, now| (at <= now).then_some(at),
    ),
    flush(
        "a_flush_takes_a_second",
        "items stored within a second after a flush are gone, too",
        "flush/immediate/takes_everything",
        |_, now| Some(now.plus_ms(1000)),
    )
    .after("yrmcds 1.1.9"),
    talk(
        "a_delayed_flush_spares_later_writes",
        "`flush_all` with a delay spares what is stored after the command",
        "flush/delay/takes_what_was_written_before_it_struck_and_nothing_later",
        remember_writes,
        |_, _, _| {},
    )
    .after("yrmcds#4, seastar#101"),
    request(
        "flush_hangs_up",
        "`flush_all` closes the connection",
        "flush/immediate/takes_everything",
        |c| {
            if c.is("flush_all") {
                c.answer = Some(Vec::new());
                c.hang_up = true;
            }
        },
    )
    .after("mcrouter#29, dynomite#224"),
    request(
        "a_negative_delay_is_refused",
        "`flush_all -1` is refused",
        "flush/immediate/negative_is_immediate",
        |c| {
            if c.is("flush_all") && c.word(1).starts_with(b"-") {
                c.refuse();
            }
        },
    )
    .after("trondn/memcached#3"),
    request(
        "a_delay_of_zero_is_never",
        "`flush_all 0` does nothing",
        "flush/immediate/zero_is_immediate",
        |c| {
            if c.is("flush_all") && c.word(1) == b"0" {
                c.answer_line("OK");
            }
        },
    ),
    request(
        "flush_takes_a_word_for_zero",
        "`flush_all` with a word flushes",
        "flush/arguments/refuses_a_word",
        |c| {
            if c.is("flush_all") && c.word(1).first().is_some_and(u8::is_ascii_alphabetic) && !c.noreply() {
                c.put(1, "0");
            }
        },
    ),
    request(
        "a_silent_flush_is_answered",
        "`flush_all noreply` answers OK",
        "flush/immediate/noreply_is_silent_and_flushes",
        |c| {
            if c.is("flush_all") && c.noreply() {
                c.take(c.words().count() - 1);
            }
        },
    ),
    request(
        "a_silent_flush_does_nothing",
        "`flush_all noreply` does nothing",
        "flush/immediate/noreply_is_silent_and_flushes",
        |c| {
            if c.is("flush_all") && c.word(1) == b"noreply" {
                c.answer = Some(Vec::new());
            }
        },
    ),
    request(
        "a_fraction_of_a_delay_is_cut",
        "`flush_all 0.5` is `flush_all 0`",
        "flush/arguments/refuses_a_fraction",
        |c| {
            if c.is("flush_all")
                && let Some(at) = c.word(1).iter().position(|&byte| byte == b'.')
            {
                c.cut(1, at);
            }
        },
    ),
];

/// Stores again, once a delayed flush has struck, what was stored between the command and that.
fn remember_writes(conn: &mut Conn, c: &mut Command) {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64());
    let due: Option<f64> = conn
        .ours()
        .get(&b"due"[..])
        .and_then(|text| std::str::from_utf8(text).ok()?.parse().ok());
    if let (true, Some(delay @ 1..100)) = (c.is("flush_all"), c.number(1)) {
        let due = seconds + delay as f64;
        conn.ours().insert(b"due".to_vec(), due.to_string().into_bytes());
    } else if due.is_some_and(|due| seconds > due + 0.01) {
        let writes = std::mem::take(&mut *conn.ours());
        c.before = writes
            .into_iter()
            .filter(|(key, _)| key != b"due")
            .flat_map(|(_, write)| write)
            .collect();
    } else if due.is_some() && c.is("set") && !c.refused && !c.noreply() {
        let write = [&c.line, &b" noreply\r\n"[..], &c.block].concat();
        conn.ours().insert(c.word(1).to_vec(), write);
    }
}
