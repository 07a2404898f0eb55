use super::*;

fn change(change: Change, style: Style) -> Command {
    Command::Change {
        key: "k".to_owned(),
        change,
        style,
    }
}

fn parsed(command: &Command, text: &str) -> Result<Option<(Reply, usize)>, Nonsense> {
    command.parse(text.as_bytes())
}

#[test]
fn a_command_is_written_in_each_style() {
    for (command, text) in [
        (Command::get(["a", "b"]), "get a b"),
        (
            change(Change::Set("v".into()), Style::Silent),
            "set k 0 0 1 noreply | v",
        ),
        (change(Change::Set("v".into()), Style::Meta), "ms k 1 MS | v"),
        (change(Change::Cas("v".into(), 7), Style::Classic), "cas k 0 0 1 7 | v"),
        (change(Change::Decrease(2), Style::Meta), "ma k v MD D2"),
    ] {
        assert_eq!(command.to_string(), text);
    }
}

#[test]
fn a_reply_is_read_when_all_of_it_is_there() {
    let get = Command::get(["a", "b", "a"]);
    let text = "VALUE a 0 1\r\nx\r\nVALUE a 0 1\r\ny\r\nEND\r\n";
    for end in 0..text.len() {
        assert_eq!(parsed(&get, &text[..end]), Ok(None), "{end}");
    }
    let (reply, length) = parsed(&get, &format!("{text}surplus")).unwrap().unwrap();
    assert_eq!((reply.to_string().as_str(), length), ("Items a=x a=y", text.len()));
}

#[test]
fn what_was_not_asked_for_is_nonsense() {
    let get = Command::get(["a", "b"]);
    for text in [
        "VALUE c 0 1\r\nx\r\n",
        "VALUE b 0 1\r\nx\r\nVALUE a 0 1\r\nx\r\n",
        "STORED\r\n",
        "VALUE a 0 1\r\nxyz\r\n",
    ] {
        assert!(parsed(&get, text).is_err(), "{text}");
    }
    assert!(parsed(&change(Change::Delete, Style::Classic), "STORED\r\n").is_err());
    assert!(parsed(&change(Change::Increase(1), Style::Classic), "STORED\r\n").is_err());
}

#[test]
fn a_change_is_answered_in_its_own_words() {
    for (command, text, reply) in [
        (
            change(Change::Increase(1), Style::Meta),
            "VA 2\r\n10\r\n",
            Reply::Number(10),
        ),
        (change(Change::Decrease(1), Style::Classic), "9 \r\n", Reply::Number(9)),
        (change(Change::Add("v".into()), Style::Meta), "NS\r\n", Reply::NotStored),
        (change(Change::Delete, Style::Meta), "HD\r\n", Reply::Deleted),
        (
            change(Change::Cas("v".into(), 1), Style::Classic),
            "EXISTS\r\n",
            Reply::Exists,
        ),
    ] {
        assert_eq!(parsed(&command, text), Ok(Some((reply, text.len()))), "{command}");
    }
}

#[test]
fn a_long_value_is_told_by_its_pattern_if_it_is_whole() {
    let value = patterned("alpha/big0", 1000);
    assert_eq!(told(&value), "alpha/big0*1000");
    let mut torn = value;
    torn[700] = b'x';
    assert_eq!(told(&torn), "alpha/big0... mixed with something else");
}
