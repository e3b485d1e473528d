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
    for (bytes, parts) in [
        (&[0xff, 0xfe, 0, 0xd8][..], &["UTF-16", "byte 3"][..]),
        (b"# Gr\xf6\xdfe\n1\n2\n", &["line 1", "not UTF-8", "`# Gr\\xf6\\xdfe`"]),
    ] {
        let workshop = Workshop::new();
        let said = train_on(&workshop, Some(bytes)).failed(1).silent().naming(&["sizes.txt", "UTF-8"]).naming(parts);
        assert!(!said.stderr.contains("right path"), "{said}");
        assert_only(&workshop, &["mine.toml", "sizes.txt"]);
    }
}

/// What `trace inspect` reads as sizes, training reads as the same sizes.
#[test]
fn a_header_comments_and_encodings_are_one_rule_for_looking_and_training() {
    let text = "# from the camera\r\nsize_mb\r\n12.5\r\n20\r\n30\r\n";
    let utf16 = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let kilobytes =
        text.replace("_mb", " (kB)").replace("12.5", "12500.0").replace("20", "20000.0").replace("30", "30000.0");
    for sizes in [text.as_bytes().to_vec(), utf16, kilobytes.into_bytes(), format!("\u{feff}{text}").into_bytes()] {
        let workshop = Workshop::new();
        train_on(&workshop, Some(&sizes)).succeeded();
        let said = workshop.trainer(&["trace", "inspect", "sizes.txt", "--format", "json"]).succeeded();
        for part in ["\"sizes\": 3", "\"bad_lines\": 0", "\"least_mb\": 12.5", "\"greatest_mb\": 30"] {
            assert!(said.stdout.contains(part), "{part} is not in\n{said}");
        }
    }
}

#[test]
fn a_table_of_sizes_without_one_of_its_columns_is_named() {
    let workshop = Workshop::new();
    let said = train_on(&workshop, Some(b"workload,device,task,size_mb\n0,0,0,1\n0,0,1,2\n")).failed(1).silent();
    said.naming(&["sizes.txt", "the column `mb` is missing", "`size_mb`"]);
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
