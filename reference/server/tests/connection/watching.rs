//! `watch`: a connection that is told what others do.

use std::time::Duration;

use refcached::Config;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::sleep;

use crate::world::{connect, exchange, expect, expect_end, service};

async fn watcher(stream: &mut DuplexStream, words: &str) {
    stream.write_all(format!("watch {words}\r\n").as_bytes()).await.unwrap();
    expect(stream, b"OK\r\n").await;
}

#[tokio::test(start_paused = true)]
async fn a_watcher_is_told_what_others_do_and_its_own_words_go_unheard() {
    let service = service(&Config::default());
    let (mut watching, _task) = connect(&service, 4096);
    let (mut client, _task) = connect(&service, 4096);
    watcher(&mut watching, "deletions fetchers").await;
    watching.write_all(b"set a 0 0 1\r\na\r\nquit\r\n").await.unwrap();
    exchange(&mut client, b"delete a\r\n", b"NOT_FOUND\r\n").await;
    expect(
        &mut watching,
        b"ts=1800000000.000000 gid=1 type=item_get key=a status=not_found clsid=0 size=0\n",
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn connections_are_told_of_with_the_reason_of_their_end() {
    let service = service(&Config::default());
    let (mut watching, _task) = connect(&service, 4096);
    watcher(&mut watching, "connevents").await;
    let (mut client, task) = connect(&service, 4096);
    exchange(&mut client, b"get a\r\n", b"END\r\n").await;
    client.write_all(b"quit\r\n").await.unwrap();
    task.await.unwrap();
    let lines: [&[u8]; 2] = [
        b"ts=1800000000.000000 gid=1 type=conn_new rip=unix rport=0 transport=unix cfd=2\n",
        b"ts=1800000000.000000 gid=2 type=conn_close rip=unix rport=0 transport=unix reason=normal cfd=2\n",
    ];
    for line in lines {
        expect(&mut watching, line).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_watcher_may_be_idle_for_as_long_as_it_likes() {
    let service = service(&Config {
        idle_timeout: Some(Duration::from_secs(1)),
        ..Config::default()
    });
    let (mut watching, task) = connect(&service, 4096);
    watcher(&mut watching, "").await;
    sleep(Duration::from_secs(3600)).await;
    assert!(!task.is_finished());
    service.stop();
    expect_end(&mut watching).await;
    task.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn who_does_not_read_is_told_how_much_it_missed_and_holds_nobody_up() {
    let service = service(&Config::default());
    let (mut watching, _task) = connect(&service, 64);
    let (mut client, _task) = connect(&service, 1 << 20);
    watcher(&mut watching, "fetchers").await;
    let gets = b"get a\r\n".repeat(20_000);
    client.write_all(&gets).await.unwrap();
    expect(&mut client, &b"END\r\n".repeat(20_000)).await;
    let mut told = String::new();
    let mut piece = [0; 4096];
    let missed: usize = loop {
        let read = watching.read(&mut piece).await.unwrap();
        told.push_str(std::str::from_utf8(&piece[..read]).unwrap());
        if let Some((_, missed)) = told.split_once("skipped=")
            && let Some((missed, _)) = missed.split_once('\n')
        {
            break missed.parse().unwrap();
        }
    };
    let lines = told.lines().filter(|line| line.contains(" type=item_get ")).count();
    assert_eq!(lines + missed, 20_000);
    assert!(missed > 10_000, "{missed}");
}

#[tokio::test(start_paused = true)]
async fn what_there_is_not_and_what_is_not_allowed_is_refused_in_step() {
    let (mut client, _task) = connect(&service(&Config::default()), 4096);
    exchange(&mut client, b"watch bogus\r\n", b"ERROR\r\n").await;
    let refusing = service(&Config {
        watch_command: false,
        ..Config::default()
    });
    let (mut client, _task) = connect(&refusing, 4096);
    exchange(
        &mut client,
        b"watch\r\n",
        b"CLIENT_ERROR watch commands not allowed\r\n",
    )
    .await;
}
