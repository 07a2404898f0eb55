//! The dataset files of a world, and what is in them.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

use refcached_store::item::{Attributes, Marks};
use refcached_store::redb::Durability;
use refcached_store::store::Data;
use refcached_store::{Access, Change, Expiry, RedbOptions, RedbStore, Store, Timestamp};

use crate::command::{MARKER, patterned, told};
use crate::disk::{Disk, OpenDisk};
use crate::plan::Backend;
use crate::product::{DataFile, FileAccess, FileIdentity, Files, SwitchError};
use crate::random::Random;

/// Files that can be served.
pub const SOUND: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// Names that cannot be switched to, and the status that says so.
pub const UNSOUND: [(&str, u16); 6] = [
    ("missing", 404),
    ("damaged", 422),
    ("text", 422),
    ("../alpha", 403),
    ("guarded", 403),
    ("", 400),
];

/// Another name of the first file.
pub const ALIAS: &str = "link-to-alpha";

/// Keys that clients write.
pub const PLAIN_KEYS: [&str; 4] = ["key0", "key1", "key2", "key3"];

/// Keys that clients count on.
pub const COUNTERS: [&str; 2] = ["count0", "count1"];

/// Keys with long values, which nobody writes.
pub const BIG_KEYS: [&str; 8] = ["big0", "big1", "big2", "big3", "big4", "big5", "big6", "big7"];

/// How long these are, in bytes. Two replies with all of them are more than server and network hold back.
pub const BIG_BYTES: usize = 96 << 10;

/// Long before any world.
const MADE: Timestamp = Timestamp::from_unix_s(1_700_000_000);

/// What a sound file has, each key with its value, without the marker.
pub fn contents(filename: &str, big: bool) -> Vec<(&'static str, Vec<u8>)> {
    let number = SOUND.iter().position(|&sound| sound == filename).unwrap_or(0);
    let mut contents = Vec::new();
    for (index, key) in PLAIN_KEYS.into_iter().enumerate() {
        // Each file lacks another one.
        if index != number {
            contents.push((key, format!("{filename}/{key}").into_bytes()));
        }
    }
    for key in COUNTERS {
        contents.push((key, format!("{}", 95 + number).into_bytes()));
    }
    if big {
        let long = |key| patterned(&format!("{filename}/{key}"), BIG_BYTES);
        contents.extend(BIG_KEYS.map(|key| (key, long(key))));
    }
    contents
}

/// The value that a key has in a sound file, as a history tells it.
pub fn original(filename: &str, key: &str) -> Option<String> {
    if BIG_KEYS.contains(&key) {
        return Some(format!("{filename}/{key}*{BIG_BYTES}"));
    }
    let found = contents(filename, false).into_iter().find(|(one, _)| *one == key);
    found.map(|(_, value)| told(&value))
}

/// Puts an item into a store.
fn put<S: Store>(store: &S, key: &str, value: &[u8], cas: u64) -> Result<(), S::Error> {
    let attributes = Attributes {
        client_flags: 0,
        expiry: Expiry::NEVER,
        cas,
        accessed_unix_s: 0,
        marks: Marks::default(),
    };
    store.update(key.as_bytes(), MADE, |_| {
        (Change::Put(attributes, Data::Bytes(value)), ())
    })
}

/// What a file of this stem is called.
pub fn named(stem: &str, backend: Backend) -> String {
    let extension = match backend {
        Backend::Memory => ".ndjson",
        Backend::Redb => ".redb",
    };
    if stem.is_empty() {
        String::new()
    } else {
        format!("{stem}{extension}")
    }
}

/// The stem of the file that a name means, which may be a link to another.
pub fn resolved(name: &str) -> &str {
    let stem = stem(name);
    if stem == ALIAS { SOUND[0] } else { stem }
}

/// The stem of a name.
pub fn stem(name: &str) -> &str {
    name.split_once(".ndjson")
        .or(name.split_once(".redb"))
        .map_or(name, |(stem, _)| stem)
}

/// Refuses the names that lead to no file.
fn refused(name: &str) -> Option<SwitchError> {
    let own = name.to_owned();
    match stem(name) {
        "" => Some(SwitchError::BadName {
            name: own,
            reason: "it is empty",
        }),
        "missing" => Some(SwitchError::NotFound { name: own }),
        "guarded" => Some(SwitchError::Forbidden {
            name: own,
            cause: "permission denied".to_owned(),
        }),
        _ if name.contains("..") => Some(SwitchError::Outside { name: own }),
        _ => None,
    }
}

fn identity(name: &str) -> FileIdentity {
    let name = resolved(name);
    let number = SOUND.iter().position(|&sound| sound == name);
    FileIdentity {
        device: 1,
        inode: number.map_or(100, |number| number as u64),
    }
}

/// Numbers the datasets of a world as they are opened.
#[derive(Clone, Debug, Default)]
pub struct Numbers(Arc<AtomicU32>);

impl Numbers {
    /// The number of the dataset that is opened next.
    pub fn next(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// The number of a dataset that was opened.
    pub fn take(&self) -> u32 {
        self.0.fetch_add(1, Relaxed)
    }
}

/// Files of text, from which datasets in memory are made. Each time one is looked for, its marker is another one.
#[derive(Clone, Debug)]
pub struct TextShelf {
    big: bool,
    numbers: Numbers,
}

impl TextShelf {
    /// With long values or without.
    pub fn new(big: bool, numbers: Numbers) -> TextShelf {
        TextShelf { big, numbers }
    }

    fn text(&self, stem: &str) -> String {
        let mut text = String::new();
        let marker = (MARKER, format!("{stem}@{}", self.numbers.next()).into_bytes());
        for (key, value) in contents(stem, self.big).into_iter().chain([marker]) {
            let value = String::from_utf8_lossy(&value);
            text += &format!("{{\"key\":\"{key}\",\"value\":\"{value}\"}}\n");
        }
        text
    }
}

impl Files for TextShelf {
    type File = ShelfFile;

    fn find(&self, name: &str, _access: FileAccess) -> Result<ShelfFile, SwitchError> {
        if let Some(refusal) = refused(name) {
            return Err(refusal);
        }
        let text = match resolved(name) {
            // It breaks off in the middle.
            "damaged" => {
                let whole = self.text(SOUND[0]);
                whole[..whole.len() / 2].to_owned()
            }
            "text" => "This is no dataset.\n".to_owned(),
            stem => self.text(stem),
        };
        Ok(ShelfFile {
            disk: Disk::new(text.as_bytes(), Random::new(0)),
            identity: identity(name),
        })
    }
}

/// Files on disks of their own.
#[derive(Clone, Debug)]
pub struct DiskShelf {
    sound: Vec<Disk>,
    damaged: Disk,
    text: Disk,
}

impl DiskShelf {
    /// All files as they are at first.
    pub fn new(big: bool, random: &Random) -> DiskShelf {
        let images = images(big);
        let disk = |number: usize, image: &[u8]| Disk::new(image, random.branch(number as u64));
        DiskShelf {
            sound: (0..).zip(images).map(|(number, image)| disk(number, image)).collect(),
            damaged: disk(10, damaged()),
            text: disk(11, b"key,value\nkey0,nothing that redb has written\n"),
        }
    }

    /// The disk of a sound file.
    pub fn disk(&self, filename: &str) -> &Disk {
        let number = SOUND.iter().position(|&sound| sound == filename).unwrap_or(0);
        &self.sound[number]
    }

    /// Cuts the power of all disks.
    pub fn lose_power(&self) {
        self.all().for_each(Disk::lose_power);
    }

    /// Takes all files away from who has them open.
    pub fn disconnect(&self) {
        self.all().for_each(Disk::disconnect);
    }

    fn all(&self) -> impl Iterator<Item = &Disk> {
        self.sound.iter().chain([&self.damaged, &self.text])
    }
}

impl Files for DiskShelf {
    type File = ShelfFile;

    fn find(&self, name: &str, _access: FileAccess) -> Result<ShelfFile, SwitchError> {
        if let Some(refusal) = refused(name) {
            return Err(refusal);
        }
        let disk = match resolved(name) {
            "damaged" => &self.damaged,
            "text" => &self.text,
            sound => self.disk(sound),
        };
        Ok(ShelfFile {
            disk: disk.clone(),
            identity: identity(name),
        })
    }
}

/// One of them.
#[derive(Debug)]
pub struct ShelfFile {
    disk: Disk,
    identity: FileIdentity,
}

impl DataFile for ShelfFile {
    type Storage = OpenDisk;

    fn identity(&self) -> FileIdentity {
        self.identity
    }

    fn storage(&self) -> io::Result<OpenDisk> {
        self.disk.open()
    }
}

/// How the files are opened.
pub fn redb_options(durability: Durability) -> RedbOptions {
    RedbOptions {
        cache_bytes: 1 << 20,
        durability,
        access_slots: 1 << 8,
        ..RedbOptions::DEFAULT
    }
}

/// The images of the sound files: making one takes longer than a world.
fn images(big: bool) -> &'static [Vec<u8>; SOUND.len()] {
    static SMALL: OnceLock<[Vec<u8>; SOUND.len()]> = OnceLock::new();
    static BIG: OnceLock<[Vec<u8>; SOUND.len()]> = OnceLock::new();
    let cell = if big { &BIG } else { &SMALL };
    cell.get_or_init(|| SOUND.map(|filename| image(filename, big)))
}

/// The image of a file that has changed on its disk, in one bit of a value.
fn damaged() -> &'static [u8] {
    static DAMAGED: OnceLock<Vec<u8>> = OnceLock::new();
    DAMAGED.get_or_init(|| {
        let mut image = images(false)[0].clone();
        let victim = format!("{}/{}", SOUND[0], PLAIN_KEYS[1]);
        // Wherever it stands: there may be pages that are no longer in use.
        for start in 0..image.len() - victim.len() {
            if image[start..].starts_with(victim.as_bytes()) {
                image[start] ^= 1;
            }
        }
        image
    })
}

fn image(filename: &str, big: bool) -> Vec<u8> {
    let disk = Disk::new(b"", Random::new(0));
    let written = write_image(&disk, filename, big);
    written.unwrap_or_else(|cause| panic!("a dataset that no world has touched cannot be made: {cause}"));
    disk.image()
}

fn write_image(disk: &Disk, filename: &str, big: bool) -> Result<(), Box<dyn std::error::Error>> {
    let options = RedbOptions {
        create: true,
        ..redb_options(Durability::Immediate)
    };
    let store = RedbStore::open_on(disk.open()?, &options, MADE, |_| {})?;
    let marker = (MARKER, filename.as_bytes().to_vec());
    let uniques = store.cas_ceiling()..;
    store.write(|batch| {
        let mut items = contents(filename, big).into_iter().chain([marker]).zip(uniques);
        items.try_for_each(|((key, value), unique)| put(batch, key, &value, unique))
    })??;
    store.close()?;
    Ok(())
}

/// What keys have in a file that nobody has open, as a history tells it. Damage is told of each of them.
pub fn left(disk: &Disk, keys: &[&'static str]) -> Vec<(&'static str, Option<String>)> {
    let read = || -> Result<Vec<_>, Box<dyn std::error::Error>> {
        let copy = Disk::new(&disk.image(), Random::new(0));
        let options = redb_options(Durability::Immediate);
        let store = RedbStore::open_on(copy.open()?, &options, MADE, |_| {})?;
        let value = |key: &'static str| {
            let read = store.read(|batch| {
                batch.read(key.as_bytes(), MADE, |item| {
                    (Access::Ignore, item.map(|item| told(item.data)))
                })
            });
            Ok((key, read??))
        };
        keys.iter().map(|&key| value(key)).collect()
    };
    read().unwrap_or_else(|error| {
        keys.iter()
            .map(|&key| (key, Some(format!("unreadable: {error}"))))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use redb::StorageBackend as _;

    use super::*;

    #[test]
    fn a_file_has_its_own_values_and_lacks_a_key() {
        let disks = DiskShelf::new(false, &Random::new(3));
        let beta = left(disks.disk("beta"), &["key0", "key1", "marker", "count1"]);
        let value = |text: &str| Some(text.to_owned());
        assert_eq!(
            beta,
            [
                ("key0", value("beta/key0")),
                ("key1", None),
                ("marker", value("beta")),
                ("count1", value("96"))
            ]
        );
        assert_eq!(original("beta", "key1"), None);
        let big = contents("beta", true)
            .into_iter()
            .find(|(key, _)| *key == "big2")
            .unwrap()
            .1;
        assert_eq!(original("beta", "big2"), Some(told(&big)));
    }

    #[test]
    fn only_sound_files_open() {
        let disks = DiskShelf::new(false, &Random::new(3));
        let open = |disk: &Disk| {
            let options = redb_options(Durability::Immediate);
            let opened = RedbStore::open_on(disk.open().unwrap(), &options, MADE, |_| {});
            opened.map(drop).map_err(|error| error.to_string())
        };
        assert_eq!(open(disks.disk("gamma")), Ok(()));
        assert!(open(&disks.text).unwrap_err().contains("not a redb database"));
        assert!(open(&disks.damaged).unwrap_err().contains("damaged"));
        assert_eq!(
            disks.disk("alpha").open().unwrap().len().unwrap() as usize,
            images(false)[0].len()
        );
    }
}
