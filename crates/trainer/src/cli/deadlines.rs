//! The options of deadlines, which stand for the keys of a scenario.

use clap::{Args, ValueEnum};
use mrdro::{Error, Problem};
use sim::Demands;
use sim::limits::{DEADLINES_S, MAX_DEADLINE_PENALTY};
use sim::scenario::{DeadlineRule, PerDevice};

/// Options that give the tasks of a scenario deadlines without another scenario file.
#[derive(Debug, Args)]
pub(crate) struct DeadlineArgs {
    /// Time within which each task is to be done, in place of the scenario's deadlines
    #[arg(id = "deadline_s", long = "deadline-s", value_name = "SECONDS", allow_negative_numbers = true, value_parser = deadline)]
    seconds: Option<f64>,
    /// What a task that misses its deadline costs [default: as in the scenario, where that says nothing `report`]
    #[arg(id = "deadline_rule", long = "deadline-rule", value_enum, value_name = "RULE")]
    rule: Option<RuleName>,
    /// Cost that is added for each missed deadline, with the rule `penalty`
    #[arg(id = "deadline_penalty", long = "deadline-penalty", value_name = "COST", allow_negative_numbers = true, value_parser = penalty)]
    penalty: Option<f64>,
}

/// The rules by their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RuleName {
    /// Nothing: missed deadlines are counted and shown
    Report,
    /// The cost of --deadline-penalty
    Penalty,
    /// More than anything else: the decision with fewer missed deadlines is better
    Hard,
}

impl DeadlineArgs {
    /// The problem with the deadlines that these options ask for, for workloads that may bring deadlines of their own: a
    /// rule holds for these even where the scenario has no deadlines.
    pub(crate) fn applied_for_workloads(&self, problem: Problem) -> Result<Problem, Error> {
        if self.seconds.is_some() || problem.scenario.tasks.deadline_s.is_some() {
            return self.applied_to(problem);
        }
        let deadline_rule = Some(self.rule_over(problem.model.deadline_rule())?);
        if deadline_rule == Some(problem.model.deadline_rule()) {
            return Ok(problem);
        }
        let ruled = problem.model.with_demands(&Demands { deadline_rule, ..Demands::default() });
        let model = ruled.expect("the penalty lies in the range of scenarios");
        Ok(Problem { model, ..problem })
    }

    /// The problem with the deadlines that these options ask for.
    pub(crate) fn applied_to(&self, problem: Problem) -> Result<Problem, Error> {
        if self.first_given().is_none() {
            return Ok(problem);
        }
        let mut scenario = problem.scenario;
        if let Some(seconds) = self.seconds {
            scenario.tasks.deadline_s = Some(PerDevice::One(seconds));
        }
        if scenario.tasks.deadline_s.is_none() {
            return Err(self.useless("of use for a scenario without deadlines; give them with `--deadline-s SECONDS`"));
        }
        scenario.tasks.deadline_rule = self.rule_over(scenario.tasks.deadline_rule)?;
        Problem::new(scenario)
    }

    /// The rule that these options ask for; `own` is the scenario's.
    fn rule_over(&self, own: DeadlineRule) -> Result<DeadlineRule, Error> {
        match (self.rule, self.penalty) {
            (None, None) => Ok(own),
            (None | Some(RuleName::Penalty), Some(penalty)) => Ok(DeadlineRule::Penalty(penalty)),
            (Some(RuleName::Report), None) => Ok(DeadlineRule::Report),
            (Some(RuleName::Hard), None) => Ok(DeadlineRule::Hard),
            (Some(RuleName::Penalty), None) if own.penalty().is_some() => Ok(own),
            (Some(RuleName::Penalty), None) => Err(Error::BadOption {
                option: "--deadline-rule",
                text: "penalty".to_owned(),
                wanted: "enough: what each missed deadline costs is missing, as in `--deadline-penalty 5`",
            }),
            (Some(RuleName::Report | RuleName::Hard), Some(penalty)) => Err(Error::BadOption {
                option: "--deadline-penalty",
                text: penalty.to_string(),
                wanted: "of use with another rule than `--deadline-rule penalty`",
            }),
        }
    }

    /// An error if any of these options is given where no scenario is named.
    pub(crate) fn check_absent(&self) -> Result<(), Error> {
        match self.first_given() {
            None => Ok(()),
            Some(_) => {
                Err(self.useless("of use on fleets of all sizes; name one scenario with `--scenario NAME|FILE`"))
            }
        }
    }

    /// The error that the first option which is given cannot be used.
    fn useless(&self, wanted: &'static str) -> Error {
        let (option, text) = self.first_given().unwrap_or_default();
        Error::BadOption { option, text, wanted }
    }

    /// The first option that is given.
    pub(crate) fn first(&self) -> Option<&'static str> {
        self.first_given().map(|(option, _)| option)
    }

    /// The first option that is given, and its value.
    fn first_given(&self) -> Option<(&'static str, String)> {
        let rule = self.rule.and_then(|rule| rule.to_possible_value());
        [
            self.seconds.map(|seconds| ("--deadline-s", seconds.to_string())),
            rule.map(|rule| ("--deadline-rule", rule.get_name().to_owned())),
            self.penalty.map(|penalty| ("--deadline-penalty", penalty.to_string())),
        ]
        .into_iter()
        .flatten()
        .next()
    }
}

fn deadline(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "must be a number of seconds, such as 20".to_owned())?;
    if DEADLINES_S.contains(&seconds) { Ok(seconds) } else { Err("must lie between 1e-12 and 1e12 seconds".to_owned()) }
}

fn penalty(text: &str) -> Result<f64, String> {
    let cost: f64 = text.parse().map_err(|_| "must be a number, such as 5".to_owned())?;
    if (0.0..=MAX_DEADLINE_PENALTY).contains(&cost) { Ok(cost) } else { Err("must lie between 0 and 1e12".to_owned()) }
}
