//! The releases that the tests are made for: `releases.txt`, which the script that makes the images reads too.

use mcspec_suite::case::Release;

const LIST: &str = include_str!("../releases.txt");

/// The releases of `releases.txt`, oldest first. The last is the newest that was known when it was written; an engine
/// may hold a newer one, see [`present`].
///
/// # Panics
/// When a line of the file, which is part of this crate, does not begin with a release.
pub fn wanted() -> Vec<Release> {
    let releases = LIST.lines().filter(|line| !line.starts_with('#'));
    releases
        .map(|line| {
            let name = line.split_whitespace().next().unwrap_or_default();
            name.parse()
                .unwrap_or_else(|expected| panic!("releases.txt: `{line}` does not begin with {expected}"))
        })
        .collect()
}

/// The releases to test when an engine holds `images`: each wanted one, but in place of the newest wanted the newest
/// that is there, if that is newer still. Debian's sid moves on, and its package with it.
pub fn present(images: &[Release]) -> Vec<Release> {
    let mut releases = wanted();
    if let (Some(wanted), Some(there)) = (releases.last_mut(), images.iter().max())
        && there > wanted
    {
        wanted.clone_from(there);
    }
    releases
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    #[test]
    fn the_wanted_releases_are_distinct_and_oldest_first() {
        let releases = wanted();
        assert!(releases.len() >= 4, "{releases:?}");
        assert!(releases.is_sorted_by(|a, b| a < b), "{releases:?}");
    }

    #[test]
    fn a_newer_image_takes_the_place_of_the_newest_wanted_one() {
        let older_than_wanted = present(&[release("1.6.9"), release("1.6.2")]);
        assert_eq!(older_than_wanted, wanted());
        let moved_on = present(&[release("1.6.9"), release("1.99.1"), release("1.98.7")]);
        assert_eq!(moved_on.last(), Some(&release("1.99.1")));
        assert_eq!(moved_on[..moved_on.len() - 1], wanted()[..wanted().len() - 1]);
    }
}
