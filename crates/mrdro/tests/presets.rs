//! Training presets: what they resolve to, and what changes over them.
#![expect(clippy::expect_used, reason = "tests")]

use meta::Labels;
use model::Exploration;
use mrdro::{FleetTraining, SiteTraining, Training, TrainingError};

/// All settings of each preset, as `config.toml` of a run holds them below `[training]` or `[fleet]`. When a setting is added,
/// run `cargo test -p mrdro`, see that nothing else differs, and add its line here.
const RESOLVED: [(&str, &str); 4] = [
    ("recommended", include_str!("resolved/recommended.toml")),
    ("paper", include_str!("resolved/paper.toml")),
    ("environments", include_str!("resolved/environments.toml")),
    ("adaptable", include_str!("resolved/adaptable.toml")),
];

#[test]
fn presets_resolve_to_the_settings_that_shipped() {
    assert!(Training::presets().eq(RESOLVED.map(|(name, _)| name)));
    for (name, resolved) in RESOLVED {
        let training = Training::preset(name).expect("presets are valid");
        assert_eq!(toml::to_string(&training).expect("can be written"), resolved, "{name}");
        assert_eq!(Training::from_toml("resolved", resolved).expect("valid"), training, "{name}");
    }
    let fleet = FleetTraining::preset("fleet").expect("presets are valid");
    assert_eq!(toml::to_string(&fleet).expect("can be written"), include_str!("resolved/fleet.toml"));
    let site = SiteTraining::preset("site").expect("presets are valid");
    assert_eq!(toml::to_string(&site).expect("can be written"), include_str!("resolved/site.toml"));
}

#[test]
fn defaults_are_the_first_preset() {
    assert_eq!(Training::default(), Training::preset("recommended").expect("valid"));
    assert_eq!(FleetTraining::default(), FleetTraining::preset("fleet").expect("valid"));
    assert_eq!(SiteTraining::default(), SiteTraining::preset("site").expect("valid"));
}

#[test]
fn a_single_setting_changes_nothing_else() {
    let setting = ["drl.steps=7000".to_owned(), "meta.labels=exact".to_owned(), "drl.exploration=threshold".to_owned()];
    let changed = Training::load("recommended", &setting).expect("valid");
    let mut expected = Training::load("recommended", &[]).expect("valid");
    expected.drl.steps = 7000;
    expected.meta.labels = Labels::Exact;
    expected.drl.selection.exploration = Exploration::Threshold;
    assert_eq!(changed, expected);
}

#[test]
fn flips_need_exploration() {
    let settings = ["drl.flips=3".to_owned()];
    assert!(Training::load("paper", &settings).is_err());
    let explored = ["drl.flips=3".to_owned(), "drl.exploration=order-preserving".to_owned()];
    let training = Training::load("paper", &explored).expect("valid");
    assert_eq!(training.drl.selection.exploration, Exploration::OrderPreserving { flips: 3 });
}

#[test]
fn a_setting_that_does_not_fit_changes_nothing() {
    let mut training = Training::default();
    let invalid = training.set("drl.steps=many").expect_err("not a number");
    assert!(matches!(&invalid, TrainingError::Invalid(_)), "{invalid}");
    assert_eq!(invalid.to_string(), "drl.steps=many has a mistake:\n  drl.steps: must be a whole number, is \"many\"");
    let bad = training.set("drl.steps").expect_err("no value");
    assert!(matches!(&bad, TrainingError::BadSetting { text } if text == "drl.steps"), "{bad}");
    assert_eq!(training, Training::default());
    training.set("drl.steps=9000").expect("fits");
    assert_eq!(training.drl.steps, 9000);
}

#[test]
fn what_is_neither_a_preset_nor_a_file_is_refused() {
    let unknown = Training::load("recomended", &[]).expect_err("misspelt");
    assert_eq!(
        unknown.to_string(),
        "there is no training preset called `recomended`; there are recommended, paper, environments and adaptable, \
         anything else must be a TOML file"
    );
    assert!(matches!(Training::load("no/such.toml", &[]), Err(TrainingError::Unreadable { .. })));
    assert!(matches!(FleetTraining::preset("paper"), Err(TrainingError::UnknownPreset { .. })));
}

#[test]
fn settings_are_checked_wherever_serde_reads_them() {
    let training = Training::preset("paper").expect("valid");
    let json = serde_json::to_string(&training).expect("can be written");
    assert_eq!(serde_json::from_str::<Training>(&json).expect("valid"), training);
    let wrong = json.replace("\"steps\":20000", "\"steps\":7");
    let error = serde_json::from_str::<Training>(&wrong).expect_err("fewer than fill the buffer");
    assert!(error.to_string().contains("drl.steps: must be 0 or more than the 1400"), "{error}");
}
