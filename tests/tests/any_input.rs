//! Any bytes as input: no panic, memory in proportion, and no input accepted that makes no sense.
//!
//! `cargo test -p acceptance --test any_input -- --ignored` writes the seeds of the corpus again.

use std::fs;
use std::path::{Path, PathBuf};

use acceptance::inputs::{KINDS, sealed, seeds, tiny_record};
use model::Record;
use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The most memory that reading may take is `LIMIT_BYTES` plus `LIMIT_FACTOR` times the length of the input: a
/// recording is read through a buffer of a fixed size, JSON becomes values.
const LIMIT_BYTES: usize = 48 << 20;
const LIMIT_FACTOR: usize = 64;

fn corpus(kind: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(kind)
}

fn names(kind: &str) -> Vec<String> {
    let entries = fs::read_dir(corpus(kind)).expect("every kind has a corpus");
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn contents(kind: &str) -> Vec<Vec<u8>> {
    names(kind).iter().map(|name| fs::read(corpus(kind).join(name)).expect("it was just listed")).collect()
}

/// Bytes as they come, and files of the corpus after some edits, by themselves or one after the other.
fn bytes(corpus: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let words = [
        "0",
        "-1",
        "1e999",
        "nan",
        "inf",
        "\"",
        "[",
        "]",
        "{",
        "}",
        "=",
        ",",
        ".",
        "\n",
        "\r\n",
        "\u{feff}",
        "\0",
        "#",
        "[[servers]]\n",
        "9999999999999999999999",
        "18446744073709551615",
        "null",
        "true",
        "\n----\n",
        "../",
        "/",
    ];
    let words = words.map(|word| word.as_bytes().to_vec()).to_vec();
    let insertion = prop_oneof![prop::sample::select(words), prop::collection::vec(any::<u8>(), 0..9)];
    let edit = (any::<prop::sample::Index>(), 0..9_usize, insertion);
    let file = prop::sample::select(corpus);
    let edited = (file.clone(), file, any::<prop::sample::Index>(), prop::collection::vec(edit, 0..6)).prop_map(
        |(mut bytes, other, cut, edits)| {
            if edits.len() % 3 == 2 {
                bytes.truncate(cut.index(bytes.len() + 1));
                bytes.extend(&other[cut.index(other.len() + 1)..]);
            }
            for (place, removed, inserted) in edits {
                let start = place.index(bytes.len() + 1);
                let end = (start + removed).min(bytes.len());
                bytes.splice(start..end, inserted);
            }
            bytes
        },
    );
    prop_oneof![4 => edited, 1 => prop::collection::vec(any::<u8>(), 0..300)]
}

/// One test for all, so that no other takes memory meanwhile.
#[test]
fn no_bytes_make_a_reader_panic_or_take_all_memory() {
    for (kind, read) in KINDS {
        let corpus = contents(kind);
        read(b""); // makes what later readings share
        let check = |bytes: &[u8]| {
            let before = MEMORY.current_usage();
            MEMORY.reset_peak_usage();
            read(bytes);
            let taken = MEMORY.peak_usage().saturating_sub(before);
            assert!(taken <= LIMIT_BYTES + LIMIT_FACTOR * bytes.len(), "{kind}: {taken} bytes for {}", bytes.len());
        };
        for bytes in &corpus {
            check(bytes);
        }
        let mut runner = TestRunner::new(Config { cases: 2000, failure_persistence: None, ..Config::default() });
        let tested = runner.run(&bytes(corpus), |bytes| {
            check(&bytes);
            Ok(())
        });
        tested.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
}

/// A reader that refuses everything would pass.
#[test]
fn what_is_well_formed_is_accepted() {
    for (kind, read) in KINDS {
        for name in names(kind).iter().filter(|name| name.starts_with("seed-")) {
            let content = fs::read(corpus(kind).join(name)).expect("it was just listed");
            assert!(read(&content), "{kind}/{name} is refused: the head of this file says how to write it anew");
        }
    }
}

/// A record is its two files; nothing in a manifest leads elsewhere.
#[test]
fn a_manifest_names_no_file() {
    let (manifest, weights) = tiny_record();
    let device = model::DeviceChoice::Flex.open().expect("built in").device;
    let read = |text: &str| Record::from_bytes(sealed(text).as_bytes(), weights, &device);
    read(manifest).expect("as it was written");
    let name = "name = \"ddlo\"";
    let elsewhere = manifest.replace("[weights]\n", "[weights]\nfile = \"/etc/passwd\"\n");
    let above = manifest.replace(name, "name = \"../../elsewhere\"");
    for (changed, word) in [(elsewhere, "file"), (above, "name")] {
        assert!(changed != *manifest);
        let error = read(&changed).expect_err("nothing is to be read or written elsewhere").to_string();
        assert!(error.contains(word), "{error}");
    }
}

#[test]
#[ignore = "writes into the repository"]
fn write_seeds() {
    for (kind, name, content) in seeds() {
        fs::create_dir_all(corpus(kind)).expect("it can be written");
        fs::write(corpus(kind).join(format!("seed-{name}")), content).expect("it can be written");
    }
}
