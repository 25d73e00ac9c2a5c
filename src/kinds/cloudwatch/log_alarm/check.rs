//! What CloudWatch would refuse, or take and never tell of.

use super::{Spec, pattern};
use crate::baseline::catalog::SpecProblem;
use crate::names::Arn;

/// The longest time that all periods are, in seconds; with periods of an hour or more, the second
/// (CloudWatch API Reference, `PutMetricAlarm`, `EvaluationPeriods`).
const DAY: u64 = 86_400;
const WEEK: u64 = 604_800;
const HOUR: u32 = 3600;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = names(spec);
    let mut problem = |field: &str, message: String, help: &str| {
        problems.push(SpecProblem::new(field, message, help));
    };
    if let Some(wrong) = spec.filter_pattern.as_deref().and_then(pattern::problem) {
        problem("filter_pattern", format!("the pattern {wrong}"), "close what is open");
    }
    if let Some(period) = spec.period
        && ![10, 20, 30].contains(&period)
        && period % 60 != 0
    {
        let help = "write 10, 20, 30 or a multiple of 60";
        problem("period", format!("AWS has no periods of {period} seconds"), help);
    }
    let periods = spec.evaluation_periods.unwrap_or(1);
    if let Some(period) = spec.period {
        let all = u64::from(period) * u64::from(periods);
        let most = if period < HOUR { DAY } else { WEEK };
        if all > most {
            let message = format!("{periods} periods of {period} seconds are more than AWS takes");
            let help = "all periods together are a day at most, and with periods of an hour or more a week";
            problem("evaluation_periods", message, help);
        }
    }
    if let Some((datapoints, periods)) = spec.datapoints_to_alarm.zip(spec.evaluation_periods)
        && datapoints > periods
    {
        let message = format!("{datapoints} of {periods} periods can never be");
        problem("datapoints_to_alarm", message, "write evaluation_periods, or less");
    }
    for (field, number) in [("threshold", spec.threshold), ("default_value", spec.default_value)] {
        if number.is_some_and(|number| !number.is_finite()) {
            problem(field, "it is no number".to_owned(), "write a number");
        }
    }
    for (field, actions) in [
        ("alarm_actions", &spec.alarm_actions),
        ("ok_actions", &spec.ok_actions),
        ("insufficient_data_actions", &spec.insufficient_data_actions),
    ] {
        let wrong = actions.iter().flatten().find(|text| Arn::parse(text).is_none());
        if let Some(wrong) = wrong {
            problem(field, format!("{wrong:?} is no ARN"), "write the ARN of a topic");
        }
    }
    problems
}

fn names(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if spec.filter_name.is_none() && spec.alarm_name.contains([':', '*']) {
        problems.push(SpecProblem::new(
            "alarm_name",
            "no filter can have this name: it has : or *",
            "choose another name, or declare a filter_name",
        ));
    }
    if spec.alarm_name.contains(|letter: char| letter.is_ascii_control()) {
        problems.push(SpecProblem::new(
            "alarm_name",
            "AWS takes no control characters in it",
            "choose another name",
        ));
    }
    problems
}
