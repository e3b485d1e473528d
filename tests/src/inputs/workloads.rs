//! Workloads, made from arbitrary bytes.

use std::sync::OnceLock;

use data::exchange::{Answer, EnvironmentChange, ExchangeError, Id, WorkloadReader, WorkloadRequest};
use sim::scheme::{Greedy, Order, Scheme};
use sim::{CostModel, Scenario, text};

use super::problem;

/// Workloads as JSON or CSV, for devices with equal and with different numbers of tasks, and changes of the environment. What
/// is accepted can be priced, decided and answered, and reading goes on behind what is refused.
///
/// # Panics
/// If it cannot, or an error does not say where.
pub fn read(bytes: &[u8]) -> bool {
    let model = &problem("paper").1;
    let mut accepted = workloads_of(bytes, model);
    accepted |= workloads_of(bytes, uneven());
    if let Ok(change) = EnvironmentChange::from_json(bytes)
        && let Ok(environment) = change.over(model)
    {
        model.at(&environment).expect("it was checked");
        accepted = true;
    }
    accepted
}

/// The model of a scenario whose devices have three tasks, none and two, with deadlines.
fn uneven() -> &'static CostModel {
    static UNEVEN: OnceLock<CostModel> = OnceLock::new();
    UNEVEN.get_or_init(|| {
        let text = Scenario::preset_text("paper").expect("a preset");
        let tasks =
            "per_device = [3, 0, 2]\ndeadline_s = [20, 30, 40]\ndeadline_rule = \"penalty\"\ndeadline_penalty = 5\n#";
        let text = text.replacen("per_device = 3", tasks, 1);
        Scenario::from_toml("uneven", &text).expect("valid").check().expect("valid")
    })
}

fn workloads_of(bytes: &[u8], model: &CostModel) -> bool {
    let mut accepted = false;
    let ended = WorkloadReader::new("anything", bytes, model).and_then(|mut reader| {
        loop {
            match reader.read_next() {
                Ok(None) => return Ok(()),
                Ok(Some(request)) => {
                    check_workload(&request);
                    accepted = true;
                }
                Err(ExchangeError::Workload { place, refusal, .. }) => {
                    assert!(place.starts_with("line ") && !refusal.error.is_empty(), "{place}: {}", refusal.error);
                }
                Err(error) => return Err(error),
            }
        }
    });
    match ended {
        Ok(()) => {}
        // UTF-16 that is damaged.
        Err(ExchangeError::Unreadable { source, .. }) if text::not_text(&source).is_some() => {}
        Err(error) => panic!("{error}"),
    }
    accepted
}

fn check_workload(WorkloadRequest { id, instance }: &WorkloadRequest) {
    let cost = instance.cost(&[0; 9]);
    assert!(cost > 0.0 && cost.is_finite(), "{cost}");
    let solution =
        Greedy::new(Order::Given).decide(&instance.model, &instance.workload).expect("greedy decides everything");
    let answer = Answer::new(None, instance, &solution);
    let sizes_bytes = instance.workload.sizes_bytes();
    let is_there = answer.placements.concat();
    assert!(is_there.iter().zip(sizes_bytes).all(|(place, bytes)| place.is_some() == (*bytes > 0.0)), "{answer:?}");
    assert_eq!(answer.missed_deadlines.is_some(), instance.model.has_deadlines());
    assert!(answer.missed_deadlines <= answer.tasks_with_deadline, "{answer:?}");
    assert!(answer.cost.is_finite() && !serde_json::to_string(&answer).expect("it is JSON").contains("cost\":null"));
    if let Some(id) = id {
        // As JSON has it, whose numbers have no limits.
        serde_json::from_str::<Id>(id.get()).expect("it was read as JSON");
    }
}

/// Well-formed inputs, to begin with: name and content.
pub(super) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let line = r#"{"tasks_mb": [[12, 25.5, 18], [10, 20, 30], [11, 12, 13]]}"#;
    let named = line.replacen(
        '{',
        r#"{"id": {"a": [1, "b"]}, "environment": {"uplink_mbps": [5, 10, 3], "capacity": 0.5, "alpha": 0.9}, "#,
        1,
    );
    let rows: Vec<_> = (0..9).map(|task| format!("w,{},{},{}.5", task / 3, task % 3, task + 1)).collect();
    let semicolons: Vec<_> = rows.iter().map(|row| format!("0;{}", row.replace(',', ";").replace('.', ","))).collect();
    let demands = r#"{"tasks_mb": [[12, null, 18], [], [11]], "deadline_s": [[20, null], 5, null], "deadline_rule": "penalty", "deadline_penalty": 3, "instructions_per_byte": [1000, null, [330]]}"#;
    // One task of each device with a deadline, one that is not there, and one with instructions of its own.
    let demanding = rows.iter().zip(0..).map(|(row, task)| match task % 3 {
        0 => format!("{row},20,"),
        1 => format!("w,{},1,,,", task / 3),
        _ => format!("{row},,330"),
    });
    let demanding: Vec<String> = demanding.collect();
    let interleaved: Vec<_> = rows.iter().flat_map(|row| [row.clone(), row.replacen('w', "v", 1)]).collect();
    let texts = [
        ("line", format!("{line}\n")),
        ("lines", format!("\u{feff}{named}\n\n{line}\r\n")),
        ("environment", r#"{"uplink_mbps": 5, "capacity": [1, 1], "alpha": 0.5}"#.to_owned()),
        ("rows", format!("workload,device,task,mb\n{}\n", rows.join("\n"))),
        ("list", format!("[\n  {named},\n  {line}\n]\n")),
        ("several-lines", format!("{}\n{}\n", named.replace(", ", ",\n "), line.replace(", ", ",\r\n "))),
        ("rows-semicolon", format!("sep=;\n;Workload;Device;Task;MB\n{}\n", semicolons.join("\n"))),
        ("rows-interleaved", format!("workload,device,task,mb\n{}\n", interleaved.join("\n"))),
        ("demands", format!("{demands}\n{line}\n")),
        (
            "rows-demands",
            format!("workload,device,task,mb,deadline_s,instructions_per_byte\n{}\n", demanding.join("\n")),
        ),
        (
            "rows-left-out",
            "workload,device,task,mb,deadline_s\na,0,0,1,20\na,0,1,,5\na,0,2,3,\na,2,0,4,9\na,2,1,5,\n".to_owned(),
        ),
    ];
    let utf16 = format!("\u{feff}{line}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    texts.map(|(name, text)| (name, text.into_bytes())).into_iter().chain([("utf16", utf16)]).collect()
}
