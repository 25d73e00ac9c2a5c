//! When a scan is made.

use aws_sdk_inspector2::types::{
    DailySchedule, Day, MonthlySchedule, Schedule as Said, Time, WeeklySchedule,
};

use crate::kinds::inspector2::scanning::spec::{Daily, Monthly, Schedule, StartTime, Weekly};
use crate::kinds::{ObserveError, WriteError, known, told};

/// A schedule as Inspector describes it; `None` for a scan that is made once.
pub fn read(said: &Said) -> Result<Option<Schedule>, ObserveError> {
    let mut schedule = Schedule::default();
    match said {
        Said::OneTime(_) => return Ok(None),
        Said::Daily(said) => {
            schedule.daily = Some(Daily { start_time: start(said.start_time())? });
        }
        Said::Weekly(said) => {
            let days = said.days().iter().map(|day| known("schedule.weekly.days", day.as_str()));
            schedule.weekly = Some(Weekly {
                start_time: start(said.start_time())?,
                days: days.collect::<Result<_, _>>()?,
            });
        }
        Said::Monthly(said) => {
            schedule.monthly = Some(Monthly {
                start_time: start(said.start_time())?,
                day: known("schedule.monthly.day", said.day().as_str())?,
            });
        }
        _ => {
            return Err(ObserveError::UnknownValue {
                field: "schedule".to_owned(),
                value: "neither oneTime, daily, weekly nor monthly".to_owned(),
            });
        }
    }
    Ok(Some(schedule))
}

/// An hour may come without the zero before it.
fn start(said: Option<&Time>) -> Result<StartTime, ObserveError> {
    let said = told("schedule.startTime", said)?;
    Ok(StartTime {
        time_of_day: format!("{:0>5}", said.time_of_day()),
        timezone: said.timezone().to_owned(),
    })
}

/// A schedule as a request takes it.
pub fn sent(schedule: &Schedule) -> Result<Said, WriteError> {
    let at = |start: &StartTime| {
        Time::builder().time_of_day(&start.time_of_day).timezone(&start.timezone).build()
    };
    match schedule {
        Schedule { daily: Some(Daily { start_time }), weekly: None, monthly: None } => {
            Ok(Said::Daily(DailySchedule::builder().start_time(at(start_time)?).build()))
        }
        Schedule { daily: None, weekly: Some(Weekly { start_time, days }), monthly: None } => {
            let days = days.iter().map(|day| Day::from(day.as_str())).collect();
            let weekly = WeeklySchedule::builder().start_time(at(start_time)?);
            Ok(Said::Weekly(weekly.set_days(Some(days)).build()?))
        }
        Schedule { daily: None, weekly: None, monthly: Some(Monthly { start_time, day }) } => {
            let monthly = MonthlySchedule::builder().start_time(at(start_time)?);
            Ok(Said::Monthly(monthly.day(Day::from(day.as_str())).build()?))
        }
        _ => Err(WriteError::Unsendable("a scan is made daily, weekly or monthly".to_owned())),
    }
}
