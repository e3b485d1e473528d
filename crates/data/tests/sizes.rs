//! Files of recorded task sizes.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use data::{Part, SizeSampler, SizesError, StandardSet};
use proptest::prelude::*;
use sim::scenario::SizeDistribution;
use sim::{Scenario, random};

/// A new directory for the files of one test.
fn directory(test: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("sizes").join(test);
    fs::create_dir_all(&path).expect("Cargo's directory for tests can be written");
    path
}

/// Reads a scenario whose file is in the same folder as a file of sizes.
fn with_sizes(test: &str, sizes: &str, path: &str) -> Scenario {
    let directory = directory(test);
    fs::write(directory.join("sizes.txt"), sizes).expect("writable");
    let mut scenario = Scenario::load("paper").expect("a preset");
    scenario.tasks.size_mb = SizeDistribution::File { path: path.to_owned(), held_out: 0.1 };
    let file = directory.join("mine.toml");
    fs::write(&file, scenario.to_toml()).expect("writable");
    Scenario::load(file.to_str().expect("a plain path")).expect("valid")
}

/// Sizes in MB that one part of a sampler draws.
fn drawn(sampler: &SizeSampler, part: Part) -> BTreeSet<u64> {
    let mut random = random::stream(1, "test");
    (0..5_000).map(|_| (sampler.draw(part, &mut random) / 1e6).round() as u64).collect()
}

#[test]
fn comments_blank_lines_and_spaces_in_a_file_of_sizes_are_skipped() {
    let sizes = "# sizes in MB\n\n 10 \r\n\t20.0\n# 99\n3e1\n\n";
    let sampler = SizeSampler::new(&with_sizes("comments", sizes, "sizes.txt")).expect("three sizes");
    let all: BTreeSet<_> = drawn(&sampler, Part::Training).union(&drawn(&sampler, Part::HeldOut)).copied().collect();
    assert_eq!(all, BTreeSet::from([10, 20, 30]));
}

#[test]
fn a_relative_path_of_sizes_is_looked_up_beside_the_scenario_file() {
    let scenario = with_sizes("relative", "1\n2\n3\n", "sizes.txt");
    let SizeDistribution::File { path, held_out } = &scenario.tasks.size_mb else { panic!("{scenario:?}") };
    assert!(PathBuf::from(path).is_absolute(), "{path}");
    assert!((held_out - 0.1).abs() < 1e-12);
    SizeSampler::new(&scenario).expect("the file is there");
    let absolute = directory("relative").join("sizes.txt");
    let scenario = with_sizes("absolute", "not\nread\n", absolute.to_str().expect("a plain path"));
    SizeSampler::new(&scenario).expect("an absolute path stays as it is");
}

#[test]
fn held_out_sizes_are_a_stable_tenth_that_training_never_sees() {
    let lines: String = (1..=100).fold(String::new(), |lines, size| lines + &format!("{size}\n"));
    let scenario = with_sizes("held_out", &lines, "sizes.txt");
    let sampler = SizeSampler::new(&scenario).expect("a hundred sizes");
    let [training, held_out] = [Part::Training, Part::HeldOut].map(|part| drawn(&sampler, part));
    assert_eq!((training.len(), held_out.len()), (90, 10));
    assert!(training.is_disjoint(&held_out));
    let again = SizeSampler::new(&scenario).expect("a hundred sizes");
    assert_eq!(drawn(&again, Part::HeldOut), held_out);

    let model = scenario.check().expect("valid");
    let set = StandardSet::of(&scenario, &model).expect("the file is there");
    let used = set.instances().iter().flat_map(|instance| instance.workload.sizes_bytes());
    assert!(used.map(|bytes| (bytes / 1e6).round() as u64).all(|size| held_out.contains(&size)));
}

/// Recorded sizes repeat; one that is held out must not come back from another line.
#[test]
fn a_size_recorded_twice_is_on_one_side_only() {
    let lines: String = (0..100).fold(String::new(), |lines, index| lines + &format!("{}\n", 1 + index % 20));
    let sampler = SizeSampler::new(&with_sizes("repeated", &lines, "sizes.txt")).expect("a hundred sizes");
    let [training, held_out] = [Part::Training, Part::HeldOut].map(|part| drawn(&sampler, part));
    assert!(training.is_disjoint(&held_out), "both: {:?}", training.intersection(&held_out));
}

#[test]
fn with_nothing_held_out_evaluation_uses_all_sizes() {
    let mut scenario = with_sizes("all", "1\n2\n3\n", "sizes.txt");
    let SizeDistribution::File { held_out, .. } = &mut scenario.tasks.size_mb else { panic!("it was made so") };
    *held_out = 0.0;
    let sampler = SizeSampler::new(&scenario).expect("three sizes");
    assert_eq!(drawn(&sampler, Part::HeldOut), BTreeSet::from([1, 2, 3]));
    assert_eq!(drawn(&sampler, Part::Training), BTreeSet::from([1, 2, 3]));
}

#[test]
fn a_line_that_is_no_size_is_named() {
    for text in ["abc", "-1", "0", "nan", "inf", "1 2", "1,5", "1e999", "1e300"] {
        let scenario = with_sizes("bad_line", &format!("1\n\n{text}\n4\n"), "sizes.txt");
        match SizeSampler::new(&scenario) {
            Err(SizesError::BadLine { line: 3, text: found, .. }) => assert_eq!(found, text),
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn too_few_sizes_are_counted() {
    for (sizes, count) in [("", 0), ("# none\n", 0), ("5\n", 1)] {
        let error = SizeSampler::new(&with_sizes("too_few", sizes, "sizes.txt")).expect_err("too few");
        assert!(matches!(error, SizesError::TooFew { count: found, .. } if found == count), "{error}");
    }
}

proptest! {
    #[test]
    fn any_line_of_a_file_of_sizes_is_a_size_or_an_error(line in "(?s).{0,30}") {
        let scenario = with_sizes("any_line", &format!("1\n2\n{line}\n"), "sizes.txt");
        if let Ok(sampler) = SizeSampler::new(&scenario) {
            let moments = sampler.moments();
            prop_assert!(moments.mean_bytes.is_finite() && moments.std_dev_bytes.is_finite(), "{:?}", line);
        }
    }
}
