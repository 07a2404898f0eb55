//! `stats detail`: counters by key prefix.

use refcached_protocol::Response;

use super::Engine;
use crate::store::Store;

impl<S: Store> Engine<S> {
    /// `stats detail on|off|dump`.
    pub(super) fn detail(&self, argument: Option<&[u8]>, out: &mut Vec<u8>) {
        let prefixes = &self.environment.prefixes;
        let answer = match argument {
            Some(b"on") => {
                prefixes.enable(true);
                Response::Ok
            }
            Some(b"off") => {
                prefixes.enable(false);
                Response::Ok
            }
            Some(b"dump") => {
                prefixes.visit(|prefix, counts| {
                    out.extend_from_slice(b"PREFIX ");
                    out.extend_from_slice(prefix);
                    let rest = format!(
                        " get {} hit {} set {} del {}\r\n",
                        counts.gets, counts.hits, counts.sets, counts.deletes
                    );
                    out.extend_from_slice(rest.as_bytes());
                });
                Response::End
            }
            _ => Response::ClientError(b"usage: stats detail on|off|dump"),
        };
        answer.encode(out);
    }
}
