//! The service where it may write nothing: as a user without rights, under a root file system that is read-only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use acceptance::{Workshop, program};

use crate::{SIZES, Service, shipped};

/// The user `nobody`, who owns nothing.
const NOBODY: &str = "65534";

/// The ways to start a program without rights, the strictest first. Which of them a machine permits depends on who runs the
/// tests; the last needs no rights at all.
fn ways() -> [Vec<String>; 3] {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    // Each mount below the root stays as it is, so all of them are made read-only one by one.
    let read_only = "mount --make-rprivate / && for place in $(awk '$2 !~ /^\\/(proc|sys|dev)/ {print $2}' /proc/mounts); do \
                     mount -o remount,bind,ro \"$place\" 2>/dev/null || true; done; mount -o remount,bind,ro / && \
                     ! [ -w / ] && ! [ -w /tmp ] && exec \"$@\"";
    let shell = |script: &str| ["sh", "-c", script, "sh"].map(str::to_owned).to_vec();
    let user = words(&format!(
        "setpriv --reuid {NOBODY} --regid {NOBODY} --clear-groups --no-new-privs --bounding-set -all --inh-caps -all"
    ));
    [[words("unshare --mount"), shell(read_only), user.clone()].concat(), user, Vec::new()]
}

fn command(way: &[String], program: &str) -> Command {
    let mut words = way.iter().cloned().chain([program.to_owned()]);
    let mut command = Command::new(words.next().expect("there is a program"));
    command.args(words);
    command
}

fn is_permitted(way: &[String]) -> bool {
    let tried = command(way, "true").stdout(Stdio::null()).stderr(Stdio::null()).status();
    tried.is_ok_and(|status| status.success())
}

#[test]
fn it_needs_no_rights_and_no_place_to_write() {
    let workshop = Workshop::new();
    // The user `nobody` may not be allowed to read the folders of the program and of the record.
    copy_for_everybody(program(), &workshop, "trainer");
    let record = shipped("mobile");
    fs::create_dir(workshop.path("record")).expect("the folder is the test's own");
    for file in ["manifest.toml", "weights.bpk"] {
        copy_for_everybody(&std::path::Path::new(&record).join(file), &workshop, &format!("record/{file}"));
    }
    workshop.write("token", "correct-horse\n");
    for (path, mode) in [("token", 0o444), ("record", 0o555), (".", 0o555)] {
        fs::set_permissions(workshop.path(path), fs::Permissions::from_mode(mode))
            .expect("the folder is the test's own");
    }
    let before = workshop.files();
    let way = ways().into_iter().find(|way| is_permitted(way)).expect("the last needs no rights");
    let mut command = command(&way, &workshop.path("trainer").to_string_lossy());
    command.env_clear().envs(["HOME", "TMPDIR", "XDG_CACHE_HOME"].map(|name| (name, "/proc/nowhere")));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).current_dir("/");
    let [record, token] = ["record", "token"].map(|name| workshop.path(name).to_string_lossy().into_owned());
    let config = ureq::Agent::config_builder();
    let mut service =
        Service::start_with(command, &record, &["--token-file", &token, "--device", "flex"], "http", config);
    assert_eq!(service.get("/readyz").status, 200);
    let ask = |path: &str| {
        let request = service.agent.get(service.url(path)).header("Authorization", "Bearer correct-horse");
        Service::answer(request.call())
    };
    for path in ["/", "/page.js", "/metrics", "/openapi.json", "/v1/scenario", "/v1/record"] {
        assert_eq!(ask(path).status, 200, "{path}");
    }
    let request = service.agent.post(service.url("/v1/decide")).header("Authorization", "Bearer correct-horse");
    let request = request.header("Content-Type", "application/json");
    let answer = Service::answer(request.send(format!(r#"{{"tasks_mb": {SIZES}}}"#)));
    assert!(answer.status == 200 && answer.text.contains("placements"), "{}", answer.text);
    service.signal("-HUP");
    assert_eq!(service.next_line(), "the record was reloaded\n");
    let (status, said) = service.end();
    assert!(status.success(), "{said}");
    for path in [".", "record"] {
        fs::set_permissions(workshop.path(path), fs::Permissions::from_mode(0o755))
            .expect("the folder is the test's own");
    }
    assert!(before == workshop.files(), "it has written into its folder");
}

fn copy_for_everybody(from: &std::path::Path, workshop: &Workshop, to: &str) {
    fs::copy(from, workshop.path(to)).expect("there is room");
    fs::set_permissions(workshop.path(to), fs::Permissions::from_mode(0o555)).expect("the folder is the test's own");
}
