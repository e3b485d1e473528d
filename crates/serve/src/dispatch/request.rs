//! The bodies of requests to a dispatching service, checked against its site.

use std::collections::BTreeMap;
use std::fmt;

use data::exchange::Object;
use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use sim::limits::{DEADLINES_S, MAX_SIZE_MB, MAX_UPLINK_MBPS, SLOWEST_LINK_MBPS};
use sim::stream::dispatch::live::LiveTask;
use sim::units::{bytes_from_mb, bytes_per_second_from_mbps};

use super::site_names::SiteNames;
use crate::problem_details::ProblemDetails;

/// The most characters of a task's id.
pub(super) const MAX_ID_LENGTH: usize = 256;
/// The largest whole number that every reader of JSON keeps.
pub(super) const MAX_WHOLE: u64 = (1 << 53) - 1;

/// A number of JSON, to the last bit: the way of `serde_json` is a little less exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Number(pub(super) f64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <&RawValue>::deserialize(deserializer)?.get();
        let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        match text.parse() {
            Ok(number) if is_number && f64::is_finite(number) => Ok(Self(number)),
            _ if is_number => Err(D::Error::custom("number out of range")),
            _ => Err(D::Error::custom(format_args!("invalid type: {text}, expected a number"))),
        }
    }
}

/// What names a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(super) enum TaskId {
    Number(u64),
    Text(Box<str>),
}

impl TaskId {
    /// As JSON.
    pub(super) fn json(&self) -> Box<str> {
        match self {
            Self::Number(number) => number.to_string().into(),
            Self::Text(text) => serde_json::Value::from(&**text).to_string().into(),
        }
    }

    fn check(&self) -> Result<(), ProblemDetails> {
        match self {
            Self::Text(text) if text.chars().count() > MAX_ID_LENGTH => {
                let detail = format!("the id is longer than {MAX_ID_LENGTH} characters");
                Err(ProblemDetails::unprocessable("id", detail))
            }
            _ => Ok(()),
        }
    }
}

/// Reads a text or a whole number.
struct NumberOrText(&'static str);

impl Visitor<'_> for NumberOrText {
    type Value = TaskId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<TaskId, E> {
        if number <= MAX_WHOLE {
            Ok(TaskId::Number(number))
        } else {
            Err(E::invalid_value(Unexpected::Unsigned(number), &self))
        }
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<TaskId, E> {
        // JSON Schema counts 3.0 as a whole number.
        if number >= 0.0 && number.fract() == 0.0 && number <= MAX_WHOLE as f64 {
            return Ok(TaskId::Number(number as u64));
        }
        Err(E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_str<E>(self, text: &str) -> Result<TaskId, E> {
        Ok(TaskId::Text(text.into()))
    }
}

impl<'de> Deserialize<'de> for TaskId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrText("an id: a text or a whole number not below 0"))
    }
}

/// A device by its number or its name.
#[derive(Debug, Clone, PartialEq)]
struct DeviceKey(TaskId);

impl<'de> Deserialize<'de> for DeviceKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberOrText("a device: its number or its name")).map(Self)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TaskBody {
    #[serde(default)]
    id: Option<TaskId>,
    device: DeviceKey,
    size_mb: Number,
    #[serde(default)]
    time_s: Option<Number>,
    #[serde(default)]
    deadline_s: Option<Number>,
    #[serde(default)]
    uplink_mbps: Option<Number>,
    #[serde(default)]
    link_mbps: Option<BTreeMap<String, Number>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DispatchBody {
    #[serde(default)]
    id: Option<TaskId>,
    #[serde(default)]
    device: Option<DeviceKey>,
    #[serde(default)]
    size_mb: Option<Number>,
    #[serde(default)]
    time_s: Option<Number>,
    #[serde(default)]
    deadline_s: Option<Number>,
    #[serde(default)]
    uplink_mbps: Option<Number>,
    #[serde(default)]
    link_mbps: Option<BTreeMap<String, Number>>,
    #[serde(default)]
    tasks: Option<Vec<Object<TaskBody>>>,
    #[serde(default)]
    queues_s: Option<BTreeMap<String, Number>>,
}

/// Tasks that arrive, checked but for their times.
pub(super) struct DispatchRequest {
    /// Their times are NaN where none is said.
    pub(super) tasks: Vec<LiveTask>,
    pub(super) ids: Vec<Option<TaskId>>,
    /// Whether they came as a list.
    pub(super) is_list: bool,
    /// Backlogs by queue, in seconds.
    pub(super) backlogs_s: Vec<(usize, f64)>,
}

impl DispatchRequest {
    pub(super) fn read(body: &[u8], names: &SiteNames, most: usize) -> Result<Self, ProblemDetails> {
        let body: DispatchBody = crate::request_body::parse(body)?;
        let backlogs_s = backlogs(body.queues_s.as_ref(), names)?;
        let Some((unchecked, is_list)) = body.tasks()? else {
            let detail = "the body must hold either device and size_mb (one task) or tasks (a list)";
            return Err(ProblemDetails::unprocessable("tasks", detail));
        };
        check_count(unchecked.len(), most)?;
        let (mut tasks, mut ids) = (Vec::with_capacity(unchecked.len()), Vec::with_capacity(unchecked.len()));
        for (index, task) in unchecked.into_iter().enumerate() {
            let (task, id) = checked(task, names).map_err(|problem| within(problem, is_list.then_some(index)))?;
            tasks.push(task);
            ids.push(id);
        }
        Ok(Self { tasks, ids, is_list, backlogs_s })
    }
}

pub(super) fn check_count(count: usize, most: usize) -> Result<(), ProblemDetails> {
    if count == 0 || count > most {
        let detail = format!("there must be 1 to {most} tasks, there are {count}");
        return Err(ProblemDetails::unprocessable("tasks", detail));
    }
    Ok(())
}

/// Names the task of a list in which a problem is.
pub(super) fn within(problem: ProblemDetails, index: Option<usize>) -> ProblemDetails {
    match index {
        Some(index) => problem.within(&format!("tasks[{index}]")),
        None => problem,
    }
}

impl DispatchBody {
    /// The tasks, and whether they came as a list; `None`: there is neither one task nor a list.
    fn tasks(self) -> Result<Option<(Vec<TaskBody>, bool)>, ProblemDetails> {
        let Self { id, device, size_mb, time_s, deadline_s, uplink_mbps, link_mbps, tasks, .. } = self;
        let says_more = id.is_some()
            || device.is_some()
            || size_mb.is_some()
            || time_s.is_some()
            || deadline_s.is_some()
            || uplink_mbps.is_some()
            || link_mbps.is_some();
        match (tasks, device, size_mb) {
            (Some(_), ..) if says_more => {
                let detail = "with a list of tasks, everything but queues_s belongs inside each task";
                Err(ProblemDetails::unprocessable("tasks", detail))
            }
            (Some(tasks), ..) => Ok(Some((tasks.into_iter().map(|Object(task)| task).collect(), true))),
            (None, Some(device), Some(size_mb)) => {
                let task = TaskBody { id, device, size_mb, time_s, deadline_s, uplink_mbps, link_mbps };
                Ok(Some((vec![task], false)))
            }
            (None, Some(_), None) => Err(ProblemDetails::unprocessable("size_mb", "the size of the task is missing")),
            (None, None, Some(_)) => Err(ProblemDetails::unprocessable("device", "the device of the task is missing")),
            (None, None, None) => Ok(None),
        }
    }
}

fn checked(task: TaskBody, names: &SiteNames) -> Result<(LiveTask, Option<TaskId>), ProblemDetails> {
    let TaskBody { id, device: DeviceKey(device), size_mb: Number(mb), time_s, deadline_s, uplink_mbps, link_mbps } =
        task;
    let device = names.device(&device).map_err(|detail| ProblemDetails::unprocessable("device", detail))?;
    if let Some(id) = &id {
        id.check()?;
    }
    if !(mb > 0.0 && mb <= MAX_SIZE_MB) {
        let detail = format!("the size must be greater than 0 MB and at most {MAX_SIZE_MB:e} MB, is {mb}");
        return Err(ProblemDetails::unprocessable("size_mb", detail));
    }
    let deadline_s = deadline_s.map(|Number(deadline_s)| deadline_s);
    if let Some(wrong) = deadline_s.filter(|deadline_s| !DEADLINES_S.contains(deadline_s)) {
        let (least, most) = (DEADLINES_S.start(), DEADLINES_S.end());
        let detail = format!("the deadline must be from {least:e} to {most:e} s after the arrival, is {wrong}");
        return Err(ProblemDetails::unprocessable("deadline_s", detail));
    }
    let mut rates = Vec::new();
    if let Some(Number(mbps)) = uplink_mbps {
        let rate = rate(mbps).map_err(|detail| ProblemDetails::unprocessable("uplink_mbps", detail))?;
        let link = names.site.uplink_of(device as usize).ok_or_else(|| {
            let detail = "no server is reached over an uplink; link_mbps tells the rates of the servers' own links";
            ProblemDetails::unprocessable("uplink_mbps", detail)
        })?;
        rates.push((link, rate));
    }
    for (server, Number(mbps)) in link_mbps.into_iter().flatten() {
        let field = format!("link_mbps.{server}");
        let rate = rate(mbps).map_err(|detail| ProblemDetails::unprocessable(&field, detail))?;
        let link = names.site.own_link_of(device as usize, &server);
        let without =
            || format!("the device has no link of its own to a server of this name; there are {}", names.own_links());
        rates.push((link.ok_or_else(|| ProblemDetails::unprocessable("link_mbps", without()))?, rate));
    }
    let id_json = id.as_ref().map(TaskId::json);
    let time_s = time_s.map_or(f64::NAN, |Number(time_s)| time_s);
    Ok((LiveTask { time_s, device, bytes: bytes_from_mb(mb), deadline_s, rates, id: id_json }, id))
}

/// A rate in bytes per second; one that is too slow counts as none.
fn rate(mbps: f64) -> Result<f64, String> {
    if !(0.0..=MAX_UPLINK_MBPS).contains(&mbps) {
        return Err(format!("the rate must be from 0 to {MAX_UPLINK_MBPS:e} Mbit/s, is {mbps}"));
    }
    Ok(if mbps < SLOWEST_LINK_MBPS { 0.0 } else { bytes_per_second_from_mbps(mbps) })
}

/// The backlogs of queues by their names.
pub(super) fn backlogs(
    queues_s: Option<&BTreeMap<String, Number>>,
    names: &SiteNames,
) -> Result<Vec<(usize, f64)>, ProblemDetails> {
    let backlog = |(name, Number(backlog_s)): (&String, &Number)| {
        let at = |detail: String| ProblemDetails::unprocessable(&format!("queues_s.{name}"), detail);
        let queue = names.queue(name).map_err(&at)?;
        if *backlog_s < 0.0 {
            return Err(at(format!("the backlog of a queue must be a number of seconds not below 0, is {backlog_s}")));
        }
        Ok((queue, *backlog_s))
    };
    queues_s.into_iter().flatten().map(backlog).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DoneBody {
    id: TaskId,
    #[serde(default)]
    done_s: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CompletedBody {
    #[serde(default)]
    id: Option<TaskId>,
    #[serde(default)]
    done_s: Option<Number>,
    #[serde(default)]
    tasks: Option<Vec<Object<DoneBody>>>,
}

/// Tasks that are said to be done, each with its time if that is said.
pub(super) struct CompletedRequest {
    pub(super) tasks: Vec<(TaskId, Option<f64>)>,
    pub(super) is_list: bool,
}

impl CompletedRequest {
    pub(super) fn read(body: &[u8], most: usize) -> Result<Self, ProblemDetails> {
        let CompletedBody { id, done_s, tasks } = crate::request_body::parse(body)?;
        let said = |done_s: Option<Number>| done_s.map(|Number(done_s)| done_s);
        let (tasks, is_list) = match (id, tasks) {
            (Some(id), None) => (vec![(id, said(done_s))], false),
            (None, Some(tasks)) if done_s.is_none() => {
                (tasks.into_iter().map(|Object(task)| (task.id, said(task.done_s))).collect(), true)
            }
            _ => {
                let detail = "the body must hold either id (one task, with done_s) or tasks (a list of id and done_s)";
                return Err(ProblemDetails::unprocessable("tasks", detail));
            }
        };
        check_count(tasks.len(), most)?;
        for (index, (id, _)) in tasks.iter().enumerate() {
            id.check().map_err(|problem| within(problem, is_list.then_some(index)))?;
        }
        Ok(Self { tasks, is_list })
    }
}

/// What `PUT /v1/queues` says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueuesBody {
    #[serde(default)]
    pub(super) time_s: Option<Number>,
    pub(super) queues_s: BTreeMap<String, Number>,
}

/// What `POST /v1/reset` says.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct ResetBody {
    #[serde(default)]
    seed: Option<Number>,
}

impl ResetBody {
    /// The seed, if one is said.
    pub(super) fn seed(&self) -> Result<Option<u64>, ProblemDetails> {
        let Some(Number(seed)) = self.seed else { return Ok(None) };
        if (0.0..=MAX_WHOLE as f64).contains(&seed) && seed.fract() == 0.0 {
            return Ok(Some(seed as u64));
        }
        let detail = format!("the seed must be a whole number from 0 to {MAX_WHOLE}, is {seed}");
        Err(ProblemDetails::unprocessable("seed", detail))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_to_the_last_bit() {
        let mut value = 0.1_f64;
        for _ in 0..1_000 {
            value = value * 1.37 + 1e-9 / value;
            let text = serde_json::to_string(&value).expect("a number");
            assert_eq!(serde_json::from_str::<Number>(&text).expect("a number"), Number(value));
        }
        for (text, part) in [("\"1\"", "expected a number"), ("true", "expected a number"), ("-1e999", "out of range")]
        {
            let error = serde_json::from_str::<Number>(text).expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn ids_are_texts_or_whole_numbers() {
        for (text, json) in [("7", "7"), ("7.0", "7"), ("\"7\"", "\"7\""), ("\"a\\\"b\"", "\"a\\\"b\"")] {
            assert_eq!(&*serde_json::from_str::<TaskId>(text).expect(text).json(), json);
        }
        for wrong in ["-1", "1.5", "9007199254740993", "null", "[1]", "true"] {
            assert!(serde_json::from_str::<TaskId>(wrong).is_err(), "{wrong}");
        }
        assert!(TaskId::Text("é".repeat(MAX_ID_LENGTH).into()).check().is_ok());
        assert!(TaskId::Text("é".repeat(MAX_ID_LENGTH + 1).into()).check().is_err());
    }
}
