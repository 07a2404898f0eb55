//! Changes refused, in step.

use refcached::Config;

use crate::shelf::Shelf;
use crate::world::{Client, config, service};

#[tokio::test(start_paused = true)]
async fn every_change_is_refused_in_step_and_every_read_is_answered() {
    let shelf = Shelf::default();
    let tape = shelf.put("data", &[("k", b"5"), ("other", b"text")]);
    let before = shelf.copy();
    let read_only = Config {
        read_only: true,
        ..config("data")
    };
    let service = service(&shelf, &read_only);
    let mut client = Client::connect(&service);
    let refusal = b"SERVER_ERROR the server is read-only\r\n";
    for request in [
        "set k 0 0 1\r\nx\r\n",
        "add fresh 0 0 1\r\nx\r\n",
        "replace k 0 0 1\r\nx\r\n",
        "append k 0 0 1\r\nx\r\n",
        "cas k 0 0 1 7\r\nx\r\n",
        "delete k\r\n",
        "incr k 1\r\n",
        "touch k 100\r\n",
        "gat 100 k\r\n",
        "flush_all\r\n",
        "flush_all 10\r\n",
        "ms k 1\r\nx\r\n",
        "md k q\r\n",
        "ma k\r\n",
        "mg k t T100\r\n",
        "mg fresh N100 t\r\n",
        "set other 0 0 1048577\r\n",
    ] {
        client.send(request.as_bytes()).await;
        if request.contains("1048577") {
            client.send(&[b'x'; 1_048_577]).await;
            client.send(b"\r\n").await;
        }
        client.expect(refusal).await;
        client.fence().await;
    }
    for request in [
        "set k 0 0 4 noreply\r\nget \r\n",
        "delete k noreply\r\n",
        "flush_all noreply\r\n",
    ] {
        client.exchange(request.as_bytes(), b"").await;
    }
    // What comes to changing nothing is answered as ever.
    for (request, reply) in [
        ("cas k 0 0 1 1\r\nx\r\n", "EXISTS\r\n"),
        ("delete fresh\r\n", "NOT_FOUND\r\n"),
        ("incr fresh 1\r\n", "NOT_FOUND\r\n"),
        (
            "incr other 1\r\n",
            "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n",
        ),
        ("mg other v\r\n", "VA 4\r\ntext\r\n"),
    ] {
        client.exchange(request.as_bytes(), reply.as_bytes()).await;
    }
    client.expect_value("k", "5").await;
    client.send(b"quit\r\n").await;
    client.end().await;
    drop(service);
    assert!(!tape.is_open());
    assert!(shelf.is_same(&before), "not a byte of the file has changed");
}
