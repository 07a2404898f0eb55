//! The process as the operating system sees it: its user, its limit on open files.

use anyhow::{Context, bail};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::{Uid, User};

/// Open files beside the connections: listeners, the runtime's own, standard streams.
const OTHER_FILES: u64 = 64;

/// Raises the limit on open files to what `connections` need, as far as the system lets us. What is missing shows as
/// pauses in accepting, not before.
pub(crate) fn raise_open_files_limit(connections: usize) {
    let wanted = connections as u64 + OTHER_FILES;
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        if soft >= wanted {
            return Ok(wanted);
        }
        let allowed = if Uid::effective().is_root() {
            hard.max(wanted)
        } else {
            hard.min(wanted)
        };
        setrlimit(Resource::RLIMIT_NOFILE, allowed, hard.max(allowed))?;
        Ok(allowed)
    });
    match raised {
        Ok(limit) if limit >= wanted => {}
        Ok(limit) => tracing::warn!(
            limit,
            wanted,
            "open files are limited to fewer than -c asks for; raise ulimit -n or lower -c"
        ),
        Err(error) => tracing::warn!(
            %error,
            wanted,
            "cannot raise the limit on open files; raise ulimit -n or lower -c"
        ),
    }
}

/// Becomes `user` if run as root; otherwise stays who it is, as memcached does.
pub(crate) fn become_user(user: &str) -> anyhow::Result<()> {
    if !Uid::effective().is_root() {
        tracing::debug!(user, "not run as root: the user stays the same");
        return Ok(());
    }
    let found = User::from_name(user).with_context(|| format!("cannot look up the user {user:?} of -u"))?;
    let Some(found) = found else {
        bail!("there is no user {user:?}; give -u a user of this machine");
    };
    if found.uid.is_root() {
        return Ok(());
    }
    nix::unistd::setgroups(&[found.gid])
        .and_then(|()| nix::unistd::setgid(found.gid))
        .and_then(|()| nix::unistd::setuid(found.uid))
        .with_context(|| format!("cannot become the user {user:?} of -u; start without -u"))
}
