//! The lines of CONTROL.md, as written, in one shell.

use std::process::Command;

use serde_json::Value;

const DOCUMENT: &str = include_str!("../../CONTROL.md");

/// What stands for what the reader has. Ports are chosen by the system: each server writes its log to a file named after the
/// port that the document gives it, where the others find the one that it has got.
const READER: &str = r#"
trap 'kill $(jobs -p) 2> /dev/null' EXIT
refcached() {
    case $1 in load | dump) "$PROGRAM" "$@"; return ;; esac
    port= control= flags=()
    while [ $# -gt 0 ]; do
        case $1 in
            -p) port=$2; shift 2 ;;
            --control) control=$2; shift 2 ;;
            *) flags+=("$1"); shift ;;
        esac
    done
    [ "$control" = off ] || { ln -s "log.$port" "log.${control##*:}"; control=127.0.0.1:0; }
    exec "$PROGRAM" -l 127.0.0.1:0 --control "$control" "${flags[@]}" 2> "log.$port"
}
# The words of the log of the server with a port: once they are there, what follows them.
told() { # PORT WORDS
    for _ in $(seq 1200); do
        sed -n "s|.*$2||p" "log.$1" 2> /dev/null | grep . && return
        sleep 0.05
    done
    echo "no server with the port $1" >&2
    exit 9
}
nc() {
    local address
    address=$(told "$2" listening.endpoint=tcp:) && exec 3<> "/dev/tcp/${address%:*}/${address##*:}" && cat >&3 && cat <&3
}
curl() {
    local arguments=() argument rest
    for argument; do
        case $argument in
            http://127.0.0.1:*)
                rest=${argument#http://127.0.0.1:}
                argument=$(told "${rest%%/*}" url=)${rest#*/}
                ;;
        esac
        arguments+=("$argument")
    done
    command curl --max-time 60 "${arguments[@]}"
}
"#;

/// The lines of the document's blocks of commands.
fn lines() -> Vec<&'static str> {
    let blocks = DOCUMENT.split("```").skip(1).step_by(2);
    let blocks = blocks.filter_map(|block| block.strip_prefix("sh\n"));
    blocks.flat_map(str::lines).collect()
}

/// What each line says, in the document's order.
fn answers(lines: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    // Between the lines a mark, with the exit code.
    let script: String = lines
        .iter()
        .map(|line| format!("{line}\nprintf '\\n--- %s\\n' $?\n"))
        .collect();
    let output = Command::new("bash")
        .args(["-c", &format!("{READER}{script}")])
        .current_dir(directory.path())
        .env("PROGRAM", env!("CARGO_BIN_EXE_refcached"))
        .env_remove("RUST_LOG")
        .env_remove("REFCACHED_CONTROL_TOKEN")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut parts: Vec<&str> = said.split("\n--- ").collect();
    assert_eq!(parts.len(), lines.len() + 1, "{said}\n{complained}");
    let first = parts.remove(0);
    let mut answers = vec![first.to_owned()];
    for (line, part) in lines.iter().zip(parts) {
        let (code, rest) = part.split_once('\n').unwrap();
        assert_eq!(code, "0", "{line}\n{said}\n{complained}");
        answers.push(rest.to_owned());
    }
    answers
}

#[test]
fn the_lines_work_as_written() {
    let lines = lines();
    let answers = answers(&lines);
    let of = |words: &str| -> Vec<&str> {
        let found = lines.iter().zip(&answers).filter(|(line, _)| line.contains(words));
        found.map(|(_, answer)| answer.trim()).collect()
    };
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    let greeting = |text: &str| format!("VALUE greeting 0 12\r\n{text}\r\nEND");
    assert_eq!(of("get greeting"), [greeting("good morning"), greeting("good evening")]);
    assert_eq!(of("set greeting"), ["STORED"]);
    let switched: Vec<Value> = of("switchdb").into_iter().map(json).collect();
    assert_eq!(
        (&switched[0]["generation"], &switched[1]["generation"]),
        (&2.into(), &3.into())
    );
    assert_eq!(
        (&switched[0]["keys"], &switched[0]["drained"]),
        (&1.into(), &true.into())
    );
    let statuses: Vec<Value> = of("/status").into_iter().map(json).collect();
    assert_eq!(statuses[0]["filename"], "morning.redb");
    assert_eq!(statuses[1]["backend"], "memory");
    assert_eq!(statuses[2]["type"], "/problems/unauthenticated");
    let metrics = of("/metrics")[0];
    for figure in [
        "refcached_generation 3",
        "refcached_get_hits_total 2",
        "refcached_backend{figure=\"bloom_keys\"} 1",
    ] {
        assert!(metrics.lines().any(|line| line == figure), "{figure} in {metrics}");
    }
    let mut families: Vec<&str> = metrics.lines().filter(|line| line.starts_with("# TYPE ")).collect();
    let count = families.len();
    families.sort_unstable();
    families.dedup();
    assert_eq!(families.len(), count, "a family is one block: {metrics}");
    assert_eq!(of("/healthz"), ["ok"]);
}

/// Every status that the API answers is in the document's table, and it has no other.
#[test]
fn the_refusals_are_those_that_there_are() {
    let documented = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| "));
    let documented = documented.filter_map(|row| row.split('|').next());
    let mut documented: Vec<u16> = documented
        .flat_map(|cell| cell.split(',').filter_map(|word| word.trim().parse().ok()))
        .collect();
    documented.sort_unstable();
    let source = include_str!("../../src/control/problem.rs");
    let mut there: Vec<u16> = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("StatusCode::")?.strip_suffix(','))
        .map(|name| match name {
            "BAD_REQUEST" => 400,
            "UNAUTHORIZED" => 401,
            "FORBIDDEN" => 403,
            "NOT_FOUND" => 404,
            "METHOD_NOT_ALLOWED" => 405,
            "REQUEST_TIMEOUT" => 408,
            "CONFLICT" => 409,
            "PAYLOAD_TOO_LARGE" => 413,
            "UNSUPPORTED_MEDIA_TYPE" => 415,
            "UNPROCESSABLE_ENTITY" => 422,
            "INTERNAL_SERVER_ERROR" => 500,
            "SERVICE_UNAVAILABLE" => 503,
            "INSUFFICIENT_STORAGE" => 507,
            other => panic!("{other} has no number here"),
        })
        .collect();
    there.sort_unstable();
    there.dedup();
    assert_eq!(documented, there);
}
