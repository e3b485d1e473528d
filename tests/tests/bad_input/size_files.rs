//! Files of recorded task sizes.

use acceptance::{Said, TINY, Workshop};

use crate::{assert_only, edited_preset};

/// Trains on a file of sizes.
fn train_on(workshop: &Workshop, sizes: Option<&[u8]>) -> Said {
    let from = "{ distribution = \"uniform\", min = 10, max = 30 }";
    workshop.write("mine.toml", edited_preset(from, "{ distribution = \"file\", path = \"sizes.txt\" }"));
    if let Some(sizes) = sizes {
        workshop.write("sizes.txt", sizes);
    }
    workshop.trainer(&[&TINY[..], &["--scenario", "mine.toml", "--out", "run"]].concat())
}

#[test]
fn a_line_that_is_no_size_is_named() {
    for (line, text) in [(3, "abc"), (3, "-4"), (3, "0"), (3, "nan"), (3, "inf"), (3, "5 MB"), (3, "4,5")] {
        let workshop = Workshop::new();
        let sizes = format!("# sizes in MB\n12.5\n{text}\n8\n9\n");
        let said = train_on(&workshop, Some(sizes.as_bytes())).failed(1).silent();
        said.naming(&["sizes.txt", &format!("line {line}"), &format!("`{text}`")]);
        assert_only(&workshop, &["mine.toml", "sizes.txt"]);
    }
}

#[test]
fn sizes_that_no_number_can_add_up_are_refused() {
    let workshop = Workshop::new();
    let said = train_on(&workshop, Some(b"1\n2\n1e300\n1e300\n3\n4\n")).failed(1).silent();
    said.naming(&["sizes.txt", "line 3", "1e300"]);
    assert_only(&workshop, &["mine.toml", "sizes.txt"]);
}

#[test]
fn a_file_of_sizes_that_is_not_there_is_named() {
    let workshop = Workshop::new();
    train_on(&workshop, None).failed(1).silent().naming(&["sizes.txt", "No such file", "help:"]);
    assert_only(&workshop, &["mine.toml"]);
}

#[test]
fn too_few_sizes_are_counted() {
    for (sizes, count) in [("", "0 sizes"), ("# nothing\n\n", "0 sizes"), ("12\n", "1 sizes")] {
        let workshop = Workshop::new();
        train_on(&workshop, Some(sizes.as_bytes())).failed(1).silent().naming(&["sizes.txt", count]);
        assert_only(&workshop, &["mine.toml", "sizes.txt"]);
    }
}

#[test]
fn a_file_of_sizes_must_be_text() {
    let workshop = Workshop::new();
    train_on(&workshop, Some(&[0xff, 0xfe, 0, 1])).failed(1).silent().naming(&["sizes.txt", "UTF-8"]);
    assert_only(&workshop, &["mine.toml", "sizes.txt"]);
}

#[test]
fn the_share_held_out_must_be_a_share() {
    let workshop = Workshop::new();
    let from = "{ distribution = \"uniform\", min = 10, max = 30 }";
    for share in ["1", "-0.1", "nan"] {
        let to = format!("{{ distribution = \"file\", path = \"sizes.txt\", held_out = {share} }}");
        workshop.write("mine.toml", edited_preset(from, &to));
        workshop.trainer(&["scenario", "check", "mine.toml"]).failed(1).naming(&["tasks.size_mb.held_out", "line "]);
    }
}
