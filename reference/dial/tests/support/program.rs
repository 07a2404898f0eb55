//! The program itself, in a directory of its own, and what is said to it over HTTP.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpStream;

/// A serving process. It is ended when this is dropped.
pub(crate) struct Program {
    child: Child,
    address: String,
    directory: TempDir,
}

/// A command of the program, run in `directory`.
pub(crate) fn command(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_wtfdial"));
    command
        .args(arguments)
        .current_dir(directory)
        .env_remove("WTFDIAL_DATA")
        .env_remove("RUST_LOG");
    command
}

#[allow(dead_code)] // Not every test that includes this file needs all of it.
impl Program {
    /// Serves an empty directory.
    pub(crate) fn serve() -> Program {
        Program::serve_in(tempfile::tempdir().unwrap())
    }

    /// Serves the data in a directory.
    pub(crate) fn serve_in(directory: TempDir) -> Program {
        let serving = command(directory.path(), &["--listen", "127.0.0.1:0"]);
        Program::start(serving, directory)
    }

    /// Starts a command that serves, and waits until it says where.
    pub(crate) fn start(mut command: Command, directory: TempDir) -> Program {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let Some(address) = line
            .strip_prefix("wtfdial serves http://")
            .and_then(|rest| rest.split_once('/'))
        else {
            let mut said = String::new();
            child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("it does not serve: {line:?} {said:?}");
        };
        Program {
            address: address.0.to_owned(),
            child,
            directory,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Runs another command of the program beside it.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        command(self.directory.path(), arguments).output().unwrap()
    }

    /// Adds a user; answers with the token.
    pub(crate) fn add_user(&self, name: &str) -> String {
        let output = self.run(&["user", "add", name]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim_end().to_owned()
    }

    /// Sends a request; answers with the status and the JSON that came back (`null` if it was none).
    pub(crate) fn call(&self, method: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> (u16, Value) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let stream = TcpStream::connect(&self.address).await.unwrap();
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
            tokio::spawn(connection);
            let mut request = hyper::Request::builder()
                .method(method)
                .uri(path)
                .header("host", &self.address);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            if body.is_some() {
                request = request.header("content-type", "application/json");
            }
            let body = body.map(Value::to_string).unwrap_or_default();
            let answer = sender.send_request(request.body(body).unwrap()).await.unwrap();
            let status = answer.status().as_u16();
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
        })
    }

    /// Sends a signal, waits for the end, and answers with the exit code and the directory.
    pub(crate) fn end(mut self, signal: &str) -> (Option<i32>, TempDir) {
        let kill = Command::new("kill")
            .args([OsStr::new(signal), OsStr::new(&self.id().to_string())])
            .status();
        assert!(kill.unwrap().success());
        let code = self.child.wait().unwrap().code();
        let directory = std::mem::replace(&mut self.directory, tempfile::tempdir().unwrap());
        (code, directory)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
